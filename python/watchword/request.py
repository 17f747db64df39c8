"""Verify an HTTP request: the ``Authorization`` header, its token, and the DPoP proof of the token's key.

The scheme must match the token: a token that is bound to a key is sent by ``DPoP`` with a proof of that key, any other
by ``Bearer`` (RFC 9449 section 7.1, RFC 6750 section 2.1).

The token is verified first, and completely. Anybody can make a proof, with a key of their own choice that is as slow to
verify as possible; so a proof is verified only if the token is valid, and with the key that the token is bound to.
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

# RFC 6750 section 2.1, and RFC 9449 section 7.1: the token68 of RFC 9110.
_TOKEN = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~+/"


class TokenVerifier(Protocol):
    """Verifies the token of a request: a :class:`~watchword.Verifier`."""

    def verify_current(self, token: str | bytes, *, now: float | None = None) -> VerifiedToken | None: ...

    def verify_fetching(self, token: str | bytes, *, now: float | None = None) -> Steps[VerifiedToken]: ...

    def _verify_bound_current(
        self, token: str, now: float, proof: UnverifiedProof
    ) -> tuple[VerifiedToken, DpopProof] | None: ...

    def _verify_bound(
        self, token: str, now: float, proof: UnverifiedProof
    ) -> Steps[tuple[VerifiedToken, DpopProof]]: ...


@dataclass(frozen=True)
class VerifiedRequest:
    """The verified token and proof of a request.

    ``token`` is the access token; ``proof`` the DPoP proof of its key, ``None`` if it was sent as a bearer token.
    """

    token: VerifiedToken
    proof: DpopProof | None


class Request(NamedTuple):
    """What is verified of a request: its method, its absolute URI, its headers."""

    method: str
    uri: str
    headers: Headers


class Credentials(NamedTuple):
    """The unverified credentials of a request."""

    scheme: Literal["Bearer", "DPoP"]
    token: str
    proof: str | None


def verify(verifier: TokenVerifier, dpop: DpopVerifier, request: Request, now: float) -> Steps[VerifiedRequest]:
    """See :meth:`watchword.Verifier.verify_request`."""
    sent = token = None
    try:
        sent = credentials(request.headers)
        if sent.proof is None:
            # The steps are for what may have to wait: they cost more than a hit of the token cache.
            found = verifier.verify_current(sent.token, now=now)
            if found is None:
                found = yield from verifier.verify_fetching(sent.token, now=now)
            return VerifiedRequest(found, None)
        unverified = dpop.unverified(sent.proof, method=request.method, uri=request.uri, now=now)
        verified = verifier._verify_bound_current(sent.token, now, unverified)
        token, proof = verified if verified else (yield from verifier._verify_bound(sent.token, now, unverified))
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
    found = _values(headers)
    if len(found["authorization"]) > 1:
        raise MalformedRequestError("the request has several Authorization headers")
    # Servers and proxies may join repeated headers by a comma, which no proof contains.
    if len(found["dpop"]) > 1 or any("," in value for value in found["dpop"]):
        raise SeveralProofsError
    if not found["authorization"]:
        raise MissingTokenError
    scheme, _, token = found["authorization"][0].partition(" ")
    token = token.strip(" ")
    if scheme.lower() not in ("bearer", "dpop"):
        raise MissingTokenError
    unpadded = token.rstrip("=").encode("ascii", "replace")
    # A token has no other characters.
    if not unpadded or unpadded.translate(None, _TOKEN):
        raise MalformedRequestError("the Authorization header must have one token after the scheme")
    if scheme.lower() == "bearer":
        return Credentials("Bearer", token, None)
    if not found["dpop"]:
        raise MissingProofError
    return Credentials("DPoP", token, found["dpop"][0])


def _values(headers: Headers) -> dict[str, list[str]]:
    """Return the values of the headers that are used, by their names in lower case."""
    found: dict[str, list[str]] = {"authorization": [], "dpop": []}
    for name, value in _items(headers):
        values = found.get(_text(name).lower())
        if values is not None:
            several = value if isinstance(value, (list, tuple)) else (value,)
            values.extend(_text(one).strip(" \t") for one in several)
    return found


def _items(headers: Headers) -> Iterable[tuple[object, object]]:
    # The items of a framework's headers list a repeated name several times. Those of email.message.Message are parsed,
    # or objects of its own for values that are not ASCII; its raw items are as they were received.
    items = getattr(headers, "raw_items", None) or getattr(headers, "items", None)
    return headers if items is None else items()  # type: ignore[return-value]  # pairs, which the caller takes apart


def _text(value: object) -> str:
    if isinstance(value, bytes):
        return value.decode("latin-1")
    if isinstance(value, str):
        return value
    raise TypeError(f"the names and values of headers must be str or bytes, not {type(value).__name__}")


__all__ = ["Credentials", "HeaderItems", "Headers", "VerifiedRequest", "credentials"]
