"""What the middleware for FastAPI and Flask shares: verify a request, and build the response that rejects it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Literal, NamedTuple, TypedDict

from watchword.dpop import DpopError
from watchword.errors import InsufficientScopeError as ScopeVerdict
from watchword.errors import MissingTokenError, VerificationError
from watchword.origin import PublicOrigin
from watchword.providers.authgent.errors import AuthgentError, from_verdict, translate_errors
from watchword.providers.authgent.jwks import JWKSFetcher
from watchword.providers.authgent.models import AgentIdentity
from watchword.providers.authgent.requirements import Requirements
from watchword.providers.authgent.session import DEFAULT_SESSION, Session
from watchword.providers.authgent.verify import identity_of
from watchword.request import credentials
from watchword.scopes import PlainScopes
from watchword.waiting import Steps, finish, finish_async

if TYPE_CHECKING:
    from watchword import AnyAudience
    from watchword.dpop import DpopVerifier

    Pairs = list[tuple[str, str]] | list[tuple[bytes, bytes]]

#: The sender of a request: its identity, the error of its token, or ``None`` without a token.
Found = AgentIdentity | AuthgentError | None


class GateOptions(TypedDict, total=False):
    """The options of a :class:`Gate`, as the middleware takes them."""

    jwks_fetcher: JWKSFetcher | None
    dpop: DpopVerifier | None
    bound_tokens: Literal["reject", "accept"]
    leeway: float
    on_invalid: Literal["reject", "anonymous"]
    public_url: str | Iterable[str]
    resource_metadata: str | None
    session: Session


class Answer(NamedTuple):
    """The response that rejects a request."""

    status: int
    detail: str
    headers: dict[str, str]


class Gate:
    """Verifies the requests of one application.

    ``issuer``, ``audience``, ``jwks_fetcher``, ``dpop``, ``bound_tokens``, ``leeway`` (seconds) and ``session`` are as
    in :func:`~watchword.providers.authgent.verify_token`. A request without a token passes to the application; one with
    an invalid token is rejected, or passes as anonymous with ``on_invalid="anonymous"``. ``public_url`` is the scheme
    and host by which clients call the application, or a list of them (:class:`watchword.origin.PublicOrigin`). It is
    required, since DPoP proofs are made for it, and the sender chooses the ``Host`` header. ``resource_metadata`` is
    the URL of the application's own metadata (RFC 9728), by default that of authgent-server.

    Raises ``ValueError`` or ``TypeError`` if an argument is invalid.
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
        session: Session = DEFAULT_SESSION,
    ) -> None:
        if on_invalid not in ("reject", "anonymous"):
            raise ValueError(f'on_invalid is {on_invalid!r}: it must be "reject" or "anonymous"')
        base = issuer.rstrip("/")
        self._rejects = on_invalid == "reject"
        self._origin = PublicOrigin(public_url)
        self._resource_metadata = resource_metadata or f"{base}/.well-known/oauth-protected-resource"
        self._authorization_uri = f"{base}/token"
        self._requirements = Requirements.of(
            issuer, audience, dpop or session.dpop, leeway=leeway, bound_tokens=bound_tokens
        )
        self._verifier = (jwks_fetcher or session.fetcher(issuer)).verifier(self._requirements)
        # Characters that no header can carry are found now, not with the first invalid token.
        self.answer(from_verdict(MissingTokenError()))

    def uri(self, path: str, host: str | None) -> str:
        """Return the URI of a request: its path, at one of the origins of ``public_url``."""
        return self._origin.uri(path, host=host)

    def admit(self, method: str, uri: str, headers: Pairs) -> Found:
        """Verify a request. Returns the identity, the error, or ``None`` if it has no token."""
        return finish(self._admit(method, uri, headers))

    async def admit_async(self, method: str, uri: str, headers: Pairs) -> Found:
        """As :meth:`admit`, without blocking the event loop."""
        return await finish_async(self._admit(method, uri, headers))

    def _admit(self, method: str, uri: str, headers: Pairs) -> Steps[Found]:
        try:
            with translate_errors():
                verified = yield from self._verifier.verify_request_fetching(method=method, uri=uri, headers=headers)
                return identity_of(verified.token, credentials(headers).token, self._requirements)
        except AuthgentError as error:
            return None if isinstance(error.verdict, MissingTokenError) else error

    def rejection(self, found: Found) -> Answer | None:
        """Return the response to a request that does not pass, else ``None``."""
        return self.answer(found) if self._rejects and isinstance(found, AuthgentError) else None

    def answer(self, error: AuthgentError) -> Answer:
        """Return the response for an error (RFC 6750 section 3, RFC 9449 section 7.1, RFC 9728 section 5.1)."""
        verdict = self._requirements.dpop.complete(error.verdict or VerificationError())
        challenge = verdict.www_authenticate(realm="authgent", resource_metadata=self._resource_metadata)
        if challenge is None:
            # The sender is not at fault, and can only try again.
            return Answer(error.http_status, error.message, {"Retry-After": "5"})
        headers = {"WWW-Authenticate": f'{challenge}, authorization_uri="{self._authorization_uri}"'}
        if isinstance(verdict, DpopError) and verdict.nonce is not None:
            headers["DPoP-Nonce"] = verdict.nonce
        return Answer(error.http_status, error.message, headers)


def is_open(path: str) -> bool:
    """Return whether a path needs no token: health checks and metadata."""
    return path in ("/health", "/ready") or path.startswith("/.well-known/")


def scopes_needed(scopes: str | Iterable[str] | None) -> tuple[str, ...]:
    """Return the required scopes as a tuple. Raises ``ValueError`` if one is invalid (RFC 6749 section 3.3)."""
    listed = scopes.split() if isinstance(scopes, str) else tuple(scopes or ())
    PlainScopes(listed)
    return tuple(listed)


def authorize(found: Found, needed: tuple[str, ...] = ()) -> AgentIdentity:
    """Return the identity. Raises :class:`AuthgentError` if there is none, or if it lacks one of the scopes."""
    if isinstance(found, AuthgentError):
        raise found
    with translate_errors():
        if found is None:
            raise MissingTokenError("No valid agent identity")
        held = PlainScopes.from_claim(found.scopes)
        missing = [scope for scope in needed if not held.allows(scope)]
        if missing:
            verdict = ScopeVerdict(f"Insufficient scope. Missing: {', '.join(missing)}", scope=" ".join(needed))
            if found.claims.cnf is not None:
                verdict.scheme = "DPoP"  # the scheme of bound tokens
            raise verdict
    return found


def answer_without_gate(error: AuthgentError) -> Answer:
    """Return the response for an error in an application without middleware, which knows no issuer to name."""
    return Answer(error.http_status, error.message, {"WWW-Authenticate": 'Bearer realm="authgent"'})


__all__ = ["Answer", "Found", "Gate", "GateOptions", "answer_without_gate", "authorize", "is_open", "scopes_needed"]
