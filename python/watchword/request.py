"""Verify an HTTP request: the ``Authorization`` header, its token, and the DPoP proof of the token's key.

The scheme must match the token: a token that is bound to a key is sent by ``DPoP`` with a proof of that key, any other
by ``Bearer`` (RFC 9449 section 7.1, RFC 6750 section 2.1).

The token is verified first, and completely. Anybody can make a proof, with a key of their own choice that is as slow to
verify as possible; so a proof is verified only if the token is valid, and with the key that the token is bound to.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, Protocol

from watchword import _kernel
from watchword._kernel import Credentials
from watchword.errors import VerificationError
from watchword.waiting import Steps

if TYPE_CHECKING:
    from watchword._kernel import DpopProof, UnverifiedProof, VerifiedToken
    from watchword.dpop import DpopVerifier


class HeaderItems(Protocol):
    """Headers of a framework that are not a mapping: ``email.message.Message``, werkzeug's."""

    def items(self) -> Iterable[tuple[str, str]]:
        """Return the names and values, a name once for each of its values."""
        ...


#: A request's headers: a mapping (of a name to a value, or to a list of values), any object with ``items()``, pairs, or
#: the pairs of bytes of an ASGI server.
Headers = (
    Mapping[str, str | list[str]]
    | Mapping[str, str]
    | HeaderItems
    | Iterable[tuple[str, str]]
    | Iterable[tuple[bytes, bytes]]
)


class TokenVerifier(Protocol):
    """Verifies the token of a request: a :class:`~watchword.Verifier`."""

    def verify_current(
        self, token: str | bytes, *, now: float | None = None, certificate: bytes | None = None
    ) -> VerifiedToken | None: ...

    def verify_fetching(
        self, token: str | bytes, *, now: float | None = None, certificate: bytes | None = None
    ) -> Steps[VerifiedToken]: ...

    def _verify_bound_current(
        self, token: str, now: float, proof: UnverifiedProof, certificate: bytes | None
    ) -> tuple[VerifiedToken, DpopProof] | None: ...

    def _verify_bound(
        self, token: str, now: float, proof: UnverifiedProof, certificate: bytes | None
    ) -> Steps[tuple[VerifiedToken, DpopProof]]: ...


@dataclass(frozen=True)
class VerifiedRequest:
    """The verified token and proof of a request.

    ``token`` is the access token; ``proof`` the DPoP proof of its key, ``None`` if it was sent as a bearer token.
    """

    token: VerifiedToken
    proof: DpopProof | None


class Request(NamedTuple):
    """What is verified of a request: its method, its absolute URI, its headers, its connection's client certificate."""

    method: str
    uri: str
    headers: Headers
    certificate: bytes | None = None


def verify(verifier: TokenVerifier, dpop: DpopVerifier, request: Request, now: float) -> Steps[VerifiedRequest]:
    """See :meth:`watchword.Verifier.verify_request`."""
    sent = token = None
    try:
        sent = credentials(request.headers)
        if sent.proof is None:
            # The steps are for what may have to wait: they cost more than a hit of the token cache.
            found = verifier.verify_current(sent.token, now=now, certificate=request.certificate)
            if found is None:
                found = yield from verifier.verify_fetching(sent.token, now=now, certificate=request.certificate)
            return VerifiedRequest(found, None)
        unverified = dpop.unverified(sent.proof, method=request.method, uri=request.uri, now=now)
        bound = (sent.token, now, unverified, request.certificate)
        verified = verifier._verify_bound_current(*bound)
        token, proof = verified if verified else (yield from verifier._verify_bound(*bound))
        # Last, so that no other failure uses the proof up.
        yield from dpop.consume_steps(proof, now=now)
    except VerificationError as error:
        if sent is not None:
            error.about(sent.token, token)
        # The challenge names the scheme that the client used, and the algorithms and nonce of its next proof.
        dpop.complete(error, scheme=None if sent is None else sent.scheme, now=now)
        raise
    return VerifiedRequest(token, proof)


def credentials(headers: Headers) -> Credentials:
    """Return the scheme, token and proof of a request's headers, unverified.

    Raises :class:`~watchword.MissingTokenError` without an ``Authorization`` of either scheme,
    :class:`~watchword.MalformedRequestError` if it is repeated or malformed, and the :class:`~watchword.DpopError`
    of a proof that is missing or repeated. A proof with a bearer token is ignored, unless it is repeated.
    """
    return _kernel.read_credentials(headers)


__all__ = ["Credentials", "HeaderItems", "Headers", "VerifiedRequest", "credentials"]
