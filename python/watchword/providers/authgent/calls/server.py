"""One authgent-server as its calls see it: requests, DPoP proofs with the server's nonce, and the token endpoint."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from urllib.parse import urlsplit

from watchword.client import Answer, OriginNonces, Request, Verb
from watchword.dpop import DpopProver
from watchword.providers.authgent.calls.refusal import refusal
from watchword.providers.authgent.dpop import DPoPClient
from watchword.providers.authgent.errors import DPoPError
from watchword.providers.authgent.results import TokenResult

#: What makes the proofs of a call.
Prover = DpopProver | DPoPClient

#: Returns the proof of a POST request to a URI, with the server's nonce if there is one.
_Prove = Callable[[str, str | None], str]


class Server:
    """The server at ``base_url``, which has been checked, and the last DPoP nonce that it gave."""

    def __init__(self, base_url: str) -> None:
        self._base_url = base_url
        parts = urlsplit(base_url)
        self._origin = f"{parts.scheme}://{parts.netloc}"
        self._nonces = OriginNonces()

    def ask(self, request: Request, what: str) -> Verb[Answer]:
        """Send a request. Returns the answer, which is a success; ``what`` names the call if it is none."""
        answer = yield from self._send(request)
        if not answer.is_success:
            raise refusal(answer, what)
        return answer

    def token(
        self,
        fields: Mapping[str, str],
        what: str,
        *,
        dpop: Prover | None = None,
        bound: bool = True,
        repeatable: bool = False,
    ) -> Verb[TokenResult]:
        """Request a token, with a proof if ``dpop`` is given, to which the token must then be bound if ``bound``."""
        prove = _prove(dpop)
        if prove is None:
            answer = yield from self._send(Request("POST", "/token", form=fields, repeatable=repeatable))
        else:
            answer = yield from self._send_with_proof(fields, prove, repeatable=repeatable)
        if not answer.is_success:
            raise refusal(answer, what)
        result = TokenResult.of(answer.members())
        # RFC 9449 section 5: a token that is not bound would be accepted from anybody. Token types are
        # case-insensitive (RFC 6749 section 5.1).
        if prove is not None and bound and result.token_type.lower() != "dpop":
            raise DPoPError(f"{what} failed: the token is not bound to the key (its token_type is not DPoP)")
        return result

    def _send(self, request: Request) -> Verb[Answer]:
        answer: Answer = yield request
        self._nonces.learn(self._origin, answer)
        return answer

    def _send_with_proof(self, fields: Mapping[str, str], prove: _Prove, *, repeatable: bool) -> Verb[Answer]:
        sent: str | None = None

        def proof() -> dict[str, str]:
            nonlocal sent
            sent = self._nonces.get(self._origin)
            return {"dpop": prove(f"{self._base_url}/token", sent)}

        request = Request("POST", "/token", form=fields, repeatable=repeatable, fresh_headers=proof)
        answer = yield from self._send(request)
        # RFC 9449 section 8 says 400, authgent-server 401. The server did not act on the request, so that even a
        # refresh token may be sent again; once, and only with a nonce that was not sent before.
        if _asks_for_nonce(answer) and self._nonces.get(self._origin) != sent:
            answer = yield from self._send(request)
        return answer


def jkt_of(dpop: Prover | None) -> str | None:
    """Return the thumbprint of the key to which tokens will be bound; ``None`` without one. Raises ``TypeError``."""
    return None if dpop is None else _checked(dpop).jkt


def _checked(dpop: Prover) -> Prover:
    if not isinstance(dpop, (DpopProver, DPoPClient)):
        raise TypeError(f"dpop must be a DPoPClient or a watchword.holder.DpopProver, not {type(dpop).__name__}")
    return dpop


def _prove(dpop: Prover | None) -> _Prove | None:
    if dpop is None:
        return None
    dpop = _checked(dpop)
    make = dpop.proof if isinstance(dpop, DpopProver) else dpop.create_proof
    return lambda uri, nonce: make("POST", uri, None, nonce)


def _asks_for_nonce(answer: Answer) -> bool:
    return answer.status in (400, 401) and answer.members_if_any().raw.get("error") == "use_dpop_nonce"


__all__ = ["Prover", "Server", "jkt_of"]
