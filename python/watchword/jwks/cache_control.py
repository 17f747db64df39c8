"""The lifetime of an HTTP response (RFC 9111), within the operator's bounds."""

from __future__ import annotations

from collections.abc import Mapping

from watchword.jwks.settings import CacheSettings


def lifetime(headers: Mapping[str, str], settings: CacheSettings) -> float:
    """Return the seconds for which a response with these headers (names in lower case) is fresh.

    That is ``max-age`` less ``Age``, between ``min_ttl`` and ``max_ttl``; ``min_ttl`` for ``no-store``, ``no-cache``
    and an invalid ``max-age`` (RFC 9111 section 4.2.1 calls such a response stale); ``ttl`` without these directives.
    ``Expires``, ``s-maxage`` and ``stale-if-error`` are ignored: the operator's settings are the policy.
    """
    ages: list[int | None] = []
    for directive in headers.get("cache-control", "").split(","):
        name, _, value = directive.strip().partition("=")
        match name.strip().lower():
            case "no-store" | "no-cache":
                return settings.min_ttl
            case "max-age":
                ages.append(_delta_seconds(value))
    if not ages:
        return settings.ttl
    known = [age for age in ages if age is not None]
    if len(known) < len(ages):
        return settings.min_ttl
    left = min(known) - (_delta_seconds(headers.get("age", "0")) or 0)
    return float(min(max(left, settings.min_ttl), settings.max_ttl))


def _delta_seconds(text: str) -> int | None:
    text = text.strip().strip('"')
    if not (text.isascii() and text.isdigit()):
        return None
    # More digits than any bound has; int() of very many digits would raise.
    return int(text[:12])
