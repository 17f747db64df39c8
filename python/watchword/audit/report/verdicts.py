"""Verdicts per day, and codes by issuer."""

from __future__ import annotations

import math
from collections import Counter

from watchword.audit.report.audit import Audit
from watchword.audit.report.codes import MEANINGS, in_order
from watchword.audit.report.plots import columns, sparkline, time_axis
from watchword.audit.report.timeline import Bar, Timeline
from watchword.audit.report.totals import VALID
from watchword.html.markup import Child, Html, element, untrusted
from watchword.html.parts import (
    NUMBER,
    code,
    day,
    details,
    figure,
    legend,
    paragraph,
    scrolling,
    section,
    table,
)
from watchword.html.words import count, share

#: Codes that have a column in the table of days, the most frequent ones: as many as fit on paper.
DAILY_CODES = 16

#: Issuers that have a column of their own, and lines of the complete list.
COLUMNS = 6
LISTED = 500


def verdicts(audit: Audit) -> Html:
    """Return the section on verdicts over time."""
    totals, axis = audit.totals, audit.axis
    if axis is None:
        return section("verdicts", "Verdicts per day", paragraph("No row has a time of use."))
    codes = in_order(totals.codes())
    most = max(axis.bars, key=lambda bar: (bar.verdicts.total(), -bar.start))
    on = "on" if axis.unit == "day" else f"in the {axis.unit} from"
    description: list[Child] = [
        f"Uses of tokens per {axis.unit}, in UTC. Most {on} ", day(most.start), f": {most.verdicts.total():,}."
    ]  # fmt: skip
    worst = max(axis.bars, key=lambda bar: (_rejected(bar), -bar.start))
    if _rejected(worst):
        found = f": {_rejected(worst):,} of {worst.verdicts.total():,}."
        description += [f" Most rejections {on} ", day(worst.start), found]
    plot = element(
        "div",
        legend([("rejected", "not valid (lower part)"), ("valid", "valid (upper part)")]),
        columns(axis, [("rejected", _rejected), ("valid", lambda bar: bar.verdicts[VALID])], 210),
    )
    outside: list[Child] = [
        [
            f"{count(rows, 'use')} {where} ",
            day(edge),
            f" {'is' if rows == 1 else 'are'} outside the plots of this page.",
        ]
        for rows, where, edge in ((axis.before, "before", axis.start), (axis.after, "from", axis.end))
        if rows
    ]
    if totals.without_time:
        outside.append(f"{count(totals.without_time, 'row')} without a valid time of use: not in the plots.")
    return section(
        "verdicts", "Verdicts per day",
        figure("daily", f"Valid and not valid, per {axis.unit}", description, plot, _daily(audit, axis, codes)),
        _by_code(audit, axis, codes) if codes else None,
        [paragraph(sentence, class_="note") for sentence in outside],
    )  # fmt: skip


def _rejected(bar: Bar) -> int:
    return bar.verdicts.total() - bar.verdicts[VALID]


def _daily(audit: Audit, axis: Timeline, codes: list[str]) -> Html:
    commonest = sorted(codes, key=lambda name: (-audit.totals.verdicts[name], name))[:DAILY_CODES]
    shown = [name for name in codes if name in commonest]
    rest = [name for name in codes if name not in commonest]
    headings = [f"{axis.unit.capitalize()} (UTC)", "Uses", "Valid", *shown, *(["other codes"] if rest else [])]
    return table(
        f"Verdicts per {axis.unit}",
        [heading + NUMBER if index else heading for index, heading in enumerate(headings)],
        [
            [
                day(bar.start),
                f"{bar.verdicts.total():,}",
                f"{bar.verdicts[VALID]:,}",
                *(f"{bar.verdicts[name]:,}" for name in shown),
                *([f"{sum(bar.verdicts[name] for name in rest):,}"] if rest else []),
            ]
            for bar in axis.bars
        ],
    )


