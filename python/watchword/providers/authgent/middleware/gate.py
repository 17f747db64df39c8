"""What the middleware for FastAPI and Flask shares: verify a request, and build the response that rejects it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Literal, NamedTuple, TypedDict

from watchword import gate as _gate
from watchword.dpop import DpopError
from watchword.errors import InsufficientScopeError as ScopeVerdict
from watchword.errors import MissingTokenError, VerificationError
from watchword.providers.authgent.errors import AuthgentError, from_verdict, translate_errors
from watchword.providers.authgent.jwks import JWKSFetcher
from watchword.providers.authgent.models import AgentIdentity
from watchword.providers.authgent.requirements import Requirements
from watchword.providers.authgent.session import DEFAULT_SESSION, Session
from watchword.providers.authgent.verify import identity_of
from watchword.request import credentials
from watchword.scopes import PlainScopes

if TYPE_CHECKING:
    from watchword import AnyAudience
    from watchword.dpop import DpopVerifier

    Pairs = list[tuple[str, str]] | list[tuple[bytes, bytes]]

#: The sender of a request: its identity, the error that rejects it, or ``None`` for a path that is open.
Found = AgentIdentity | AuthgentError | None

#: Health checks and metadata are open; every other path needs a token.
ROUTES = (
    _gate.Route("/health", public=True),
    _gate.Route("/ready", public=True),
    _gate.Route("/.well-known/{path...}", public=True),
    _gate.Route("/"),
    _gate.Route("/{path...}"),
)


class GateOptions(TypedDict, total=False):
    """The options of an :class:`AgentGate`, as the middleware takes them."""

    jwks_fetcher: JWKSFetcher | None
    dpop: DpopVerifier | None
    bound_tokens: Literal["reject", "accept"]
    leeway: float
    public_url: str | Iterable[str]
    resource_metadata: str | None
    session: Session
    allow_http_hosts: Iterable[str]


class Answer(NamedTuple):
    """The response that rejects a request."""

    status: int
    detail: str
    headers: dict[str, str]


class AgentGate:
    """Verifies the requests of one application.

    ``issuer``, ``audience``, ``jwks_fetcher``, ``dpop``, ``bound_tokens``, ``leeway`` (seconds), ``session`` and
    ``allow_http_hosts`` are as in :func:`~watchword.providers.authgent.verify_token`. A request without a valid token
    is rejected, unless its path is open (:data:`ROUTES`). ``public_url`` is the scheme and host by which clients call
    the application, or a list of them (:class:`watchword.origin.PublicOrigin`). It is required, since DPoP proofs are
    made for it, and the sender chooses the ``Host`` header. ``resource_metadata`` is the URL of the application's own
    metadata (RFC 9728), by default that of authgent-server.

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
        public_url: str | Iterable[str] | None = None,
        resource_metadata: str | None = None,
        session: Session = DEFAULT_SESSION,
        allow_http_hosts: Iterable[str] = (),
    ) -> None:
        base = issuer.rstrip("/")
        self._resource_metadata = resource_metadata or f"{base}/.well-known/oauth-protected-resource"
        self._authorization_uri = f"{base}/token"
        self._requirements = Requirements.of(
            issuer, audience, dpop or session.dpop, leeway=leeway, bound_tokens=bound_tokens
        )
        #: What decides on requests: its answers are those of this class, in authgent's form.
        self.gate = _gate.Gate(
            (jwks_fetcher or session.fetcher(issuer, allow_http_hosts=allow_http_hosts)).verifier(self._requirements),
            ROUTES,
            # Without one, the gate says that it is missing.
            public_url=() if public_url is None else public_url,
            realm="authgent",
            resource_metadata=self._resource_metadata,
        )
        # Characters that no header can carry are found now, not with the first invalid token.
        self.answer(from_verdict(MissingTokenError()))

    def found(self, decision: _gate.Decision, headers: Pairs) -> Found:
        """Return what a decision of :attr:`gate` says of the sender, whose token must be an access token, too."""
        try:
            with translate_errors():
                return self._identity(decision, headers)
        except AuthgentError as error:
            return error

    def _identity(self, decision: _gate.Decision, headers: Pairs) -> AgentIdentity | None:
        if decision.code == "missing_token":
            raise MissingTokenError("No valid agent identity")
        if decision.error is not None:
            raise decision.error
        if decision.token is None:
            return None
        return identity_of(decision.token, credentials(headers).token, self._requirements)

    def rejection(self, found: Found) -> Answer | None:
        """Return the response to a request that does not pass, else ``None``."""
        return self.answer(found) if isinstance(found, AuthgentError) else None

    def answer(self, error: AuthgentError) -> Answer:
        """Return the response for an error (RFC 6750 section 3, RFC 9449 section 7.1, RFC 9728 section 5.1)."""
        verdict = self._requirements.dpop.complete(error.verdict or VerificationError())
        challenge = verdict.www_authenticate(realm="authgent", resource_metadata=self._resource_metadata)
        if challenge is None:
            # Credentials would not help. If keys are unavailable, the sender is not at fault, and can only try again.
            return Answer(error.http_status, error.message, {"Retry-After": "5"} if error.http_status == 503 else {})
        headers = {"WWW-Authenticate": f'{challenge}, authorization_uri="{self._authorization_uri}"'}
        if isinstance(verdict, DpopError) and verdict.nonce is not None:
            headers["DPoP-Nonce"] = verdict.nonce
        return Answer(error.http_status, error.message, headers)


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


__all__ = [
    "ROUTES",
    "AgentGate",
    "Answer",
    "Found",
    "GateOptions",
    "answer_without_gate",
    "authorize",
    "scopes_needed",
]
