"""Verdicts as text: a table for people, JSON lines for programs."""

from __future__ import annotations

import collections
import math
import re
from collections.abc import Sequence
from typing import Any

from watchword import ErrorCode, VerificationError, VerifiedToken
from watchword.cli import terminal
from watchword.cli.terminal import coloured, count, escaped
from watchword.cli.times import duration, relative
from watchword.printable import to_json
from watchword.providers.profiles import reason_of

#: A token's number, its verdict, and a hint for a rejected one.
NumberedVerdict = tuple[int, VerifiedToken | VerificationError, "str | None"]

_HEADINGS = ("subject", "issuer", "expires", "key", "alg")
_SECONDS = re.compile(r"\b([0-9]+(?:\.[0-9]+)?) s\b")
_VERDICT = len("rejected")


class JsonLines:
    """One JSON object a line, in ASCII: safe for every terminal and every pipe."""

    def block(self, numbered: Sequence[NumberedVerdict], _now: float) -> str:
        """Return the lines of some tokens."""
        return "".join(to_json(_as_object(*one)) + "\n" for one in numbered)


class VerdictTable:
    """A table that is printed block by block, with columns as wide as the first tokens need."""

    def __init__(self) -> None:
        self._sizes: list[int] | None = None
        self._digits = 1

    def block(self, numbered: Sequence[NumberedVerdict], now: float) -> str:
        """Return the rows of some tokens, as of ``now`` (Unix seconds); the headings first, once."""
        cells = {number: _cells(verdict, now) for number, verdict, _ in numbered if isinstance(verdict, VerifiedToken)}
        self._digits = max(self._digits, len(str(numbered[-1][0])))
        lines = []
        if cells and self._sizes is None:
            limit = terminal.width()
            left = None if limit is None else limit - self._digits - _VERDICT - 4
            self._sizes = terminal.widths([_HEADINGS, *cells.values()], left)
            heading = self._lead("#", "verdict") + terminal.line(_HEADINGS, self._sizes)
            lines.append(coloured(heading, "dim"))
        for number, verdict, _ in numbered:
            if isinstance(verdict, VerifiedToken):
                lines.append(self._valid_row(number, cells[number], self._sizes or []))
            else:
                lines.append(self._rejected_row(number, verdict))
        return "\n".join(lines) + "\n"

    def _valid_row(self, number: int, cells: Sequence[str], sizes: list[int]) -> str:
        if terminal.width() is None:
            # Values of later tokens may be longer than those of the first: truncated on a terminal, complete elsewhere.
            sizes = [max(pair) for pair in zip(terminal.widths([cells], None), sizes, strict=True)]
        row = self._lead(str(number), "valid") + terminal.line(cells, sizes)
        return row.replace("valid   ", coloured("valid", "green") + "   ", 1)

    def _rejected_row(self, number: int, error: VerificationError) -> str:
        lead = self._lead(str(number), "rejected")
        row = terminal.wrapped(_reason(error), first=lead, rest=" " * len(lead))
        return row.replace("rejected", coloured("rejected", "red"), 1)

    def _lead(self, number: str, verdict: str) -> str:
        return f"{number:>{self._digits}}  {verdict:<{_VERDICT}}  "


class Tally:
    """How many tokens got which verdict."""

    def __init__(self) -> None:
        self.valid = 0
        self._codes: collections.Counter[str] = collections.Counter()
        self._hints: dict[str, None] = {}

    def add(self, numbered: Sequence[NumberedVerdict]) -> None:
        """Count some more."""
        for _, verdict, hint in numbered:
            if isinstance(verdict, VerifiedToken):
                self.valid += 1
            else:
                self._codes[reason_of(verdict)] += 1
            if hint is not None:
                self._hints[hint] = None

    @property
    def total(self) -> int:
        """The number of tokens."""
        return self.valid + self._codes.total()

    @property
    def all_valid(self) -> bool:
        """Whether no token was rejected."""
        return not self._codes

    def summary(self, not_checked: Sequence[str]) -> str:
        """Return the summary: how many tokens are valid, what was not checked, and hints."""
        if self.all_valid:
            verdict = coloured("valid" if self.total == 1 else "all valid", "green")
            lines = ["", f"{count(self.total, 'token')}: {verdict}."]
        else:
            reasons = ", ".join(f"{number:,} {code.replace('_', ' ')}" for code, number in self._codes.most_common())
            rejected = f"{self._codes.total():,} rejected"
            sentence = terminal.wrapped(f"{count(self.total, 'token')}: {self.valid:,} valid, {rejected} ({reasons}).")
            lines = ["", sentence.replace(rejected, coloured(rejected, "red"), 1)]
        if self.valid and not_checked:
            lines.append(terminal.wrapped(f"Not checked: {'; '.join(not_checked)}."))
        lines += [terminal.wrapped(hint, first="Hint: ", rest="      ") for hint in self._hints]
        return "\n".join(lines)


def _as_object(number: int, verdict: VerifiedToken | VerificationError, hint: str | None) -> dict[str, Any]:
    if isinstance(verdict, VerifiedToken):
        return {
            "index": number,
            "valid": True,
            "code": None,
            "detail": None,
            "algorithm": verdict.algorithm,
            "key_id": verdict.key_id,
            "claims": verdict.claims,
        }
    answer: dict[str, Any] = {
        "index": number,
        "valid": False,
        "code": reason_of(verdict),
        "detail": verdict.detail,
        "token_hash": verdict.token_hash,
    }
    if verdict.token_claims is not None:
        # The signature is valid, so the subject is what the issuer signed.
        answer["subject"] = verdict.token_claims.get("sub")
    return answer if hint is None else {**answer, "hint": hint}


def _reason(error: VerificationError) -> str:
    """Return the code and the detail, without repetition, and durations in the largest unit."""
    detail = error.detail
    if error.code in (ErrorCode.EXPIRED, ErrorCode.NOT_YET_VALID, ErrorCode.ISSUED_IN_FUTURE):
        detail = _SECONDS.sub(lambda found: duration(float(found[1])), detail)
    elif error.code in (ErrorCode.MALFORMED_CLAIMS, ErrorCode.MALFORMED_HEADER):
        detail = detail.partition("malformed: ")[2] or detail
    return f"{reason_of(error).replace('_', ' ')}: {escaped(detail)}"


def _cells(token: VerifiedToken, now: float) -> tuple[str, ...]:
    expires = token.expires_at
    return (
        escaped(token.subject or "-"),
        escaped(token.issuer or "-"),
        "never" if expires is None or math.isinf(expires) else relative(expires, now),
        escaped(token.key_id or "-"),
        token.algorithm,
    )
