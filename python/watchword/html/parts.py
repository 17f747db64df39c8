"""The building blocks of the page: sections, tables, plots with the table behind them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from watchword.html.markup import Child, Html, element, joined
from watchword.html.words import DAY, date, time_of_day

#: Columns of numbers, which are aligned to the right, have this mark after their heading.
NUMBER = "#"

#: With more columns than this, headings are written from top to bottom.
MANY_COLUMNS = 9


def section(identifier: str, heading: str, *children: Child) -> Html:
    """Return a section of the page, which the contents link to."""
    return element(
        "section", element("h2", heading, id=f"{identifier}-heading"), *children,
        id=identifier, aria_labelledby=f"{identifier}-heading",
    )  # fmt: skip


def paragraph(*children: Child, class_: str | None = None) -> Html:
    """Return a paragraph."""
    return element("p", *children, class_=class_)


def table(caption: str, headings: Sequence[str], rows: Iterable[Sequence[Child]], *, hidden: bool = False) -> Html:
    """Return a table whose first column names the rows, in a box that scrolls on narrow screens.

    A heading that ends in ``NUMBER`` makes a column of numbers. The caption of a ``hidden`` one is for screen readers
    only.
    """
    classes = ["number" if heading.endswith(NUMBER) else None for heading in headings]
    head = element(
        "tr",
        [
            element("th", heading.removesuffix(NUMBER), scope="col", class_=class_)
            for heading, class_ in zip(headings, classes, strict=True)
        ],
    )
    body = [
        element(
            "tr",
            [
                cell
                if isinstance(cell, Html) and cell.startswith(("<td", "<th"))
                else element("td" if index else "th", cell, scope=None if index else "row", class_=class_)
                for index, (cell, class_) in enumerate(zip(row, classes, strict=True))
            ],
        )
        for row in rows
    ]
    wide = "wide" if len(headings) > MANY_COLUMNS else None
    shown = None if hidden else element("p", caption, class_="caption", aria_hidden="true")
    return joined(
        [shown, scrolling(caption, element("thead", head), element("tbody", joined(body, "\n")), class_=wide)]
    )


def scrolling(caption: str, *groups: Html, class_: str | None = None) -> Html:
    """Return a table, with its caption for screen readers, in a box that scrolls and can be reached by keyboard."""
    written = element("table", element("caption", caption, class_="hidden"), *groups, class_=class_)
    return element(
        "div", written, class_="scroll", role="region", aria_label=f"{caption} (scrolling table)", tabindex="0"
    )


def figure(identifier: str, title: str, description: Child, plot: Html, data: Html | None) -> Html:
    """Return a plot with its title, a description in words, and its data as a table that opens."""
    return element(
        "figure",
        element(
            "figcaption",
            element("h3", title, id=f"{identifier}-title"),
            element("p", description, id=f"{identifier}-description"),
        ),
        element(
            "div", plot, class_="plot", role="img",
            aria_labelledby=f"{identifier}-title", aria_describedby=f"{identifier}-description",
        ),
        None if data is None else details("The data as a table", data),
    )  # fmt: skip


def details(summary: str, *children: Child) -> Html:
    """Return what opens on request, and is open on paper."""
    return element("details", element("summary", summary), *children)


def code(text: str) -> Html:
    """Return a name of ours in the typeface of code."""
    return element("code", text)


def day(number: int) -> Html:
    """Return a day, counted from 1970-01-01, which does not break at the end of a line."""
    return element("time", date(number))


def moment(at: int | None) -> Html:
    """Return microseconds since 1970 in UTC, to the second, which do not break either; a dash for none."""
    if at is None:
        return element("span", "–", class_="none")
    return element("time", f"{date(at // DAY)} {time_of_day(at)}")


def moments(first: int | None, last: int | None) -> Html:
    """Return two times, as ``moment`` does, one below the other."""
    return joined([moment(first), element("br"), moment(last)])


def legend(entries: Iterable[tuple[str, Child]]) -> Html:
    """Return what the marks of a plot mean: the class of each mark, which the style sheet shapes, and its meaning."""
    return element(
        "ul",
        [
            element(
                "li",
                element("svg", element("rect", x=1, y=1, width=20, height=12, class_=mark), width=22, height=14),
                " ",
                element("span", meaning),
            )
            for mark, meaning in entries
        ],
        class_="legend", aria_hidden="true",
    )  # fmt: skip


__all__ = [
    "NUMBER",
    "code",
    "day",
    "details",
    "figure",
    "legend",
    "moment",
    "moments",
    "paragraph",
    "scrolling",
    "section",
    "table",
]
