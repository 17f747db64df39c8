"""HTML from pure functions: whatever is not markup already is escaped, and the result is well-formed XML too."""

from __future__ import annotations

import html
import unicodedata
from collections.abc import Iterable
from typing import TypeAlias

from watchword.printable import escaped

#: The longest text of a token or a file on the page, in characters.
MAX_TEXT = 80

#: More combining characters than this on one letter are escaped: they would cover the lines above and below.
MAX_COMBINING = 2


class Html(str):
    """Text that is markup; only this module makes it, and whoever has a style sheet."""

    __slots__ = ()


Child: TypeAlias = "str | Iterable[Child] | None"

_VOID = frozenset({"meta", "col", "br"})


def element(tag: str, *children: Child, **attributes: object) -> Html:
    """Return an element; children that are not ``Html`` are escaped.

    An attribute's name loses a final underscore, and has hyphens instead of the others; it is left out if its value is
    ``None`` or ``False``.
    """
    written = "".join(
        f' {name.rstrip("_").replace("_", "-")}="{html.escape(name if value is True else str(value))}"'
        for name, value in attributes.items()
        if value is not None and value is not False
    )
    if tag in _VOID:
        return Html(f"<{tag}{written} />")
    return Html(f"<{tag}{written}>{joined(children)}</{tag}>")


def joined(children: Child, separator: str = "") -> Html:
    """Return the markup of all children."""
    if children is None:
        return Html("")
    if isinstance(children, Html):
        return children
    if isinstance(children, str):
        return Html(html.escape(children, quote=False))
    return Html(separator.join(joined(child) for child in children))


def untrusted(text: str | None, limit: int = MAX_TEXT) -> Html:
    """Return text that a token or a file chose, isolated from its surroundings.

    It is cut if it takes more than ``limit`` characters on the page. Control characters, those that change the
    direction of writing and all others that are not printable are shown as escapes; a dash stands for no text.
    """
    if text is None:
        return element("span", "–", class_="none")
    parts: list[str] = []
    combining = 0
    for character in text:
        combining = combining + 1 if unicodedata.combining(character) else 0
        printable = character.isprintable() and combining <= MAX_COMBINING
        limit -= 1 if printable else len(escaped(character))
        if limit < 0:
            parts.append(element("span", f"… ({len(text):,} characters)", class_="cut"))
            break
        parts.append(joined(character) if printable else element("span", escaped(character), class_="escape"))
    if not text:
        parts.append(element("span", "(empty)", class_="cut"))
    return element("bdi", Html("".join(parts)))


__all__ = ["MAX_COMBINING", "MAX_TEXT", "Child", "Html", "element", "joined", "untrusted"]
