"""The token cache, as a gateway uses it."""

from __future__ import annotations

import sys
import threading
from typing import Any

import mint
import pytest
from paths import GOOD_KEYS

import watchword as ww
from watchword.testing import LocalIssuer

ISSUER = "https://as.example"
API = "https://api.example"


@pytest.fixture
def issuer() -> LocalIssuer:
    return LocalIssuer(ISSUER)


def verifier(issuer: LocalIssuer, cache: ww.TokenCache, **more: Any) -> ww.Verifier:
    return ww.Verifier([ww.Issuer(ISSUER, jwks=issuer.jwks())], audience=API, token_cache=cache, **more)


def test_a_verifier_with_a_token_cache(issuer: LocalIssuer) -> None:
    cache = ww.TokenCache(max_bytes=1 << 20)
    gateway = verifier(issuer, cache)
    raw = issuer.mint({"aud": API, "scope": "orders:read"})
    first, second = gateway.verify(raw), gateway.verify(raw.encode())
    assert first.claims == second.claims
    assert first.scopes == second.scopes == ("orders:read",)
    stats = cache.stats()
    assert (stats.hits, stats.misses, stats.tokens) == (1, 1, 1)
    assert 0 < stats.bytes < stats.max_bytes == 1 << 20
    cache.clear()
    assert cache.stats().tokens == 0
    gateway.verify(raw)
    assert cache.stats().misses == 2


def test_what_one_request_does_to_its_claims_no_other_sees(issuer: LocalIssuer) -> None:
    gateway = verifier(issuer, ww.TokenCache(max_bytes=1 << 20))
    raw = issuer.mint({"aud": API, "roles": ["reader"]})
    gateway.verify(raw).claims["roles"].append("admin")
    gateway.verify(raw).header["kid"] = "another"
    assert gateway.verify(raw).claims["roles"] == ["reader"]
    assert gateway.verify(raw).header["kid"] != "another"


def test_a_token_expires_in_the_cache(issuer: LocalIssuer) -> None:
    now = [1_700_000_000.0]
    gateway = verifier(issuer, ww.TokenCache(max_bytes=1 << 20), clock=lambda: now[0], leeway=0)
    raw = issuer.mint({"aud": API, "iat": now[0], "exp": now[0] + 60})
    gateway.verify(raw)
    now[0] += 59
    gateway.verify(raw)
    now[0] += 1
    with pytest.raises(ww.ExpiredError):
        gateway.verify(raw)


def test_two_verifiers_share_a_cache_and_no_verdict(issuer: LocalIssuer) -> None:
    cache = ww.TokenCache(max_bytes=1 << 20)
    ours = verifier(issuer, cache)
    theirs = ww.Verifier([ww.Issuer(ISSUER, jwks=issuer.jwks())], audience="https://other.example", token_cache=cache)
    raw = issuer.mint({"aud": API})
    ours.verify(raw)
    with pytest.raises(ww.WrongAudienceError):
        theirs.verify(raw)
    ours.verify(raw)


def test_keys_that_are_rotated_away_take_their_tokens_along(issuer: LocalIssuer, tmp_path: Any) -> None:
    import json

    path = tmp_path / "keys.json"
    path.write_text(json.dumps(issuer.jwks()))
    cache = ww.TokenCache(max_bytes=1 << 20)
    with ww.Verifier([ww.Issuer(ISSUER, jwks_file=path)], audience=API, token_cache=cache) as gateway:
        raw = issuer.mint({"aud": API})
        gateway.verify(raw)
        path.write_text(json.dumps(LocalIssuer(ISSUER).jwks()))
        gateway.refresh()
        with pytest.raises((ww.UnknownKeyError, ww.InvalidSignatureError)):
            gateway.verify(raw)


def test_a_stolen_token_is_not_let_in_by_the_cache(issuer: LocalIssuer) -> None:
    """The proof is verified at every hit: an attacker with a bound token does not have its key."""
    from watchword.holder import DpopProver

    cache = ww.TokenCache(max_bytes=1 << 20)
    gateway = verifier(issuer, cache)
    owner, thief = DpopProver(), DpopProver()
    raw = issuer.mint({"aud": API, "cnf": {"jkt": owner.jkt}})
    uri = "https://api.example/orders"

    def present(prover: DpopProver | None) -> ww.VerifiedToken:
        if prover is None:
            return gateway.verify(raw)
        proof = prover.proof("GET", uri, access_token=raw)
        return gateway.verify(raw, proof=ww.dpop.verify_proof(proof, method="GET", uri=uri, access_token=raw))

    present(owner)
    for prover, rejection in ((thief, ww.DpopError), (None, ww.ProofRequiredError)):
        with pytest.raises(rejection):
            present(prover)
    present(owner)
    assert cache.stats().tokens == 1


def test_many_threads_get_the_verdicts_that_they_would_get_alone(issuer: LocalIssuer) -> None:
    gateway = verifier(issuer, ww.TokenCache(max_bytes=20_000))
    good = [issuer.mint({"aud": API, "sub": f"agent-{number}"}) for number in range(20)]
    bad = [token[:-2] + ("AA" if not token.endswith("AA") else "BB") for token in good]
    failures: list[object] = []

    def work(start: int) -> None:
        for step in range(300):
            number = (start * 7 + step) % len(good)
            try:
                if gateway.verify(good[number]).subject != f"agent-{number}":
                    failures.append(number)
            except ww.VerificationError as error:
                failures.append(error)
            try:
                gateway.verify(bad[number])
                failures.append(bad[number])
            except (ww.InvalidSignatureError, ww.MalformedTokenError):
                pass

    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    try:
        threads = [threading.Thread(target=work, args=(start,)) for start in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        sys.setswitchinterval(interval)
    assert failures == []


@pytest.mark.parametrize("max_bytes", [0, -1, 1 << 70])
def test_invalid_sizes(max_bytes: int) -> None:
    with pytest.raises(ValueError, match="max_bytes"):
        ww.TokenCache(max_bytes=max_bytes)


@pytest.mark.parametrize("max_bytes", ["1", None, 1.5])
def test_sizes_that_are_no_numbers(max_bytes: Any) -> None:
    with pytest.raises(TypeError, match="max_bytes"):
        ww.TokenCache(max_bytes=max_bytes)


def test_a_verifier_takes_no_other_cache(issuer: LocalIssuer) -> None:
    with pytest.raises(TypeError, match="TokenCache"):
        verifier(issuer, {})  # type: ignore[arg-type]  # the mistake


def test_nothing_of_a_token_is_shown() -> None:
    cache = ww.TokenCache(max_bytes=1 << 20)
    raw = mint.token()
    keys, policy = ww.KeySet.from_json(GOOD_KEYS), ww.Policy(issuer=mint.ISSUER, audience=mint.AUDIENCE)
    cache.verify(raw, keys, policy, mint.NOW)
    for shown in (repr(cache), repr(cache.stats())):
        assert "tokens=1" in shown
        assert all(part not in shown for part in raw.split("."))


def test_scopes_are_compiled_once_for_all_requests_with_a_token(issuer: LocalIssuer) -> None:
    gateway = verifier(issuer, ww.TokenCache(max_bytes=1 << 20))
    raw = issuer.mint({"aud": API, "scope": "orders:read users.keys:*"})
    first, second = gateway.verify(raw), gateway.verify(raw)
    assert first.resource_scopes == second.resource_scopes
    assert second.resource_scopes.allows(action="read", resource="orders")
    assert not second.resource_scopes.allows(action="write", resource="orders")
    assert second.plain_scopes.allows("orders:read")
