"""The manifest of an audit: its signature, and what is found if anything was changed afterwards."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import audit_logs
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from audit_logs import Log, audit, job, make_log

import watchword as ww
from watchword.audit.errors import AuditError
from watchword.audit.inputs import Input
from watchword.audit.manifest import check_signer, read_manifest
from watchword.audit.sample import compare_sample
from watchword.audit.verification import check_inputs, check_output
from watchword.holder import KeyPair


@pytest.fixture(scope="module", name="log")
def _log() -> Log:
    return make_log(250)


@pytest.fixture(scope="module", name="signer")
def _signer() -> KeyPair:
    return KeyPair.generate("EdDSA")


@pytest.fixture(scope="module", name="finished")
def _finished(log: Log, signer: KeyPair, tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("audit")
    path = audit_logs.write_parquet(log, folder / "tokens.parquet")
    lines = folder / "tokens.ndjson"
    lines.write_bytes(b"not JSON\n" + audit_logs.ndjson(log))
    audit(job(log, path, lines), folder / "out", signer)
    audit(job(log, path, lines, output_format="ndjson"), folder / "ndjson")
    return folder


@pytest.fixture(name="out", params=["out", "ndjson"])
def _out(request, finished: Path, tmp_path: Path) -> Path:
    """A copy to be changed."""
    return Path(shutil.copytree(finished / request.param, tmp_path / "out"))


def _keys(signer: KeyPair) -> ww.KeySet:
    return ww.KeySet.from_json({"keys": [signer.public_jwk]})


def _differences(directory: Path) -> list[str]:
    manifest, _ = read_manifest(str(directory), None)
    return list(check_output(str(directory), manifest))


def test_an_output_that_nobody_changed(out: Path) -> None:
    assert _differences(out) == []


def test_the_signature_is_that_of_the_operator(finished: Path, signer: KeyPair) -> None:
    directory = str(finished / "out")
    manifest, signature = read_manifest(directory, _keys(signer))
    assert signature == "valid"
    assert manifest["counts"]["rows"] == 500
    assert read_manifest(directory, None)[1] == "unchecked"
    assert read_manifest(str(finished / "ndjson"), _keys(signer))[1] == "unsigned"
    with pytest.raises(ww.InvalidSignatureError):
        read_manifest(directory, _keys(KeyPair.generate("EdDSA")))


def test_a_manifest_may_be_larger_than_a_token(finished: Path, signer: KeyPair, tmp_path: Path) -> None:
    from watchword.audit.manifest import write_manifest

    manifest, _ = read_manifest(str(finished / "out"), None)
    manifest["parts"] *= 1000
    write_manifest(str(tmp_path), manifest, signer)
    assert (tmp_path / "manifest.jws").stat().st_size > 100_000
    assert read_manifest(str(tmp_path), _keys(signer)) == (manifest, "valid")


def test_a_token_is_no_manifest(finished: Path, log: Log, tmp_path: Path) -> None:
    (tmp_path / "manifest.jws").write_text(log.issuer.sign(b"{}", header={"typ": "at+jwt"}))
    with pytest.raises(ww.WrongTypeError):
        read_manifest(str(tmp_path), log.keys)


def test_a_signature_that_is_made_each_time_anew_is_refused() -> None:
    with pytest.raises(AuditError, match="give an Ed25519 key"):
        check_signer(KeyPair.generate("ES256"))


def test_the_manifest_of_a_second_run_takes_the_place_of_the_first(log: Log, signer: KeyPair, tmp_path: Path) -> None:
    path = audit_logs.write_parquet(log, tmp_path / "tokens.parquet")
    audit(job(log, path), tmp_path / "out")
    audit(job(log, path), tmp_path / "out", signer)
    assert not (tmp_path / "out/manifest.json").exists()
    first = (tmp_path / "out/manifest.jws").read_bytes()
    audit(job(log, path), tmp_path / "out", signer)
    assert (tmp_path / "out/manifest.jws").read_bytes() == first


@pytest.mark.parametrize(
    "content", [b"", b"[]", b"{}", b'{"parts": [{}]}', b"\xff", b"[" * 100_000, b'{"parts": null, "counts": {}}']
)
def test_what_is_no_manifest_is_said_to_be_none(tmp_path: Path, content: bytes) -> None:
    for name in ("manifest.json", "manifest.jws"):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(AuditError, match=r"no manifest|no JWS"):
            read_manifest(str(tmp_path), None)
        (tmp_path / name).unlink()
    with pytest.raises(AuditError, match="has no manifest"):
        read_manifest(str(tmp_path), None)


def _a_part(out: Path, number: int = 1) -> Path:
    return next(out.glob(f"parts/part-{number:06}.[pn]*"))


def test_a_changed_byte_is_found(out: Path) -> None:
    part = _a_part(out)
    data = bytearray(part.read_bytes())
    data[len(data) // 2] ^= 1
    part.write_bytes(bytes(data))
    assert any("was changed" in sentence and part.name in sentence for sentence in _differences(out))


def test_a_changed_verdict_is_found_by_digest_and_count(out: Path) -> None:
    part = _a_part(out)
    if part.suffix == ".parquet":
        table = pq.read_table(part)
        pq.write_table(table.set_column(3, "valid", pa.array([True] * len(table))), part)
    else:
        part.write_bytes(part.read_bytes().replace(b'"valid": false', b'"valid": true'))
    found = "\n".join(_differences(out))
    assert "was changed" in found
    assert "The manifest counts valid as" in found


def test_a_missing_part_and_a_foreign_one_are_found(out: Path) -> None:
    part = _a_part(out)
    part.rename(part.with_name(part.name.replace("000001", "999999")))
    found = "\n".join(_differences(out))
    assert "is missing or can't be read" in found
    assert "is there, but not in the manifest" in found


@pytest.mark.parametrize(
    ("name", "value"), [("valid", "yes"), ("valid", [True]), ("code", 5), ("code", [1]), ("key_state", {"a": 1})]
)
def test_a_part_with_columns_of_other_types_is_found(out: Path, name: str, value: object) -> None:
    part = _a_part(out)
    if part.suffix == ".parquet":
        table = pq.read_table(part)
        column = pa.array([value] * len(table))
        pq.write_table(table.set_column(table.schema.names.index(name), name, column), part)
    else:
        rows = [json.loads(line) for line in part.read_bytes().splitlines()]
        part.write_text("".join(json.dumps({**row, name: value}) + "\n" for row in rows))
    found = "\n".join(_differences(out))
    assert f"{part.name}' was changed" in found
    assert f"{part.name}' can't be read: " in found


def test_files_that_an_audit_without_them_cannot_have_are_found(out: Path) -> None:
    for name in ("replays.ndjson", "manifest.json", "manifest.jws"):
        if not (out / name).exists():
            (out / name).write_bytes(b"{}\n")
            if name == "manifest.jws":
                # It is read instead: it has no signature that the keys could have made.
                with pytest.raises(AuditError, match="is no JWS"):
                    read_manifest(str(out), None)
                (out / name).unlink()
            else:
                assert f"'{name}' is there, but not in the manifest." in _differences(out)


def test_changed_unreadable_rows_are_found(out: Path) -> None:
    (path,) = out.glob("parts/*.unreadable.ndjson")
    path.write_bytes(path.read_bytes() * 2)
    found = "\n".join(_differences(out))
    assert "was changed" in found
    assert "has 2 lines, in the manifest 1" in found


def test_a_manifest_cannot_name_other_files(out: Path) -> None:
    manifest, _ = read_manifest(str(out), None)
    manifest["parts"][0]["path"] = "../../etc/passwd"
    assert "no name of one" in next(check_output(str(out), manifest))


def test_changed_and_missing_inputs_are_found(finished: Path, tmp_path: Path) -> None:
    manifest, _ = read_manifest(str(finished / "out"), None)
    (tmp_path / "tokens.parquet").write_bytes(b"other")
    missing: list[str] = []
    locate = lambda path: str(tmp_path / Path(path).name)  # noqa: E731
    (found,) = check_inputs(manifest, locate, missing.append)
    assert "is not what was audited" in found
    assert missing == [str(finished / "tokens.ndjson")]


def _sampled(out: Path, log: Log, auditor=None, **options) -> list[str]:
    manifest, _ = read_manifest(str(out), None)
    inputs = [Input(one["path"], one["format"]) for one in manifest["inputs"]]
    settings = {"size": 100, "seed": 1, "locate": lambda path: path, **options}
    return list(compare_sample(str(out), manifest, inputs, auditor or log.auditor(), **settings))


def test_a_sample_is_verified_again(out: Path, log: Log) -> None:
    assert _sampled(out, log) == []
    assert _sampled(out, log, size=10_000) == []


def test_a_sample_finds_verdicts_that_the_keys_do_not_give(out: Path, log: Log) -> None:
    strict = ww.Policy(issuer="https://issuer.test", audience="https://other.test")
    found = _sampled(out, log, ww.audit.Auditor(log.keys, strict), size=40)
    # Those that had expired are refused for that with either policy.
    assert 30 < len(found) < 40
    assert "differs from the part: " in found[0]
    assert "code is 'wrong_audience', not None" in "\n".join(found)


@pytest.mark.parametrize("damage", ["gone", "cut", "types"])
def test_a_sample_goes_on_after_a_damaged_part(out: Path, log: Log, damage: str) -> None:
    part = _a_part(out, 0)
    if damage == "gone":
        part.unlink()
    elif damage == "cut":
        part.write_bytes(part.read_bytes()[:300])
    elif part.suffix == ".parquet":
        table = pq.read_table(part)
        pq.write_table(table.set_column(3, "valid", pa.array([{"a": 1}] * len(table))), part)
    else:
        part.write_text("[1]\n" * 100)
    found = _sampled(out, log, size=500)
    assert len(found) == 100
    assert all("is not in the parts" in sentence for sentence in found)


def test_a_sample_finds_rows_that_are_missing(out: Path, log: Log) -> None:
    manifest, _ = read_manifest(str(out), None)
    path = _a_part(out, 0)
    if path.suffix == ".parquet":
        pq.write_table(pq.read_table(path).slice(0, 90), path)
    else:
        path.write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[:90]))
    assert any("is not in the parts" in sentence for sentence in _sampled(out, log, size=500))
    assert json.loads((out / "manifest.json").read_text() if (out / "manifest.json").exists() else "{}") in (
        {},
        manifest,
    )
