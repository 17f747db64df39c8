"""Requests with a token of an in-memory issuer: one at a time, and as the ``auth`` of a client."""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator, Iterable, Mapping
from typing import TYPE_CHECKING

import httpx2

from watchword.dpop import DpopProver
from watchword.testing.signed_request import SignedRequest

if TYPE_CHECKING:
    Headers = Mapping[str, str] | Iterable[tuple[str, str]]


def sign(
    method: str,
    url: str,
    token: str,
    *,
    prover: DpopProver | None = None,
    nonce: str | None = None,
    headers: Headers = (),
) -> SignedRequest:
    """Return the request with ``token``: by ``DPoP`` with a proof if there is a prover, otherwise by ``Bearer``."""
    scheme = "Bearer" if prover is None else "DPoP"
    credentials = [("Authorization", f"{scheme} {token}")]
    if prover is not None:
        credentials.append(("DPoP", prover.proof(method, url, token, nonce)))
    return SignedRequest(method, url, (*credentials, *pairs(headers)))


def pairs(headers: Headers) -> tuple[tuple[str, str], ...]:
    """Return the pairs of a mapping, or of an iterable of pairs."""
    return tuple(headers.items() if isinstance(headers, Mapping) else headers)


def forged_identity_headers(prefix: str = "X-Auth-", value: str = "forged") -> tuple[tuple[str, str], ...]:
    """Return headers under a gate's ``prefix`` as a client might forge them, in all spellings that servers accept.

    ``sign_request("GET", url, headers=forged_identity_headers())`` must be answered as it is without them: the
    application must not see ``value``. Some names are not among those that a gate sets.
    """
    names = [f"{prefix}{name}" for name in ("Sub", "Scope", "Iss", "Role")]
    spellings = [(name, name.lower(), name.upper(), name.replace("-", "_"), name.replace("-", ".")) for name in names]
    return tuple((spelled, value) for several in spellings for spelled in several)


class RequestAuth(httpx2.Auth):
    """The ``auth`` of a client, which signs each request: httpx2's, httpx's, Starlette's test client.

    Each request gets a token by ``mint``, and a new proof of ``prover`` if there is one. If the server requires a nonce
    (RFC 9449 section 9), a client of httpx2 sends the request again with it. One of httpx does not, but with
    ``event_hooks={"response": [auth.remember]}`` the next request has it.
    """

    def __init__(self, mint: Callable[[], str], prover: DpopProver | None) -> None:
        self._mint = mint
        self._prover = prover
        self._lock = threading.Lock()
        self._nonce: str | None = None

    def auth_flow(self, request: httpx2.Request) -> Generator[httpx2.Request, httpx2.Response, None]:
        """Yield the signed request, and once more if the answer requires another nonce. Called by the client."""
        response = yield self(request)
        challenged = response.status_code == 401 and "use_dpop_nonce" in response.headers.get("WWW-Authenticate", "")
        if self.remember(response) and challenged:
            yield self(request)

    def __call__(self, request: httpx2.Request) -> httpx2.Request:
        """Return the request with its credentials."""
        with self._lock:
            nonce = self._nonce
        signed = sign(request.method, str(request.url), self._mint(), prover=self._prover, nonce=nonce)
        for name, value in signed.headers:
            request.headers[name] = value
        return request

    def remember(self, response: httpx2.Response) -> bool:
        """Use the response's ``DPoP-Nonce`` from now on; return whether it has one."""
        nonce = response.headers.get("DPoP-Nonce")
        if nonce is None or self._prover is None:
            return False
        with self._lock:
            self._nonce = nonce
        return True

    def __repr__(self) -> str:
        """Return the scheme of the credentials."""
        return f"RequestAuth({'Bearer' if self._prover is None else 'DPoP'})"


__all__ = ["RequestAuth", "forged_identity_headers", "pairs", "sign"]
