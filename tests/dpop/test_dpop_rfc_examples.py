"""The examples of RFC 9449 itself."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import watchword as ww


@pytest.fixture(scope="session")
def rfc(shared: Path) -> dict[str, Any]:
    return json.loads((shared / "vectors" / "rfc" / "rfc9449.json").read_bytes())


def _verify(rfc: dict[str, Any], index: int, **changes: Any) -> ww.DpopProof:
    example = rfc["proofs"][index]
    claims = example["claims"]
    arguments = {"method": claims["htm"], "uri": claims["htu"], "now": claims["iat"], **changes}
    return ww.dpop.verify_proof(example["proof"], **arguments)


def test_the_proof_of_figure_2(rfc: dict[str, Any]) -> None:
    proof = _verify(rfc, 0)
    assert (proof.jkt, proof.jwk) == (rfc["jkt"], rfc["jwk"])
    assert (proof.token_id, proof.issued_at) == ("-BwC3ESc6acc2lTc", 1562262616)
    assert (proof.method, proof.uri) == ("POST", "https://server.example.com/token")
    assert (proof.nonce, proof.access_token_hash, proof.algorithm) == (None, None, "ES256")


def test_the_proof_of_figure_12(rfc: dict[str, Any]) -> None:
    proof = _verify(rfc, 1, access_token=rfc["access_token"], expected_jkt=rfc["jkt"])
    assert proof.access_token_hash == rfc["ath"]
    assert _verify(rfc, 1, access_token=rfc["access_token"].encode()).jkt == rfc["jkt"]


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"now": 1562262618 + 61}, "dpop_expired"),
        ({"now": 1562262618 - 6}, "dpop_issued_in_future"),
        ({"method": "POST"}, "dpop_wrong_method"),
        ({"uri": "https://resource.example.org/other"}, "dpop_wrong_uri"),
        ({"access_token": "another"}, "dpop_wrong_access_token"),
        ({"expected_jkt": "another"}, "dpop_key_mismatch"),
        ({"nonce": "any"}, "dpop_nonce_required"),
        ({"algorithms": ("EdDSA",)}, "dpop_algorithm_not_allowed"),
    ],
)
def test_the_proof_of_figure_12_for_another_request(rfc: dict[str, Any], changes: dict[str, Any], code: str) -> None:
    with pytest.raises(ww.DpopError) as caught:
        _verify(rfc, 1, **changes)
    assert caught.value.code == code


def test_the_proof_of_figure_2_is_for_no_access_token(rfc: dict[str, Any]) -> None:
    with pytest.raises(ww.dpop.MissingProofClaimError, match="ath"):
        _verify(rfc, 0, access_token=rfc["access_token"])
