"""Pages of reports, and how tests read them."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from pathlib import Path

from audit_directory import NOON, row

from watchword import ErrorCode
from watchword.audit.report import write_report


def report(directory: Path) -> str:
    """Return the page about an output directory."""
    output = directory.with_name(f"{directory.name}.html")
    write_report(directory, output)
    assert sorted(path.name for path in output.parent.glob(".*")) == []
    return output.read_text("utf-8")


def tree(page: str) -> ET.Element:
    """Return the page as a tree: it is well-formed XML too, which is stricter than HTML."""
    doctype, _, document = page.partition("\n")
    assert doctype == "<!DOCTYPE html>"
    return ET.fromstring(document)


def text(element: ET.Element) -> str:
    """Return the text of an element, with single spaces."""
    return " ".join("".join(element.itertext()).split())


def section(page: str, identifier: str) -> ET.Element:
    """Return one section of the page."""
    (found,) = (one for one in tree(page).iter("section") if one.get("id") == identifier)
    return found


def cells(element: ET.Element, caption: str) -> list[list[str]]:
    """Return the rows of the table with a caption, the headings first."""
    (table,) = (one for one in element.iter("table") if text(one.find("caption")) == caption)
    return [[text(cell) for cell in line] for line in table.iter("tr")]


def mixed() -> list[dict[str, object]]:
    """Return rows of three issuers with every code, on four days."""
    rows = []
    for number in range(400):
        code = list(ErrorCode)[number // 4 % len(ErrorCode)] if number % 4 == 0 else None
        known = number % 3 != 0
        rows.append(
            row(
                number + 1,
                None if code is None else str(code),
                time=NOON + number * 700,
                issuer=f"https://as-{number % 3}.example" if code is None or known else None,
                seconds_past_expiry=float(number) if code == "expired" else None,
            )
        )
    return rows
