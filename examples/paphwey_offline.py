"""A merchant verifies Paphwey's attestations offline: python examples/paphwey_offline.py

The gateway here is a stand-in on loopback; for the real one, `from_base_url("https://www.paphwey.com")` is all.
"""

from __future__ import annotations

from watchword.dpop import DpopProver
from watchword.providers.paphwey.errors import PaphweyTransportError, PaphweyVerificationError
from watchword.providers.paphwey.verify import OfflineVerifier, PinnedKey
from watchword.testing import LocalIssuer

REFUNDS = "https://merchant.example/refunds"


def accept(verifier: OfflineVerifier, raw: str, amount_minor: int) -> dict[str, object] | None:
    """Verify an attestation. Returns the new members of the session, or ``None``."""
    try:
        outcome = verifier.verify(
            attestation_token=raw,
            audience="merchant.example",
            expected_delegation_id="dlg_7",
            expected_action={"scope": "purchase", "amount_minor": amount_minor, "currency": "GBP"},
        )
    except PaphweyVerificationError as error:
        print("403", error)  # error.code is for programs
        return None
    except PaphweyTransportError as error:
        print("503", error)  # the gateway's keys are unavailable, so the attestation could not be verified
        return None
    print("200", outcome.receipt_id, outcome.actor_chain["principal_id"])
    return {"receipt_id": outcome.receipt_id, "cnf_jwk": outcome.cnf_jwk}


def main() -> None:
    agent = DpopProver("ES256")  # the agent's own key, which the attestation confirms
    says = {
        "sub": "principal-7",
        "delegation_id": "dlg_7",
        "receipt_id": "rcpt-1",
        "actor_chain": {"principal_id": "principal-7", "agent": {"provider": "openai", "agent_id": "shopper"}},
        "action_context": {"scope": "purchase", "amount_minor": 1500, "currency": "GBP"},
        "cnf": {"jwk": agent.jwk},
    }
    with LocalIssuer(audience="merchant.example", algorithms=("RS256",)).serve() as gateway:

        def attest(**changes: object) -> str:
            return gateway.mint({**says, **changes}, header={"typ": "JWT"})

        with OfflineVerifier.from_base_url(
            gateway.issuer, jwks_uri=gateway.jwks_uri, allow_loopback_http=True
        ) as verifier:
            session = accept(verifier, attest(), 1500)
            accept(verifier, attest(), 1501)
            accept(verifier, attest(delegation_id="dlg_8"), 1500)
            accept(verifier, attest(aud="other.example"), 1500)
            accept(verifier, gateway.mint(says), 1500)  # an access token is no attestation
            attacker = LocalIssuer(gateway.issuer, audience="merchant.example", algorithms=("RS256",))
            accept(verifier, attacker.mint(says, header={"typ": "JWT"}), 1500)

    # Later, the agent returns without a new attestation: it must prove possession of the pinned key.
    if session is not None:
        key = PinnedKey(session["cnf_jwk"])  # type: ignore[arg-type]  # a session contains any values
        for prover in (agent, DpopProver("ES256")):
            try:
                key.verify_proof(prover.proof("POST", REFUNDS), method="POST", uri=REFUNDS)
                print("the same agent")
            except PaphweyVerificationError as error:
                print("403", error.code)


if __name__ == "__main__":
    main()
