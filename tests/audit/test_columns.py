"""Columns of tokens in, columns of verdicts out: types, nulls and hostile values."""

from __future__ import annotations

import datetime
import math
import pickle
import threading
from typing import Any

import mint
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

pa = pytest.importorskip("pyarrow", reason="the extra audit is not installed")

import watchword as ww  # noqa: E402 - after what may be missing
from watchword.audit import Auditor, verify_column  # noqa: E402

KEYS = ww.KeySet.from_json(mint.jwks("ed25519", "p256", "rsa"))
POLICY = ww.Policy(issuer=mint.ISSUER, audience=mint.AUDIENCE)
NOW = float(mint.NOW)

TOKENS = [
    mint.token(),
    mint.token(key="p256", algorithm="ES256"),
    mint.token(key="rsa", algorithm="RS256"),
    mint.token(mint.claims(exp=mint.NOW - 60)),
    mint.token(mint.claims(aud="other")),
    mint.token(mint.claims(iss="other")),
    mint.token(mint.claims(exp=mint.OMIT)),
    mint.token(mint.claims(exp="soon")),
    mint.token(mint.claims(cnf={"jkt": "x"})),
    mint.token(head=mint.header("nobody")),
    mint.token(head=mint.header(alg="none"), signature=b""),
    mint.token(head=mint.header(crit=["exp"])),
    mint.token(head=mint.header(typ="dpop+jwt")),
    mint.token(signature=bytes(64)),
    mint.token(head=b"{"),
    mint.token(mint.claims(pad="x" * 20_000)),
    "a.b.c.d.e",
    "garbage",
    "",
]


def table(tokens: Any, times: Any = NOW, **columns: Any) -> pa.Table:
    tokens = tokens if isinstance(tokens, (pa.Array, pa.ChunkedArray)) else pa.array(tokens, pa.string())
    if not isinstance(times, (pa.Array, pa.ChunkedArray)):
        times = pa.array([times] * len(tokens) if isinstance(times, float) else times, pa.float64())
    return pa.table({"token": tokens, "at": times, **columns})


def audited(data: pa.Table, **options: Any) -> pa.Table:
    return pa.table(verify_column(data, token="token", time="at", keys=KEYS, policy=POLICY, **options))


def codes(result: pa.Table) -> list[str | None]:
    assert [code is None for code in result["code"].to_pylist()] == result["valid"].to_pylist()
    return result["code"].to_pylist()


def expected(token: str | bytes, now: float = NOW, policy: ww.Policy = POLICY, keys: ww.KeySet = KEYS) -> str | None:
    try:
        ww.verify(token, keys, policy, now=now)
    except ww.VerificationError as error:
        return error.code.value
    return None


def test_each_verdict_is_that_of_verify() -> None:
    assert codes(audited(table(TOKENS))) == [expected(token) for token in TOKENS]


@given(
    st.lists(
        st.tuples(st.sampled_from(TOKENS), st.sampled_from([0.0, NOW - 3600, NOW, NOW + 299, NOW + 310])), max_size=200
    ),
    st.integers(1, 3),
    st.sampled_from([0, 100_000, 64 << 20]),
    st.integers(1, 50),
)
@settings(max_examples=40)
def test_whatever_repeats_in_whatever_pieces(rows: Any, threads: int, cache_bytes: int, piece: int) -> None:
    data = table([token for token, _ in rows], [time for _, time in rows])
    auditor = Auditor(KEYS, POLICY, cache_bytes=cache_bytes)
    want = [expected(token, time) for token, time in rows]
    for _ in range(2):
        reader = pa.RecordBatchReader.from_batches(data.schema, data.to_batches(max_chunksize=piece))
        assert codes(pa.table(auditor.verify_column(reader, token="token", time="at", threads=threads))) == want


@pytest.mark.parametrize(
    "kind",
    [
        pa.string(),
        pa.large_string(),
        pa.string_view(),
        pa.binary(),
        pa.large_binary(),
        pa.binary_view(),
        pa.dictionary(pa.int8(), pa.string()),
        pa.dictionary(pa.uint32(), pa.large_string()),
        pa.dictionary(pa.int64(), pa.binary()),
    ],
    ids=str,
)
def test_types_of_token_columns(kind: pa.DataType) -> None:
    texts = [TOKENS[0], None, TOKENS[3], TOKENS[0], "garbage", None]
    if pa.types.is_dictionary(kind):
        values = pa.array(sorted({text for text in texts if text}), kind.value_type)
        places = {value: place for place, value in enumerate(sorted({text for text in texts if text}))}
        indices = pa.array([None if text is None else places[text] for text in texts], kind.index_type)
        column = pa.DictionaryArray.from_arrays(indices, values)
    else:
        column = pa.array(texts, pa.string()).cast(kind)
    want = [None, "missing_token", "expired", None, "malformed_token", "missing_token"]
    assert codes(audited(table(column))) == want
    # A slice has an offset into the same data.
    assert codes(audited(table(column).slice(2, 3))) == want[2:5]


