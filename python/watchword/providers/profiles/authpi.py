"""AuthPI's tokens: ID tokens (OpenID Connect Core 1.0 section 2). Its access and refresh tokens are opaque."""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, ClassVar, TypedDict
from urllib.parse import urlsplit

from watchword import KeySet, VerifiedToken, base64url
from watchword.errors import MalformedClaimsError, MissingClaimError, WrongAudienceError, WrongTypeError
from watchword.providers import profiles
from watchword.providers.profiles import Kind, Members, Profile, media_type

ID_TOKEN = "id_token"  # noqa: S105 - a kind, not a secret

#: Claims that state permissions or events, and so belong to other kinds of tokens: access tokens
#: (RFC 9068, RFC 8693), transaction tokens, security events such as a logout (RFC 8417), credentials.
FOREIGN_CLAIMS = (
    *("scope", "client_id", "act", "may_act", "cnf", "delegation_chain", "actor_chain"),
    *("txn", "events", "vc", "credentialSubject"),
)

#: Claims of ID tokens that other tokens rarely have (OpenID Connect Core 1.0 sections 2 and 5.1).
_ID_TOKEN_CLAIMS = ("nonce", "at_hash", "auth_time", "azp", "email", "email_verified")

#: The longest subject, in ASCII characters (section 2).
_MAX_SUBJECT_LENGTH = 255

#: The prefixes of the ids of AuthPI's principals.
SUBJECT_PREFIXES = ("usr_", "agt_", "key_", "tok_")
_DOMAIN = "authpi.com"

_HASH_SIZE = re.compile(r"[A-Z]{2}(256|384|512)")


def recognise(header: Members, claims: Members) -> Kind | None:
    """Return ``Kind`` if this looks like an ID token of AuthPI, else ``None``."""
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
    if reasons and any(name in claims for name in _ID_TOKEN_CLAIMS):
        # No mark by itself: every provider's ID tokens have such claims.
        reasons.append("it has claims of an ID token, about the login or the e-mail address")
    return Kind(ID_TOKEN, tuple(reasons)) if reasons else None


class Membership(TypedDict):
    """A membership in an organization, as in the claim ``organizations``."""

    id: str
    title: str | None
    scopes: list[str]
    joined_at: int


@dataclass(frozen=True, kw_only=True)
class Rules(profiles.Rules):
    """What a verifier requires of ID tokens (OpenID Connect Core 1.0 sections 2 and 3.1.3.7).

    ``audience`` are the clients: ``aud`` must name one, and otherwise only those in ``trusted_audiences``. If it is not
    checked (``ANY_AUDIENCE``), neither is the authorized party. ``subject_prefixes`` are the prefixes that a subject
    may have (``None``: any). ``foreign_claims`` are those that an ID token must not have.

    Raises ``ValueError`` if ``foreign_claims`` lists a claim that every ID token has.
    """

    trusted_audiences: tuple[str, ...] = ()
    subject_prefixes: tuple[str, ...] | None = SUBJECT_PREFIXES
    foreign_claims: tuple[str, ...] = FOREIGN_CLAIMS

    always_required: ClassVar[tuple[str, ...]] = ("exp", "iss", "sub", "aud", "iat")

    def __post_init__(self) -> None:
        common = next((name for name in self.foreign_claims if name in self.always_required), None)
        if common is not None:
            raise ValueError(f'foreign_claims lists "{common}", which every ID token has')

    def form(self, header: Members, claims: Members) -> list[Membership]:
        """Return the memberships in an ID token.

        It must have none of the claims of other kinds of tokens (RFC 8725 section 3.12), and a well-formed subject with
        one of AuthPI's prefixes.
        """
        del header
        foreign = next((name for name in self.foreign_claims if name in claims), None)
        if foreign is not None:
            raise WrongTypeError(f'the token is not an ID token: it has the claim "{foreign}"')
        subject = claims.get("sub")
        if not isinstance(subject, str) or not subject or not subject.isascii() or len(subject) > _MAX_SUBJECT_LENGTH:
            raise MalformedClaimsError(f'"sub" of an ID token must have 1 to {_MAX_SUBJECT_LENGTH} ASCII characters')
        if self.subject_prefixes is not None and not subject.startswith(self.subject_prefixes):
            prefixes = ", ".join(self.subject_prefixes)
            raise WrongTypeError(f'the token is not an ID token of AuthPI: "sub" begins with none of {prefixes}')
        if claims.get("at_hash") is not None and not isinstance(claims["at_hash"], str):
            raise MalformedClaimsError('"at_hash" must be a string')
        audiences, party = claims.get("aud"), claims.get("azp")
        if party is not None and not isinstance(party, str):
            raise WrongAudienceError('"azp" must be a string, the id of a client')
        if party is None and isinstance(audiences, list) and len(audiences) > 1:
            raise MissingClaimError('the ID token has several audiences and no "azp", the client that it was issued to')
        return memberships(claims.get("organizations"))

    def check(self, token: VerifiedToken, *, now: float | None = None, keys: KeySet | None = None) -> list[Membership]:
        """Check that the token is an ID token, and only for the clients. Returns the memberships in it."""
        del now, keys  # the kernel has checked all dates and signatures
        found = self.form(token.header, token.claims)
        clients = self._clients()
        if clients:
            if not set(token.audience) <= {*clients, *self.trusted_audiences}:
                raise WrongAudienceError(
                    '"aud" names an audience besides this client that is not one of trusted_audiences'
                )
            party = token.claims.get("azp")
            if party is not None and party not in clients:
                raise WrongAudienceError('"azp" names another client')
        return found

    def _clients(self) -> tuple[str, ...]:
        if isinstance(self.audience, str):
            return (self.audience,)
        return self.audience if isinstance(self.audience, tuple) else ()


def memberships(claim: object) -> list[Membership]:
    """Return the memberships in a claim ``organizations``: an array of objects with ``id``, or an object keyed by id.

    Members of another form are skipped, scopes that are not an array are ignored, and without the claim the list is
    empty. Raises ``MalformedClaimsError`` if a membership has a scope, a title or a date of the wrong type.
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
    """Check ``at_hash``, if it is present, against the access token (section 3.1.3.8).

    ``algorithm`` is the ``alg`` of the ID token as the issuer signed it, which determines the hash. Raises
    ``MalformedClaimsError`` if the hash differs.
    """
    stated = token.claims.get("at_hash")
    if stated is None:
        return
    size = _HASH_SIZE.fullmatch(algorithm) if isinstance(algorithm, str) else None
    # Ed25519 uses SHA-512, and so do ID tokens signed with it.
    digest = hashlib.new(f"sha{size[1] if size else 512}", access_token.encode("utf-8", "surrogatepass")).digest()
    expected = base64url.encode(digest[: len(digest) // 2])
    if not isinstance(stated, str) or not hmac.compare_digest(
        stated.encode("utf-8", "surrogatepass"), expected.encode()
    ):
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
    not_checked=("which login they belong to (nonce)", "which access tokens they belong to (at_hash)"),
)
