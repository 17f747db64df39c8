"""``decode_unverified``: the form of a token as strict as for verification, and nothing beyond it."""

from __future__ import annotations

from typing import Any

import mint
import pytest

import watchword as ww
from watchword import _kernel

NO_KEYS = ww.KeySet.from_json({"keys": []})

HEADER = mint.b64(b'{"alg":"EdDSA"}')
PAYLOAD = mint.b64(b"{}")


def with_header(header: bytes) -> str:
    return f"{mint.b64(header)}.{PAYLOAD}.AA"


def test_every_part_of_a_token() -> None:
    raw = mint.token()
    token = ww.decode_unverified(raw)
    assert token.header == {"alg": "EdDSA", "kid": "ed25519", "typ": "JWT"}
    assert token.claims == mint.claims()
    assert token.payload == mint.encode(mint.claims())
    assert token.signature == mint.unb64(raw.split(".")[2])
    assert ww.decode_unverified(raw.encode()).claims == mint.claims()


def test_the_same_dicts_as_those_of_a_verified_token() -> None:
    payload = b'{"a":1e3,"b":-0.0,"c":12345678901234567890,"d":["x",null,true],"e":{"f":"\\u00e9"}}'
    raw = mint.token(payload)
    verified = ww.verify(raw, ww.KeySet.from_json(mint.jwks("ed25519")), ww.Policy(required=()), now=mint.NOW)
    token = ww.decode_unverified(raw)
    assert (repr(token.header), repr(token.claims)) == (repr(verified.header), repr(verified.claims))
    assert token.header is token.header
    assert token.claims is token.claims


@pytest.mark.parametrize(
    "payload", [b"", b"[]", b"null", b'"text"', b"{", b"\xff", b'{"a":1,"a":1}', b"\xef\xbb\xbf{}", b"{} x", b"{'a':1}"]
)
def test_a_payload_that_is_not_a_strict_json_object(payload: bytes) -> None:
    token = ww.decode_unverified(f"{HEADER}.{mint.b64(payload)}.")
    assert (token.claims, token.payload, token.signature) == (None, payload, b"")


def test_registered_claims_may_have_any_type() -> None:
    claims = {"iss": 1, "exp": "soon", "aud": {}, "cnf": []}
    assert ww.decode_unverified(mint.token(claims)).claims == claims


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        ("", "malformed_token"),
        ("no token", "malformed_token"),
        (f"{HEADER}.{PAYLOAD}", "malformed_token"),
        (f"{HEADER}.{PAYLOAD}.A.A", "malformed_token"),
        (f"{HEADER}.{PAYLOAD}.AA==", "malformed_token"),
        (f"{HEADER}.{PAYLOAD}.AB", "malformed_token"),
        (f" {HEADER}.{PAYLOAD}.AA", "malformed_token"),
        (f"{HEADER}.{PAYLOAD}.AA\ud800", "malformed_token"),
        (f"{HEADER}....", "unsupported"),
        (f".{PAYLOAD}.AA", "malformed_header"),
        (with_header(b"[]"), "malformed_header"),
        (with_header(b"{}"), "malformed_header"),
        (with_header(b'{"alg":1}'), "malformed_header"),
        (with_header(b'{"alg":"EdDSA","alg":"EdDSA"}'), "malformed_header"),
        (with_header(b'{"alg":"EdDSA","kid":1}'), "malformed_header"),
        (with_header(b'{"alg":"EdDSA","crit":["x"]}'), "unsupported_critical_header"),
        (with_header(b'{"alg":"EdDSA","b64":true}'), "unsupported_critical_header"),
        ("A" * 16_385, "too_large"),
        ("A" * 4_097 + ".A.A", "too_large"),
    ],
)
def test_a_malformed_token_gets_the_error_of_verify_jws(raw: str, code: str) -> None:
    with pytest.raises(ww.VerificationError) as decoded:
        ww.decode_unverified(raw)
    with pytest.raises(ww.VerificationError) as verified:
        ww.verify_jws(raw, NO_KEYS)
    assert type(decoded.value) is type(verified.value)
    assert (decoded.value.code, decoded.value.detail) == (verified.value.code, verified.value.detail)
    assert decoded.value.code == code
    assert decoded.value.token_hash == verified.value.token_hash


@pytest.mark.parametrize("algorithm", ["none", "HS256", "ES256", ""])
def test_neither_algorithm_nor_type_nor_key_are_checked(algorithm: str) -> None:
    header = mint.encode({"alg": algorithm, "typ": "dpop+jwt", "kid": "unknown"})
    token = ww.decode_unverified(f"{mint.b64(header)}.{PAYLOAD}.")
    assert (token.header["alg"], token.claims) == (algorithm, {})


def test_the_limits_are_the_kernels_or_the_callers() -> None:
    raw = mint.token()
    ww.decode_unverified(raw, max_token_bytes=len(raw), max_header_bytes=raw.index("."))
    for limits in ({"max_token_bytes": len(raw) - 1}, {"max_header_bytes": raw.index(".") - 1}):
        with pytest.raises(ww.TooLargeError):
            ww.decode_unverified(raw, **limits)
    longer = f"{HEADER}.{mint.b64(b'x' * 20_000)}."
    assert ww.decode_unverified(longer, max_token_bytes=len(longer)).payload == b"x" * 20_000


@pytest.mark.parametrize("wrong", [None, 1, ["a.b.c"]])
def test_a_token_is_str_or_bytes(wrong: Any) -> None:
    with pytest.raises(TypeError, match="a token must be str or bytes"):
        ww.decode_unverified(wrong)


def test_nothing_of_the_token_is_shown() -> None:
    token = ww.decode_unverified(mint.token())
    assert repr(token) == f"UnverifiedToken(payload={len(token.payload)} bytes)"
    with pytest.raises(TypeError):
        type(token)()  # type: ignore[call-arg]


def test_the_limits_of_the_kernel_are_constants() -> None:
    assert (_kernel.MAX_TOKEN_BYTES, _kernel.MAX_HEADER_BYTES) == (16_384, 4_096)
    assert (_kernel.MAX_PROOF_BYTES, _kernel.MAX_PROOF_HEADER_BYTES) == (8_192, 4_096)
    assert (_kernel.MAX_KEY_SET_BYTES, _kernel.MAX_KEYS) == (1_048_576, 256)
    assert (_kernel.DEFAULT_MAX_ACTORS, _kernel.MAX_ACTORS) == (32, 96)
    assert (_kernel.MAX_JSON_DEPTH, _kernel.MAX_NUMBER_LENGTH) == (32, 128)
    assert _kernel.MAX_NUMERIC_DATE == 253_402_300_799
