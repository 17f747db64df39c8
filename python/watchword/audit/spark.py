"""Audits on Apache Spark: the verdict on each row of a DataFrame, from the Python workers of its executors.

:func:`verify_column` is :func:`watchword.audit.verify_column` for a DataFrame; :func:`verify_with` is for an Auditor
that you have. The executors need Watchword, and what PySpark needs for Arrow: ``pip install "watchword[spark]"``.
docs/audit-engines.md has examples.
"""

from __future__ import annotations

import functools
import pickle
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

try:
    import pyarrow as pa
    from pyspark.sql import DataFrame, types
except ImportError as error:
    raise ImportError("watchword.audit.spark needs PySpark and pyarrow: pip install 'watchword[spark]'") from error

from watchword import Policy
from watchword.audit.auditor import Auditor
from watchword.audit.key_histories import Keys
from watchword.audit.policy_history import PolicyHistory
from watchword.jwks.archive import KeyRules

#: The Arrow types of the columns that can be tokens, times or requests.
_ARROW_TYPES: dict[type[types.DataType], pa.DataType] = {
    types.StringType: pa.string(),
    types.BinaryType: pa.binary(),
    types.TimestampType: pa.timestamp("us", "UTC"),
    types.TimestampNTZType: pa.timestamp("us"),
    types.ByteType: pa.int8(),
    types.ShortType: pa.int16(),
    types.IntegerType: pa.int32(),
    types.LongType: pa.int64(),
    types.DoubleType: pa.float64(),
}

#: The Spark types of the columns of verdicts, by their Arrow types without dictionaries.
_SPARK_TYPES: dict[pa.DataType, types.DataType] = {
    pa.bool_(): types.BooleanType(),
    pa.string(): types.StringType(),
    pa.float64(): types.DoubleType(),
    pa.timestamp("us", "UTC"): types.TimestampType(),
    pa.list_(pa.string()): types.ArrayType(types.StringType()),
}


def verify_column(
    df: DataFrame,
    *,
    token: str,
    time: str | float,
    keys: Keys,
    policy: Policy | PolicyHistory,
    method: str | None = None,
    uri: str | None = None,
    proof: str | None = None,
    keep: Iterable[str] = (),
    rules: KeyRules | None = None,
) -> DataFrame:
    """Return the verdict on each row: ``verify_with(Auditor(keys, policy, rules=rules), df, ...)``.

    Raises ``TypeError`` or ``ValueError`` as these do.
    """
    auditor = Auditor(keys, policy, rules=rules)
    return verify_with(auditor, df, token=token, time=time, method=method, uri=uri, proof=proof, keep=keep)


def verify_with(
    auditor: Auditor,
    df: DataFrame,
    *,
    token: str,
    time: str | float,
    method: str | None = None,
    uri: str | None = None,
    proof: str | None = None,
    keep: Iterable[str] = (),
) -> DataFrame:
    """Return a DataFrame with the columns ``keep`` and the verdict on each row, in the order of a partition's rows.

    The arguments are those of :meth:`watchword.audit.Auditor.verify_column`. ``time`` is the name of a column of
    timestamps or of numbers of Unix seconds, or one time for all rows; a timestamp without time zone is UTC. Kept
    columns keep their types; columns of the verdict that are dictionaries in Arrow are strings. The keys and the
    policies are part of the plan: each Python worker prepares one Auditor of them, and keeps it for its next tasks.

    Nothing is verified before Spark runs the plan, but arguments are checked now. Raises ``TypeError`` or
    ``ValueError`` if one is invalid, a column is missing, or it has an unsuitable type.
    """
    keep = keep if isinstance(keep, str) else tuple(keep)
    columns: dict[str, Any] = {"token": token, "time": time, "method": method, "uri": uri, "proof": proof}
    read = [name for name in columns.values() if isinstance(name, str)]
    schema = pa.schema([(field.name, _arrow_type(field) if field.name in read else pa.null()) for field in df.schema])
    # An audit of no rows: it checks the arguments, and has the columns of all others.
    result = _without_dictionaries(
        pa.table(auditor.verify_column(schema.empty_table(), keep=keep, **columns, threads=1))
    )
    fields = [df.schema[field.name] if field.name in keep else _spark_field(field) for field in result.schema]
    # Columns that are not selected are not sent to Python. They go there by number, as mapInArrow takes a dot in a name
    # for that of a struct's field.
    names = [*dict.fromkeys([*keep, *read])]
    selected = df.select(*(df[_quoted(name)].alias(str(number)) for number, name in enumerate(names)))
    task = _Task(pickle.dumps(auditor), names, {**columns, "keep": keep})
    return selected.mapInArrow(task, types.StructType(fields))


@dataclass(frozen=True)
class _Task:
    """What is sent to the executors: a pickled Auditor, the columns' names, and the arguments of ``verify_batch``."""

    auditor: bytes
    names: list[str]
    arguments: dict[str, Any]

    def __call__(self, batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """Yield the verdicts of each batch of a partition."""
        auditor = _load(self.auditor)
        for batch in batches:
            named = pa.RecordBatch.from_arrays(batch.columns, self.names)
            yield _without_dictionaries(pa.record_batch(auditor.verify_batch(named, **self.arguments)))


# One for a plan, and one for another that runs beside it: each may keep much memory.
@functools.lru_cache(maxsize=2)
def _load(pickled: bytes) -> Auditor:
    """Return the Auditor of this pickle: one for all tasks of a worker, so that they share what it keeps of tokens."""
    auditor: Auditor = pickle.loads(pickled)  # noqa: S301 - it came with the code, from the driver
    return auditor


def _without_dictionaries(data: pa.Table | pa.RecordBatch) -> pa.Table | pa.RecordBatch:
    """Return a table or a batch with plain columns: Spark reads no dictionaries."""
    for index, field in enumerate(data.schema):
        if pa.types.is_dictionary(field.type):
            plain = data.column(index).cast(field.type.value_type)
            data = data.set_column(index, pa.field(field.name, plain.type), plain)
    return data


def _arrow_type(field: types.StructField) -> pa.DataType:
    try:
        return _ARROW_TYPES[type(field.dataType)]
    except KeyError:
        message = (
            f'the column "{field.name}" is {field.dataType.simpleString()}: cast it to strings or binary, a time to '
            "timestamps or numbers of Unix seconds"
        )
        raise ValueError(message) from None


def _spark_field(field: pa.Field) -> types.StructField:
    return types.StructField(field.name, _SPARK_TYPES[field.type], field.nullable)


def _quoted(name: str) -> str:
    """Return a column's name as an expression: a dot in it means no field of a struct."""
    return f"`{name.replace('`', '``')}`"


__all__ = ["verify_column", "verify_with"]
