"""Dates with a time and an offset, as APIs write them (RFC 3339 section 5.6)."""

from __future__ import annotations

import contextlib
import datetime
import re

_TIME = re.compile(r"(\d{4}-\d\d-\d\d)[Tt ](\d\d:\d\d:\d\d)(\.\d{1,9})?([Zz]|[+-]\d\d:\d\d)", re.ASCII)


def parse_rfc3339(text: str) -> float:
    """Return the Unix seconds of a time such as ``2026-11-21T09:30:00Z`` (RFC 3339 section 5.6).

    Raises ``ValueError``, which does not quote the text, if it is none.
    """
    match = _TIME.fullmatch(text)
    if match is not None:
        date, time, fraction, offset = match.groups()
        zone = "+00:00" if offset in "Zz" else offset
        with contextlib.suppress(ValueError):
            return datetime.datetime.fromisoformat(f"{date}T{time}{zone}").timestamp() + float(fraction or 0)
    raise ValueError("not a time of RFC 3339")


__all__ = ["parse_rfc3339"]
