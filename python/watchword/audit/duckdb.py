"""Audits in DuckDB's SQL: a function of a token and a time, whose result is the verdict.

:meth:`watchword.audit.Auditor.verify_column` reads DuckDB's relations, and DuckDB reads its result: that is the fastest
way, and needs nothing of this module. :func:`register` is a convenience, for queries that choose their rows themselves.
docs/audit-engines.md has examples.
"""

from __future__ import annotations

from typing import Any

try:
    import duckdb
    import pyarrow as pa
except ImportError as error:
    raise ImportError(
        "watchword.audit.duckdb needs DuckDB, pyarrow and NumPy: pip install 'watchword[duckdb]'"
    ) from error

from watchword.audit.auditor import Auditor

#: The arguments, and the types of those that are NULL in every row, which have none.
_TYPES = {"token": pa.string(), "time": pa.float64(), "method": pa.string(), "uri": pa.string(), "proof": pa.string()}


def register(
    connection: duckdb.DuckDBPyConnection, auditor: Auditor, name: str = "verify_token", *, proofs: bool = False
) -> None:
    """Add the function ``verify_token(token, time)`` to a connection's SQL; ``name`` is its name.

    ``token`` is a VARCHAR or a BLOB, ``time`` the time of use: a TIMESTAMPTZ, a TIMESTAMP (which is UTC, whatever the
    setting TimeZone), or a BIGINT or DOUBLE of Unix seconds; another type is an error of the query. With ``proofs``,
    the arguments are ``(token, time, method, uri, proof)``: the DPoP proof that was sent with the token, null if there
    was none, and its request. The result is a STRUCT of the columns that docs/audit.md lists, and never null: a row
    whose token or time is null has a verdict, too.

    Cursors of the connection have the function, too. Raises ``duckdb.Error`` if there is a function of that name.
    """
    names = list(_TYPES) if proofs else ["token", "time"]
    columns = {column: column for column in names}

    def verify(*values: pa.ChunkedArray) -> pa.StructArray:
        if len(values) != len(names):
            raise ValueError(f"{name} takes {len(names)} arguments: {', '.join(names)}")
        batch = pa.record_batch([_one_array(*each) for each in zip(names, values, strict=True)], names=names)
        return pa.record_batch(auditor.verify_batch(batch, **columns)).to_struct_array()

    no_rows = pa.record_batch({column: pa.array([], _TYPES[column]) for column in names})
    schema = pa.schema(auditor.verify_batch(no_rows, **columns))
    # Parameters without types: DuckDB converts none, so a TIMESTAMP is not taken for one of the session's time zone.
    # As text: the enumerations are in other modules of DuckDB 1 than of 2.
    options: dict[str, Any] = {"type": "arrow", "null_handling": "special"}
    connection.create_function(name, verify, None, _struct_type(schema), **options)


def _one_array(name: str, values: pa.ChunkedArray) -> pa.Array:
    if pa.types.is_null(values.type):
        values = values.cast(_TYPES[name])
    return values.combine_chunks()


def _struct_type(schema: pa.Schema) -> str:
    """Return the SQL type of a schema's rows: what DuckDB makes of it."""
    with duckdb.connect() as scratch:
        types = scratch.from_arrow(schema.empty_table()).types
    return f"STRUCT({', '.join(f'{name} {kind}' for name, kind in zip(schema.names, types, strict=True))})"


__all__ = ["register"]
