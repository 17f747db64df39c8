"""A whole request in one call: the scheme, the token, the proof, their binding, the nonce, the replay cache."""

from __future__ import annotations

import asyncio
import contextlib
import email
import email.message
import email.policy
import http.client
import io
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import mint
import proofs
import pytest
from proofs import METHOD, NOW, URI, claims, proof

import watchword as ww
from watchword.dpop import DpopVerifier, Nonces

BOUND, PLAIN = proofs.bound_token(), mint.token()


def _verifier(**options: Any) -> ww.Verifier:
    issuer = ww.Issuer(mint.ISSUER, jwks=mint.jwks("ed25519"))
    return ww.Verifier([issuer], **{"audience": mint.AUDIENCE, "clock": lambda: NOW, **options})


def _proof(token: str = BOUND, **changes: Any) -> str:
    return proof(claims(ath=proofs.ath(token), **changes))


def _ask(headers: Any, verifier: ww.Verifier | None = None, **request: Any) -> ww.VerifiedRequest:
    """By both ways, which must agree."""
    request = {"method": METHOD, "uri": URI, **request}
    if verifier is not None:
        return verifier.verify_request(headers=headers, **request)
    kept = headers if isinstance(headers, Mapping) or not isinstance(headers, Iterator) else list(headers)
    outcomes: list[Any] = []
    for run in (
        lambda own: own.verify_request(headers=kept, **request),
        lambda own: asyncio.run(own.verify_request_async(headers=kept, **request)),
    ):
        with _verifier() as own:
            try:
                outcomes.append(run(own))
            except ww.VerificationError as error:
                outcomes.append(error)
    first, second = outcomes
    if isinstance(first, ww.VerificationError):
        assert (first.code, first.www_authenticate()) == (second.code, second.www_authenticate())
        raise first
    assert first.token.payload == second.token.payload
    return first


def _code(headers: Any, **request: Any) -> str:
    with pytest.raises(ww.VerificationError) as caught:
        _ask(headers, **request)
    return caught.value.code.value


DPOP = {"Authorization": f"DPoP {BOUND}", "DPoP": _proof()}
BEARER = {"Authorization": f"Bearer {PLAIN}"}


def test_a_bound_token_with_its_proof() -> None:
    request = _ask(DPOP, uri=URI + "?page=2")
    assert request.token.subject == "agent-7"
    assert request.proof is not None
    assert request.proof.jkt == proofs.jkt()


def test_a_bearer_token() -> None:
    request = _ask(BEARER)
    assert (request.token.subject, request.proof) == ("agent-7", None)


@pytest.mark.parametrize("scheme", ["DPoP", "dpop", "DPOP", "dPoP"])
def test_the_scheme_has_no_case(scheme: str) -> None:
    assert _ask({"Authorization": f"{scheme} {BOUND}", "DPoP": _proof()}).proof is not None
    bearer = {"dpop": "bearer", "DPOP": "BEARER"}.get(scheme, "Bearer")
    assert _ask({"Authorization": f"{bearer} {PLAIN}"}).proof is None


class _SeveralItems(dict[str, str]):
    """A framework's mapping that has one name several times."""

    def __init__(self, pairs: list[tuple[str, str]]) -> None:
        super().__init__(pairs)
        self.pairs = pairs

    def items(self) -> Any:
        return self.pairs


def _message(pairs: Iterable[tuple[str, str]]) -> email.message.Message:
    """Headers as ``http.server`` has them."""
    message = email.message.Message()
    for name, value in pairs:
        message[name] = value
    return message


