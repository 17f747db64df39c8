"""The rules for paths, in Python: the normal form (RFC 3986 section 6.2.2), what is ambiguous, and templates.

A model for tests, written from the documented rules and sharing no code with the gate.
"""

from __future__ import annotations

import re
from urllib.parse import parse_qsl, unquote_to_bytes, urlsplit

MAX_PATH = 8192

_UNRESERVED = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")

# pchar of RFC 3986 section 3.3 without the semicolon, which some parsers take for the end of a segment.
_PATH = re.compile(rb"/(?:[A-Za-z0-9\-._~!$&'()*+,=:@/]|%[0-9A-Fa-f]{2})*")

# Encoded, these are read in two ways: delimiters, the percent sign, dots, control characters.
_AMBIGUOUS = frozenset(b"/\\;%.\x7f") | frozenset(range(0x20))


def normal_path(path: bytes) -> str | None:
    """Return the normal form of a path as it was received; ``None`` if two parsers could read it differently."""
    if len(path) > MAX_PATH or not _PATH.fullmatch(path):
        return None
    encoded = {int(digits, 16) for digits in re.findall(rb"%(..)", path)}
    if encoded & _AMBIGUOUS:
        return None
    try:
        unquote_to_bytes(path).decode("utf-8")
    except UnicodeDecodeError:
        return None
    segments = path.split(b"/")[1:]
    if b"" in segments[:-1] or b"." in segments or b".." in segments:
        return None
    return _normal_escapes(path.decode("ascii"))


def has_token(query: bytes) -> bool:
    """Return whether a query has a parameter ``access_token`` (RFC 6750 section 2.3), in any case, for any parser."""
    parameters = [pair for separator in "&;" for pair in parse_qsl(query.decode("latin-1"), True, separator=separator)]
    return any(name.lower() == "access_token" for name, _ in parameters)


def match(template: str, path: str) -> dict[str, str] | None:
    """Return the variables of a normal path, decoded, if it matches the template."""
    pattern = ""
    for literal, variable, rest in re.findall(r"([^{]+)|\{(\w+)(\.\.\.)?\}", template):
        pattern += re.escape(literal) if literal else f"(?P<{variable}>{'[^/].*' if rest else '[^/]+'})"
    found = re.fullmatch(pattern, path, re.DOTALL)
    return (
        None if found is None else {name: unquote_to_bytes(text).decode() for name, text in found.groupdict().items()}
    )


def normal_uri(uri: str) -> str | None:
    """Return a URI without query and fragment in normal form, as ``htu`` is compared (RFC 9449 section 4.3)."""
    try:
        parts = urlsplit(uri)
        port = parts.port
    except ValueError:
        return None
    scheme, host = parts.scheme.lower(), parts.hostname
    if scheme not in ("http", "https") or not host or "@" in parts.netloc:
        return None
    if port is not None and port != {"http": 80, "https": 443}[scheme]:
        host += f":{port}"
    return f"{scheme}://{host}{_without_dots(_normal_escapes(parts.path) or '/')}"


def _normal_escapes(text: str) -> str:
    def escape(found: re.Match[str]) -> str:
        byte = int(found[1], 16)
        return chr(byte) if byte in _UNRESERVED else f"%{byte:02X}"

    return re.sub(r"%([0-9A-Fa-f]{2})", escape, text)


def _without_dots(path: str) -> str:
    """RFC 3986 section 5.2.4."""
    kept: list[str] = []
    segments = path.split("/")[1:]
    for index, segment in enumerate(segments):
        last = index == len(segments) - 1
        if segment == "..":
            if kept:
                kept.pop()
            if last:
                kept.append("")
        elif segment == ".":
            if last:
                kept.append("")
        else:
            kept.append(segment)
    return "/" + "/".join(kept)
