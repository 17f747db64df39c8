"""AuthPI's tokens: ID tokens (OpenID Connect Core 1.0 section 2). Its access and refresh tokens are opaque."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, ClassVar, TypedDict
from urllib.parse import urlsplit

from watchword._kernel import KeySet, VerifiedToken
from watchword.errors import MalformedClaimsError, MissingClaimError, WrongAudienceError, WrongTypeError
from watchword.providers import profiles
from watchword.providers.profiles import Kind, Members, Profile, media_type

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
    if media_type(header) not in (None, "jwt") or any(name in claims for name in FOREIGN_CLAIMS):
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


class Membership(TypedDict):
    """A membership in an organization, as the claim ``organizations`` has it."""

    id: str
    title: str | None
    scopes: list[str]
    joined_at: int


@dataclass(frozen=True, kw_only=True)
class Rules(profiles.Rules):
    """What a verifier requires of ID tokens (OpenID Connect Core 1.0 sections 2 and 3.1.3.7).

    ``audience`` are the clients: the token is for them, for those in ``trusted_audiences``, and for nobody else. If it
    is not checked (``ANY_AUDIENCE``), neither is the authorized party. ``subject_prefixes`` are how a subject begins
    (``None``: anyhow).
    """

    trusted_audiences: tuple[str, ...] = ()
    subject_prefixes: tuple[str, ...] | None = SUBJECT_PREFIXES

    always_required: ClassVar[tuple[str, ...]] = ("exp", "iss", "sub", "aud", "iat")

    def form(self, header: Members, claims: Members) -> list[Membership]:
        """Returns the memberships in an ID token: one without the claims of the other kinds of tokens (RFC 8725 section
        3.12), whose subject has the right form and begins as AuthPI's do.
        """
        del header
        foreign = next((name for name in FOREIGN_CLAIMS if name in claims), None)
        if foreign is not None:
            raise WrongTypeError(f'the token is no ID token: it has the claim "{foreign}"')
        subject = claims.get("sub")
        if not isinstance(subject, str) or not subject or not subject.isascii() or len(subject) > _LONGEST_SUBJECT:
            raise MalformedClaimsError(f'"sub" of an ID token has 1 to {_LONGEST_SUBJECT} ASCII characters')
        if self.subject_prefixes is not None and not subject.startswith(self.subject_prefixes):
            prefixes = ", ".join(self.subject_prefixes)
            raise WrongTypeError(f'the token is no ID token of AuthPI: "sub" begins with none of {prefixes}')
        if claims.get("at_hash") is not None and not isinstance(claims["at_hash"], str):
            raise MalformedClaimsError('"at_hash" must be a string')
        audiences, party = claims.get("aud"), claims.get("azp")
        if party is not None and not isinstance(party, str):
            raise WrongAudienceError('"azp" is no client: it must be a string')
        if party is None and isinstance(audiences, list) and len(audiences) > 1:
            raise MissingClaimError('"azp" must say to which of several audiences the ID token was issued')
        return memberships(claims.get("organizations"))

    def check(self, token: VerifiedToken, *, now: float | None = None, keys: KeySet | None = None) -> list[Membership]:
        """The token is an ID token, and for nobody but the clients. Returns the memberships in it."""
        del now, keys  # the token's own dates and signature are all there are
        found = self.form(token.header, token.claims)
        clients = self._clients()
        if clients:
            if not set(token.audience) <= {*clients, *self.trusted_audiences}:
                raise WrongAudienceError('"aud" names somebody beside this client who is not trusted')
            party = token.claims.get("azp")
            if party is not None and party not in clients:
                raise WrongAudienceError('"azp" is another client')
        return found

    def _clients(self) -> tuple[str, ...]:
        if isinstance(self.audience, str):
            return (self.audience,)
        return self.audience if isinstance(self.audience, tuple) else ()


def memberships(claim: object) -> list[Membership]:
    """The memberships in a claim ``organizations``: an array of objects with ``id``, or an object whose names are ids.

    A member of another form is left out, and so are scopes that are no array; no claim at all is no membership.
    Raises ``MalformedClaimsError`` if a membership has a scope, a title or a date of the wrong type.
    """
    members: Iterable[tuple[object, object]] = ()
    if isinstance(claim, dict):
        members = claim.items()
    elif isinstance(claim, (list, tuple)):
        members = [(one.get("id") if isinstance(one, dict) else None, one) for one in claim]
    return [
        _membership(name, value)
        for name, value in members
        if isinstance(name, str) and name and isinstance(value, dict)
    ]


def _membership(name: str, members: dict[str, Any]) -> Membership:
    title, scopes, joined_at = members.get("title"), members.get("scopes"), members.get("joined_at", 0)
    scopes = scopes if isinstance(scopes, list) else []
    right = (title is None or isinstance(title, str)) and all(isinstance(scope, str) for scope in scopes)
    if not right or not isinstance(joined_at, int) or isinstance(joined_at, bool):
        raise MalformedClaimsError('a membership in "organizations" has a member of the wrong type')
    return Membership(id=name, title=title, scopes=list(scopes), joined_at=joined_at)


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
    rules=Rules,
    recognise=recognise,
    accepted=(ID_TOKEN,),
    publishes_keys=True,
    not_checked=("which login they are from (nonce)", "which access tokens came with them (at_hash)"),
)