def _of_frameworks(pairs: list[tuple[str, str]]) -> dict[str, Any]:
    """The same headers as each framework has them that is installed."""
    forms: dict[str, Any] = {
        "email.message.Message": _message(pairs),
        "http.client": http.client.parse_headers(
            io.BytesIO("".join(f"{name}: {value}\r\n" for name, value in [*pairs, ("Host", "a.example")]).encode())
        ),
        "email.message.EmailMessage": email.message_from_string(
            "".join(f"{name}: {value}\n" for name, value in pairs), policy=email.policy.HTTP
        ),
    }
    with contextlib.suppress(ImportError):
        from starlette.datastructures import Headers

        forms["starlette"] = Headers(raw=[(name.lower().encode(), value.encode()) for name, value in pairs])
    with contextlib.suppress(ImportError):
        from werkzeug.datastructures import EnvironHeaders
        from werkzeug.datastructures import Headers as WerkzeugHeaders

        forms["werkzeug"] = WerkzeugHeaders(pairs)
        joined: dict[str, str] = {}
        for name, value in pairs:
            # As every WSGI server does with a header that is repeated.
            key = "HTTP_" + name.upper()
            joined[key] = f"{joined[key]},{value}" if key in joined else value
        forms["werkzeug's of an environment"] = EnvironHeaders(joined)
    with contextlib.suppress(ImportError):
        from multidict import CIMultiDict

        forms["aiohttp"] = CIMultiDict(pairs)
    with contextlib.suppress(ImportError):
        import httpx

        forms["httpx"] = httpx.Headers(pairs)
    with contextlib.suppress(ImportError):
        from django.http.request import HttpHeaders

        forms["django"] = HttpHeaders(forms["werkzeug's of an environment"].environ)
    return forms


@pytest.mark.parametrize("name", _of_frameworks([]))
def test_headers_of_frameworks(name: str) -> None:
    assert _ask(_of_frameworks(list(DPOP.items()))[name]).proof is not None
    assert _ask(_of_frameworks(list(BEARER.items()))[name]).proof is None
    assert _code(_of_frameworks([])[name]) == "missing_token"
    twice = [*DPOP.items(), ("DPoP", _proof(jti="2"))]
    assert _code(_of_frameworks(twice)[name]) == "dpop_several_proofs"
    assert _code(_of_frameworks([*DPOP.items(), ("Authorization", BEARER["Authorization"])])[name]) == (
        "malformed_request"
    )


def test_bytes_that_are_no_text_in_the_headers_of_a_message() -> None:
    for name in ("Authorization", "DPoP"):
        lines = {**DPOP, name: DPOP[name] + "\xfc"}
        raw = "".join(f"{key}: {value}\r\n" for key, value in lines.items()).encode("latin-1")
        message = email.message_from_bytes(raw)
        assert _code(message) == ("malformed_request" if name == "Authorization" else "dpop_malformed_proof")


def test_headers_in_every_form() -> None:
    message = _message(DPOP.items())
    for headers in (
        DPOP,
        {name.lower(): value for name, value in DPOP.items()},
        {name.upper(): [value] for name, value in DPOP.items()},
        list(DPOP.items()),
        tuple(DPOP.items()),
        [(name.lower().encode(), value.encode()) for name, value in DPOP.items()],
        [("Host", "api.example"), ("X-Other", "a, b"), *DPOP.items()],
        _SeveralItems(list(DPOP.items())),
        message,
        message.items(),
        {name: f"  {value}\t" for name, value in DPOP.items()},
    ):
        assert _ask(headers).proof is not None
    with _verifier() as verifier:
        assert _ask(iter(DPOP.items()), verifier).proof is not None


REPEATED: dict[str, tuple[str, Any]] = {
    "two proofs": ("dpop_several_proofs", [*DPOP.items(), ("dpop", _proof(jti="2"))]),
    "the same proof twice": ("dpop_several_proofs", [*DPOP.items(), ("DPoP", _proof())]),
    "two proofs in a list": ("dpop_several_proofs", {**DPOP, "DPoP": [_proof(), _proof()]}),
    "two proofs of a framework": ("dpop_several_proofs", _SeveralItems([*DPOP.items(), ("DPoP", "x")])),
    "two proofs of ASGI": (
        "dpop_several_proofs",
        [(b"authorization", DPOP["Authorization"].encode()), (b"dpop", _proof().encode()), (b"dpop", b"")],
    ),
    "proofs joined by a comma": ("dpop_several_proofs", {**DPOP, "DPoP": f"{_proof()},{_proof(jti='2')}"}),
    "a proof and a comma": ("dpop_several_proofs", {**DPOP, "DPoP": _proof() + ","}),
    "two proofs beside a bearer token": ("dpop_several_proofs", [*BEARER.items(), ("DPoP", "x"), ("DPoP", "y")]),
    "two tokens": ("malformed_request", [*DPOP.items(), ("authorization", f"Bearer {PLAIN}")]),
    "the same token twice": ("malformed_request", [*BEARER.items(), *BEARER.items()]),
    "tokens joined by a comma": ("malformed_request", {"Authorization": f"Bearer {PLAIN}, Bearer {PLAIN}"}),
    "schemes joined by a comma": ("malformed_request", {**DPOP, "Authorization": f"DPoP {BOUND},Bearer {PLAIN}"}),
}


