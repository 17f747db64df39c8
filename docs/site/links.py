"""Links inside the built site: every page, file and anchor that one refers to must exist.

Links to other hosts are not fetched.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

#: Pages of rustdoc are checked by rustdoc (``-D warnings``); they are only targets here.
_RUST = "rust"


class _Page(HTMLParser):
    def __init__(self, text: str) -> None:
        super().__init__()
        self.anchors: set[str] = {"", "top"}
        self.links: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if name == "id" or (name == "name" and tag == "a"):
                self.anchors.add(value or "")
            elif name in {"href", "src"} and value:
                self.links.append(value)


@functools.cache
def _read(path: Path) -> _Page:
    return _Page(path.read_text(encoding="utf-8"))


def broken(site: Path) -> list[str]:
    """Return a line for every link whose target does not exist."""
    return [
        f"{page.relative_to(site)}: {link}"
        for page in _pages(site)
        for link in dict.fromkeys(_read(page).links)
        if not _exists(page, link)
    ]


def count(site: Path) -> int:
    """Return the number of pages whose links are checked."""
    return sum(1 for _ in _pages(site))


def _pages(site: Path) -> Iterator[Path]:
    return (page for page in sorted(site.rglob("*.html")) if page.relative_to(site).parts[0] != _RUST)


def _exists(page: Path, link: str) -> bool:
    parts = urlsplit(link)
    if parts.scheme or parts.netloc:
        return True
    target = (page.parent / unquote(parts.path)).resolve() if parts.path else page
    if not target.is_file():
        return False
    return target.suffix != ".html" or not parts.fragment or unquote(parts.fragment) in _read(target).anchors
