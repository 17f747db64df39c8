"""Several spellings of one issuer: one policy, one source of keys."""

from __future__ import annotations

from typing import Any

import pytest
from endpoint import Key, Server, answer, jwks
from verdicts import ELSE, ONE, TWO, code, error, remote

import watchword as ww

A = Key("a")
WITH, WITHOUT = "https://accounts.example", "accounts.example"


def test_every_spelling_is_accepted_and_no_other(server: Server) -> None:
    server.routes["/jwks"] = answer(jwks(A))
    issuer = remote(server, WITH, aliases=[WITHOUT, WITH + "/"])
    for others in ([], [ww.Issuer(TWO, jwks=jwks(Key("b")))]):
        server.requests.clear()
        with ww.Verifier([issuer, *others]) as verifier:
            for spelling in (WITH, WITHOUT, WITH + "/"):
                assert code(verifier, A.token(spelling)) is None
                assert verifier.verify(A.token(spelling)).issuer == spelling
            for spelling in ("http://accounts.example", WITHOUT + "/", WITH.upper(), ""):
                assert code(verifier, A.token(spelling)) == "wrong_issuer"
            assert server.count() == 1
            assert next(iter(verifier.stats())) == WITH
            results = verifier.verify_many([A.token(WITHOUT), A.token(ELSE), A.token(WITH)])
            assert results.codes() == [None, "wrong_issuer", None]


def test_discovery_goes_by_the_first_spelling(server: Server) -> None:
    server.routes["/.well-known/openid-configuration"] = answer(
        f'{{"issuer": "{server.url}", "jwks_uri": "{server.url}/jwks"}}'
    )
    server.routes["/jwks"] = answer(jwks(A))
    with ww.Verifier([ww.Issuer(server.url, aliases=["as.example"], allow_loopback_http=True)]) as verifier:
        assert code(verifier, A.token("as.example")) is None
    assert [request.path for request in server.requests] == ["/.well-known/openid-configuration", "/jwks"]


@pytest.mark.parametrize(
    ("arguments", "kind", "why"),
    [
        (
            {"aliases": "accounts.example"},
            TypeError,
            r"aliases must be a list or a tuple, such as \('accounts.example',\)",
        ),
        ({"aliases": [5]}, TypeError, "aliases must be non-empty strings"),
        ({"aliases": [""]}, TypeError, "non-empty"),
        ({"aliases": [ONE]}, ValueError, "twice"),
        ({"aliases": [TWO, TWO]}, ValueError, "twice"),
        ({"aliases": ["https://{tid}.example"]}, ValueError, "placeholder"),
    ],
)
def test_aliases_that_cannot_be(arguments: dict[str, Any], kind: type[Exception], why: str) -> None:
    with pytest.raises(kind, match=why):
        ww.Issuer(ONE, jwks=jwks(A), **arguments)


def test_two_issuers_may_not_claim_one_spelling() -> None:
    for issuers in (
        [ww.Issuer(ONE, jwks=jwks(A), aliases=[TWO]), ww.Issuer(TWO, jwks=jwks(A))],
        [ww.Issuer(TWO, jwks=jwks(A)), ww.Issuer(ONE, jwks=jwks(A), aliases=[TWO])],
        [ww.Issuer(ONE, jwks=jwks(A), aliases=[ELSE]), ww.Issuer(TWO, jwks=jwks(A), aliases=[ELSE])],
    ):
        with pytest.raises(ValueError, match="given twice"):
            ww.Verifier(issuers)


def test_aliases_are_part_of_the_value() -> None:
    one = ww.Issuer(ONE, jwks=jwks(A), aliases=iter([TWO]))
    assert one == ww.Issuer(ONE, jwks=jwks(A), aliases=(TWO,)) != ww.Issuer(ONE, jwks=jwks(A))
    assert hash(one) == hash(ww.Issuer(ONE, jwks=jwks(A), aliases=(TWO,)))


def test_a_spelling_that_is_missing_is_hinted_at() -> None:
    verifier = ww.Verifier([ww.Issuer(WITH, jwks=jwks(A), aliases=["https://login.example"])])
    for spelling in ("http://accounts.example", "https://login.example/"):
        refused = error(verifier, Key("new").token(spelling))
        assert refused is not None
        assert "differs from" in refused.detail
