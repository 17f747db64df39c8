"""A token whose ``iss`` is not a configured issuer causes neither a fetch nor a wait."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Callable
from typing import Any, Literal

import pytest
from endpoint import Clock, Hang, Key, Server, answer, b64, jwks
from hypothesis import given
from hypothesis import strategies as st
from verdicts import ELSE, ONE, TWO, code, error, remote

import watchword as ww
from watchword.configured_issuers import ConfiguredIssuers
from watchword.issuer_keys import IssuerKeys
from watchword.providers import authgent
from watchword.providers.clawauth import ClawAuth
from watchword.testing import LocalIssuer

A, B = Key("a"), Key("b")

FOREIGN = {
    "another issuer": A.token(ELSE),
    "another issuer, unknown kid": Key("made-up").token(ELSE),
    "a slash too many": A.token(ONE + "/"),
    "another scheme": A.token("http://one.example"),
    "in capitals": A.token(ONE.upper()),
    "empty": A.token(""),
    "no iss": A.token("", iss=None),
    "a list": A.token("", iss=[ONE]),
    "an object": A.token("", iss={"iss": ONE}),
}


def verifiers(server: Server, **more: Any) -> list[ww.Verifier]:
    one = remote(server, ONE)
    return [ww.Verifier([one], **more), ww.Verifier([one, remote(server, TWO)], **more)]


@pytest.mark.parametrize("token", FOREIGN.values(), ids=FOREIGN.keys())
def test_it_causes_no_fetch_when_there_are_no_keys_yet(server: Server, token: str) -> None:
    server.routes["/jwks"] = answer(jwks(A))
    for verifier in verifiers(server):
        with verifier:
            assert code(verifier, token) == "wrong_issuer"
    assert server.count() == 0


@pytest.mark.parametrize("kid", ["made-up", None])
def test_it_causes_no_fetch_when_its_key_is_unknown(server: Server, kid: str | None) -> None:
    server.routes["/jwks"] = answer(jwks(A))
    clock = Clock()
    foreign = Key(kid).token(ELSE) if kid is not None else _of_another_algorithm()
    for verifier in verifiers(server, monotonic=clock):
        with verifier:
            verifier.refresh()
            asked = server.count()
            for _ in range(3):
                clock.move(31)  # past the cooldown
                assert code(verifier, foreign) == "wrong_issuer"
            assert server.count() == asked
            assert verifier.stats()[ONE].unknown_keys == 0
            # One of its own is worth a fetch.
            assert error(verifier, Key("newer").token(ONE)) is not None
            assert server.count() == asked + 1


def _of_another_algorithm() -> str:
    return LocalIssuer(ELSE, algorithms=("ES256",)).mint()


def test_a_known_key_keeps_the_kernels_order() -> None:
    """With a single issuer, the signature of a token by its key is checked first."""
    verifier = ww.Verifier([ww.Issuer(ONE, jwks=jwks(A))])
    assert code(verifier, A.token(ELSE)) == "wrong_issuer"
    assert code(verifier, Key("a").token(ELSE)) == "invalid_signature"


def test_it_waits_for_no_fetch_that_is_under_way(server: Server) -> None:
    server.routes["/jwks"] = hang = Hang(answer(jwks(A)))

    async def main(verifier: ww.Verifier) -> None:
        waiting = asyncio.create_task(verifier.verify_async(A.token(ONE)))
        while server.count() == 0:
            await asyncio.sleep(0.001)
        # On the event loop's own thread: if it waited, the test would not end before the time-out of the fetch.
        for token in FOREIGN.values():
            with pytest.raises(ww.WrongIssuerError):
                verifier.verify(token)
        assert verifier.stats()[ONE].waits == 1
        hang.released.set()
        assert (await waiting).issuer == ONE

    with ww.Verifier([remote(server, ONE)]) as verifier:
        asyncio.run(main(verifier))
    assert server.count() == 1


def test_an_outage_is_no_answer_to_it(server: Server) -> None:
    """401 with the reason, not the 503 that would have it sent again."""
    server.routes["/jwks"] = answer(status=500)
    for verifier in verifiers(server):
        with verifier:
            assert code(verifier, A.token(ONE)) == "keys_unavailable"
            assert code(verifier, A.token(ELSE)) == "wrong_issuer"


def test_a_batch_of_them_fetches_nothing(server: Server) -> None:
    server.routes["/jwks"] = answer(jwks(A))
    for verifier in verifiers(server):
        with verifier:
            tokens = [*FOREIGN.values(), "x", A.token(ELSE, exp="x")]
            expected = ["wrong_issuer"] * len(FOREIGN) + ["malformed_token", "wrong_issuer"]
            assert verifier.verify_many(tokens).codes() == expected
            assert server.count() == 0
            # With one good token among them, one fetch.
            assert verifier.verify_many([*tokens, A.token(ONE)]).codes() == [*expected, None]
            assert server.count() == 1
            # With known keys, A's tokens are checked in the kernel's order.
            codes = verifier.verify_many([*tokens, B.token(ELSE), A.token(ONE)]).codes()
            assert codes[-2:] == ["wrong_issuer", None]
            assert None not in codes[:-1]
            assert server.count() == 1
        server.requests.clear()


@pytest.mark.parametrize(
    ("token", "verdict"),
    [("x", "malformed_token"), ("a.b.c.d.e", "unsupported"), ("a." + "b" * 17_000 + ".c", "too_large")],
)
def test_errors_before_the_issuer_are_reported_first(server: Server, token: str, verdict: str) -> None:
    for verifier in verifiers(server):
        with verifier:
            assert code(verifier, token) == verdict
    assert server.count() == 0


HINTS = {
    ELSE: "",
    ONE + "/": '; its "iss" differs from "https://one.example" only by a slash at the end',
    TWO: '; its "iss" differs from "https://two.example/" only by a slash at the end',
    "one.example": ' from "https://one.example" only in its scheme (https://, http:// or none)',
    "http://one.example": ' from "https://one.example" only in its scheme (https://, http:// or none)',
    ONE.upper(): '; its "iss" differs from "https://one.example" only in upper and lower case',
    "http://One.example": "only in its scheme, in upper and lower case or by a slash at the end",
    "https://login.example/t-2": '; its "iss" names a tenant of "https://login.example/{tid}" that is not listed',
    "https://login.example/t-1/": '; its "iss" differs from "https://login.example/{tid}" only by a slash at the end',
    "spiffe://example.org": "",
    "https://any.example/t/": '; its "iss" differs from "https://any.example/{tid}" only by a slash at the end',
}


@pytest.mark.parametrize(("issuer", "hint"), HINTS.items())
def test_the_error_names_what_is_configured_and_what_was_meant(issuer: str, hint: str) -> None:
    configured = [
        ww.Issuer(ONE, jwks=jwks(A)),
        ww.Issuer(TWO + "/", jwks=jwks(B)),
        ww.Issuer("https://login.example/{tid}", jwks=jwks(B), tenants=["t-1"]),
        ww.Issuer("https://any.example/{tid}", jwks=jwks(B), tenants=ww.ANY_TENANT),
        ww.Issuer("spiffe://example.org", jwks=jwks(B)),
        ww.Issuer("seventh", jwks=jwks(B)),
    ]
    rejected = error(ww.Verifier(configured), A.token(issuer))
    assert isinstance(rejected, ww.WrongIssuerError)
    assert rejected.detail.startswith(
        'the token must be from a configured issuer: "https://one.example", "https://two.example/", '
        '"https://login.example/{tid}", "https://any.example/{tid}" or 2 more'
    )
    assert rejected.detail.endswith(hint or " more")
    # It is the operator's business, not the sender's.
    assert ".example" not in (rejected.www_authenticate() or "")


def test_the_error_of_many_issuers_is_short() -> None:
    many = ww.Verifier([ww.Issuer(f"https://{'x' * 300}.example/{n}", jwks=jwks(A)) for n in range(100)])
    rejected = error(many, A.token("https://\x1b[31mevil.example\n"))
    assert rejected is not None
    assert len(rejected.detail) < 1500
    assert "or 96 more" in rejected.detail
    assert "evil" not in str(rejected)


@given(st.text(), st.lists(st.text(min_size=1), min_size=1, max_size=3, unique=True))
def test_the_error_quotes_nothing_of_the_token(issuer: str, names: list[str]) -> None:
    names = [name.replace("{", "").replace("}", "") or "x" for name in names]
    issuers = [ww.Issuer(name, jwks=jwks(A)) for name in names if not name.startswith("spiffe://")]
    text = ConfiguredIssuers(issuers).error(f"{issuer}\N{SNOWMAN}").detail
    assert "\N{SNOWMAN}" not in text.replace("\\u2603", "")
    assert text.isascii()
    assert text.isprintable()


# The providers' own way to verify.


def provider_keys(server: Server, accepted: tuple[str | None, ...] | Literal["any"]) -> IssuerKeys:
    return IssuerKeys(remote(server, ONE), accepted_issuers=accepted)


def test_a_providers_keys(server: Server) -> None:
    server.routes["/jwks"] = answer(jwks(A))
    policy = ww.Policy(issuer=ONE)
    keys = provider_keys(server, (ONE,))
    verify: list[Callable[[str], Any]] = [
        lambda token: keys.verify(token, policy),
        lambda token: asyncio.run(keys.verify_async(token, policy)),
    ]
    for way in verify:
        for token in FOREIGN.values():
            with pytest.raises(ww.WrongIssuerError):
                way(token)
        with pytest.raises(ww.MalformedTokenError):
            way("x")
    assert server.count() == 0
    assert verify[0](A.token(ONE)).issuer == ONE
    assert server.count() == 1
    keys.close()


def test_providers_whose_tokens_may_do_without_iss(server: Server) -> None:
    server.routes["/jwks"] = answer(jwks(A))
    optional, unchecked = provider_keys(server, (ONE, None)), provider_keys(server, "any")
    with pytest.raises(ww.WrongIssuerError):
        optional.verify(A.token(ELSE), ww.Policy())
    assert server.count() == 0
    issuer = LocalIssuer(algorithms=("EdDSA",))
    server.routes["/jwks"] = answer(json.dumps(issuer.jwks()))
    nameless = issuer.mint({"iss": None, "aud": None})
    assert optional.verify(nameless, ww.Policy()).subject == "agent-7"
    assert unchecked.verify(issuer.mint({"iss": ELSE, "aud": None}), ww.Policy()).issuer == ELSE
    assert server.count() == 2
    optional.close()
    unchecked.close()


def test_clawauth(server: Server) -> None:
    issuer = LocalIssuer(ELSE, algorithms=("ES256",))
    server.routes["/jwks"] = answer(jwks(A))
    service = ClawAuth("service", "key", ONE, jwks_uri=f"{server.url}/jwks", allow_loopback_http=True)
    assert (service.verify(issuer.mint(header={"typ": "JWT"})).error or "").startswith("wrong_issuer")
    assert server.count() == 0
    service.close()


def test_authgent_with_a_fetcher_of_ones_own() -> None:
    asked: list[str] = []

    class Fetcher:
        async def get_key(self, kid: str) -> dict[str, Any]:
            asked.append(kid)
            return issuer.jwks()["keys"][0]

    issuer = LocalIssuer(ONE, algorithms=("ES256",), audience=ONE)
    for wrong in (ELSE, ONE + "/", None):
        with pytest.raises(authgent.InvalidTokenError, match="issuer"):
            asyncio.run(authgent.verify_token(issuer.mint({"iss": wrong}), ONE, jwks_fetcher=Fetcher()))
    assert asked == []
    assert asyncio.run(authgent.verify_token(issuer.mint(), ONE, jwks_fetcher=Fetcher())).subject == "agent-7"
    assert len(asked) == 1


def test_errors_say_which_token_they_are_about(server: Server) -> None:
    server.routes["/jwks"] = answer(status=500)
    for verifier in verifiers(server):
        with verifier:
            for token, kind in ((A.token(ELSE), ww.WrongIssuerError), (A.token(ONE), ww.KeysUnavailableError)):
                digest = b64(hashlib.sha256(token.encode()).digest())
                for rejected in (error(verifier, token), *verifier.verify_many([token, "x"])[:1]):
                    assert type(rejected) is kind
                    assert rejected.token_hash == digest
                    assert rejected.token_claims is None  # nothing of it was verified
    keys = provider_keys(server, (ONE,))
    with pytest.raises(ww.WrongIssuerError) as caught:
        keys.verify(A.token(ELSE), ww.Policy())
    assert caught.value.token_hash is not None
    keys.close()
