"""Verdicts on paper: a table for people, JSON lines for programs."""

from __future__ import annotations

import collections
import json
import math
import re
from collections.abc import Sequence
from typing import Any

from watchword._kernel import VerifiedToken
from watchword.cli import terminal
from watchword.cli.terminal import coloured, count, shown
from watchword.cli.times import relative, span
from watchword.errors import ErrorCode, VerificationError

#: A token's number, its verdict, and what can be done about it.
Judged = tuple[int, VerifiedToken | VerificationError, "str | None"]

_HEADINGS = ("subject", "issuer", "expires", "key", "alg")
_SECONDS = re.compile(r"\b([0-9]+(?:\.[0-9]+)?) s\b")
_VERDICT = len("rejected")


class JsonLines:
    """One JSON object a line, in ASCII: safe for every terminal and every pipe."""

    def block(self, judged: Sequence[Judged], _now: float) -> str:
        """The lines of some tokens."""
        return "".join(dump(_as_object(*one)) + "\n" for one in judged)


class VerdictTable:
    """A table that is printed as it comes, so its columns are as wide as the first tokens need them."""

    def __init__(self) -> None:
        self._sizes: list[int] | None = None
        self._digits = 1

    def block(self, judged: Sequence[Judged], now: float) -> str:
        """The rows of some tokens, as of ``now``; the headings first, once."""
        cells = {number: _cells(verdict, now) for number, verdict, _ in judged if isinstance(verdict, VerifiedToken)}
        self._digits = max(self._digits, len(str(judged[-1][0])))
        lines = []
        if cells and self._sizes is None:
            limit = terminal.width()
            left = None if limit is None else limit - self._digits - _VERDICT - 4
            self._sizes = terminal.widths([_HEADINGS, *cells.values()], left)
            heading = self._lead("#", "verdict") + terminal.line(_HEADINGS, self._sizes)
            lines.append(coloured(heading, "dim"))
        for number, verdict, _ in judged:
            if isinstance(verdict, VerifiedToken):
                lines.append(self._valid_row(number, cells[number], self._sizes or []))
            else:
                lines.append(self._rejected_row(number, verdict))
        return "\n".join(lines) + "\n"

    def _valid_row(self, number: int, cells: Sequence[str], sizes: list[int]) -> str:
        if terminal.width() is None:
            # Later tokens may have more to say than the first ones: cut on a terminal, in full elsewhere.
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
        self._codes: collections.Counter[ErrorCode] = collections.Counter()
        self._hints: dict[str, None] = {}

    def add(self, judged: Sequence[Judged]) -> None:
        """Counts some more."""
        for _, verdict, hint in judged:
            if isinstance(verdict, VerifiedToken):
                self.valid += 1
            else:
                self._codes[verdict.code] += 1
            if hint is not None:
                self._hints[hint] = None

    @property
    def total(self) -> int:
        """How many there were."""
        return self.valid + self._codes.total()

    @property
    def all_valid(self) -> bool:
        """Whether there was nothing to object to."""
        return not self._codes

    def summary(self, not_checked: Sequence[str]) -> str:
        """The sentence at the end, what was not checked, and what can be done."""
        if self.all_valid:
            verdict = coloured("valid" if self.total == 1 else "all valid", "green")
            lines = ["", f"{count(self.total, 'token')}: {verdict}."]
        else:
            reasons = ", ".join(
                f"{number:,} {code.value.replace('_', ' ')}" for code, number in self._codes.most_common()
            )
            rejected = f"{self._codes.total():,} rejected"
            sentence = terminal.wrapped(f"{count(self.total, 'token')}: {self.valid:,} valid, {rejected} ({reasons}).")
            lines = ["", sentence.replace(rejected, coloured(rejected, "red"), 1)]
        if self.valid and not_checked:
            lines.append(terminal.wrapped(f"Not checked: {'; '.join(not_checked)}."))
        lines += [terminal.wrapped(hint, first="Hint: ", rest="      ") for hint in self._hints]
        return "\n".join(lines)


def dump(value: object) -> str:
    """JSON in ASCII, and DEL escaped too."""
    return json.dumps(value, allow_nan=False).replace("\x7f", "\\u007f")


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
        "code": verdict.code.value,
        "detail": verdict.detail,
        "token_hash": verdict.token_hash,
    }
    if verdict.token_claims is not None:
        # The signature is valid: it is the issuer who says whose token it was.
        answer["subject"] = verdict.token_claims.get("sub")
    return answer if hint is None else {**answer, "hint": hint}


def _reason(error: VerificationError) -> str:
    """The code and the detail, without saying things twice or in thousands of seconds."""
    detail = error.detail
    if error.code in (ErrorCode.EXPIRED, ErrorCode.NOT_YET_VALID, ErrorCode.ISSUED_IN_FUTURE):
        detail = _SECONDS.sub(lambda found: span(float(found[1])), detail)
    elif error.code in (ErrorCode.MALFORMED_CLAIMS, ErrorCode.MALFORMED_HEADER):
        detail = detail.partition("malformed: ")[2] or detail
    return f"{error.code.value.replace('_', ' ')}: {shown(detail)}"


def _cells(token: VerifiedToken, now: float) -> tuple[str, ...]:
    expires = token.expires_at
    return (
        shown(token.subject or "-"),
        shown(token.issuer or "-"),
        "never" if expires is None or math.isinf(expires) else relative(expires, now),
        shown(token.key_id or "-"),
        token.algorithm,
    )
