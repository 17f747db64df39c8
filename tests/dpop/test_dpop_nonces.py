"""Nonces of a server that stores none (RFC 9449 sections 8 and 9)."""

from __future__ import annotations

import proofs
import pytest
from hypothesis import given
from hypothesis import strategies as st
from proofs import METHOD, NOW, URI, claims, proof

import watchword as ww
from watchword.dpop import DpopVerifier, Nonces

KEY, OTHER = bytes(range(32)), bytes(range(1, 33))
#: The start of a stretch of 300 seconds.
START = NOW // 300 * 300


def test_a_nonce_is_good_in_its_stretch_and_the_next() -> None:
    nonces = Nonces(KEY, lifetime=300)
    nonce = nonces.issue(now=START)
    for later, good in ((0, True), (299.9, True), (300, True), (599.9, True), (600, False), (-0.1, False)):
        assert nonces.accepts(nonce, now=START + later) == good
    assert nonces.issue(now=START + 299.9) == nonce
    assert nonces.issue(now=START + 300) != nonce


def test_processes_that_share_a_key_know_each_others_nonces() -> None:
    assert Nonces(KEY).accepts(Nonces([KEY]).issue(now=NOW), now=NOW)
    assert not Nonces(OTHER).accepts(Nonces(KEY).issue(now=NOW), now=NOW)
    assert not Nonces().accepts(Nonces().issue(now=NOW), now=NOW)


def test_keys_can_be_exchanged_one_after_the_other() -> None:
    old, both, new = Nonces(OTHER), Nonces([KEY, OTHER]), Nonces(KEY)
    assert both.accepts(old.issue(now=NOW), now=NOW)
    assert both.issue(now=NOW) == new.issue(now=NOW)
    assert not new.accepts(old.issue(now=NOW), now=NOW)


def test_a_nonce_is_text_for_a_header() -> None:
    nonce = Nonces(KEY).issue(now=NOW)
    # RFC 9449 section 8.1: NQCHAR.
    assert nonce.isascii()
    assert nonce.replace("-", "").replace("_", "").isalnum()
    assert len(nonce) == 43


@given(st.text())
def test_nothing_else_is_a_nonce(text: str) -> None:
    assert not Nonces(KEY).accepts(text, now=NOW)


@pytest.mark.parametrize("keys", [b"", b"x" * 31, [], [KEY, b"short"], ["x" * 32]])
def test_keys_must_be_long(keys: object) -> None:
    with pytest.raises(ValueError):
        Nonces(keys)  # type: ignore[arg-type]


@pytest.mark.parametrize("lifetime", [0, -1, float("inf"), float("nan")])
def test_lifetimes_are_positive(lifetime: float) -> None:
    with pytest.raises(ValueError):
        Nonces(KEY, lifetime=lifetime)


def test_a_new_key_is_long_enough_and_new() -> None:
    assert len(Nonces.new_key()) == 32
    assert Nonces.new_key() != Nonces.new_key()


def test_no_key_is_shown() -> None:
    assert repr(Nonces(KEY)) == "Nonces(keys=1, lifetime=300)"


def test_a_verifier_requires_a_nonce_and_issues_it() -> None:
    verifier = DpopVerifier(nonces=Nonces(KEY, clock=lambda: NOW), clock=lambda: NOW)
    with pytest.raises(ww.dpop.NonceRequiredError) as caught:
        verifier.verify(proof(), method=METHOD, uri=URI)
    error = caught.value
    assert error.nonce is not None
    assert (error.http_status, error.oauth_error) == (401, "use_dpop_nonce")
    assert (error.www_authenticate() or "").startswith('DPoP error="use_dpop_nonce", error_description=')
    # The client tries again with what it was given; the same jti was not used up.
    verifier.verify(proof(claims(nonce=error.nonce)), method=METHOD, uri=URI)
    with pytest.raises(ww.dpop.ProofNonceError) as caught_again:
        verifier.verify(proof(claims(nonce="made up", jti="2")), method=METHOD, uri=URI)
    assert caught_again.value.nonce == error.nonce


def test_only_an_error_about_nonces_gives_one_out() -> None:
    verifier = DpopVerifier(nonces=Nonces(KEY), clock=lambda: NOW)
    with pytest.raises(ww.dpop.ProofMethodError) as caught:
        verifier.verify(proof(), method="GET", uri=URI)
    assert caught.value.nonce is None


def test_verify_proof_takes_nonces() -> None:
    nonces = Nonces(KEY)
    good = proof(claims(nonce=nonces.issue(now=NOW)))
    assert proofs.code_of(good, nonce=nonces) is None
    assert proofs.code_of(good, nonce=nonces, now=NOW + 600, max_age=900) == "dpop_wrong_nonce"
    assert proofs.code_of(proof(), nonce=nonces) == "dpop_nonce_required"
