"""Paphwey's tokens: attestations, whose claims are not published and are taken to have the SDK's own names, and
delegation credentials.
"""

from __future__ import annotations

from collections.abc import Collection

from watchword._kernel import KeySet, VerifiedToken
from watchword.errors import WrongTypeError
from watchword.providers.profiles import Kind, Members, Profile

ATTESTATION = "attestation"
DELEGATION_CREDENTIAL = "delegation_credential"

_TYPES = ("JWT", "vc+jwt", None)
_SUBJECT = "paphwey:"
_CREDENTIAL = "PaphweyDelegationCredential"


def recognise(header: Members, claims: Members) -> Kind | None:
    """Which of Paphwey's tokens this looks like, if any."""
    if header.get("typ") not in _TYPES:
        return None
    credential = claims["vc"] if isinstance(claims.get("vc"), dict) else claims
    types = credential.get("type")
    if types == _CREDENTIAL or (isinstance(types, list) and _CREDENTIAL in types):
        return Kind(DELEGATION_CREDENTIAL, (f'it carries a "{_CREDENTIAL}"',))
    said = {**_object(credential.get("credentialSubject")), **claims}
    reasons = []
    if isinstance(said.get("delegation_id", _object(said.get("delegation")).get("delegation_id")), str):
        reasons.append('there is a "delegation_id"')
    if "principal_id" in _object(said.get("actor_chain")):
        reasons.append('"actor_chain" names a principal')
    if isinstance(claims.get("sub"), str) and claims["sub"].startswith(_SUBJECT):
        reasons.append(f'the subject begins with "{_SUBJECT}"')
    return Kind(ATTESTATION, tuple(reasons)) if reasons else None


def check(token: VerifiedToken, *, audience: Collection[str] = (), keys: KeySet | None = None) -> None:
    """The token is an attestation. Which delegation and which action it is for, only its receiver can say."""
    del audience, keys
    kind = recognise(token.header, token.claims)
    if kind is None or kind.name != ATTESTATION:
        raise WrongTypeError("the token is no attestation")


def _object(value: object) -> Members:
    return value if isinstance(value, dict) else {}


PROFILE = Profile(
    algorithms=None,
    types=_TYPES,
    required=("exp",),
    publishes_keys=True,
    check=check,
    recognise=recognise,
    not_checked="which delegation and which action they are for",
)
