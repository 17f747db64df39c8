"""An audit in words: what was counted, as the end of the command prints it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

#: What was known of the key that verified a signature, in the order in which keys are tried.
KEY_STATES = {
    "given": "given for all times",
    "listed": "published before and after the time of use",
    "uncertain": "published before or after, but possibly not at the time of use",
    "early": "first seen a little later",
    "withdrawn": "withdrawn a little before",
    "compromised": "known to be in other hands by then",
}


def in_words(manifest: Mapping[str, Any]) -> str:
    """Return the counts of a manifest as a table."""
    counts = manifest["counts"]
    rows, valid = counts["rows"], counts["valid"]
    lines = [_line(rows, "row", "rows", f" of {_files(manifest)}"), _share(valid, rows, "valid")]
    if rows - valid:
        lines.append(_share(rows - valid, rows, "invalid"))
    by_count = sorted(counts["codes"].items(), key=lambda entry: (-entry[1], entry[0]))
    lines += [f"{number:>18,}  {code.replace('_', ' ')}" for code, number in by_count]
    if counts["key_states"]:
        lines += ["", "Keys that verified a signature:"]
        lines += [
            f"{counts['key_states'][state]:>14,}  {state}: {words}"
            for state, words in KEY_STATES.items()
            if counts["key_states"].get(state)
        ]
    if counts["replays"]:
        lines += ["", _line(counts["replays"], "use", "uses", " of a DPoP proof that was used before")]
    if counts["unreadable"]:
        lines += [
            "",
            _line(counts["unreadable"], "place", "places", " could not be read; see parts/*.unreadable.ndjson"),
        ]
    return "\n".join(lines)


def _files(manifest: Mapping[str, Any]) -> str:
    number = len(manifest["inputs"])
    return "1 file" if number == 1 else f"{number:,} files"


def _line(number: int, one: str, many: str, rest: str) -> str:
    return f"{number:>14,}  {one if number == 1 else many}{rest}"


def _share(number: int, total: int, word: str) -> str:
    # Not rounded to 100 or 0 if it is not all or nothing.
    percent = 100 * number / total if total else 100.0
    shown = f"{min(percent, 99.99) if number < total else percent:.2f}"
    return f"{number:>14,}  {word} ({shown} %)"


__all__ = ["KEY_STATES", "in_words"]
