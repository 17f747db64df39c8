"""The page as a whole: without scripts, and without anything from elsewhere."""

from __future__ import annotations

from collections.abc import Callable
from importlib import resources

from watchword.audit.report.audit import Audit
from watchword.audit.report.digests import digests
from watchword.audit.report.distributions import depth, lateness
from watchword.audit.report.evidence import examples, replays, tokens, unreadable
from watchword.audit.report.key_use import keys
from watchword.audit.report.summary import summary
from watchword.audit.report.verdicts import issuers, verdicts
from watchword.html.document import document
from watchword.html.markup import element, joined
from watchword.html.parts import day
from watchword.html.words import DAY, date

_SECTIONS = (
    ("summary", "Summary", summary),
    ("verdicts", "Verdicts per day", verdicts),
    ("issuers", "Codes by issuer", issuers),
    ("keys", "Keys", keys),
    ("lateness", "Lateness of expired uses", lateness),
    ("depth", "Depth of delegation", depth),
    ("tokens", "Tokens used most", tokens),
    ("replays", "Replays", replays),
    ("examples", "Examples of each code", examples),
    ("unreadable", "Unreadable rows", unreadable),
    ("digests", "Files and digests", digests),
)


def page(audit: Audit) -> str:
    """Return the page; equal for equal audits, to the byte."""
    style = resources.files(__package__).joinpath("style.css").read_text("utf-8")
    return document(
        _title(audit, date),
        style,
        element("header", element("h1", _title(audit, day))),
        element("nav", element("ul", [
            element("li", element("a", name, href=f"#{identifier}")) for identifier, name, _ in _SECTIONS
        ]), aria_label="Contents"),
        element("main", joined([write(audit) for _, _, write in _SECTIONS], "\n")),
    )  # fmt: skip


def _title(audit: Audit, written: Callable[[int], str]) -> list[str]:
    """Return the title with the first and the last day, each as ``written`` writes it."""
    first, last = audit.totals.span.first, audit.totals.span.last
    if first is None or last is None:
        return ["Audit of tokens"]
    if first // DAY == last // DAY:
        return ["Audit of tokens, ", written(first // DAY)]
    return ["Audit of tokens, ", written(first // DAY), " to ", written(last // DAY)]


__all__ = ["page"]