@pytest.mark.parametrize(("code", "headers"), REPEATED.values(), ids=REPEATED)
def test_what_is_doubled_is_rejected(code: str, headers: Any) -> None:
    assert _code(headers) == code


@pytest.mark.parametrize(
    ("value", "code"),
    [
        ("Bearer", "malformed_request"),
        ("Bearer ", "malformed_request"),
        ("DPoP", "malformed_request"),
        ("Bearer a b", "malformed_request"),
        ("Bearer \x00", "malformed_request"),
        ('Bearer "quoted"', "malformed_request"),
        ("Bearer é", "malformed_request"),
        ("Bearer ===", "malformed_request"),
        ("Bearer\ttab", "missing_token"),
        ("", "missing_token"),
        ("Basic dTpw", "missing_token"),
        ("Token abc", "missing_token"),
        ("BearerX abc", "missing_token"),
        (PLAIN, "missing_token"),
        ("Bearer abc", "malformed_token"),
    ],
)
def test_authorization_that_is_no_good(value: str, code: str) -> None:
    assert _code({"Authorization": value}) == code


def test_a_request_without_a_token_is_told_what_to_send() -> None:
    for headers in ({}, [], {"DPoP": _proof()}, {"Authorization-X": "Bearer a"}):
        with pytest.raises(ww.MissingTokenError) as caught:
            _ask(headers)
        assert caught.value.http_status == 401
        assert caught.value.www_authenticate() == 'DPoP algs="EdDSA Ed25519 ES256 RS256 PS256", Bearer'
        assert caught.value.www_authenticate(realm="api", resource_metadata="https://api.example/m") == (
            'DPoP realm="api", algs="EdDSA Ed25519 ES256 RS256 PS256", '
            'resource_metadata="https://api.example/m", '
            'Bearer realm="api", resource_metadata="https://api.example/m"'
        )


def test_a_malformed_request_is_a_400() -> None:
    with pytest.raises(ww.MalformedRequestError) as caught:
        _ask([*BEARER.items(), *BEARER.items()])
    assert caught.value.http_status == 400
    assert (caught.value.www_authenticate() or "").startswith('Bearer error="invalid_request"')


def test_scheme_and_token_must_agree() -> None:
    # A downgrade: the bound token as a bearer token, with and without its proof.
    assert _code({"Authorization": f"Bearer {BOUND}"}) == "dpop_proof_required"
    assert _code({"Authorization": f"Bearer {BOUND}", "DPoP": _proof()}) == "dpop_proof_required"
    # A token that is worth a bearer token only, dressed up.
    assert _code({"Authorization": f"DPoP {PLAIN}", "DPoP": _proof(PLAIN)}) == "dpop_unbound_token"
    assert _code({"Authorization": f"DPoP {BOUND}"}) == "dpop_missing_proof"
    # A proof with a bearer token proves nothing, and is not verified.
    assert _ask({**BEARER, "DPoP": "anything"}).proof is None


def test_a_policy_may_accept_bound_tokens_as_bearer_tokens() -> None:
    with _verifier(bound_tokens="accept") as verifier:
        assert _ask({"Authorization": f"Bearer {BOUND}"}, verifier).proof is None
        assert _ask(DPOP, verifier).proof is not None


def test_the_proof_must_be_for_this_request() -> None:
    assert _code(DPOP, method="GET") == "dpop_wrong_method"
    assert _code(DPOP, uri="https://api.example/other") == "dpop_wrong_uri"
    assert _code(DPOP, uri="http://api.example/orders") == "dpop_wrong_uri"
    assert _code({**DPOP, "DPoP": proof()}) == "dpop_missing_claim"
    assert _code({**DPOP, "DPoP": _proof("another")}) == "dpop_wrong_access_token"
    stolen = proof(claims(ath=proofs.ath(BOUND)), key="ed25519", algorithm="EdDSA")
    assert _code({**DPOP, "DPoP": stolen}) == "dpop_key_mismatch"


