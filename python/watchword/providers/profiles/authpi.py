"""AuthPI's tokens: ID tokens (OpenID Connect Core 1.0 section 2). Its access and refresh tokens are opaque."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from collections.abc import Collection
from urllib.parse import urlsplit

from watchword._kernel import KeySet, VerifiedToken
from watchword.errors import MalformedClaimsError, MissingClaimError, WrongAudienceError, WrongTypeError
from watchword.providers.profiles import Kind, Members, Profile

ID_TOKEN = "id_token"  # noqa: S105 - a kind, not a secret

#: Claims that say what a bearer may do, or what happened, and so belong to other kinds of tokens: access tokens
#: (RFC 9068, RFC 8693), transaction tokens, security events such as a logout (RFC 8417), credentials.
FOREIGN_CLAIMS = (
    *("scope", "client_id", "act", "may_act", "cnf", "delegation_chain", "actor_chain"),
    *("txn", "events", "vc", "credentialSubject"),
)

#: How long a subject may be, in ASCII characters (section 2).
_LONGEST_SUBJECT = 255

#: How the ids of AuthPI's principals begin.
SUBJECT_PREFIXES = ("usr_", "agt_", "key_", "tok_")
_DOMAIN = "authpi.com"

_HASH_SIZE = re.compile(r"[A-Z]{2}(256|384|512)")


def recognise(header: Members, claims: Members) -> Kind | None:
    """Whether this looks like an ID token of AuthPI."""
    subject, issuer = claims.get("sub"), claims.get("iss")
    if header.get("typ", "JWT") != "JWT" or any(name in claims for name in FOREIGN_CLAIMS):
        return None
    if not isinstance(subject, str) or not isinstance(issuer, str) or "aud" not in claims:
        return None
    reasons = []
    if isinstance(claims.get("organizations"), (list, dict)):
        reasons.append('there is a claim "organizations"')
    if subject.startswith(SUBJECT_PREFIXES):
        reasons.append(f'the subject begins with "{subject[:4]}"')
    if _is_at_authpi(issuer):
        reasons.append(f'the issuer is at "{_DOMAIN}"')
    return Kind(ID_TOKEN, tuple(reasons)) if reasons else None


def check(token: VerifiedToken, *, audience: Collection[str] = (), keys: KeySet | None = None) -> None:
    """The token is an ID token, and for nobody else than the clients named."""
    del keys  # the token's own signature is all there is
    check_id_token(token, audience)


def check_id_token(
    token: VerifiedToken,
    clients: Collection[str],
    trusted: Collection[str] = (),
    prefixes: tuple[str, ...] | None = SUBJECT_PREFIXES,
) -> None:
    """What OpenID Connect Core 1.0 sections 2 and 3.1.3.7 demand beyond a policy: a subject of the right form, no
    audience beside the ``clients`` and those that are ``trusted``, no other authorized party; and what keeps the other
    kinds of tokens out (RFC 8725 section 3.12): none of their claims, and a subject that begins as AuthPI's do, with
    one of the ``prefixes``.

    Where no client is named, nobody knows whom the token is for, and its audience is not looked at. Raises
    :class:`~watchword.VerificationError`.
    """
    claims = token.claims
    foreign = next((name for name in FOREIGN_CLAIMS if name in claims), None)
    if foreign is not None:
        raise WrongTypeError(f'the token is no ID token: it has the claim "{foreign}"')
    subject = token.subject or ""
    if not subject or not subject.isascii() or len(subject) > _LONGEST_SUBJECT:
        raise MalformedClaimsError(f'"sub" of an ID token has 1 to {_LONGEST_SUBJECT} ASCII characters')
    if prefixes is not None and not subject.startswith(prefixes):
        raise WrongTypeError(f'the token is no ID token of AuthPI: "sub" begins with none of {", ".join(prefixes)}')
    if not clients:
        return
    if not set(token.audience) <= {*clients, *trusted}:
        raise WrongAudienceError('"aud" names somebody beside this client who is not trusted')
    party = claims.get("azp")
    if party is None and len(token.audience) > 1:
        raise MissingClaimError('"azp" must say to which of several audiences the ID token was issued')
    if party is not None and party not in tuple(clients):
        raise WrongAudienceError('"azp" is another client')


def check_access_token_hash(token: VerifiedToken, algorithm: object, access_token: str) -> None:
    """``at_hash``, where it is there, is that of the access token (section 3.1.3.8). ``algorithm`` is the ``alg`` that
    the issuer wrote into the header, and says which hash. Raises ``MalformedClaimsError``.
    """
    stated = token.claims.get("at_hash")
    if stated is None:
        return
    size = _HASH_SIZE.fullmatch(algorithm) if isinstance(algorithm, str) else None
    # Ed25519 itself hashes by SHA-512, and so its ID tokens do.
    digest = hashlib.new(f"sha{size[1] if size else 512}", access_token.encode("utf-8", "surrogatepass")).digest()
    expected = base64.urlsafe_b64encode(digest[: len(digest) // 2]).rstrip(b"=")
    if not isinstance(stated, str) or not hmac.compare_digest(stated.encode("utf-8", "surrogatepass"), expected):
        raise MalformedClaimsError('"at_hash" is not the hash of the access token that came with the ID token')


def _is_at_authpi(issuer: str) -> bool:
    if _DOMAIN not in issuer:
        return False
    try:
        host = urlsplit(issuer).hostname or ""
    except ValueError:
        return False
    return host == _DOMAIN or host.endswith(f".{_DOMAIN}")


PROFILE = Profile(
    algorithms=None,
    types=("JWT", None),
    required=("exp", "iss", "sub", "aud", "iat"),
    publishes_keys=True,
    check=check,
    recognise=recognise,
    not_checked="which login they are from (nonce)",
)
