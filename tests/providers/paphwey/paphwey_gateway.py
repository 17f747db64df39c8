"""An in-memory gateway: an issuer whose tokens, good and bad, are attestations."""

from __future__ import annotations

from typing import Any

from watchword import Issuer
from watchword.dpop import DpopProver
from watchword.providers.paphwey.verify import OfflineVerifier
from watchword.testing import LocalIssuer
from watchword.testing.draft import Draft
from watchword.testing.signing_key import SigningKey

BASE_URL = "https://www.paphwey.com"
AUDIENCE = "merchant.example"
DELEGATION_ID = "d00f27a4-9c1a-41d3-b33e-2f6c4df5e2b1"
ACTION = {"scope": "purchase", "amount_minor": 1500, "currency": "GBP"}
CONTEXT = "https://www.w3.org/ns/credentials/v2"

#: An agent with a key of its own, which attestations confirm.
AGENT = DpopProver("ES256")

#: The claims of an attestation besides the registered ones.
SAYS: dict[str, Any] = {
    "sub": "principal-1",
    "delegation_id": DELEGATION_ID,
    "delegation": {"delegation_id": DELEGATION_ID, "agent_did": "did:example:agent", "provider": "openai"},
    "actor_chain": {"principal_id": "principal-1", "agent": {"provider": "openai", "agent_id": "shopping-agent"}},
    "receipt_id": "rcpt-1",
    "action_context": {**ACTION, "merchant": "acme.example"},
    "cnf": {"jwk": AGENT.jwk},
}


class Gateway(LocalIssuer):
    """Its bad tokens are attestations, too, with one thing wrong."""

    def __init__(self, issuer: str = BASE_URL, algorithms: tuple[str, ...] = ("RS256", "ES256")) -> None:
        super().__init__(issuer, audience=AUDIENCE, algorithms=algorithms)

    def _draft(self, key: SigningKey, expires_in: float | None) -> Draft:
        draft = super()._draft(key, expires_in)
        draft.header["typ"] = "JWT"
        draft.claims.update(SAYS)
        return draft

    def attest(self, **claims: Any) -> str:
        """Return a good attestation, with claims changed or (``None``) omitted."""
        return self.mint(claims)

    def credential(self, **members: Any) -> dict[str, Any]:
        """Return a credential with the claims of an attestation, members changed or (``None``) omitted."""
        credential = {
            "@context": [CONTEXT],
            "type": ["VerifiableCredential", "PaphweyAttestationCredential"],
            "issuer": self.issuer,
            "credentialSubject": {name: said for name, said in SAYS.items() if name not in ("sub", "cnf")},
            **members,
        }
        return {name: value for name, value in credential.items() if value is not None}

    def in_vc_claim(self, claims: dict[str, Any] | None = None, **members: Any) -> str:
        """Return an attestation whose claim ``vc`` is a credential with all the claims."""
        return self.mint({**OUTSIDE, "vc": self.credential(**members), **(claims or {})})

    def as_payload(self, claims: dict[str, Any] | None = None, **members: Any) -> str:
        """Return an attestation whose payload is a credential with all the claims."""
        credential = self.credential(**members)
        return self.mint({**OUTSIDE, **credential, **(claims or {})}, header={"typ": "vc+jwt", "cty": "vc"})

    def offline(self, **settings: Any) -> OfflineVerifier:
        """A verifier that has its keys."""
        return OfflineVerifier(Issuer(self.issuer, jwks=self.jwks()), **settings)


#: The members of a credential that replace claims.
OUTSIDE = {name: None for name in SAYS if name not in ("sub", "cnf")}
