"""The page of a report: harmless whatever tokens contain, and readable by everybody, without scripts or network."""

from __future__ import annotations

import base64
import hashlib
import re
from html.parser import HTMLParser
from itertools import pairwise

import pyarrow as pa
import pytest
from audit_directory import NOON, SCHEMA, hash_of, row, write_audit
from report_page import mixed, report, section, text, tree


def test_equal_audits_give_equal_pages(tmp_path):
    pages = [report(write_audit(tmp_path / name, [mixed()], signed=True)) for name in ("first", "second")]
    assert pages[0] == pages[1]


HOSTILE = [
    "<script>alert(1)</script>",
    "\"><img src=x onerror='alert(1)'>",
    "</style></title></svg><h1>owned",
    "\u202egpj.exe\u2066\u200f",
    "nul\x00esc\x1b[31m\r\n\x7f\x85",
    "x" * 10_240,
    "a" + "\u0301" * 60,
    "&lt;&amp;&#0;",
    "]]>--><!--",
    "\ufeff\ufffe\U000e0041",
    "javascript:alert(1)",
    "",
]


@pytest.mark.parametrize("form", ["parquet", "ndjson"])
def test_text_of_tokens_and_files_is_shown_and_nothing_else(tmp_path, form):
    rows = [
        row(
            number, "wrong_audience", subject=hostile, client_id=hostile, issuer=hostile, key_id=hostile, file=hostile,
            key_state="listed", actors=[hostile], token_hash=(hostile * 50)[:43] if number % 2 else hash_of("same"),
        )
        for number, hostile in enumerate(HOSTILE)
    ]  # fmt: skip
    rows += [row(90 + number, f"<b>{number}", key_state=HOSTILE[1]) for number in range(2)]
    use = {"file": HOSTILE[0], "row": 1, "time": HOSTILE[2]}
    page = report(
        write_audit(
            tmp_path / "out", [rows], form=form,
            unreadable=[{"file": hostile, "row": 1, "reason": hostile} for hostile in HOSTILE],
            replays=[{"proof_hash": HOSTILE[0], "first": use, **use}],
            inputs=[{"path": HOSTILE[2], "bytes": 1, "sha256": HOSTILE[0], "rows": 1}],
            policy={HOSTILE[0]: HOSTILE},
            keys={"kind": HOSTILE[0], "sha256": HOSTILE[1], "head": {"seq": HOSTILE[2], "sha256": []}},
            watchword=HOSTILE[0],
        )
    )  # fmt: skip
    elements = {one.tag for one in tree(page).iter()}
    assert not elements & {"script", "img", "b", "iframe", "object", "link", "base", "form"}
    assert len(list(tree(page).iter("h1"))) == len(list(tree(page).iter("style"))) == 1
    assert not [name for one in tree(page).iter() for name in one.attrib if name.startswith("on") or name == "style"]
    # Nothing on the page steers its display or is invisible; the escapes are seen.
    assert [
        character for character in page if not character.isprintable() and character not in "\n\N{NO-BREAK SPACE}"
    ] == []
    assert {r"\u202e", r"\x00", r"\x1b", r"\u2066", r"\ufeff", r"\U000e0041"} <= {
        text(one) for one in tree(page).iter("span") if one.get("class") == "escape"
    }
    assert "<script>alert(1)</script>" in text(section(page, "examples"))
    assert "x" * 201 not in page.partition('id="digests"')[0]
    assert "… (10,240 characters)" in page
    assert page.count("\u0301") <= 2 * page.count("a\u0301")


def test_invalid_utf8_in_a_part_is_replaced(tmp_path):
    rows = [row(1, "expired", subject="name")]
    table = pa.table(
        {name: [one[name] for one in rows] for name in SCHEMA.names if name != "time"} | {"time": [NOON * 10**6]}
    )
    table = table.select(SCHEMA.names).cast(SCHEMA)
    broken = pa.Array.from_buffers(
        pa.string(), 1, [None, pa.py_buffer(b"\0\0\0\0\4\0\0\0"), pa.py_buffer(b"n\xff\xfee")]
    )
    table = table.set_column(table.schema.get_field_index("subject"), "subject", broken)
    assert "n\ufffd\ufffde" in report(write_audit(tmp_path / "out", [table]))