def test_a_dictionary_whose_values_are_null_or_absent() -> None:
    values = pa.array([None, TOKENS[0]], pa.string())
    indices = pa.array([0, 1, None], pa.int32())
    column = pa.DictionaryArray.from_arrays(indices, values)
    assert codes(audited(table(column))) == ["missing_token", None, "missing_token"]
    empty = pa.DictionaryArray.from_arrays(pa.array([None, None], pa.int32()), pa.array([], pa.string()))
    assert codes(audited(table(empty))) == ["missing_token"] * 2


@pytest.mark.parametrize("index", [2, -1])
def test_an_index_that_its_dictionary_does_not_have(index: int) -> None:
    indices = pa.array([0, index], pa.int32())
    column = pa.DictionaryArray.from_arrays(indices, pa.array(TOKENS[:2]), safe=False)
    data = table(column)
    with pytest.raises(Exception, match='"token" refers to values that its dictionary does not have'):
        audited(data)
    with pytest.raises(ValueError, match='"token" refers to values that its dictionary does not have'):
        Auditor(KEYS, POLICY).verify_batch(data.to_batches()[0], token="token", time="at")


def test_rows_that_are_null_as_a_whole() -> None:
    # The columns have a token in the second row all the same.
    columns = [pa.array([TOKENS[0]] * 2), pa.array([NOW] * 2)]
    rows = pa.StructArray.from_arrays(columns, names=["token", "at"], mask=pa.array([False, True]))
    with pytest.raises(ValueError, match="rows that are null as a whole"):
        Auditor(KEYS, POLICY).verify_batch(rows, token="token", time="at")
    stream = Auditor(KEYS, POLICY).verify_column(pa.chunked_array([rows]), token="token", time="at")
    with pytest.raises(Exception, match="rows that are null as a whole"):
        pa.table(stream)
    assert codes(audited(pa.chunked_array([rows.slice(0, 1)]))) == [None]


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
@pytest.mark.parametrize("zone", [None, "UTC", "America/New_York"])
def test_timestamps(unit: str, zone: str | None) -> None:
    # A timestamp with a zone is the same instant whatever the zone; one without is UTC.
    times = pa.array([mint.NOW, None], pa.int64()).cast(pa.timestamp("s")).cast(pa.timestamp(unit))
    times = times if zone is None else times.cast(pa.timestamp(unit, "UTC")).cast(pa.timestamp(unit, zone))
    result = audited(table([TOKENS[0]] * 2, times))
    assert codes(result) == [None, "invalid_time"]
    assert result["time"].to_pylist() == [datetime.datetime.fromtimestamp(mint.NOW, datetime.UTC), None]


@pytest.mark.parametrize("kind", [pa.int32(), pa.int64(), pa.uint32(), pa.uint64(), pa.float64()], ids=str)
def test_numbers_are_unix_seconds(kind: pa.DataType) -> None:
    assert codes(audited(table([TOKENS[0], TOKENS[0]], pa.array([mint.NOW, mint.NOW + 10**6], kind)))) == [
        None,
        "expired",
    ]


def test_a_float_of_32_bits_is_no_time() -> None:
    # It is exact to about a minute only.
    with pytest.raises(ValueError, match="cast it to timestamps"):
        audited(table([TOKENS[0]], pa.array([1.5e9], pa.float64()).cast(pa.float32(), safe=False)))


def test_columns_of_the_type_null() -> None:
    assert codes(audited(table(pa.nulls(2)))) == ["missing_token"] * 2
    assert codes(audited(table([TOKENS[0], None], pa.nulls(2)))) == ["invalid_time", "missing_token"]


@pytest.mark.parametrize("time", [math.nan, math.inf, -math.inf, -1.0, 253_402_300_800.0, 1e300])
def test_a_time_that_is_none_is_a_verdict(time: float) -> None:
    result = audited(table([TOKENS[0], "garbage"], time))
    assert codes(result) == ["invalid_time"] * 2
    assert result["time"].null_count == result["subject"].null_count == 2
    assert result["token_hash"].null_count == 0


def test_a_row_without_a_token_comes_before_one_without_a_time() -> None:
    assert codes(audited(table([None, None], [NOW, math.nan]))) == ["missing_token"] * 2


def test_one_time_for_all_rows() -> None:
    data = table(TOKENS[:4]).select(["token"])
    result = pa.table(Auditor(KEYS, POLICY).verify_column(data, token="token", time=NOW))
    assert codes(result) == [None, None, None, "expired"]


