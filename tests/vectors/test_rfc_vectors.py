"""RFC 7515, 7638 and 8037, as far as they apply to public keys and compact JWS."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from paths import each_backend

import watchword as ww


def cases(shared: Path, name: str) -> list[dict[str, Any]]:
    return list(json.loads((shared / "vectors" / "rfc" / name).read_bytes())["cases"])


@each_backend
@pytest.mark.parametrize("name", ["rfc7515.json", "rfc8037.json"])
def test_signed_examples(shared: Path, name: str, backend: Any) -> None:
    for case in cases(shared, name):
        keys = ww.KeySet.from_json(case["jwk"], backend=backend)
        assert not keys.rejected
        jws = ww.verify_jws(case["jws"], keys)
        assert jws.payload.decode() == case["payload_utf8"]
        assert (jws.algorithm, jws.header["alg"]) == (case["alg"], case["alg"])
        with pytest.raises(ww.InvalidSignatureError):
            ww.verify_jws(broken(case["jws"]), keys)


def broken(jws: str) -> str:
    """The same token with the first character of its signature changed."""
    signed, _, signature = jws.rpartition(".")
    return f"{signed}.{'A' if signature[0] != 'A' else 'B'}{signature[1:]}"


@pytest.mark.parametrize("name", ["rfc7638.json", "rfc8037.json"])
def test_thumbprints(shared: Path, name: str) -> None:
    for case in cases(shared, name):
        assert ww.thumbprint(case["jwk"]) == case["sha256_thumbprint"]
        (key,) = ww.KeySet.from_json(case["jwk"])
        assert key.thumbprint == case["sha256_thumbprint"]


def test_rfc_9449_key_and_proofs(shared: Path) -> None:
    """DPoP proofs are not verified here; their signatures are JWS like any other, by the key that they contain."""
    document = json.loads((shared / "vectors" / "rfc" / "rfc9449.json").read_bytes())
    assert ww.thumbprint(document["jwk"]) == document["jkt"]
    keys = ww.KeySet.from_json(document["jwk"])
    for proof in document["proofs"]:
        jws = ww.verify_jws(proof["proof"], keys, types=("dpop+jwt",))
        assert json.loads(jws.payload) == proof["claims"]
        with pytest.raises(ww.WrongTypeError):
            ww.verify(proof["proof"], keys, ww.Policy(required=()), now=proof["claims"]["iat"])
