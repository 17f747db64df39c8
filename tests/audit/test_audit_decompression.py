"""Compressed inputs: several members and frames, and streams that are truncated, corrupt or followed by other data."""

from __future__ import annotations

import gzip
import io

import pytest
import zstandard

from watchword.audit.decompression import Bytes

DATA = b"".join(b"line %d of a log\n" % number for number in range(20_000))
HALF = 150_000

MEMBERS = gzip.compress(DATA[:HALF]) + gzip.compress(DATA[HALF:])
_CHECKED = zstandard.ZstdCompressor(write_checksum=True)
FRAMES = zstandard.compress(DATA[:HALF]) + _CHECKED.compress(DATA[HALF:])


def _read(data: bytes, name: str = "", block: int = 10_000) -> tuple[bytes, str | None]:
    stream, blocks = Bytes(io.BytesIO(data), name), []
    while True:
        blocks.append(stream.read(block))
        if len(blocks[-1]) < block:
            return b"".join(blocks), None if stream.error is None else str(stream.error)


@pytest.mark.parametrize("data", [DATA, MEMBERS, FRAMES], ids=["plain", "gzip", "zstd"])
def test_members_and_frames_are_one_stream(data: bytes) -> None:
    assert _read(data) == (DATA, None)


def test_blocks_have_the_size_that_was_asked_for() -> None:
    stream = Bytes(io.BytesIO(MEMBERS))
    assert [len(stream.read(100_000)) for _ in range(len(DATA) // 100_000 + 1)][:-1] == [100_000] * (
        len(DATA) // 100_000
    )


@pytest.mark.parametrize("data", [MEMBERS, FRAMES], ids=["gzip", "zstd"])
@pytest.mark.parametrize("share", [0.001, 0.3, 0.5, 0.9, 0.9999])
def test_a_truncated_stream_is_reported_after_what_it_has(data: bytes, share: float) -> None:
    size = max(8, int(len(data) * share))
    found, error = _read(data[:size])
    assert DATA.startswith(found)
    assert error is not None
    assert f"truncated at byte {size}" in error


@pytest.mark.parametrize("compress", [gzip.compress, _CHECKED.compress], ids=["gzip", "zstd"])
@pytest.mark.parametrize("cut", range(1, 9))
def test_a_stream_without_its_last_bytes_is_truncated(compress, cut: int) -> None:
    data = compress(DATA)
    found, error = _read(data[:-cut])
    assert error is not None
    assert "truncated" in error
    assert DATA.startswith(found)


@pytest.mark.parametrize("data", [MEMBERS, FRAMES], ids=["gzip", "zstd"])
def test_a_corrupt_stream_is_reported(data: bytes) -> None:
    damaged = bytearray(data)
    damaged[-len(data) // 8] ^= 0xFF
    found, error = _read(bytes(damaged))
    assert found.startswith(DATA[:HALF])
    assert error is not None
    assert "corrupt after byte" in error


def test_other_data_after_a_stream_is_reported() -> None:
    assert _read(MEMBERS + b"rest")[1] == f"the gzip stream is followed by other data at byte {len(MEMBERS)}"
    assert "corrupt" in str(_read(FRAMES + b"rest")[1])


def test_padding_after_gzip_is_none() -> None:
    assert _read(MEMBERS + bytes(1000)) == (DATA, None)
    for padding in (1, 1000, 300_000):
        assert _read(gzip.compress(DATA[:HALF]) + bytes(padding) + gzip.compress(DATA[HALF:])) == (DATA, None)
    end = len(MEMBERS) + 300_000
    assert str(_read(MEMBERS + bytes(300_000) + b"rest")[1]).endswith(f"followed by other data at byte {end}")


def test_a_name_that_promises_compression_is_checked() -> None:
    found, error = _read(b"token,used_at\n", "tokens.csv.gz")
    assert found == b""
    assert "not compressed" in str(error)


def test_content_decides_without_a_name() -> None:
    assert _read(FRAMES, "tokens.csv")[0] == DATA
    assert _read(b"", "tokens.csv.gz") == (b"", None)


def test_a_frame_that_is_skipped_and_an_empty_one_are_nothing() -> None:
    skipped = b"\x50\x2a\x4d\x18" + (5).to_bytes(4, "little") + b"hello"
    assert _read(skipped + zstandard.compress(b"") + FRAMES) == (DATA, None)
