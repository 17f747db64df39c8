"""How long a token may be, and which claims contain its scopes, for all issuers and for one."""

from __future__ import annotations

from typing import Any

import pytest
from endpoint import Key, Server, answer, jwks
from verdicts import ELSE, ONE, TWO, code, remote

import watchword as ww
from watchword import _kernel

A, B = Key("a"), Key("b")


def padded(issuer: str, size: int, key: Key = A) -> str:
    """A good token of at least ``size`` bytes."""
    return key.token(issuer, pad="x" * (size * 3 // 4))


def test_the_defaults_are_the_kernels() -> None:
    for issuers in ([ww.Issuer(ONE, jwks=jwks(A))], [ww.Issuer(ONE, jwks=jwks(A)), ww.Issuer(TWO, jwks=jwks(B))]):
        verifier = ww.Verifier(issuers)
        assert code(verifier, padded(ONE, _kernel.MAX_TOKEN_BYTES - 500)) is None
        assert code(verifier, padded(ONE, _kernel.MAX_TOKEN_BYTES)) == "too_large"


def test_a_verifier_for_longer_tokens(server: Server) -> None:
    server.routes["/jwks"] = answer(jwks(A))
    for others in ([], [ww.Issuer(TWO, jwks=jwks(B))]):
        with ww.Verifier([remote(server, ONE), *others], max_token_bytes=200_000) as verifier:
            assert code(verifier, padded(ONE, 150_000)) is None
            assert code(verifier, padded(ONE, 200_000)) == "too_large"
            assert code(verifier, padded(ELSE, 150_000)) == "wrong_issuer"
            # Their kids are read as well: an unknown one is cached as such, and fetched once.
            asked = server.count()
            unknown = padded(ONE, 150_000, Key("new"))
            assert code(verifier, unknown) == "unknown_key"
            assert server.count() - asked <= 2
            assert verifier.stats()[ONE].unknown_keys >= 1


def test_a_verifier_for_shorter_tokens() -> None:
    for others in ([], [ww.Issuer(TWO, jwks=jwks(B))]):
        verifier = ww.Verifier([ww.Issuer(ONE, jwks=jwks(A)), *others], max_token_bytes=500)
        assert code(verifier, A.token(ONE)) is None
        assert code(verifier, padded(ONE, 500)) == "too_large"
        assert code(verifier, padded(ELSE, 500)) == "too_large"
        short = ww.Verifier([ww.Issuer(ONE, jwks=jwks(A)), *others], max_header_bytes=10)
        assert code(short, A.token(ONE)) == "too_large"


def test_each_issuer_has_its_own_limits() -> None:
    verifier = ww.Verifier(
        [
            ww.Issuer(ONE, jwks=jwks(A), max_token_bytes=100_000),
            ww.Issuer(TWO, jwks=jwks(A), max_token_bytes=500),
            ww.Issuer("https://three.example", jwks=jwks(A), max_header_bytes=20),
        ]
    )
    assert code(verifier, padded(ONE, 80_000)) is None
    assert code(verifier, padded(TWO, 500)) == "too_large"
    assert code(verifier, A.token(TWO)) is None
    assert code(verifier, A.token("https://three.example")) == "too_large"
    # A token of an unknown issuer may be as long as the longest limit.
    assert code(verifier, padded(ELSE, 80_000)) == "wrong_issuer"
    assert code(verifier, padded(ELSE, 100_000)) == "too_large"
    verifier.remove_issuer(ONE)
    assert code(verifier, padded(ELSE, 80_000)) == "too_large"


def test_a_long_header_is_read_as_far_as_its_issuer_allows() -> None:
    long = Key("k" * 5_000)
    wide = ww.Issuer(ONE, jwks=jwks(long), max_header_bytes=8_000)
    for others in ([], [ww.Issuer(TWO, jwks=jwks(B))]):
        assert code(ww.Verifier([wide, *others]), long.token(ONE)) is None
        assert code(ww.Verifier([wide, *others]), Key("l" * 5_000).token(ONE)) == "unknown_key"
        assert code(ww.Verifier([ww.Issuer(ONE, jwks=jwks(long)), *others]), long.token(ONE)) == "too_large"


def test_scope_claims_of_a_verifier_and_of_an_issuer() -> None:
    scopes = {"scope": "a", "scp": ["b"], "permissions": ["c", "d"]}
    usual, own = ww.Issuer(ONE, jwks=jwks(A)), ww.Issuer(TWO, jwks=jwks(A), scope_claims=["permissions"])
    assert ww.Verifier([usual]).verify(A.token(ONE, **scopes)).scopes == ("a", "b")
    verifier = ww.Verifier([usual, own], scope_claims=("scp", "permissions"))
    assert verifier.verify(A.token(ONE, **scopes)).scopes == ("b", "c", "d")
    assert verifier.verify(A.token(TWO, **scopes)).scopes == ("c", "d")
    for make in (lambda: ww.Verifier([usual], scope_claims="scp"), lambda: ww.Issuer(ONE, scope_claims="scp")):
        with pytest.raises(TypeError, match=r"\('scp',\)"):
            make()


@pytest.mark.parametrize("limit", ["max_token_bytes", "max_header_bytes"])
def test_limits_that_cannot_be(limit: str) -> None:
    values: list[Any] = [0, -1, 1.5, "many"]
    for value in values:
        with pytest.raises((ValueError, TypeError), match=limit):
            ww.Issuer(ONE, jwks=jwks(A), **{limit: value})
        with pytest.raises((ValueError, TypeError), match=limit):
            ww.Verifier([ww.Issuer(ONE, jwks=jwks(A))], **{limit: value})