def test_nothing_comes_from_elsewhere_and_nothing_runs(tmp_path):
    page = report(write_audit(tmp_path / "out", [mixed()], signed=True))
    assert not re.search(r"(?i)\b(src|srcset|xlink:href|action|ping|poster)\s*=", page)
    assert set(re.findall(r'href="(.)', page)) == {"#"}
    style = tree(page).find("head/style").text
    assert not re.search(r"(?i)url\(|@import|@font-face|expression|image-set", style)
    (policy,) = (one.get("content") for one in tree(page).iter("meta") if one.get("http-equiv"))
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert policy == f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"


def test_the_page_can_be_read_aloud(tmp_path):
    page = report(
        write_audit(tmp_path / "out", [mixed()], replays=[], unreadable=[{"file": "a", "row": 1, "reason": "b"}])
    )
    root = tree(page)
    assert root.get("lang") == "en-GB"
    assert text(root.find("head/title")) == text(next(root.iter("h1")))
    identifiers = [one.get("id") for one in root.iter() if one.get("id")]
    assert len(identifiers) == len(set(identifiers))
    for one in root.iter():
        for name in ("aria-labelledby", "aria-describedby"):
            assert one.get(name) is None or one.get(name) in identifiers
    links = [one.get("href") for one in root.iter("a")]
    assert links == [f"#{one.get('id')}" for one in root.find("body/main")]
    levels = [int(one.tag[1]) for one in root.iter() if re.fullmatch("h[1-6]", one.tag)]
    assert levels[0] == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))
    figures = list(root.iter("figure"))
    assert len(figures) == 5
    for figure in figures:
        (plot,) = (one for one in figure.iter("div") if one.get("role") == "img")
        assert plot.get("aria-labelledby")
        assert plot.get("aria-describedby")
    assert sum(figure.find("details") is not None for figure in figures) == 4
    for table in root.iter("table"):
        assert text(table.find("caption"))
        heads = list(table.find("thead/tr"))
        assert all(head.get("scope") == "col" for head in heads)
        for line in table.iterfind("tbody/tr"):
            assert len(line) == len(heads)
            assert line[0].get("scope") == "row"
    described = [svg for one in root.iter("div") if one.get("role") == "img" for svg in one.iter("svg")]
    assert len(described) == len(list(root.iter("svg")))


def test_html_parsers_see_the_same_elements(tmp_path):
    class Tags(HTMLParser):
        def __init__(self):
            super().__init__()
            self.seen = []

        def handle_starttag(self, tag, attrs):
            self.seen.append(tag)

        def handle_startendtag(self, tag, attrs):
            assert tag in {"meta", "br", "col"}, f"HTML ignores that <{tag} /> is empty"
            self.seen.append(tag)

    page = report(write_audit(tmp_path / "out", [mixed()]))
    parser = Tags()
    parser.feed(page)
    parser.close()
    assert parser.seen == [one.tag.lower() for one in tree(page).iter()]


def contrast(first: str, second: str) -> float:
    """Return the contrast of two colours, by WCAG 2.2."""

    def luminance(colour):
        parts = [int(colour[index : index + 2], 16) / 255 for index in (1, 3, 5)]
        red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    light, dark = sorted((luminance(first), luminance(second)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def test_colours_have_enough_contrast_in_all_schemes(tmp_path):
    style = tree(report(write_audit(tmp_path / "out", [[row(1)]]))).find("head/style").text
    schemes = {"": {}, "(prefers-color-scheme: dark)": {}, "print": {}}
    for condition, block in re.findall(r"(?:@media ([^{]*?) \{\s+(?:@page [^}]*\}\s+)?)?:root \{(.*?)\}", style, re.S):
        schemes[condition].update(re.findall(r"--([\w-]+): (#\w{6})", block))
    assert set(map(frozenset, schemes.values())) == {frozenset(schemes[""])}
    for colours in schemes.values():
        for name in ("text", "muted", "link", "warning"):
            assert contrast(colours[name], colours["ground"]) >= 4.5
        for name in ("raised", "heat-1", "heat-2", "heat-3", "heat-4", "heat-5"):
            assert contrast(colours["text"], colours[name]) >= 4.5
        for name in ("valid", "rejected", "lifetime"):
            assert contrast(colours[name], colours["ground"]) >= 3


def test_everything_is_on_paper(tmp_path):
    style = tree(report(write_audit(tmp_path / "out", [[row(1)]]))).find("head/style").text
    paper = style[style.index("@media print") :]
    assert "size: A4" in paper
    assert re.search(r"details::details-content \{[^}]*content-visibility: visible", paper)
    assert re.search(r"\.scroll[^{]*\{[^}]*overflow: visible", paper)
