"""The TOML form of policies over time."""

from __future__ import annotations

import datetime
import math
import tomllib
from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from typing import Any

from watchword import ANY_AUDIENCE, ANY_TENANT, Policy
from watchword.audit.policy_interval import PolicyInterval
from watchword.spiffe import trust_domain_of

Table = Mapping[str, Any]


def _is_time(value: object) -> bool:
    return isinstance(value, datetime.datetime) and value.tzinfo is not None


def _is_text(value: object) -> bool:
    return isinstance(value, str)


def _is_list(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(element, str) for element in value)


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


_TIME = (_is_time, "a date and time with its offset, such as 2026-01-01T00:00:00Z: add Z for UTC")
_TEXT = (_is_text, "a string")
_LIST = (_is_list, "a list of strings")
_TEXT_OR_LIST = (lambda value: _is_text(value) or _is_list(value), "a string or a list of strings")
_BYTES = (lambda value: _is_number(value) and isinstance(value, int), "a whole number of bytes")

#: The keys of a table, with the names and forms of a gate's configuration, and what they must be.
_KEYS: dict[str, tuple[Callable[[object], bool], str]] = {
    "from": _TIME,
    "to": _TIME,
    "issuer": _TEXT_OR_LIST,
    "tenants": (lambda value: value == "any" or _is_list(value), 'a list of strings, or "any"'),
    "audience": _TEXT_OR_LIST,
    "any_audience": (lambda value: isinstance(value, bool), "true or false"),
    "audience_claim": _TEXT,
    "algorithms": _LIST,
    "types": _LIST,
    "leeway": (_is_number, "a number of seconds"),
    "required": _LIST,
    "bound_tokens": _TEXT,
    "scopes": _LIST,
    "scope_claims": _LIST,
    "max_token_bytes": _BYTES,
    "max_header_bytes": _BYTES,
}

#: Those that are arguments of Policy as they are.
_PLAIN = (
    "audience_claim",
    "algorithms",
    "leeway",
    "required",
    "bound_tokens",
    "scope_claims",
    "max_token_bytes",
    "max_header_bytes",
)

#: In a list of types: a token without ``typ``.
_NO_TYPE = "none"


def read_tables(text: str) -> list[dict[str, Any]]:
    """Return the tables ``[[policy]]`` of a TOML text, in its order: one or more, whose values have their types.

    Raises ``ValueError``, which says which table is invalid and why.
    """
    document = tomllib.loads(text)
    tables = document.pop("policy", None)
    if document:
        raise ValueError(f'unknown key "{next(iter(document))}": the file has tables [[policy]], and nothing else')
    if not isinstance(tables, list) or not tables or not all(isinstance(table, dict) for table in tables):
        raise ValueError("the file has no tables [[policy]]: write one for each interval")
    for number, table in enumerate(tables, 1):
        _check_keys(f"policy {number}", table)
    return tables


def intervals_of(tables: Sequence[Table]) -> tuple[PolicyInterval, ...]:
    """Return the intervals of the tables that :func:`read_tables` returned.

    A table without ``from`` begins when the one before it ends, a table without ``to`` ends when the next one begins.

    Raises ``ValueError``, which says which table is invalid and why.
    """
    intervals = []
    for number, (table, (start, end)) in enumerate(zip(tables, _bounds(tables), strict=True), 1):
        try:
            intervals.append(PolicyInterval(start, end, _policy(table), table.get("scopes", ())))
        except (TypeError, ValueError) as error:
            raise ValueError(f"policy {number}: {error}") from None
    return tuple(intervals)


def _check_keys(where: str, table: Table) -> None:
    for key, value in table.items():
        if key not in _KEYS:
            raise ValueError(f'{where}: unknown key "{key}": the keys are {", ".join(_KEYS)}')
        is_valid, form = _KEYS[key]
        if not is_valid(value):
            raise ValueError(f"{where}: {key} must be {form}")
    if table.get("any_audience") and "audience" in table:
        raise ValueError(f"{where}: audience contradicts any_audience: remove one of them")


def _bounds(tables: Sequence[Table]) -> list[tuple[float, float]]:
    """Return the start and the end of each interval, in Unix seconds."""
    starts = [_time(tables[0], "from", -math.inf)]
    ends = []
    for number, (earlier, later) in enumerate(pairwise(tables), 1):
        if "to" not in earlier and "from" not in later:
            raise ValueError(f"policy {number} has no to, and policy {number + 1} has no from: add one of them")
        end = _time(earlier, "to", math.nan)
        start = _time(later, "from", end)
        ends.append(start if math.isnan(end) else end)
        starts.append(start)
    return list(zip(starts, [*ends, _time(tables[-1], "to", math.inf)], strict=True))


def _time(table: Table, key: str, default: float) -> float:
    return float(table[key].timestamp()) if key in table else default


def of_issuers(issuer: str | Sequence[str] | None) -> dict[str, Any]:
    """Return the keyword of Policy for these issuers: ``trust_domain`` for ``spiffe://example.org``, whose tokens need
    no ``iss``. Raises ``ValueError`` if a trust domain is not the only one.
    """
    names = [issuer] if isinstance(issuer, str) else list(issuer or ())
    domains = [domain for domain in map(trust_domain_of, names) if domain is not None]
    if not domains:
        return {} if issuer is None else {"issuer": issuer}
    if len(names) > 1:
        raise ValueError(
            f"spiffe://{domains[0]} is a trust domain, which no other issuer can be beside: audit it alone"
        )
    return {"trust_domain": domains[0]}


def _policy(table: Table) -> Policy:
    arguments: dict[str, Any] = {key: table[key] for key in _PLAIN if key in table}
    arguments |= of_issuers(table.get("issuer"))
    if "tenants" in table:
        arguments["tenants"] = ANY_TENANT if table["tenants"] == "any" else table["tenants"]
    if "types" in table:
        arguments["types"] = [None if name == _NO_TYPE else name for name in table["types"]]
    arguments["audience"] = ANY_AUDIENCE if table.get("any_audience") else table.get("audience")
    return Policy(**arguments)


__all__ = ["intervals_of", "of_issuers", "read_tables"]
