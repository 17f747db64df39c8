"""How each bad request is made: one function per defect, of a request that is accepted without it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING
from urllib.parse import urlencode, urlsplit

from watchword.dpop import DpopProver
from watchword.testing.request_defects import IN_A_HEADER, BadRequest, RequestDefect, status_of
from watchword.testing.request_signing import sign
from watchword.testing.signed_request import SignedRequest

if TYPE_CHECKING:
    from watchword.testing.local_issuer import LocalIssuer

_WITH_BODY = ("POST", "PUT", "PATCH")
_HOUR = 3600


def bad_requests(
    issuer: LocalIssuer, method: str, url: str, scope: str | None, algorithm: str | None
) -> Iterator[BadRequest]:
    """See :meth:`watchword.testing.LocalIssuer.defects`."""
    for bad in issuer.defects(algorithm=algorithm):
        code = IN_A_HEADER.get(bad.defect, bad.code)
        if code is not None:
            yield BadRequest(bad.defect, code, status_of(code), sign(method, url, bad.token))
    good = _Good(issuer, method, url, scope, algorithm)
    for defect, make in _MAKE.items():
        if (defect is RequestDefect.MISSING_SCOPE and scope is None) or (
            defect is RequestDefect.TOKEN_IN_BODY and method not in _WITH_BODY
        ):
            continue
        request = make(good)
        first = request if defect is RequestDefect.PROOF_REPLAYED else None
        yield BadRequest(defect, defect.code, status_of(defect.code), request, first)


class _Good:
    """The parts of a good request: each function of the table below spoils one."""

    def __init__(self, issuer: LocalIssuer, method: str, url: str, scope: str | None, algorithm: str | None) -> None:
        self.issuer = issuer
        self.method = method
        self.url = url
        self.parts = urlsplit(url)
        self.scope = scope
        self.algorithm = algorithm

    def token(self, *, bound: bool = False) -> str:
        confirmation = {"jkt": self.issuer.prover().jkt} if bound else None
        return self.issuer.mint(algorithm=self.algorithm, scope=self.scope, cnf=confirmation)

    def sent(self, *headers: tuple[str, str], url: str | None = None, body: bytes = b"") -> SignedRequest:
        return SignedRequest(self.method, url or self.url, headers, body)

    def with_proofs(self, *make: Callable[[str], str]) -> SignedRequest:
        token = self.token(bound=True)
        return self.sent(("Authorization", f"DPoP {token}"), *(("DPoP", proof(token)) for proof in make))

    def proof(self, token: str | None, *, clock: float = 0, method: str | None = None, **url: str) -> str:
        prover = self.issuer.prover(clock=lambda: self.issuer.clock() + clock)
        return prover.proof(method or self.method, self.parts._replace(**url).geturl(), token)

    def proof_of_another_key(self, token: str) -> str:
        return DpopProver(clock=self.issuer.clock).proof(self.method, self.url, token)

    def forged_proof(self, token: str) -> str:
        signed, _, _ = self.proof(token).rpartition(".")
        _, _, signature = self.proof_of_another_key(token).rpartition(".")
        return f"{signed}.{signature}"


def _no_scope(good: _Good) -> SignedRequest:
    token = good.issuer.mint(algorithm=good.algorithm, scope=None)
    return good.sent(("Authorization", f"Bearer {token}"))


def _in_query(good: _Good) -> SignedRequest:
    query = urlencode({"access_token": good.token()})
    return good.sent(url=good.parts._replace(query="&".join(filter(None, (good.parts.query, query)))).geturl())


def _in_body(good: _Good) -> SignedRequest:
    form = ("Content-Type", "application/x-www-form-urlencoded")
    return good.sent(form, body=urlencode({"access_token": good.token()}).encode())


def _semicolon(good: _Good) -> SignedRequest:
    url = good.parts._replace(path=f"{good.parts.path};x").geturl()
    return good.sent(("Authorization", f"Bearer {good.token()}"), url=url)


def _unbound_with_proof(good: _Good) -> SignedRequest:
    return sign(good.method, good.url, good.token(), prover=good.issuer.prover())


def _proofs_in_a_list(good: _Good) -> SignedRequest:
    return good.with_proofs(lambda token: f"{good.proof(token)}, {good.proof(token)}")


_D = RequestDefect
_MAKE: dict[RequestDefect, Callable[[_Good], SignedRequest]] = {
    _D.NO_TOKEN: _Good.sent,
    _D.ANOTHER_SCHEME: lambda good: good.sent(("Authorization", f"Token {good.token()}")),
    _D.AUTHORIZATION_TWICE: lambda good: good.sent(*(("Authorization", f"Bearer {good.token()}") for _ in range(2))),
    _D.TOKENS_IN_A_LIST: lambda good: good.sent(("Authorization", f"Bearer {good.token()}, Bearer {good.token()}")),
    _D.TOKEN_IN_QUERY: _in_query,
    _D.TOKEN_IN_BODY: _in_body,
    _D.AMBIGUOUS_PATH: _semicolon,
    _D.MISSING_SCOPE: _no_scope,
    _D.BOUND_TOKEN_AS_BEARER: lambda good: good.sent(("Authorization", f"Bearer {good.token(bound=True)}")),
    _D.UNBOUND_TOKEN_WITH_PROOF: _unbound_with_proof,
    _D.PROOF_MISSING: _Good.with_proofs,
    _D.PROOF_TWICE: lambda good: good.with_proofs(good.proof, good.proof),
    _D.PROOFS_IN_A_LIST: _proofs_in_a_list,
    _D.PROOF_FORGED: lambda good: good.with_proofs(good.forged_proof),
    _D.PROOF_OF_ANOTHER_KEY: lambda good: good.with_proofs(good.proof_of_another_key),
    _D.PROOF_FOR_ANOTHER_METHOD: lambda good: good.with_proofs(lambda token: good.proof(token, method="OTHER")),
    _D.PROOF_FOR_ANOTHER_PATH: lambda good: good.with_proofs(lambda token: good.proof(token, path="/elsewhere")),
    _D.PROOF_FOR_ANOTHER_HOST: lambda good: good.with_proofs(lambda token: good.proof(token, netloc="other.example")),
    _D.PROOF_FOR_ANOTHER_TOKEN: lambda good: good.with_proofs(lambda token: good.proof(f"{token}x")),
    _D.PROOF_WITHOUT_TOKEN_HASH: lambda good: good.with_proofs(lambda _: good.proof(None)),
    _D.PROOF_EXPIRED: lambda good: good.with_proofs(lambda token: good.proof(token, clock=-_HOUR)),
    _D.PROOF_ISSUED_IN_FUTURE: lambda good: good.with_proofs(lambda token: good.proof(token, clock=_HOUR)),
    _D.PROOF_REPLAYED: lambda good: good.with_proofs(good.proof),
}

__all__ = ["bad_requests"]
