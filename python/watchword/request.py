"""A whole HTTP request: the ``Authorization`` header, its token, and the DPoP proof that goes with it.

The scheme and the token must agree: a token that is bound to a key comes by ``DPoP`` with a proof of that key, one
that is not comes by ``Bearer`` (RFC 9449 section 7.1, RFC 6750 section 2.1).

The token is verified first, and completely. Anybody can make a proof, by a key of their own and as dear as they like;
so a proof is looked at only if a valid token came with it, by the key that this token is bound to.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, NamedTuple, Protocol

from watchword.errors import (
    MalformedRequestError,
    MissingProofError,
    MissingTokenError,
    SeveralProofsError,
    VerificationError,
)
from watchword.waiting import Steps

if TYPE_CHECKING:
    from watchword._kernel import DpopProof, UnverifiedProof, VerifiedToken
    from watchword.dpop import DpopVerifier


class HeaderItems(Protocol):
    """A framework's headers that are no mapping: ``email.message.Message``, werkzeug's."""

    def items(self) -> Iterable[tuple[str, str]]:
        """The names and values, a name once for each of its values."""
        ...


#: A request's headers: a mapping (of a name to a value, or to a list of values), any object with ``items()``, pairs, or
#: ASGI's pairs of bytes.
Headers = (
    Mapping[str, str | list[str]]
    | Mapping[str, str]
    | HeaderItems
    | Iterable[tuple[str, str]]
    | Iterable[tuple[bytes, bytes]]
)

# RFC 6750 section 2.1, and RFC 9449 section 7.1: the token68 of RFC 9110.
_TOKEN = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~+/"


class TokenVerifier(Protocol):
    """What verifies the token: a :class:`~watchword.Verifier`."""

    def verify_fetching(self, token: str | bytes, *, now: float | None = None) -> Steps[VerifiedToken]: ...

    def _verify_bound(
        self, token: str, now: float, proof: UnverifiedProof
    ) -> Steps[tuple[VerifiedToken, DpopProof]]: ...


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


def verify(verifier: TokenVerifier, dpop: DpopVerifier, request: Request, now: float) -> Steps[VerifiedRequest]:
    """See :meth:`watchword.Verifier.verify_request`."""
    carried = token = None
    try:
        carried = credentials(request.headers)
        if carried.proof is None:
            return VerifiedRequest((yield from verifier.verify_fetching(carried.token, now=now)), None)
        unverified = dpop.unverified(carried.proof, method=request.method, uri=request.uri, now=now)
        token, proof = yield from verifier._verify_bound(carried.token, now, unverified)
        # Last, so that no other failure uses the proof up.
        yield from dpop.consume_steps(proof, now=now)
    except VerificationError as error:
        if carried is not None:
            error.about(carried.token, token)
        # The challenge names the scheme that the client used, and what its next proof may be.
        dpop.complete(error, scheme=None if carried is None else carried.scheme, now=now)
        raise
    return VerifiedRequest(token, proof)


def credentials(headers: Headers) -> Credentials:
    """Take scheme, token and proof from a request's headers.

    Raises :class:`~watchword.MissingTokenError` without an ``Authorization`` of either scheme,
    :class:`~watchword.MalformedRequestError` if it is repeated or malformed, and the :class:`~watchword.DpopError`
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
    unpadded = token.rstrip("=").encode("ascii", "replace")
    # What is left without the characters of a token is none.
    if not unpadded or unpadded.translate(None, _TOKEN):
        raise MalformedRequestError("the Authorization header has no token, or something besides one")
    if scheme.lower() == "bearer":
        return Credentials("Bearer", token, None)
    if not found["dpop"]:
        raise MissingProofError
    return Credentials("DPoP", token, found["dpop"][0])


def _values(headers: Headers) -> dict[str, list[str]]:
    """The values of the headers that are looked at, by their names in lower case."""
    found: dict[str, list[str]] = {"authorization": [], "dpop": []}
    for name, value in _items(headers):
        values = found.get(_text(name).lower())
        if values is not None:
            several = value if isinstance(value, (list, tuple)) else (value,)
            values.extend(_text(one).strip(" \t") for one in several)
    return found


def _items(headers: Headers) -> Iterable[tuple[object, object]]:
    # A framework's headers may have one name several times, and say so by their items. Those of email.message.Message
    # are parsed, or objects of its own for values that are not ASCII; the raw ones are as they came.
    items = getattr(headers, "raw_items", None) or getattr(headers, "items", None)
    return headers if items is None else items()  # type: ignore[return-value]  # pairs, which the caller takes apart


def _text(value: object) -> str:
    if isinstance(value, bytes):
        return value.decode("latin-1")
    if isinstance(value, str):
        return value
    raise TypeError("the names and values of headers are str or bytes")


__all__ = ["Credentials", "HeaderItems", "Headers", "VerifiedRequest", "credentials"]