def test_texts_that_are_not_utf8_are_bytes() -> None:
    # Nobody validates what comes over the interface: here a column of strings that is none.
    hostile = [b"\xff\xfe", b"\xed\xa0\x80.a.b", b"\x00" * 100, TOKENS[0].encode()]
    strings = pa.Array.from_buffers(pa.string(), 4, pa.array(hostile, pa.binary()).buffers())
    with pytest.raises(pa.ArrowInvalid):
        strings.validate(full=True)
    assert codes(audited(table(strings))) == ["malformed_token"] * 3 + [None]


def test_a_token_of_ten_mebibytes() -> None:
    assert codes(audited(table(["x" * (10 << 20), TOKENS[0]]))) == ["too_large", None]


def test_what_the_token_says() -> None:
    token = mint.token(
        mint.claims(
            sub="user:ada", client_id="agent-7", scope="orders:read orders:write", jti="j1", iat=mint.NOW - 10,
            nbf=mint.NOW - 5, act={"sub": "agent-7", "act": {"sub": "agent-6"}},
        )
    )  # fmt: skip
    row = audited(table([token])).to_pylist()[0]
    at = lambda seconds: datetime.datetime.fromtimestamp(seconds, datetime.UTC)  # noqa: E731
    claims = ww.verify(token, KEYS, POLICY, now=NOW)
    assert row == {
        "time": at(mint.NOW), "valid": True, "code": None, "key_state": "given", "issuer": mint.ISSUER,
        "subject": "user:ada", "client_id": "agent-7", "actors": ["agent-7", "agent-6"],
        "scope": "orders:read orders:write", "key_id": "ed25519", "algorithm": "EdDSA", "token_id": "j1",
        "expires_at": at(claims.expires_at), "not_before": at(mint.NOW - 5), "issued_at": at(mint.NOW - 10),
        "seconds_past_expiry": None, "token_hash": ww.decode_unverified(token) and hash_of(token),
    }  # fmt: skip


def hash_of(token: str) -> str:
    with pytest.raises(ww.VerificationError) as caught:
        ww.verify(token, KEYS, POLICY, now=NOW + 10**7)
    assert caught.value.token_hash is not None
    return caught.value.token_hash


def test_refused_tokens_say_who_they_are_once_their_signature_held() -> None:
    refused = [
        mint.token(mint.claims(sub="late", exp=mint.NOW - 60)),
        mint.token(mint.claims(sub="else", aud="other")),
        mint.token(mint.claims(sub="forged"), signature=bytes(64)),
        mint.token(mint.claims(sub="odd", exp="soon")),
    ]
    rows = audited(table(refused)).to_pylist()
    assert [row["subject"] for row in rows] == ["late", "else", None, None]
    assert [row["key_id"] for row in rows] == ["ed25519", "ed25519", None, "ed25519"]
    assert [row["key_state"] for row in rows] == ["given", "given", None, "given"]
    assert [row["seconds_past_expiry"] for row in rows] == [60, None, None, None]
    assert len({row["token_hash"] for row in rows} - {None}) == 4


def test_a_record_of_delegation_that_is_malformed_has_no_actors() -> None:
    tokens = [
        mint.token(mint.claims(delegation_chain="x")),
        mint.token(),
        mint.token(mint.claims(act={"client_id": "x"})),
    ]
    assert audited(table(tokens))["actors"].to_pylist() == [None, [], [None]]


def test_kept_columns_come_first_and_unchanged() -> None:
    data = table(
        TOKENS[:3], line=pa.array([7, None, 9], pa.int16()), more=pa.array([["x"], [], None], pa.list_(pa.string()))
    )
    result = audited(data, keep=["more", "line"])
    assert result.schema.names[:3] == ["more", "line", "time"]
    assert result.select(["more", "line"]).equals(data.select(["more", "line"]))


def test_batches_are_as_streams() -> None:
    data = table(TOKENS).to_batches()[0]
    auditor = Auditor(KEYS, POLICY)
    batch = auditor.verify_batch(data, token="token", time="at")
    assert batch.num_rows == len(TOKENS)
    assert pa.table(pa.record_batch(batch)).equals(pa.table(auditor.verify_column(data, token="token", time="at")))


def test_no_rows() -> None:
    result = audited(table([]))
    assert result.num_rows == 0
    assert result.schema.names[0] == "time"


