"""What the middlewares share: a request is let in with an identity, let through without a token, or answered."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Literal, NamedTuple, TypedDict

from watchword.dpop import DpopError
from watchword.errors import InsufficientScopeError as ScopeVerdict
from watchword.errors import MissingTokenError, VerificationError
from watchword.origin import PublicOrigin
from watchword.providers.authgent.demands import Demands
from watchword.providers.authgent.errors import AuthgentError, from_verdict, in_authgents_terms
from watchword.providers.authgent.jwks import JWKSFetcher, fetcher_of
from watchword.providers.authgent.models import AgentIdentity
from watchword.providers.authgent.verify import identity_of
from watchword.request import credentials
from watchword.scopes import PlainScopes

if TYPE_CHECKING:
    from watchword import AnyAudience
    from watchword.dpop import DpopVerifier

    Pairs = list[tuple[str, str]] | list[tuple[bytes, bytes]]

#: Who sends a request: nobody that a token names, somebody, or somebody with a token that is no good.
Found = AgentIdentity | AuthgentError | None


class GateOptions(TypedDict, total=False):
    """The options of a :class:`Gate`, as the middlewares take them."""

    jwks_fetcher: JWKSFetcher | None
    dpop: DpopVerifier | None
    bound_tokens: Literal["reject", "accept"]
    leeway: float
    on_invalid: Literal["reject", "anonymous"]
    public_url: str | Iterable[str]
    resource_metadata: str | None


class Answer(NamedTuple):
    """What a request is refused with."""

    status: int
    detail: str
    headers: dict[str, str]


class Gate:
    """Judges the requests of one application.

    ``issuer``, ``audience``, ``jwks_fetcher``, ``dpop``, ``bound_tokens`` and ``leeway`` are as in
    :func:`~watchword.providers.authgent.verify_token`. A request without a token is let through, for the application
    to answer; one with a token that is no good is answered here, or let through too with ``on_invalid="anonymous"``.
    ``public_url`` is what clients know the application by: its scheme and host, or a list of them
    (:class:`watchword.origin.PublicOrigin`). It is required, since DPoP proofs are made for it, and what a request says
    of its host is its sender's word. ``resource_metadata`` is the URL of the application's own metadata (RFC 9728), by
    default the one that authgent-server has.
    """

    def __init__(
        self,
        issuer: str,
        audience: str | Iterable[str] | AnyAudience | None = None,
        *,
        jwks_fetcher: JWKSFetcher | None = None,
        dpop: DpopVerifier | None = None,
        bound_tokens: Literal["reject", "accept"] = "reject",
        leeway: float = 0,
        on_invalid: Literal["reject", "anonymous"] = "reject",
        public_url: str | Iterable[str] | None = None,
        resource_metadata: str | None = None,
    ) -> None:
        if on_invalid not in ("reject", "anonymous"):
            raise ValueError('on_invalid must be "reject" or "anonymous"')
        base = issuer.rstrip("/")
        self._rejects = on_invalid == "reject"
        self._origin = PublicOrigin(public_url)
        self._resource_metadata = resource_metadata or f"{base}/.well-known/oauth-protected-resource"
        self._authorization_uri = f"{base}/token"
        self._demands = Demands.of(issuer, audience, leeway=leeway, bound_tokens=bound_tokens, dpop=dpop)
        self._verifier = (jwks_fetcher or fetcher_of(issuer)).verifier(self._demands)
        # What no header can carry is found now, and not with the first bad token.
        self.answer(from_verdict(MissingTokenError()))

    def uri(self, path: str, host: str | None) -> str:
        """The URI that the client asked for: the path of the request, at an origin of the operator's."""
        return self._origin.uri(path, host=host)

    def admit(self, method: str, uri: str, headers: Pairs) -> Found:
        """Who sends the request."""
        try:
            with in_authgents_terms():
                token = self._verifier.verify_request(method=method, uri=uri, headers=headers).token
                return identity_of(token, credentials(headers).token, self._demands)
        except AuthgentError as error:
            return _unless_missing(error)

    async def admit_async(self, method: str, uri: str, headers: Pairs) -> Found:
        """As :meth:`admit`, without blocking the event loop."""
        try:
            with in_authgents_terms():
                verified = await self._verifier.verify_request_async(method=method, uri=uri, headers=headers)
                return identity_of(verified.token, credentials(headers).token, self._demands)
        except AuthgentError as error:
            return _unless_missing(error)

    def refusal(self, found: Found) -> Answer | None:
        """The answer to a request that is not even let through."""
        return self.answer(found) if self._rejects and isinstance(found, AuthgentError) else None

    def answer(self, error: AuthgentError) -> Answer:
        """The answer that says what is wrong (RFC 6750 section 3, RFC 9449 section 7.1, RFC 9728 section 5.1)."""
        verdict = self._demands.dpop.complete(error.verdict or VerificationError())
        challenge = verdict.www_authenticate(realm="authgent", resource_metadata=self._resource_metadata)
        if challenge is None:
            # The sender can do nothing better than to come again.
            return Answer(error.http_status, error.message, {"Retry-After": "5"})
        headers = {"WWW-Authenticate": f'{challenge}, authorization_uri="{self._authorization_uri}"'}
        if isinstance(verdict, DpopError) and verdict.nonce is not None:
            headers["DPoP-Nonce"] = verdict.nonce
        return Answer(error.http_status, error.message, headers)


def is_open(path: str) -> bool:
    """Whether a path is for everybody: whether the application lives, and where its metadata are."""
    return path in ("/health", "/ready") or path.startswith("/.well-known/")


def scopes_needed(scopes: str | Iterable[str] | None) -> tuple[str, ...]:
    """The scopes of a demand, in their order. Raises ``ValueError`` where they are none (RFC 6749 section 3.3)."""
    listed = scopes.split() if isinstance(scopes, str) else tuple(scopes or ())
    PlainScopes(listed)
    return tuple(listed)


def authorize(found: Found, needed: tuple[str, ...] = ()) -> AgentIdentity:
    """The identity, if there is one and it has all these scopes. Raises :class:`AuthgentError`."""
    if isinstance(found, AuthgentError):
        raise found
    with in_authgents_terms():
        if found is None:
            raise MissingTokenError("No valid agent identity")
        held = PlainScopes.from_claim(found.scopes)
        missing = [scope for scope in needed if not held.allows(scope)]
        if missing:
            verdict = ScopeVerdict(f"Insufficient scope. Missing: {', '.join(missing)}", scope=" ".join(needed))
            if found.claims.cnf is not None:
                verdict.scheme = "DPoP"  # by which a bound token comes
            raise verdict
    return found


def answer_without_gate(error: AuthgentError) -> Answer:
    """The answer of an application that has no middleware: it knows no issuer to point to."""
    return Answer(error.http_status, error.message, {"WWW-Authenticate": 'Bearer realm="authgent"'})


def _unless_missing(error: AuthgentError) -> AuthgentError | None:
    return None if isinstance(error.verdict, MissingTokenError) else error


__all__ = ["Answer", "Found", "Gate", "GateOptions", "answer_without_gate", "authorize", "is_open", "scopes_needed"]
