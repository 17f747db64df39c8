"""Paphwey's tokens: attestations and delegation credentials.

The claims of attestations are not published; they are assumed to have the names that the SDK has.
"""

from __future__ import annotations

from watchword.providers.profiles import Kind, Members, Profile, media_type
from watchword.providers.profiles.paphwey.attestation import Rules
from watchword.providers.profiles.paphwey.credential import DELEGATION_CREDENTIAL as _CREDENTIAL

ATTESTATION = "attestation"
DELEGATION_CREDENTIAL = "delegation_credential"

#: The assumed path of the gateway's keys, below its base URL: Paphwey does not publish it.
JWKS_PATH = "/.well-known/jwks.json"

_SUBJECT = "paphwey:"


def recognise(header: Members, claims: Members) -> Kind | None:
    """Return the kind of Paphwey's tokens that this looks like, if any."""
    if media_type(header) not in (None, "jwt", "vc+jwt"):
        return None
    credential = claims["vc"] if isinstance(claims.get("vc"), dict) else claims
    types = credential.get("type")
    if types == _CREDENTIAL or (isinstance(types, list) and _CREDENTIAL in types):
        return Kind(DELEGATION_CREDENTIAL, (f'it carries a "{_CREDENTIAL}"', *_marks(credential, claims)))
    reasons = _marks(credential, claims)
    return Kind(ATTESTATION, reasons) if reasons else None


def _marks(credential: Members, claims: Members) -> tuple[str, ...]:
    """Return the marks that attestations and delegation credentials share."""
    members = {**_object(credential.get("credentialSubject")), **claims}
    reasons = []
    if isinstance(members.get("delegation_id", _object(members.get("delegation")).get("delegation_id")), str):
        reasons.append('there is a "delegation_id"')
    if "principal_id" in _object(members.get("actor_chain")):
        reasons.append('"actor_chain" names a principal')
    if isinstance(claims.get("sub"), str) and claims["sub"].startswith(_SUBJECT):
        reasons.append(f'the subject begins with "{_SUBJECT}"')
    if reasons and (isinstance(members.get("receipt_id"), str) or isinstance(members.get("action_context"), dict)):
        # No mark by itself: the names are common.
        reasons.append('there is a "receipt_id" or an "action_context"')
    return tuple(reasons)


def _object(value: object) -> Members:
    return value if isinstance(value, dict) else {}


PROFILE = Profile(
    rules=Rules,
    recognise=recognise,
    accepted=(ATTESTATION,),
    publishes_keys=True,
    jwks_path=JWKS_PATH,
    bound_tokens="accept",
    not_checked=(
        "which delegation and which action they are for",
        "whether their senders have the keys that they confirm",
    ),
)
