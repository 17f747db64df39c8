"""Verifier and Issuer: which issuer a token is of, what is demanded of it, and batches over several."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from endpoint import Clock, Hang, Key, Server, answer, b64, jwks, running
from hypothesis import given
from hypothesis import strategies as st

import watchword as ww
from watchword.issuer import Issuer
from watchword.jwks import CacheSettings, Pending, Stats
from watchword.verifier import Verifier

ONE, TWO, ELSE = "https://one.example", "https://two.example", "https://else.example"
A, B = Key("a"), Key("b")


@pytest.fixture
def server() -> Iterator[Server]:
    with running() as server:
        yield server


def remote(server: Server, issuer: str, path: str, **more: Any) -> Issuer:
    return Issuer(issuer, jwks_uri=server.url + path, allow_loopback_http=True, **more)


def code(verifier: Verifier, token: str | bytes, **more: Any) -> ww.ErrorCode | None:
    try:
        verifier.verify(token, **more)
    except ww.VerificationError as error:
        return error.code
    return None


# One issuer.


def test_a_token_of_the_issuer() -> None:
    verifier = Verifier(Issuer(ONE, jwks=jwks(A)))
    token = verifier.verify(A.token(ONE))
    assert (token.issuer, token.subject, token.key_id) == (ONE, "agent-7", "a")
    assert verifier.verify(A.token(ONE).encode()).issuer == ONE
    assert asyncio.run(verifier.verify_async(A.token(ONE))).issuer == ONE


@pytest.mark.parametrize("issuer", [TWO, ONE + "/", ONE.upper(), ""])
def test_the_issuer_is_compared_exactly(issuer: str) -> None:
    assert code(Verifier([Issuer(ONE, jwks=jwks(A))]), A.token(issuer)) == "wrong_issuer"


def test_now_and_the_clock() -> None:
    verifier = Verifier([Issuer(ONE, jwks=jwks(A))], clock=lambda: 2_000.0, leeway=0)
    assert code(verifier, A.token(ONE, exp=2_000)) == "expired"
    assert code(verifier, A.token(ONE, exp=2_001)) is None
    assert code(verifier, A.token(ONE, exp=2_001), now=2_001) == "expired"
    assert verifier.verify_many([A.token(ONE, exp=2_001)], now=2_001).codes() == ["expired"]
    assert verifier.verify_many([A.token(ONE, exp=2_001)]).codes() == [None]


def test_what_is_demanded_of_every_issuer_and_of_one() -> None:
    strict = Issuer(ONE, jwks=jwks(A), audience=["x", "y"], required=["exp", "jti"], leeway=0, types=["at+jwt"])
    loose = Issuer(TWO, jwks=jwks(A))
    verifier = Verifier([strict, loose], audience="z", clock=lambda: 2_000.0)
    assert code(verifier, A.token(TWO, aud="z", exp=1_996)) is None
    assert code(verifier, A.token(TWO, aud="x", exp=2_100)) == "wrong_audience"
    assert code(verifier, A.token(TWO, exp=2_100)) == "missing_claim"
    assert code(verifier, A.token(ONE, aud="z", exp=2_100)) == "wrong_type"
    header = b64(b'{"alg":"EdDSA","kid":"a","typ":"at+jwt"}')

    def typed(**claims: object) -> str:
        signed = f"{header}.{b64(json.dumps({'iss': ONE, 'exp': 2_100, 'jti': '1', 'aud': 'y', **claims}).encode())}"
        return f"{signed}.{b64(A.private.sign(signed.encode()))}"

    assert code(verifier, typed()) is None
    assert code(verifier, typed(aud="z")) == "wrong_audience"
    assert code(verifier, typed(exp=2_000)) == "expired"
    assert code(verifier, typed(jti=None)) == "malformed_claims"


def test_algorithms_of_an_issuer() -> None:
    verifier = Verifier(
        [Issuer(ONE, jwks=jwks(A), algorithms=["ES256"]), Issuer(TWO, jwks=jwks(A))], algorithms=["EdDSA"]
    )
    assert code(verifier, A.token(ONE)) == "algorithm_not_allowed"
    assert code(verifier, A.token(TWO)) is None


def test_any_audience_and_bound_tokens() -> None:
    verifier = Verifier([Issuer(ONE, jwks=jwks(A))], audience=ww.ANY_AUDIENCE)
    assert code(verifier, A.token(ONE, aud="whoever")) is None
    bound = A.token(ONE, cnf={"jkt": "x" * 43})
    assert code(verifier, bound) == "dpop_proof_required"
    lax = Verifier([Issuer(ONE, jwks=jwks(A), bound_tokens="accept")])
    assert code(lax, bound) is None


@pytest.mark.parametrize("token", [None, 5, ["a"], bytearray(b"a.b.c")])
def test_what_is_no_token_is_a_type_error(token: object) -> None:
    for issuers in ([Issuer(ONE, jwks=jwks(A))], [Issuer(ONE, jwks=jwks(A)), Issuer(TWO, jwks=jwks(A))]):
        verifier = Verifier(issuers)
        with pytest.raises(TypeError):
            verifier.verify(token)  # type: ignore[arg-type]
        with pytest.raises(TypeError):
            verifier.verify_many([token])  # type: ignore[list-item]


# Several issuers.


def test_each_issuer_has_its_own_keys(server: Server) -> None:
    server.routes.update({"/one": answer(jwks(A)), "/two": answer(jwks(B))})
    with Verifier([remote(server, ONE, "/one"), remote(server, TWO, "/two")]) as verifier:
        assert code(verifier, A.token(ONE)) is None
        assert server.count("/two") == 0
        assert code(verifier, B.token(TWO)) is None
        # A good key of another issuer is a stranger's.
        assert code(verifier, A.token(TWO)) == "unknown_key"
        assert code(verifier, Key("a").token(ONE)) == "invalid_signature"


def test_no_token_makes_a_fetch_to_an_issuer_that_is_not_configured(server: Server) -> None:
    server.routes.update({"/one": answer(jwks(A)), "/two": answer(jwks(B))})
    with Verifier([remote(server, ONE, "/one"), remote(server, TWO, "/two")]) as verifier:
        for issuer in (ELSE, server.url, ONE + "/", "", "https://one.exampl", server.url + "/one"):
            assert code(verifier, A.token(issuer)) == "wrong_issuer"
        assert server.count() == 0


TWICE = f'"iss":"{ONE}"'.encode()
NAMELESS = b64(json.dumps({"exp": 1}).encode())
HEADER = b64(b'{"alg":"EdDSA","kid":"a"}')
ODD = {
    "not a token": ("x", "malformed_token"),
    "five parts": ("a.b.c.d.e", "unsupported"),
    "too large": ("a." + "b" * 17_000 + ".c", "too_large"),
    "bad header": (f"{b64(b'{')}.{NAMELESS}.AA", "malformed_header"),
    "crit": (b64(b'{"alg":"EdDSA","crit":["x"]}') + f".{NAMELESS}.AA", "unsupported_critical_header"),
    "wrong type": (b64(b'{"alg":"EdDSA","typ":"dpop+jwt"}') + f".{NAMELESS}.AA", "wrong_type"),
    "alg none": (b64(b'{"alg":"none"}') + f".{NAMELESS}.", "algorithm_not_allowed"),
    "HMAC": (b64(b'{"alg":"HS256","kid":"a"}') + f".{NAMELESS}.AA", "algorithm_not_allowed"),
    "no iss": (f"{HEADER}.{NAMELESS}.AA", "wrong_issuer"),
    "iss a list": (f"{HEADER}.{b64(json.dumps({'iss': [ONE]}).encode())}.AA", "wrong_issuer"),
    "two iss": (f"{HEADER}.{b64(b'{' + TWICE + b',' + TWICE + b'}')}.AA", "wrong_issuer"),
    "claims that are no JSON": (f"{HEADER}.{b64(b'{')}.AA", "wrong_issuer"),
    "text that is not ASCII": ("é.é.é", "malformed_token"),
    "a lone surrogate": ("\ud800.a.b", "malformed_token"),
}


@pytest.mark.parametrize(("token", "verdict"), ODD.values(), ids=ODD.keys())
def test_a_token_without_an_issuer_gets_the_verdict_of_the_first_check_that_it_fails(
    server: Server, token: str, verdict: str
) -> None:
    with Verifier([remote(server, ONE, "/one"), remote(server, TWO, "/two")]) as verifier:
        assert code(verifier, token) == verdict
        assert asyncio.run(_code_async(verifier, token)) == verdict
        assert verifier.verify_many([token]).codes() == [verdict]
    assert server.count() == 0


async def _code_async(verifier: Verifier, token: str) -> ww.ErrorCode | None:
    try:
        await verifier.verify_async(token)
    except ww.VerificationError as error:
        return error.code
    return None


def test_stats_and_repr_name_the_issuers() -> None:
    verifier = Verifier([Issuer(ONE, jwks=jwks(A)), Issuer(TWO, jwks=jwks(A, B))])
    assert {name: stats.keys for name, stats in verifier.stats().items()} == {ONE: 1, TWO: 2}
    assert repr(verifier) == f"Verifier(['{ONE}', '{TWO}'])"


def test_refresh_tries_every_issuer_and_names_those_that_failed(server: Server) -> None:
    server.routes.update({"/two": answer(jwks(B))})
    with Verifier([remote(server, ONE, "/one"), remote(server, TWO, "/two")]) as verifier:
        with pytest.raises(ww.KeysUnavailableError, match=ONE) as caught:
            verifier.refresh()
        assert TWO not in caught.value.detail
        assert caught.value.http_status == 503
        assert verifier.stats()[TWO].keys == 1


# Batches.


def batch(verifier: Verifier, tokens: list[str]) -> Any:
    results = verifier.verify_many(tokens)
    again = asyncio.run(verifier.verify_many_async(tokens))
    assert results.codes() == again.codes()
    return results


def test_a_batch_of_one_issuer_is_the_kernels_own_result() -> None:
    verifier = Verifier([Issuer(ONE, jwks=jwks(A))])
    results = verifier.verify_many([A.token(ONE), "x"])
    assert isinstance(results, ww.BatchResult)
    assert results.codes() == [None, "malformed_token"]


def test_a_batch_is_a_sequence_in_the_order_of_the_tokens() -> None:
    verifier = Verifier([Issuer(ONE, jwks=jwks(A)), Issuer(TWO, jwks=jwks(B))])
    results = batch(verifier, [B.token(TWO), "x", A.token(ONE), A.token(ELSE), A.token(TWO)])
    assert results.codes() == [None, "malformed_token", None, "wrong_issuer", "unknown_key"]
    assert (len(results), results.valid_count) == (5, 2)
    assert [getattr(result, "issuer", None) for result in results] == [TWO, None, ONE, None, None]
    assert results[0].issuer == TWO
    assert results[-1].code == "unknown_key"
    assert [type(result) for result in results[1:4:2]] == [ww.MalformedTokenError, ww.WrongIssuerError]
    assert repr(results) == "MergedResults(len=5, valid_count=2)"
    for index in (5, -6):
        with pytest.raises(IndexError):
            results[index]


def test_an_empty_batch() -> None:
    for issuers in ([Issuer(ONE, jwks=jwks(A))], [Issuer(ONE, jwks=jwks(A)), Issuer(TWO, jwks=jwks(A))]):
        results = batch(Verifier(issuers), [])
        assert (list(results), results.codes(), results.valid_count) == ([], [], 0)


def test_one_token_in_place_of_a_batch_is_a_mistake() -> None:
    with pytest.raises(TypeError, match="list"):
        Verifier([Issuer(ONE, jwks=jwks(A))]).verify_many(A.token(ONE))


def test_a_batch_fetches_at_most_once_for_cold_keys_and_once_for_unknown_kids(server: Server) -> None:
    server.routes.update({"/one": answer(jwks(A)), "/two": answer(jwks(B))})
    clock = Clock()
    with Verifier([remote(server, ONE, "/one"), remote(server, TWO, "/two")], monotonic=clock) as verifier:
        tokens = [key.token(issuer) for _ in range(5) for key in (A, B) for issuer in (ONE, TWO)]
        expected = [None, "unknown_key", "unknown_key", None] * 5
        assert verifier.verify_many(tokens).codes() == expected
        assert (server.count("/one"), server.count("/two")) == (2, 2)
        clock.move(31)
        server.routes["/one"] = answer(jwks(A, B))
        assert verifier.verify_many(tokens).codes() == [None, "unknown_key", None, None] * 5
        assert (server.count("/one"), server.count("/two")) == (3, 3)


def test_keys_that_are_not_to_be_had_are_a_verdict_in_a_batch(server: Server) -> None:
    server.routes.update({"/one": answer(status=500), "/two": answer(jwks(B))})
    with Verifier([remote(server, ONE, "/one"), remote(server, TWO, "/two")]) as verifier:
        results = batch(verifier, [A.token(ONE), B.token(TWO), "x", A.token(ONE)])
        assert results.codes() == ["keys_unavailable", None, "malformed_token", "keys_unavailable"]
        assert "500" in results[0].detail
        assert results[0] is not results[3]


def test_a_batch_without_a_good_token_fetches_nothing(server: Server) -> None:
    with Verifier([remote(server, ONE, "/one")]) as verifier:
        assert verifier.verify_many(["x", "a.b.c", ""]).valid_count == 0
    assert server.count() == 0


def test_a_batch_does_not_hold_up_the_event_loop_while_it_waits(server: Server) -> None:
    server.routes["/one"] = hang = Hang(answer(jwks(A)))
    with Verifier([remote(server, ONE, "/one")]) as verifier:

        async def main() -> list[ww.ErrorCode | None]:
            task = asyncio.create_task(verifier.verify_many_async([A.token(ONE)] * 100))
            while server.count() == 0:
                await asyncio.sleep(0.001)
            hang.released.set()
            return (await task).codes()

        assert asyncio.run(main()) == [None] * 100


POOL = [
    *(key.token(issuer) for key in (A, B, Key("c"), Key(None)) for issuer in (ONE, TWO, ELSE)),
    *(A.token(ONE, **changes) for changes in ({"exp": 1}, {"aud": "x"}, {"nbf": 9e9}, {"exp": "x"}, {"iss": [ONE]})),
    A.token(ONE, kid=None),
    *(token for token, _ in ODD.values()),
]
BOTH = Verifier([Issuer(ONE, jwks=jwks(A)), Issuer(TWO, jwks=jwks(A, B))])


@given(st.lists(st.sampled_from(POOL), max_size=30))
def test_a_batch_says_what_verifying_one_by_one_says(tokens: list[str]) -> None:
    results = BOTH.verify_many(tokens)
    assert results.codes() == [code(BOTH, token) for token in tokens]
    assert results.valid_count == results.codes().count(None)
    assert [getattr(result, "code", None) for result in results] == results.codes()


# What an Issuer may be.


def test_every_form_of_keys_in_memory() -> None:
    public = A.private.public_key()
    pem = public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    der = public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    for given_keys in (
        {"jwks": jwks(A)},
        {"jwks": jwks(A).decode()},
        {"jwks": json.loads(jwks(A))},
        {"jwks": A.jwk},
        {"jwks": ww.KeySet.from_json(jwks(A))},
        {"jwks": ww.KeySet.from_der(der)},
        {"pem": pem},
        {"pem": pem.decode()},
    ):
        assert code(Verifier([Issuer(ONE, **given_keys)]), A.token(ONE)) is None


def test_the_reference_backend() -> None:
    issuer = Issuer(ONE, jwks=jwks(A), backend="reference")
    assert code(Verifier([issuer]), A.token(ONE)) is None


def test_an_issuer_with_keys_may_have_any_name() -> None:
    assert code(Verifier([Issuer("agentwrit", jwks=jwks(A))]), A.token("agentwrit")) is None


PRIVATE = rsa.generate_private_key(public_exponent=65537, key_size=2048).private_bytes(
    Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()
)


@pytest.mark.parametrize(
    ("given_to_it", "error", "why"),
    [
        ({"issuer": 5}, TypeError, "must be a string"),
        ({"issuer": ""}, ValueError, "empty"),
        ({"issuer": "agentwrit"}, ValueError, "give jwks_uri"),
        ({"issuer": "http://one.example"}, ValueError, "https"),
        ({"jwks": {}, "jwks_uri": ONE}, ValueError, "jwks_uri and jwks are given"),
        ({"jwks": {}, "pem": b""}, ValueError, "must come from one of them"),
        ({"jwks": {"keys": []}}, ValueError, "no usable key"),
        ({"jwks": {"keys": [{"kty": "oct", "k": "AA"}]}}, ValueError, "symmetric_key"),
        ({"jwks": "{"}, ValueError, None),
        ({"jwks": 5}, TypeError, None),
        ({"pem": "-----BEGIN"}, ValueError, None),
        ({"pem": PRIVATE}, ValueError, None),
        ({"jwks_uri": b"https://one.example"}, TypeError, "jwks_uri must be a string"),
        ({"jwks_uri": "http://one.example/jwks"}, ValueError, "jwks_uri must be an https URL"),
        ({"jwks_file": b"keys"}, TypeError, "jwks_file"),
        ({"jwks_file": 5}, TypeError, None),
        ({"source": ww.KeySet.from_json(jwks(A))}, TypeError, "KeySource"),
        ({"algorithms": "EdDSA"}, TypeError, r"\('EdDSA',\)"),
        ({"algorithms": ["HS256"]}, ValueError, None),
        ({"algorithms": ["none"]}, ValueError, None),
        ({"types": "JWT"}, TypeError, "types"),
        ({"required": "exp"}, TypeError, "required"),
        ({"leeway": -1}, ValueError, None),
        ({"bound_tokens": "maybe"}, ValueError, None),
        ({"audience": 5}, TypeError, None),
        ({"backend": "fast"}, ValueError, "backend"),
        ({"prepare": "always"}, ValueError, "prepare"),
        ({"cache_settings": {"ttl": 5}}, TypeError, "CacheSettings"),
    ],
)
def test_what_can_not_be_meant(given_to_it: dict[str, Any], error: type[Exception], why: str | None) -> None:
    arguments = {"issuer": ONE, **given_to_it}
    with pytest.raises(error, match=why) as caught:
        Issuer(arguments.pop("issuer"), **arguments)
    assert "PRIVATE" not in str(caught.value)


def test_an_issuer_is_a_value_without_keys_in_its_repr() -> None:
    issuer = Issuer(ONE, jwks=json.loads(jwks(A)), audience=iter(["x"]))
    assert issuer == Issuer(ONE, jwks=json.loads(jwks(A)), audience=("x",))
    assert hash(issuer) == hash(Issuer(ONE, jwks=json.loads(jwks(A)), audience=("x",)))
    assert A.jwk["x"] not in repr(issuer)
    with pytest.raises(AttributeError):
        issuer.issuer = TWO  # type: ignore[misc]


@pytest.mark.parametrize(
    ("issuers", "more", "error", "why"),
    [
        ([], {}, ValueError, "at least one"),
        ([Issuer(ONE, jwks=A.jwk), Issuer(ONE, jwks=B.jwk)], {}, ValueError, "twice"),
        ([5], {}, TypeError, "Issuer objects"),
        (["not a url"], {}, ValueError, "https"),
        ([Issuer(ONE, jwks=A.jwk)], {"algorithms": "EdDSA"}, TypeError, "algorithms"),
        ([Issuer(ONE, jwks=A.jwk)], {"leeway": -1}, ValueError, None),
        ([Issuer(ONE, jwks=A.jwk)], {"fetcher": object()}, TypeError, "Fetcher"),
    ],
)
def test_a_verifier_that_can_not_be_meant(issuers: Any, more: Any, error: type[Exception], why: str | None) -> None:
    with pytest.raises(error, match=why):
        Verifier(issuers, **more)


def test_an_http_client_is_no_fetcher() -> None:
    import httpx2

    with httpx2.Client() as client, pytest.raises(TypeError, match="HttpxFetcher"):
        Verifier(ONE, fetcher=client)  # type: ignore[arg-type]


def test_a_source_of_ones_own() -> None:
    """Keys from wherever: five methods, none of which blocks."""

    class Own:
        def __init__(self) -> None:
            self.keys = ww.KeySet.from_json(jwks(A))
            self.asked: list[Any] = []
            self.closed = False

        def current(self) -> ww.KeySet | None:
            return self.keys

        def request(self) -> Pending[ww.KeySet]:
            return Pending(lambda: self.keys)

        def request_newer(self, seen: ww.KeySet, key_ids: Any) -> Pending[ww.KeySet | None]:
            self.asked.append(tuple(key_ids))
            self.keys = ww.KeySet.from_json(jwks(A, B))
            return Pending(lambda: self.keys)

        def refresh(self) -> Pending[ww.KeySet]:
            return self.request()

        def stats(self) -> Stats:
            return Stats(keys=len(self.keys))

        def close(self) -> None:
            self.closed = True

    source = Own()
    with Verifier([Issuer(ONE, source=source)]) as verifier:
        assert code(verifier, A.token(ONE)) is None
        assert code(verifier, B.token(ONE)) is None
        assert code(verifier, B.token(ONE)) is None
        assert verifier.stats()[ONE].keys == 2
    assert source.asked == [("b",)]
    assert not source.closed


def test_a_cache_setting_of_one_issuer(server: Server) -> None:
    server.routes["/one"] = answer(jwks(A))
    clock = Clock()
    issuer = remote(server, ONE, "/one", cache_settings=CacheSettings(max_stale=0))
    with Verifier([issuer], monotonic=clock) as verifier:
        verifier.refresh()
        server.close()
        clock.move(300)
        assert code(verifier, A.token(ONE)) == "keys_unavailable"
