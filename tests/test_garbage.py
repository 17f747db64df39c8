"""What verification returns can be garbage-collected, also in a cycle."""

from __future__ import annotations

import gc
from collections.abc import Callable
from typing import Any

import mint
import proofs
import pytest

import watchword as ww
from watchword import dpop

POLICY = ww.Policy(issuer=mint.ISSUER, audience=mint.AUDIENCE)
KEYS = ww.KeySet.from_json(mint.jwks("ed25519"))
CACHE = ww.TokenCache(max_bytes=1 << 20)


class Canary:
    """Count the living objects: the kernel's take no weak references."""

    alive = 0

    def __init__(self, holds: object) -> None:
        self.holds = holds
        Canary.alive += 1

    def __del__(self) -> None:
        Canary.alive -= 1


def a_token() -> ww.VerifiedToken:
    return ww.verify(mint.token(), KEYS, POLICY, now=mint.NOW)


def claims_of_a_token() -> None:
    token = a_token()
    token.claims["me"] = Canary(token)


def header_of_a_token() -> None:
    token = a_token()
    token.header["me"] = Canary(token)


def claims_of_a_cached_token() -> None:
    token = CACHE.verify(mint.token(), KEYS, POLICY, mint.NOW)
    token.claims["me"] = Canary(token)


def a_list_in_the_claims() -> None:
    token = ww.verify(mint.token(mint.claims(roles=[])), KEYS, POLICY, now=mint.NOW)
    token.claims["roles"].append(Canary(token))


def header_of_an_unverified_token() -> None:
    token = ww.decode_unverified(mint.token())
    token.header["me"] = Canary(token)


def claims_of_an_unverified_token() -> None:
    token = ww.decode_unverified(mint.token())
    assert token.claims is not None
    token.claims["me"] = Canary(token)


def header_of_a_jws() -> None:
    jws = ww.verify_jws(mint.token(), KEYS)
    jws.header["me"] = Canary(jws)


def key_of_a_proof() -> None:
    proof = dpop.verify_proof(proofs.proof(), method=proofs.METHOD, uri=proofs.URI, now=mint.NOW)
    proof.jwk["me"] = Canary(proof)


def a_token_of_a_batch() -> None:
    batch = ww.verify_many([mint.token()], KEYS, POLICY, now=mint.NOW)
    batch[0].claims["batch"] = Canary(batch)  # type: ignore[union-attr]


def an_error_of_a_batch() -> None:
    batch = ww.verify_many(["a.b.c"], KEYS, POLICY, now=mint.NOW)
    batch[0].batch = Canary(batch)  # type: ignore[union-attr]


def an_iterator_of_a_batch() -> None:
    batch = ww.verify_many([mint.token()], KEYS, POLICY, now=mint.NOW)
    iterator = iter(batch)
    next(iterator).claims["iterator"] = Canary(iterator)  # type: ignore[union-attr]


@pytest.mark.parametrize(
    "cycle",
    [
        claims_of_a_token,
        header_of_a_token,
        claims_of_a_cached_token,
        a_list_in_the_claims,
        header_of_an_unverified_token,
        claims_of_an_unverified_token,
        header_of_a_jws,
        key_of_a_proof,
        a_token_of_a_batch,
        an_error_of_a_batch,
        an_iterator_of_a_batch,
    ],
)
def test_a_cycle_is_collected(cycle: Callable[[], None]) -> None:
    gc.collect()
    before = Canary.alive
    for _ in range(100):
        cycle()
    gc.collect()
    assert Canary.alive == before


def test_what_is_in_use_is_not_collected() -> None:
    token: Any = a_token()
    token.claims["me"] = Canary(token)
    gc.collect()
    assert token.claims["me"].holds is token
    assert gc.is_tracked(token)
    assert any(one is token.claims for one in gc.get_referents(token))
