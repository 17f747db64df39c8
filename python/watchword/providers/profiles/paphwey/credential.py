"""W3C Verifiable Credentials 2.0 in a token: as the claim ``vc``, or as the payload itself (``vc+jwt``).

They are parsed strictly, as far as attestations need it: the terms of other contexts are ignored.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from typing import Any, NoReturn

from watchword.providers.profiles import Members, ProviderRuleError, media_type

CONTEXT = "https://www.w3.org/ns/credentials/v2"

#: The type of what a principal grants: it is signed with the same keys as attestations.
DELEGATION_CREDENTIAL = "PaphweyDelegationCredential"

# XML Schema's dateTimeStamp, as the data model requires it (section 2.1 there): with a time zone.
_TIME = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:\.(\d{1,18}))?(?:Z|([+-])(0\d|1[0-4]):([0-5]\d))", flags=re.ASCII
)


@dataclass(frozen=True)
class Credential:
    """A well-formed credential. Times are Unix seconds."""

    types: tuple[str, ...]
    issuer: str | None
    subject: dict[str, Any]
    valid_from: float | None
    valid_until: float | None


def read(header: Members, claims: Members) -> Credential | None:
    """Return the credential in a token, or ``None`` if there is none.

    Raises :class:`~watchword.VerificationError` (``malformed_credential``) for a malformed credential and for a
    presentation.
    """
    if "vp" in claims:
        _reject("the token is a presentation, not an attestation")
    is_payload = media_type(header) == "vc+jwt" or "@context" in claims or "credentialSubject" in claims
    if not is_payload and "vc" not in claims:
        return None
    if is_payload and "vc" in claims:
        _reject('"vc" must be absent if the payload is a credential (VC-JOSE-COSE section 3.1.3)')
    document = claims if is_payload else claims["vc"]
    if not isinstance(document, dict):
        _reject('"vc" must be an object')
    return Credential(
        types=_types(document),
        issuer=_issuer(document),
        subject=_subject(document),
        valid_from=_time(document, "validFrom"),
        valid_until=_time(document, "validUntil"),
    )


def _types(document: Members) -> tuple[str, ...]:
    contexts = document.get("@context")
    if not isinstance(contexts, list) or not contexts or contexts[0] != CONTEXT:
        _reject(f'"@context" must be a list that begins with {CONTEXT}')
    types = document.get("type")
    listed = [types] if isinstance(types, str) else types
    if not isinstance(listed, list) or not all(isinstance(one, str) for one in listed):
        _reject('"type" must be a string or a list of strings')
    if "VerifiableCredential" not in listed:
        _reject('"type" must name VerifiableCredential')
    return tuple(listed)


def _issuer(document: Members) -> str | None:
    issuer = document.get("issuer")
    if isinstance(issuer, dict):
        issuer = issuer.get("id")
    elif issuer is None and "issuer" not in document:
        return None
    if not isinstance(issuer, str) or not issuer:
        _reject('"issuer" must be a URL, or an object whose "id" is one')
    return issuer


def _subject(document: Members) -> dict[str, Any]:
    subject = document.get("credentialSubject")
    # Of several subjects, none is known to be the right one.
    if isinstance(subject, list) and len(subject) == 1:
        subject = subject[0]
    if not isinstance(subject, dict):
        _reject('"credentialSubject" must be one object')
    return subject


def _time(document: Members, name: str) -> float | None:
    if name not in document:
        return None
    text = document[name]
    match = _TIME.fullmatch(text) if isinstance(text, str) else None
    if match is None:
        _reject(f'"{name}" must be a date and time with a time zone')
    *numbers, fraction, sign, hours, minutes = match.groups()
    offset = timedelta(hours=int(hours or 0), minutes=int(minutes or 0))
    zone = timezone(-offset if sign == "-" else offset)
    try:
        whole = datetime(*(int(number) for number in numbers), tzinfo=zone)  # type: ignore[misc,arg-type]  # six of them
        return (whole - datetime(1970, 1, 1, tzinfo=UTC)).total_seconds() + float(f"0.{fraction or 0}")
    except (ValueError, OverflowError):  # the 31st of February
        _reject(f'"{name}" is not a date that exists')


def _reject(message: str) -> NoReturn:
    raise ProviderRuleError(message, reason="malformed_credential")
