"""The JOSE cookbook (RFC 7520, RFC 7797, RFC 8037): supported examples verify, others are rejected with their code."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from paths import BACKENDS

import watchword as ww
from watchword import ErrorCode

#: Each example with a compact form -> the verdict on it.
EXPECTED: dict[str, ErrorCode | None] = {
    "jws/4_1.rsa_v15_signature.json": None,
    "jws/4_2.rsa-pss_signature.json": None,
    "jws/4_3.ecdsa_signature.json": ErrorCode.ALGORITHM_NOT_ALLOWED,
    "jws/4_4.hmac-sha2_integrity_protection.json": ErrorCode.ALGORITHM_NOT_ALLOWED,
    "jws/4_5.signature_with_detached_content.json": ErrorCode.ALGORITHM_NOT_ALLOWED,
    "curve25519/jws.json": None,
    "curve25519/ecdh-es.json": ErrorCode.UNSUPPORTED,
    "rfc7797/hmac-sha2_b64_false.json": ErrorCode.MALFORMED_TOKEN,
}

#: Examples that RFC 7515 has in JSON serialisation only: there is no compact form to verify.
JSON_ONLY = {
    "jws/4_6.protecting_specific_header_fields.json",
    "jws/4_7.protecting_content_only.json",
    "jws/4_8.multiple_signatures.json",
    "rfc7797/4.2.hmac-sha2_b64_false.json",
}

PRIVATE = {"d", "p", "q", "dp", "dq", "qi"}


def read(shared: Path, name: str) -> Any:
    return json.loads((shared / "vectors" / "jose-cookbook" / name).read_text(encoding="utf-8"))


def public(jwk: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in jwk.items() if name not in PRIVATE}


def test_every_example_is_named_here(shared: Path) -> None:
    folder = shared / "vectors" / "jose-cookbook"
    found = {path.relative_to(folder).as_posix() for path in folder.rglob("*.json")}
    assert {name for name in found if not name.startswith("jwk/")} == EXPECTED.keys() | JSON_ONLY


@pytest.mark.parametrize("name", EXPECTED)
def test_compact_form(shared: Path, name: str) -> None:
    example = read(shared, name)
    compact = example["output"]["compact"]
    for backend in BACKENDS:
        keys = ww.KeySet.from_json(public(example["input"]["key"]), backend=backend)
        if EXPECTED[name] is None:
            jws = ww.verify_jws(compact, keys)
            assert jws.payload.decode() == example["input"]["payload"]
            assert jws.header == example["signing"]["protected"]
        else:
            with pytest.raises(ww.VerificationError) as caught:
                ww.verify_jws(compact, keys)
            assert caught.value.code is EXPECTED[name], backend


@pytest.mark.parametrize("name", sorted(JSON_ONLY | {name for name in EXPECTED if name != "curve25519/ecdh-es.json"}))
def test_json_serialisations_are_no_token(shared: Path, name: str) -> None:
    output = read(shared, name)["output"]
    forms = [output[form] for form in ("json", "json_flat") if form in output]
    assert forms
    for form in forms:
        # "Unsupported" if a kid happens to contain the dots of a JWE.
        with pytest.raises(ww.MalformedError):
            ww.verify_jws(json.dumps(form), ww.KeySet.from_json({"keys": []}))


#: Each key of the cookbook, unchanged -> why it is rejected, private members first of all.
KEYS: dict[str, str | None] = {
    "jwk/3_1.ec_public_key.json": "unsupported_curve",
    "jwk/3_2.ec_private_key.json": "private_key",
    "jwk/3_3.rsa_public_key.json": None,
    "jwk/3_4.rsa_private_key.json": "private_key",
    "jwk/3_5.symmetric_key_mac_computation.json": "symmetric_key",
    "jwk/3_6.symmetric_key_encryption.json": "symmetric_key",
}


@pytest.mark.parametrize("name", KEYS)
def test_keys(shared: Path, name: str) -> None:
    jwk = read(shared, name)
    for backend in BACKENDS:
        keys = ww.KeySet.from_json({"keys": [jwk]}, backend=backend)
        assert [rejected.reason for rejected in keys.rejected] == ([] if KEYS[name] is None else [KEYS[name]])
        assert [key.key_id for key in keys] == ([jwk["kid"]] if KEYS[name] is None else [])


def test_keys_all_in_one_set(shared: Path) -> None:
    jwks = [read(shared, name) for name in KEYS]
    keys = ww.KeySet.from_json({"keys": jwks})
    assert [rejected.reason for rejected in keys.rejected] == [reason for reason in KEYS.values() if reason]
    assert [key.key_type for key in keys] == ["RSA"]


def test_encryption_key_of_curve25519(shared: Path) -> None:
    jwk = public(read(shared, "curve25519/ecdh-es.json")["input"]["key"])
    assert [r.reason for r in ww.KeySet.from_json(jwk).rejected] == ["not_for_signatures"]
    assert [r.reason for r in ww.KeySet.from_json({**jwk, "use": "sig"}).rejected] == ["unsupported_curve"]
