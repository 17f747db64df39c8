"""The rules of attestations, beyond those of every token."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal

from watchword import KeySet, VerifiedToken, thumbprint
from watchword.errors import (
    ExpiredError,
    KeySetError,
    MissingClaimError,
    NotYetValidError,
    UnsupportedError,
    WrongIssuerError,
    WrongTypeError,
)
from watchword.providers import profiles
from watchword.providers.profiles import Members, ProviderRuleError
from watchword.providers.profiles.paphwey import credential
from watchword.providers.profiles.paphwey.action import Action, AmountRule, compare
from watchword.providers.profiles.paphwey.claim_names import ClaimNames, Places
from watchword.providers.profiles.paphwey.credential import DELEGATION_CREDENTIAL, Credential
from watchword.providers.profiles.paphwey.exact_json import load_exactly


@dataclass(frozen=True)
class Expected:
    """What a caller expects of one attestation; ``None``: any."""

    delegation_id: str | None = None
    action: Action | None = None


@dataclass(frozen=True)
class Attestation:
    """The contents of an attestation; what it lacks is empty or ``None``."""

    delegation_id: str
    delegation: dict[str, Any]
    actor_chain: dict[str, Any]
    receipt_id: str | None
    confirmation_key: dict[str, Any] | None


@dataclass(frozen=True, kw_only=True)
class Rules(profiles.Rules):
    """What a verifier requires of attestations.

    ``credential_issuers`` are further names of the issuer inside a credential; ``credential_type`` is a type that the
    credential must have; ``names`` are the names of the claims; ``amount`` is how amounts are compared. ``required``
    claims may be in the token or in its credential. Bound tokens are accepted: the confirmed key is for later requests.
    """

    types: tuple[str | None, ...] = ("JWT", "vc+jwt", None)
    bound_tokens: Literal["reject", "accept"] = "accept"
    credential_issuers: frozenset[str] = frozenset()
    credential_type: str | None = None
    names: ClaimNames = field(default_factory=ClaimNames)
    amount: AmountRule = "at_most"

    # The credential may name the issuer instead.
    kernel_checks_issuer: ClassVar[bool] = False

    def requirements(self) -> dict[str, Any]:
        """As for every provider, without ``required``: :meth:`check` looks in the credential, too."""
        return {**super().requirements(), "required": ()}

    def form(self, header: Members, claims: Members) -> Attestation:
        """Return the contents of an attestation: well-formed, with an issuer and a delegation."""
        carried = self._credential(header, claims)
        return self._contents(claims, carried)

    def check(
        self,
        token: VerifiedToken,
        *,
        now: float,
        keys: KeySet | None = None,
        expected: Expected = Expected(),
    ) -> Attestation:
        """Check that the token is an attestation as of ``now``, for what is ``expected``. Returns its contents."""
        del keys
        claims = token.claims
        carried = self._credential(token.header, claims)
        self._check_validity(claims, carried, now)
        found = self._contents(claims, carried)
        if expected.delegation_id is not None and found.delegation_id != expected.delegation_id:
            raise ProviderRuleError("the attestation is for another delegation", reason="wrong_delegation")
        if expected.action is not None:
            self._check_action(token, expected.action)
        return found

    def _credential(self, header: Members, claims: Members) -> Credential | None:
        carried = credential.read(header, claims)
        types = () if carried is None else carried.types
        if DELEGATION_CREDENTIAL in types:
            raise WrongTypeError("the token is a delegation credential, not an attestation")
        if self.credential_type is not None and self.credential_type not in types:
            raise WrongTypeError(f"the attestation has no credential of the type {self.credential_type}")
        return carried

    def _check_validity(self, claims: Members, carried: Credential | None, now: float) -> None:
        # "exp" ends the token and "validUntil" the credential: at least one must be present, and each that is applies.
        # The bounds are those of the kernel for "exp" and "nbf".
        until = None if carried is None else carried.valid_until
        if claims.get("exp") is None and until is None:
            raise MissingClaimError('the attestation has no "exp", and no credential with "validUntil"')
        if until is not None and not now < until + self.leeway:
            raise ExpiredError("the credential has expired")
        if carried is not None and carried.valid_from is not None and not now >= carried.valid_from - self.leeway:
            raise NotYetValidError("the credential is not valid yet")

    def _contents(self, claims: Members, carried: Credential | None) -> Attestation:
        self._check_issuer(claims, carried)
        body = _places(claims, carried)
        for name in self.required:
            if body.get(name) is None:
                raise MissingClaimError(f'the attestation has no "{name}"')
        delegation_id, delegation = self._delegation(body)
        return Attestation(
            delegation_id=delegation_id,
            delegation=delegation,
            actor_chain=body.members(self.names.actor_chain) or {},
            receipt_id=body.text(self.names.receipt_id),
            confirmation_key=_confirmation_key(claims),
        )

    def _check_issuer(self, claims: Members, carried: Credential | None) -> None:
        stated, named = claims.get("iss"), None if carried is None else carried.issuer
        if stated is None and named is None:
            raise MissingClaimError('the attestation has no "iss", and no credential with "issuer"')
        if stated is not None and self.issuers and stated not in self.issuers:
            raise WrongIssuerError(f'"iss" is not {" or ".join(self.issuers)}')
        # The credential must be of the token's own issuer, not of any other trusted one.
        expected = self.issuers if stated is None else (stated,)
        if named is not None and expected and named not in (*expected, *self.credential_issuers):
            raise WrongIssuerError("the issuer of the credential is not that of the attestation")

    def _delegation(self, body: Places) -> tuple[str, dict[str, Any]]:
        """Return the delegation's id and its snapshot; without one, a snapshot with the id alone."""
        name = self.names.delegation_id
        snapshot = body.members(self.names.delegation) or {}
        bound = {one for one in (body.text(name), Places(snapshot).text(name)) if one}
        if not bound:
            raise MissingClaimError(f'the attestation has no "{name}": ClaimNames(delegation_id=) sets the name')
        if len(bound) > 1:
            raise ProviderRuleError("the attestation names two delegations", reason="wrong_delegation")
        (delegation_id,) = bound
        return delegation_id, snapshot or {name: delegation_id}

    def _check_action(self, token: VerifiedToken, expected: Action) -> None:
        # The kernel has checked that the payload is strict JSON; parsed again, its numbers keep every digit.
        claims = load_exactly(token.payload)
        approved = _places(claims, credential.read(token.header, claims)).members(self.names.action)
        if approved is None:
            name = self.names.action
            raise MissingClaimError(f'the attestation has no "{name}": ClaimNames(action=) sets the name')
        compare(approved, expected, self.names, self.amount)


