"""What the gateway's answer about an attestation must agree with: the question, and the attestation itself."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from watchword import decode_unverified, thumbprint
from watchword.errors import MissingClaimError, VerificationError, WrongAudienceError
from watchword.providers.paphwey.models import VerifiedOutcome, VerifyOutcomeRequest
from watchword.providers.profiles import ProviderRuleError
from watchword.providers.profiles.paphwey import credential
from watchword.providers.profiles.paphwey.action import Action, compare
from watchword.providers.profiles.paphwey.attestation import checked_jwk
from watchword.providers.profiles.paphwey.claim_names import ClaimNames, Places
from watchword.providers.profiles.paphwey.exact_json import load_exactly


def check_outcome(
    found: VerifiedOutcome, asked: VerifyOutcomeRequest, action: Action | None, names: ClaimNames, exact: dict[str, Any]
) -> None:
    """Check that an outcome of the gateway's is the answer to a question.

    ``exact`` are its claims with every digit of their numbers (``Decimal``), as amounts are compared exactly.

    It must name the expected audience and delegation; what it says of the action and of the confirmation key must agree
    too; and if the attestation can be decoded, no claim may differ from its own, and those that the answer leaves out
    are checked there. The signature is not verified: the gateway is trusted with it. Raises
    :class:`~watchword.VerificationError`.
    """
    header, presented = _presented(asked.attestation_token)
    if any(not _equal(presented[name], value) for name, value in found.claims.items() if name in presented):
        raise ProviderRuleError("the gateway's answer is about another attestation", reason="wrong_attestation")
    answered, attested = _places(header, exact), _places(header, _exact(asked.attestation_token, presented))
    _check_audience(exact, asked.audience)
    _check_delegation(found, answered, attested, asked.expected_delegation_id, names)
    for body in (answered, attested):
        approved = body.members(names.action)
        if action is not None and approved is not None:
            compare(approved, action, names, "at_most")
    for claims in (found.claims, presented):
        _check_key(found.cnf_jwk, claims.get("cnf"))


def as_signed(found: VerifiedOutcome, verified: VerifiedOutcome) -> VerifiedOutcome:
    """Return the gateway's outcome with what was verified offline in place of what the gateway says of it.

    Raises :class:`~watchword.VerificationError` if the receipts differ.
    """
    if verified.receipt_id and found.receipt_id and verified.receipt_id != found.receipt_id:
        raise ProviderRuleError("the gateway names another receipt than the attestation", reason="wrong_attestation")
    signed = {
        "claims": verified.claims,
        "cnf_jwk": verified.cnf_jwk,
        "receipt_id": verified.receipt_id or found.receipt_id,
        # The gateway resolves more of them than is signed.
        "delegation": {**found.delegation, **verified.delegation},
        "actor_chain": {**found.actor_chain, **verified.actor_chain},
    }
    return found.model_copy(update=signed)


def _presented(raw: str) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    """Return the unverified header and claims of the attestation; none if it is not a JWT that can be decoded."""
    try:
        token = decode_unverified(raw)
    except VerificationError:
        return {}, {}
    return token.header, token.claims or {}


def _exact(raw: str, presented: Mapping[str, Any]) -> dict[str, Any]:
    """Return the presented claims with every digit of their numbers."""
    return load_exactly(decode_unverified(raw).payload) if presented else {}


def _places(header: Mapping[str, Any], claims: dict[str, Any]) -> Places:
    carried = credential.read(header, claims) if claims else None
    return Places(claims) if carried is None else Places(claims, carried.subject)


def _check_audience(claims: Mapping[str, Any], audience: str) -> None:
    named = claims.get("aud")
    if named is None:
        raise MissingClaimError('the gateway\'s answer names no audience ("aud")')
    if audience not in (named if isinstance(named, list) else [named]):
        raise WrongAudienceError("the gateway's answer is for another audience")


def _check_delegation(
    found: VerifiedOutcome, answered: Places, attested: Places, expected: str, names: ClaimNames
) -> None:
    snapshot = Places(found.delegation).text(names.delegation_id)
    bound = _delegations(answered, names) | ({snapshot} if snapshot else set())
    if not bound:
        raise MissingClaimError(
            f'the gateway\'s answer has no "{names.delegation_id}": ClaimNames(delegation_id=) sets the name'
        )
    if bound | _delegations(attested, names) != {expected}:
        raise ProviderRuleError("the gateway's answer is for another delegation", reason="wrong_delegation")


def _delegations(body: Places, names: ClaimNames) -> set[str]:
    places = (body, Places(body.members(names.delegation) or {}))
    return {one for one in (place.text(names.delegation_id) for place in places) if one}


def _check_key(named: Mapping[str, Any] | None, confirmation: object) -> None:
    if named is None:
        return
    jkt = thumbprint(checked_jwk(named))
    confirmed = confirmation if isinstance(confirmation, dict) else {}
    jwk = confirmed.get("jwk")
    if confirmed.get("jkt") not in (None, jkt) or (isinstance(jwk, dict) and thumbprint(checked_jwk(jwk)) != jkt):
        raise ProviderRuleError("the gateway names another key than the claims", reason="invalid_confirmation_key")


def _equal(one: object, other: object) -> bool:
    # In Python true equals 1, and 1 equals 1.0, deep inside of objects too; their texts differ.
    return json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)


__all__ = ["as_signed", "check_outcome"]
