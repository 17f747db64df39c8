"""Every public key of the CCTV and "Taming the many EdDSAs" vectors: which may be imported.

Their messages are not JWS signing inputs, so the signatures themselves cannot come through this API; the kernel's own
tests run them. The same cases, built as JWS, are in tests/attacks/test_signature_range.py.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import ed25519_math as ed
import mint
from paths import each_backend

import watchword as ww


def import_verdict(point: bytes, backend: Any) -> str | None:
    keys = ww.KeySet.from_json({"kty": "OKP", "crv": "Ed25519", "x": mint.b64(point)}, backend=backend)
    if not keys.rejected:
        assert len(keys) == 1
        return None
    return keys.rejected[0].reason


@each_backend
def test_cctv_keys(shared: Path, backend: Any) -> None:
    cases = json.loads((shared / "vectors" / "cctv-ed25519" / "ed25519vectors.json").read_bytes())
    assert len(cases) == 914
    flags: dict[str, set[str]] = {}
    for case in cases:
        flags.setdefault(case["key"], set()).update(set(case["flags"] or []) & {"low_order_A", "non_canonical_A"})
    assert len(flags) == 22
    for key, listed in flags.items():
        reason = import_verdict(bytes.fromhex(key), backend)
        assert (reason is not None) == bool(listed), key
        if listed:
            assert reason in {"small_order_point", "non_canonical_point"}, key
        if listed == {"low_order_A"}:
            assert reason == "small_order_point", key
        assert reason == ed.defect_of(bytes.fromhex(key))


@each_backend
def test_speccheck_keys(shared: Path, backend: Any) -> None:
    cases = json.loads((shared / "vectors" / "ed25519-speccheck" / "cases.json").read_bytes())
    verdicts = [import_verdict(bytes.fromhex(case["pub_key"]), backend) for case in cases]
    assert len(verdicts) == 12
    # Cases 0 and 1 have a key of small order, 10 and 11 one that is not canonical either.
    assert verdicts[:2] == ["small_order_point"] * 2
    assert verdicts[2:10] == [None] * 8
    assert all(verdict in {"small_order_point", "non_canonical_point"} for verdict in verdicts[10:])
