"""Plots as inline SVG. Shapes stretch with the page, text keeps its size: positions across are percentages."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from watchword.audit.report.timeline import Bar, Timeline
from watchword.html.markup import Child, Html, element
from watchword.html.words import short

#: Shapes within a plot are drawn on this many units from bottom to top.
_UNITS = 1000

#: From as few bars as this, there is a gap between them.
_GAPS_UP_TO = 130


def columns(axis: Timeline, layers: Sequence[tuple[str, Callable[[Bar], int]]], height: int) -> Html:
    """Return stacked columns over time, with both axes; each layer is a class and its rows, from the bottom."""
    tops = [[0] * len(axis.bars)]
    for _, rows in layers:
        tops.append([below + rows(bar) for below, bar in zip(tops[-1], axis.bars, strict=True)])
    limit, step = _scale(max(tops[-1]))
    shapes = [
        element("path", d=_path(axis, lower, upper, limit), class_=class_)
        for (class_, _), lower, upper in zip(layers, tops, tops[1:], strict=False)
    ]
    ticks = [(number, 8 + (height - 8) * (1 - number / limit)) for number in range(0, limit + 1, step)]
    scale = element(
        "svg", [element("text", short(number), x=50, y=f"{y + 4:.1f}", text_anchor="end") for number, y in ticks],
        class_="scale", width=54, height=height + 40,
    )  # fmt: skip
    plot = element(
        "svg",
        [element("line", x1="0", x2="100%", y1=f"{y:.1f}", y2=f"{y:.1f}", class_="grid") for _, y in ticks],
        _stretched(axis, shapes, y=8, height=height - 8),
        _labels(axis, height),
        width="100%", height=height + 40,
    )  # fmt: skip
    return element("div", scale, plot, class_="columns")


def sparkline(axis: Timeline, class_: str, rows: Callable[[Bar], int], height: int = 36) -> Html:
    """Return columns over time without axes, on a scale of their own."""
    tops = [rows(bar) for bar in axis.bars]
    shape = element("path", d=_path(axis, [0] * len(tops), tops, max(*tops, 1)), class_=class_)
    base = element("line", x1="0", x2="100%", y1=height - 0.5, y2=height - 0.5, class_="grid")
    return element("svg", base, _stretched(axis, [shape], y=0, height=height), width="100%", height=height)


def time_axis(axis: Timeline) -> Html:
    """Return the labels of a time axis alone."""
    return element("svg", _labels(axis, 0), width="100%", height=36)


def spans(marks: Iterable[tuple[str, float, float, int, int]], height: int = 16) -> Html:
    """Return bars from one share of the axis to another: class, from, to, and the place from the top and height."""
    return element(
        "svg",
        [
            element(
                "rect", x=f"{100 * start:.2f}%", width=f"{max(100 * (end - start), 0.25):.2f}%", y=y, height=tall,
                class_=class_,
            )
            for class_, start, end, y, tall in marks
        ],
        width="100%", height=height,
    )  # fmt: skip


def rows_of_bars(rows: Iterable[tuple[Child, Sequence[tuple[str, int]], Child]], limit: int) -> Html:
    """Return one bar a row, of stacked parts: label, class and number of each part, and what stands behind it."""
    written = []
    for label, bars, behind in rows:
        marks, start = [], 0
        for class_, number in bars:
            if number:
                marks.append((class_, start / max(limit, 1), (start + number) / max(limit, 1), 1, 14))
            start += number
        written += [
            element("span", label, class_="label"), spans(marks), element("span", behind, class_="behind"),
        ]  # fmt: skip
    return element("div", written, class_="bars")


def _stretched(axis: Timeline, shapes: Iterable[Html], *, y: int, height: int) -> Html:
    box = f"0 0 {axis.end - axis.start} {_UNITS}"
    return element(
        "svg", shapes, viewBox=box, preserveAspectRatio="none", x="0", y=y, width="100%", height=height
    )  # fmt: skip


def _path(axis: Timeline, lower: Sequence[int], upper: Sequence[int], limit: int) -> str:
    fill = 0.82 if len(axis.bars) <= _GAPS_UP_TO else 1
    steps = []
    for bar, low, high in zip(axis.bars, lower, upper, strict=True):
        if high == low:
            continue
        top = _UNITS - round(_UNITS * high / limit)
        # Few rows among very many are still seen.
        tall = max(round(_UNITS * (high - low) / limit), 6 if low == 0 else 1)
        top = min(top, _UNITS - tall) if low == 0 else top
        left, wide = bar.start - axis.start + bar.days * (1 - fill) / 2, bar.days * fill
        steps.append(f"M{left:g} {top}h{wide:g}v{tall}h{-wide:g}z")
    return "".join(steps) or "M0 0"


def _labels(axis: Timeline, top: int) -> list[Html]:
    written = []
    for position, label, year in axis.labels():
        x = f"{100 * position:.2f}%"
        written += [
            element("line", x1=x, x2=x, y1=top, y2=top + 6, class_="tick"),
            element("text", label, x=x, dx=2, y=top + 17),
        ]
        if year:
            written.append(element("text", year, x=x, dx=2, y=top + 31))
    return written


def _scale(most: int) -> tuple[int, int]:
    """Return the end of a scale and the step of its labels: 1, 2 or 5 times a power of ten, in two to five steps."""
    step = 1
    while most > 5 * step:
        step = step * 5 // 2 if str(step)[0] == "2" else step * 2
    return max(-(-most // step) * step, 1), step


__all__ = ["columns", "rows_of_bars", "spans", "sparkline", "time_axis"]