def _places(claims: Members, carried: Credential | None) -> Places:
    return Places(claims) if carried is None else Places(claims, carried.subject)


def _confirmation_key(claims: Members) -> dict[str, Any] | None:
    if "cnf" not in claims:
        return None
    confirmation = claims["cnf"]
    jwk = confirmation.get("jwk") if isinstance(confirmation, dict) else None
    if not isinstance(jwk, dict):
        # Without an error, the caller would believe that there is no key to pin.
        raise UnsupportedError('"cnf" of the attestation has no "jwk", the only confirmation that is supported')
    jwk = checked_jwk(jwk)
    if confirmation.get("jkt") is not None and confirmation["jkt"] != thumbprint(jwk):
        raise ProviderRuleError('"cnf" has a "jwk" and the "jkt" of another key', reason=_BAD_KEY)
    return jwk


_BAD_KEY = "invalid_confirmation_key"


def checked_jwk(jwk: Mapping[str, Any]) -> dict[str, Any]:
    """Return the JWK. Raises :class:`~watchword.VerificationError` if it cannot verify proofs."""
    if "keys" in jwk:
        raise ProviderRuleError("the confirmation key must be one JWK, not a JWK Set", reason=_BAD_KEY)
    try:
        keys = KeySet.from_json(jwk)
    except (KeySetError, TypeError, ValueError) as error:
        raise ProviderRuleError("the confirmation key is not a JWK", reason=_BAD_KEY) from error
    if len(keys) != 1:
        raise ProviderRuleError(f"the confirmation key is rejected: {keys.rejected[0].detail}", reason=_BAD_KEY)
    return dict(jwk)


__all__ = ["Attestation", "Expected", "Rules", "checked_jwk"]
