"""What an attestation must say beside what every token must: a pure function of a verified token."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import KW_ONLY, dataclass
from decimal import Decimal
from typing import Any

from watchword._kernel import VerifiedToken, thumbprint
from watchword.providers.paphwey import credential
from watchword.providers.paphwey.action import Action, AmountRule, compare
from watchword.providers.paphwey.claim_names import ClaimNames, Places
from watchword.providers.paphwey.credential import DELEGATION_CREDENTIAL, Credential
from watchword.providers.paphwey.errors import PaphweyVerificationError
from watchword.providers.paphwey.models import VerifiedOutcome
from watchword.providers.paphwey.pinned_key import checked_jwk


@dataclass(frozen=True)
class Rules:
    """What one verifier demands of every attestation."""

    issuer: str
    _: KW_ONLY
    credential_issuers: frozenset[str]
    credential_type: str | None
    names: ClaimNames
    required: tuple[str, ...]
    amount: AmountRule
    leeway: float


@dataclass(frozen=True)
class Expected:
    """What one call demands."""

    delegation_id: str
    action: Action | None


def examine(token: VerifiedToken, rules: Rules, expected: Expected, now: float) -> VerifiedOutcome:
    """The outcome of an attestation whose signature, times and audience hold, as of ``now`` in Unix seconds.

    Raises :class:`PaphweyVerificationError`: the first check that fails names the code.
    """
    claims = token.claims
    carried = credential.read(claims, token.header.get("typ"))
    _check_type(carried, rules)
    _check_validity(token, carried, rules, now)
    _check_issuer(token, carried, rules)
    body = _places(claims, carried)
    for name in rules.required:
        if body.get(name) is None:
            raise PaphweyVerificationError(f'the attestation has no "{name}"', code="missing_claim")
    delegation = _delegation(body, rules.names, expected.delegation_id)
    if expected.action is not None:
        action = _exact_action(token, rules.names)
        if action is None:
            raise PaphweyVerificationError(
                f'the attestation has no "{rules.names.action}" (ClaimNames says where its action is)',
                code="missing_claim",
            )
        compare(action, expected.action, rules.names, rules.amount)
    return VerifiedOutcome(
        valid=True,
        claims=claims,
        delegation=delegation,
        actor_chain=body.members(rules.names.actor_chain) or {},
        receipt_id=body.text(rules.names.receipt_id),
        cnf_jwk=_confirmation_key(token),
    )


def _check_type(carried: Credential | None, rules: Rules) -> None:
    types = () if carried is None else carried.types
    if DELEGATION_CREDENTIAL in types:
        raise PaphweyVerificationError("a delegation credential is no attestation", code="wrong_type")
    if rules.credential_type is not None and rules.credential_type not in types:
        raise PaphweyVerificationError("the attestation carries no credential of the type demanded", code="wrong_type")


def _check_validity(token: VerifiedToken, carried: Credential | None, rules: Rules, now: float) -> None:
    # "exp" is the signature's end and "validUntil" the credential's; whichever is there holds, and one must be.
    until = None if carried is None else carried.valid_until
    if token.expires_at is None and until is None:
        raise PaphweyVerificationError('the attestation has no "exp"', code="missing_claim")
    if until is not None and now >= until + rules.leeway:
        raise PaphweyVerificationError("the credential has expired", code="expired")
    if carried is not None and carried.valid_from is not None and now < carried.valid_from - rules.leeway:
        raise PaphweyVerificationError("the credential is not valid yet", code="not_yet_valid")


def _check_issuer(token: VerifiedToken, carried: Credential | None, rules: Rules) -> None:
    named = None if carried is None else carried.issuer
    if token.issuer is None and named is None:
        raise PaphweyVerificationError('the attestation has no "iss"', code="missing_claim")
    if token.issuer not in (None, rules.issuer):
        raise PaphweyVerificationError(f'"iss" is not {rules.issuer}', code="wrong_issuer")
    if named is not None and named not in rules.credential_issuers:
        raise PaphweyVerificationError(f"the credential's issuer is not {rules.issuer}", code="wrong_issuer")


def _places(claims: Mapping[str, Any], carried: Credential | None) -> Places:
    return Places(claims) if carried is None else Places(claims, carried.subject)


def _delegation(body: Places, names: ClaimNames, expected: str) -> dict[str, Any]:
    """The delegation's snapshot, or what stands for it where there is none."""
    snapshot = body.members(names.delegation) or {}
    bound = {one for one in (body.text(names.delegation_id), Places(snapshot).text(names.delegation_id)) if one}
    if not bound:
        raise PaphweyVerificationError(
            f'the attestation has no "{names.delegation_id}" (ClaimNames says where its delegation is)',
            code="missing_claim",
        )
    if bound != {expected}:
        raise PaphweyVerificationError("the attestation is for another delegation", code="wrong_delegation")
    return snapshot or {names.delegation_id: expected}


def _exact_action(token: VerifiedToken, names: ClaimNames) -> dict[str, Any] | None:
    # The kernel has found the payload to be strict JSON; read again, its numbers keep every digit.
    claims = json.loads(token.payload, parse_float=Decimal)
    return _places(claims, credential.read(claims, token.header.get("typ"))).members(names.action)


def _confirmation_key(token: VerifiedToken) -> dict[str, Any] | None:
    confirmation = token.confirmation
    if "cnf" not in token.claims:
        return None
    if confirmation is None or confirmation.jwk is None:
        # Nothing could be pinned, and the caller would believe that there is nothing to pin.
        raise PaphweyVerificationError("the attestation is bound, but not to a key in cnf.jwk", code="unsupported")
    jwk = checked_jwk(confirmation.jwk)
    if confirmation.jkt is not None and confirmation.jkt != thumbprint(jwk):
        raise PaphweyVerificationError('"cnf" names two keys', code="invalid_confirmation_key")
    return jwk
