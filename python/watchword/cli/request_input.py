"""An HTTP request as people write it down: a method, a URL, and the lines of its headers."""

from __future__ import annotations

import re
from collections.abc import Iterable

from watchword.cli.command_error import CommandError

# A header's name (RFC 9110 section 5.1), after what curl -v puts before it.
_HEADER = re.compile(r"(?:> )?([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*(.*)")
_REQUEST_LINE = re.compile(r"(?:> )?[A-Z]+ \S+ HTTP/\d(\.\d)?")
# Lines of curl -v that are not about the request.
_OF_CURL = ("* ", "< ", "{ ", "} ")
_MOST_LINES = 1000


def parse_headers(text: str) -> list[tuple[str, str]]:
    """Return the headers of a request, in their order, from lines ``Name: value`` up to the first empty one.

    The request line and the marks of ``curl -v`` are skipped. Raises :class:`CommandError`, which does not quote the
    line, if one is none of these.
    """
    headers: list[tuple[str, str]] = []
    for number, line in enumerate(text.splitlines()[:_MOST_LINES], 1):
        stripped = line.strip()
        if stripped in ("", ">"):
            if headers:
                break
            continue
        found = _HEADER.fullmatch(stripped)
        if found is not None:
            headers.append((found[1], found[2]))
        elif not _REQUEST_LINE.fullmatch(stripped) and not line.startswith(_OF_CURL):
            raise CommandError(
                f"line {number} of standard input is not a header. Write each as NAME: VALUE on one line."
            )
    return headers


def split_url(url: str) -> tuple[str | None, str]:
    """Return the host with the port, if there is one, and the target: path and query, as they were written.

    Raises :class:`CommandError` if the URL is neither absolute nor a path.
    """
    target = url.partition("#")[0]
    if target.startswith("/"):
        return None, target
    absolute = re.fullmatch(r"(?i)https?://([^/?]+)(.*)", target)
    if absolute is None:
        raise CommandError(f"{url!r} is not a URL. Give an absolute one, or a path that begins with a slash.")
    authority, rest = absolute[1], absolute[2]
    return authority.rpartition("@")[2], rest if rest.startswith("/") else f"/{rest}"


def has_header(headers: Iterable[tuple[str, str]], name: str) -> bool:
    """Return whether there is a header of this name."""
    return any(one.lower() == name.lower() for one, _ in headers)