def test_an_auditor_is_shared_by_threads() -> None:
    auditor = Auditor(KEYS, POLICY)
    data = table(TOKENS * 20).to_batches()[0]
    want = [expected(token) for token in TOKENS] * 20
    found: list[Any] = []

    def audit() -> None:
        found.append(codes(pa.table(pa.record_batch(auditor.verify_batch(data, token="token", time="at")))))

    threads = [threading.Thread(target=audit) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [want] * 4


def test_repeated_tokens_are_examined_once_or_twice() -> None:
    auditor = Auditor(KEYS, POLICY)
    for _ in range(20):
        pa.table(auditor.verify_column(table(TOKENS * 5), token="token", time="at", threads=1))
    assert auditor.examined <= 2 * len(TOKENS)


def test_an_auditor_is_pickled_with_its_keys_and_policy() -> None:
    auditor = Auditor(KEYS, POLICY, proof_max_age=7)
    again = pickle.loads(pickle.dumps(auditor))
    assert codes(pa.table(again.verify_column(table(TOKENS), token="token", time="at"))) == [
        expected(t) for t in TOKENS
    ]
    assert repr(again) == repr(auditor) == "<Auditor of any issuer>"


MISTAKES = [
    ({"token": "tokens"}, ValueError, 'there is no column "tokens"; the columns are "token", "at", "n"'),
    ({"token": "n"}, ValueError, 'the column "n" is Int64, not a column of texts or of bytes'),
    ({"time": "token"}, ValueError, "cast it to timestamps, or to numbers of Unix seconds"),
    ({"keep": ["nothing"]}, ValueError, 'there is no column "nothing"'),
    ({"keep": ["n", "n"]}, ValueError, 'the output would have two columns "n"'),
    ({"keep": "n"}, TypeError, "keep must be a list or tuple of names"),
    ({"method": "n"}, ValueError, "method and uri are those of a proof"),
    ({"proof": "token"}, ValueError, "proof needs method and uri"),
    ({"threads": 0}, ValueError, "threads must be an int from 1"),
    ({"time": None}, TypeError, "time must be a number of seconds"),
    ({"time": math.nan}, ValueError, "time must be Unix seconds from 0 to the end of the year 9999"),
    ({"time": NOW * 1000}, ValueError, "time must be Unix seconds from 0 to the end of the year 9999"),
]


@pytest.mark.parametrize(("options", "error", "text"), MISTAKES, ids=[text for _, _, text in MISTAKES])
def test_mistakes(options: dict[str, Any], error: type[Exception], text: str) -> None:
    data = table(TOKENS, n=pa.array(range(len(TOKENS)), pa.int64()))
    with pytest.raises(error) as caught:
        Auditor(KEYS, POLICY).verify_column(data, **{"token": "token", "time": "at", **options})
    assert text in str(caught.value)


def test_other_mistakes() -> None:
    with pytest.raises(TypeError, match="keys must be a KeySet, a KeyArchive, or a mapping"):
        Auditor("keys.json", POLICY)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="policy must be a Policy or a PolicyHistory"):
        Auditor(KEYS, "strict")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="keys has no issuer"):
        Auditor({}, POLICY)
    with pytest.raises(ValueError, match="cache_bytes"):
        Auditor(KEYS, POLICY, cache_bytes=-1)
    with pytest.raises(TypeError, match="__arrow_c_stream__"):
        Auditor(KEYS, POLICY).verify_column(TOKENS, token="token", time=NOW)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="__arrow_c_array__"):
        Auditor(KEYS, POLICY).verify_batch(table(TOKENS), token="token", time=NOW)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="no columns"):
        Auditor(KEYS, POLICY).verify_batch(pa.array(["x"]), token="token", time=NOW)
    with pytest.raises(TypeError, match="no columns"):
        Auditor(KEYS, POLICY).verify_column(pa.chunked_array([["x"]]), token="token", time=NOW)
    twice = pa.Table.from_arrays([pa.array(["x"]), pa.array(TOKENS[:1])], names=["token", "token"])
    with pytest.raises(ValueError, match='several columns "token": rename all but one'):
        Auditor(KEYS, POLICY).verify_column(twice, token="token", time=NOW)


def test_a_stream_is_read_once() -> None:
    stream = verify_column(table(TOKENS), token="token", time="at", keys=KEYS, policy=POLICY)
    assert pa.schema(stream).names[:2] == ["time", "valid"]
    pa.table(stream)
    with pytest.raises(ValueError, match="consumed already"):
        pa.table(stream)


def test_an_error_of_the_input_reaches_the_reader() -> None:
    def batches() -> Any:
        yield table(TOKENS).to_batches()[0]
        raise ValueError("the disk is gone")

    reader = pa.RecordBatchReader.from_batches(table(TOKENS).schema, batches())
    stream = verify_column(reader, token="token", time="at", keys=KEYS, policy=POLICY)
    with pytest.raises(Exception, match="the disk is gone"):
        pa.table(stream)
