"""A whole HTTP request: the ``Authorization`` header, its token, and the DPoP proof that goes with it.

The scheme and the token must agree: a token that is bound to a key comes by ``DPoP`` with a proof of that key, one
that is not comes by ``Bearer`` (RFC 9449 section 7.1, RFC 6750 section 2.1).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, NamedTuple, Protocol

from watchword.errors import (
    DpopError,
    MalformedRequestError,
    MissingProofError,
    MissingTokenError,
    SeveralProofsError,
    VerificationError,
)

if TYPE_CHECKING:
    from watchword._kernel import DpopProof, VerifiedToken
    from watchword.dpop import DpopVerifier

#: A request's headers: a mapping (of a name to a value, or to a list of values), pairs, or ASGI's pairs of bytes.
Headers = Mapping[str, str | list[str]] | Mapping[str, str] | Iterable[tuple[str, str]] | Iterable[tuple[bytes, bytes]]

# RFC 6750 section 2.1, and RFC 9449 section 7.1: the token68 of RFC 9110.
_TOKEN = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~+/")


class TokenVerifier(Protocol):
    """What verifies the token: a :class:`~watchword.Verifier`."""

    def verify(self, token: str | bytes, *, now: float | None = None, proof: DpopProof | None = None) -> VerifiedToken:
        """Verifies a token, and that the proof is of its key."""
        ...

    async def verify_async(
        self, token: str | bytes, *, now: float | None = None, proof: DpopProof | None = None
    ) -> VerifiedToken:
        """The same without blocking the event loop."""
        ...


@dataclass(frozen=True)
class VerifiedRequest:
    """What a request is authorised by.

    ``token`` is the access token; ``proof`` the DPoP proof of its key, ``None`` where it came as a bearer token.
    """

    token: VerifiedToken
    proof: DpopProof | None


class Request(NamedTuple):
    """What of a request takes part: its method, its absolute URI, its headers."""

    method: str
    uri: str
    headers: Headers


class Credentials(NamedTuple):
    """What a request carries; nothing of it is verified."""

    scheme: Literal["Bearer", "DPoP"]
    token: str
    proof: str | None


def verify(verifier: TokenVerifier, dpop: DpopVerifier, request: Request, now: float) -> VerifiedRequest:
    """See :meth:`watchword.Verifier.verify_request`."""
    carried = None
    try:
        carried = credentials(request.headers)
        proof = _check(dpop, carried, request, now)
        token = verifier.verify(carried.token, now=now, proof=proof)
        if proof is not None:
            # Last, so that no other failure uses the proof up.
            dpop.consume(proof, now=now)
    except VerificationError as error:
        _complete(error, carried, dpop, now)
        raise
    return VerifiedRequest(token, proof)


async def verify_async(verifier: TokenVerifier, dpop: DpopVerifier, request: Request, now: float) -> VerifiedRequest:
    """See :meth:`watchword.Verifier.verify_request_async`."""
    carried = None
    try:
        carried = credentials(request.headers)
        proof = _check(dpop, carried, request, now)
        token = await verifier.verify_async(carried.token, now=now, proof=proof)
        if proof is not None:
            await dpop.consume_async(proof, now=now)
    except VerificationError as error:
        _complete(error, carried, dpop, now)
        raise
    return VerifiedRequest(token, proof)


def credentials(headers: Headers) -> Credentials:
    """Takes scheme, token and proof from a request's headers.

    Raises :class:`~watchword.MissingTokenError` without an ``Authorization`` of either scheme,
    :class:`~watchword.MalformedRequestError` where it is repeated or malformed, and the :class:`~watchword.DpopError`
    of a proof that is missing or repeated. A proof beside a bearer token is not looked at, unless it is repeated.
    """
    found = _values(headers)
    if len(found["authorization"]) > 1:
        raise MalformedRequestError("the request has several Authorization headers")
    # Several proofs in one header are seen by their comma: servers and proxies may join repeated headers so.
    if len(found["dpop"]) > 1 or any("," in value for value in found["dpop"]):
        raise SeveralProofsError
    if not found["authorization"]:
        raise MissingTokenError
    scheme, _, token = found["authorization"][0].partition(" ")
    token = token.strip(" ")
    if scheme.lower() not in ("bearer", "dpop"):
        raise MissingTokenError
    unpadded = token.rstrip("=")
    if not unpadded or not _TOKEN.issuperset(unpadded):
        raise MalformedRequestError("the Authorization header has no token, or something besides one")
    if scheme.lower() == "bearer":
        return Credentials("Bearer", token, None)
    if not found["dpop"]:
        raise MissingProofError
    return Credentials("DPoP", token, found["dpop"][0])


def _values(headers: Headers) -> dict[str, list[str]]:
    """The values of the headers that are looked at, by their names in lower case."""
    found: dict[str, list[str]] = {"authorization": [], "dpop": []}
    # A mapping of a framework may have one name several times, and says so by its items.
    for name, value in headers.items() if isinstance(headers, Mapping) else headers:
        values = found.get(_text(name).lower())
        if values is not None:
            several = value if isinstance(value, (list, tuple)) else (value,)
            values.extend(_text(one).strip(" \t") for one in several)
    return found


def _text(value: object) -> str:
    if isinstance(value, bytes):
        return value.decode("latin-1")
    if isinstance(value, str):
        return value
    raise TypeError("the names and values of headers are str or bytes")


def _check(dpop: DpopVerifier, carried: Credentials, request: Request, now: float) -> DpopProof | None:
    if carried.proof is None:
        return None
    return dpop.check(carried.proof, method=request.method, uri=request.uri, access_token=carried.token, now=now)


def _complete(error: VerificationError, carried: Credentials | None, dpop: DpopVerifier, now: float) -> None:
    """The challenge names the scheme that the client used, and what its next proof may be."""
    error.algorithms = dpop.algorithms
    if carried is not None:
        error._about(carried.token)
        if carried.scheme == "DPoP":
            error.scheme = "DPoP"
    if isinstance(error, DpopError):
        dpop.complete(error, now)
