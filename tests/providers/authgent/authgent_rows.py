"""Recorded results of the published package, and how ours are compared with them; each difference has its reason.

The rows name their cases, and contain neither tokens nor claims: those are made by the tests.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import watchword.providers.authgent as authgent

Row = dict[str, Any]


def read(shared: Path) -> dict[str, dict[str, Row]]:
    """Return the rows by function and case."""
    found: dict[str, dict[str, Row]] = {}
    for row in json.loads((shared / "truth" / "authgent.json").read_bytes())["rows"]:
        found.setdefault(row["fn"], {})[row["case"]] = row
    return found


def outcome(call: Callable[[], object]) -> Any:
    """Return the result of a call, or the class and code of the error that it raises."""
    try:
        return call()
    except authgent.AuthgentError as error:
        return f"{type(error).__name__} {error.code or error.error_code}"
    except (TypeError, ValueError) as error:
        return type(error).__name__


def compare(
    rows: dict[str, Row], ours: dict[str, Callable[[], Any]], differences: dict[str, tuple[Any, str]], form: Any
) -> None:
    """Assert that every row has a case, and that its result is that of the row, or that of its difference."""
    assert set(ours) == set(rows)
    assert set(differences) <= set(rows)
    for case, row in rows.items():
        found = outcome(ours[case])
        theirs = form(row)
        if case in differences:
            assert found == differences[case][0], case
            assert found != theirs, f"no difference any more: {case}"
            assert differences[case][1]
        elif row["outcome"] == "ok":
            assert found == theirs, case
        else:
            assert isinstance(found, str), case
            assert "Error" in found, case