def _by_code(audit: Audit, axis: Timeline, codes: list[str]) -> Html:
    rows: list[Child] = []
    on = "on" if axis.unit == "day" else f"in the {axis.unit} from"
    for name in codes:
        peak = max(axis.bars, key=lambda bar: (bar.verdicts[name], -bar.start))
        most = peak.verdicts[name]
        where: list[Child] = [f"most {most:,} {on} ", day(peak.start)] if most else ["none has a place in the plot"]
        total = f"{audit.totals.verdicts[name]:,}; "
        rows += [
            element("span", code(name), element("small", total, where), class_="label"),
            sparkline(axis, "rejected", lambda bar, name=name: bar.verdicts[name]),  # type: ignore[misc]
        ]
    rows += [element("span"), time_axis(axis)]
    description = (
        f"Each code per {axis.unit}, each on a scale of its own: compare shapes across rows, not heights. "
        "The numbers are in the table above."
    )
    return figure("codes", "Not valid, by code", description, element("div", rows, class_="multiples"), None)


def issuers(audit: Audit) -> Html:
    """Return the section on codes by issuer."""
    totals = audit.totals
    if not totals.rows:
        return section("issuers", "Codes by issuer", paragraph("There are no rows."))
    named = sorted((name for name in totals.issuers if name is not None), key=lambda name: (
        -totals.issuers[name].total(), name,
    ))  # fmt: skip
    shown: list[tuple[Child, Counter[str]]] = [(untrusted(name, 120), totals.issuers[name]) for name in named[:COLUMNS]]
    if len(named) > COLUMNS:
        others = sum((totals.issuers[name] for name in named[COLUMNS:]), Counter())
        shown.append((f"{len(named) - COLUMNS:,} others", others))
    if None in totals.issuers:
        shown.append(("not established", totals.issuers[None]))
    most = max((rows[name] for _, rows in shown for name in rows if name != VALID), default=0)
    lines: list[list[Child]] = [
        [code(name), f"{totals.verdicts[name]:,}", *(_cell(rows[name], rows.total(), most) for _, rows in shown)]
        for name in in_order(totals.codes())
    ]
    lines.insert(0, ["valid", f"{totals.valid:,}", *(_cell(rows[VALID], rows.total(), 0) for _, rows in shown)])
    lines.append(["all uses", f"{totals.rows:,}", *(_cell(rows.total(), 0, 0) for _, rows in shown)])
    heat = scrolling(
        "Uses by verdict and issuer, and the share of the issuer's uses",
        element("thead", element("tr", [
            element("th", name, scope="col", class_=None if index == 0 else "number")
            for index, name in enumerate(["Verdict", "All", *(name for name, _ in shown)])
        ])),
        element("tbody", [
            element("tr", element("th", line[0], scope="row"), element("td", line[1], class_="number"), line[2:])
            for line in lines
        ]),
        class_="heat",
    )  # fmt: skip
    return section(
        "issuers", "Codes by issuer",
        paragraph(
            "Uses by verdict and issuer, and their share of all uses of the issuer. The stronger the colour of a cell, "
            "the more rejections it has, on a logarithmic scale. The issuer is established once the signature is "
            "valid: before that, a token can name any."
        ),
        heat,
        _complete(audit, named) if len(named) > COLUMNS else None,
        _meanings(in_order(totals.codes())),
    )  # fmt: skip


def _cell(rows: int, of: int, most: int) -> Html:
    if not rows:
        return element("td", "0", class_="number zero")
    level = 1 + round(4 * math.log1p(rows) / math.log1p(most)) if most else 0
    part = element("small", " ", share(rows, of)) if of else None
    return element("td", f"{rows:,}", part, class_=f"number heat-{level}" if most else "number")


def _complete(audit: Audit, named: list[str]) -> Html:
    lines = [
        (name, verdict, audit.totals.issuers[name][verdict])
        for name in named
        for verdict in (VALID, *in_order(code for code in audit.totals.issuers[name] if code != VALID))
        if audit.totals.issuers[name][verdict]
    ]
    rest = len(lines) - LISTED
    return details(
        "All issuers",
        table("Uses by issuer and verdict", ["Issuer", "Verdict", f"Uses{NUMBER}"], [
            [untrusted(name), verdict, f"{rows:,}"] for name, verdict, rows in lines[:LISTED]
        ]),
        paragraph(f"{count(rest, 'line')} more are not listed.", class_="note") if rest > 0 else None,
    )  # fmt: skip


def _meanings(codes: list[str]) -> Html | None:
    known = [name for name in codes if name in MEANINGS]
    if not known:
        return None
    entries = [(element("dt", code(name)), element("dd", MEANINGS[name])) for name in known]
    return details("What the codes mean", element("dl", entries, class_="meanings"))


__all__ = ["issuers", "verdicts"]