def test_a_proof_is_used_once() -> None:
    with _verifier() as verifier:
        _ask(DPOP, verifier)
        with pytest.raises(ww.dpop.ReplayedProofError):
            _ask(DPOP, verifier)
        with pytest.raises(ww.dpop.ReplayedProofError):
            asyncio.run(verifier.verify_request_async(method=METHOD, uri=URI, headers=DPOP))
        _ask({**DPOP, "DPoP": _proof(jti="proof-2")}, verifier)


def test_no_failure_uses_a_proof_up() -> None:
    """Whatever is wrong with the rest of the request, the proof is still good for a better one."""
    expired = proofs.bound_token(exp=NOW - 60)
    with _verifier() as verifier:
        for headers, request in (
            ([*DPOP.items(), ("Authorization", "Bearer x")], {}),
            (DPOP, {"method": "GET"}),
            (DPOP, {"uri": "https://api.example/other"}),
            ({**DPOP, "Authorization": f"DPoP {expired}"}, {}),
            ({**DPOP, "Authorization": f"Bearer {BOUND}"}, {}),
            ({"Authorization": f"DPoP {expired}", "DPoP": _proof(expired)}, {}),
            ({"Authorization": f"DPoP {PLAIN}", "DPoP": _proof(PLAIN)}, {}),
        ):
            with pytest.raises(ww.VerificationError):
                _ask(headers, verifier, **request)
        assert _ask(DPOP, verifier).proof is not None


def test_a_bad_token_is_answered_by_the_scheme_it_came_with() -> None:
    expired = proofs.bound_token(exp=NOW - 60)
    with pytest.raises(ww.ExpiredError) as caught:
        _ask({"Authorization": f"DPoP {expired}", "DPoP": _proof(expired)})
    assert caught.value.www_authenticate() == (
        'DPoP error="invalid_token", error_description="the token has expired", algs="EdDSA Ed25519 ES256 RS256 PS256"'
    )
    with pytest.raises(ww.ExpiredError) as caught:
        _ask({"Authorization": f"Bearer {mint.token(mint.claims(exp=NOW - 60))}"})
    assert (caught.value.www_authenticate() or "").startswith("Bearer error=")


def test_algorithms_and_nonces_of_the_verifier_are_in_its_answers() -> None:
    dpop = DpopVerifier(nonces=Nonces(bytes(32)), algorithms=("ES256",))
    with _verifier(dpop=dpop) as verifier:
        with pytest.raises(ww.dpop.NonceRequiredError) as caught:
            _ask(DPOP, verifier)
        assert (caught.value.www_authenticate() or "").endswith('algs="ES256"')
        nonce = caught.value.nonce
        assert nonce == Nonces(bytes(32)).issue(now=NOW)
        assert _ask({**DPOP, "DPoP": _proof(nonce=nonce)}, verifier).proof is not None
        for headers in ({}, {"Authorization": f"Bearer {BOUND}"}):
            with pytest.raises(ww.VerificationError) as rejected:
                _ask(headers, verifier)
            assert 'algs="ES256"' in (rejected.value.www_authenticate() or "")


def test_now_may_be_given() -> None:
    with _verifier(clock=lambda: 0.0) as verifier:
        assert verifier.verify_request(method=METHOD, uri=URI, headers=DPOP, now=NOW).proof is not None


@pytest.mark.parametrize("headers", [{"DPoP": 1}, [(1, "x")], {"Authorization": None}, [("a",)], 5])
def test_headers_of_another_kind_are_a_callers_mistake(headers: Any) -> None:
    with pytest.raises((TypeError, ValueError)), _verifier() as verifier:
        verifier.verify_request(method=METHOD, uri=URI, headers=headers)


def test_a_request_made_by_the_prover() -> None:
    prover = ww.dpop.DpopProver("EdDSA", clock=lambda: NOW)
    token = mint.token(mint.claims(cnf={"jkt": prover.jkt}))
    headers = {"Authorization": f"DPoP {token}", "DPoP": prover.proof("GET", "https://api.example/a?b", token)}
    request = _ask(headers, method="GET", uri="https://API.example:443/a")
    assert request.proof is not None
    assert request.proof.jkt == prover.jkt
