"""One verdict from all: the kernel with its tables and without, the kernel with jsonwebtoken, and an oracle."""

from __future__ import annotations

import json
from typing import Any

import ed25519_math
import mint
import mutations
import oracle
from hypothesis import example, given
from hypothesis import strategies as st
from paths import GOOD_KEYS, KEY_OPTIONS, key_set

import watchword as ww

POLICY = ww.Policy(issuer=mint.ISSUER, audience=mint.AUDIENCE)
JWKS = json.dumps(GOOD_KEYS)


def verdict(token: str | bytes, keys: ww.KeySet) -> tuple[str | None, str | None]:
    try:
        return None, ww.verify(token, keys, POLICY, now=mint.NOW).key_id
    except ww.VerificationError as error:
        return error.code.value, error.detail


def verdicts(token: str | bytes, jwks: str = JWKS) -> tuple[str | None, str | None]:
    """The verdict with all key options, which must be the same to the letter."""
    default, *others = (verdict(token, key_set(jwks, options)) for options in KEY_OPTIONS)
    assert others == [default] * len(others)
    return default


def oracle_accepts(token: str, jwks: list[Any]) -> bool:
    return oracle.accepts(token, jwks, mint.NOW, mint.ISSUER, mint.AUDIENCE)


def test_all_accept_every_good_token() -> None:
    for token in mutations.GOOD_TOKENS:
        assert verdicts(token)[0] is None
        assert oracle_accepts(token, GOOD_KEYS["keys"])


@mutations.times(5)
@given(mutations.tokens)
def test_mutated_tokens(token: str) -> None:
    code, detail = verdicts(token)
    assert (code is None) == oracle_accepts(token, GOOD_KEYS["keys"]), (code, detail)


@mutations.times(2)
@given(mutations.changed_keys())
def test_mutated_keys(changed: tuple[dict[str, Any], str]) -> None:
    jwk, token = changed
    document = json.dumps({"keys": [jwk]})
    try:
        oracle.strict_json(document.encode())
    except oracle.RejectedError:
        for options in KEY_OPTIONS:
            try:
                ww.KeySet.from_json(document, **options._asdict())
            except ww.KeySetError:
                continue
            raise AssertionError("a document that is not strict JSON was taken") from None
        return
    default, *others = (key_set(document, options) for options in KEY_OPTIONS)
    for other in others:
        assert [r.reason for r in default.rejected] == [r.reason for r in other.rejected]
    assert len(default) == len(oracle.usable_keys([jwk]))
    code, detail = verdicts(token, document)
    assert (code is None) == oracle_accepts(token, [jwk]), (code, detail)


@mutations.times(3)
@given(st.binary(max_size=300))
@example(b"..")
@example(b"\xff.\xff.\xff")
def test_arbitrary_bytes(token: bytes) -> None:
    assert verdicts(token)[0] is not None


@mutations.times(3)
@given(st.binary(min_size=32, max_size=32))
def test_arbitrary_ed25519_keys(point: bytes) -> None:
    document = json.dumps({"kty": "OKP", "crv": "Ed25519", "x": mint.b64(point)})
    for options in KEY_OPTIONS:
        keys = ww.KeySet.from_json(document, **options._asdict())
        assert [rejected.reason for rejected in keys.rejected] == [r for r in [ed25519_math.defect_of(point)] if r]


@given(st.sampled_from(mint.SIGNERS), st.binary(max_size=600))
def test_arbitrary_payloads(signer: tuple[str, str], payload: bytes) -> None:
    key, algorithm = signer
    token = mint.token(payload, key=key, algorithm=algorithm)
    assert verdicts(token)[0] is not None
    for options in KEY_OPTIONS:
        assert ww.verify_jws(token, key_set(JWKS, options)).payload == payload


@mutations.times(3)
@given(st.sampled_from(mint.SIGNERS), st.data())
def test_arbitrary_signatures(signer: tuple[str, str], data: st.DataObject) -> None:
    key, algorithm = signer
    length = {"ed25519": 64, "p256": 64, "p384": 96, "rsa": 256}[key]
    signature = data.draw(st.one_of(st.binary(min_size=length, max_size=length), st.binary(max_size=300)))
    assert verdicts(mint.token(key=key, algorithm=algorithm, signature=signature))[0] == "invalid_signature"


@mutations.times(2)
@given(st.dictionaries(st.text(max_size=6), mutations.json_values, max_size=5), st.integers(0, 3))
def test_claims_come_out_as_json_reads_them(extra: dict[str, Any], space: int) -> None:
    payload = json.dumps({**extra, **mint.claims()}, indent=space or None).encode()
    token = mint.token(payload)
    if not oracle_accepts(token, GOOD_KEYS["keys"]):
        assert verdicts(token)[0] is not None
        return
    claims = ww.verify(token, key_set(JWKS), POLICY, now=mint.NOW).claims
    assert json.dumps(claims) == json.dumps(json.loads(payload))
