"""What the functions of this package share: merging of settings, and validation of names."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, Literal, TypedDict

from watchword.arguments import as_tuple
from watchword.issuer import Issuer

if TYPE_CHECKING:
    import os

    from watchword import AnyAudience, KeySet
    from watchword.jwks import CacheSettings, KeySource
    from watchword.types import Backend, Prepare

_SOURCES = ("jwks_uri", "jwks", "jwks_file", "pem", "source")

_HOST = re.compile(r"(?!-)[a-z0-9-]+(\.[a-z0-9-]+)+(:[0-9]{1,5})?")
_GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


class Settings(TypedDict, total=False):
    """The settings of :class:`watchword.Issuer` that every function of this package takes by keyword."""

    jwks_uri: str | None
    jwks: Mapping[str, Any] | str | bytes | KeySet | None
    jwks_file: str | os.PathLike[str] | None
    pem: str | bytes | None
    source: KeySource | None
    audience: str | Iterable[str] | AnyAudience | None
    algorithms: Iterable[str] | None
    types: Iterable[str | None] | None
    required: Iterable[str] | None
    leeway: float | None
    bound_tokens: Literal["reject", "accept"] | None
    scope_claims: Iterable[str] | None
    max_token_bytes: int | None
    max_header_bytes: int | None
    allow_loopback_http: bool
    backend: Backend
    prepare: Prepare
    cache_settings: CacheSettings


def configured(issuer: str, given: Mapping[str, Any], *, required: tuple[str, ...], **known: object) -> Issuer:
    """Return the issuer with the settings that its vendor documents, and those that the caller gives.

    Given settings replace documented ones, except for ``required``, which is added: the claims that distinguish access
    tokens from the vendor's other tokens stay required. A given key source replaces the documented one.
    """
    if any(given.get(way) is not None for way in _SOURCES):
        known = {name: value for name, value in known.items() if name not in _SOURCES}
    settings: dict[str, Any] = {**known, **{name: value for name, value in given.items() if value is not None}}
    more = as_tuple("required", given.get("required")) or ()
    settings["required"] = tuple(dict.fromkeys((*required, *more)))
    return Issuer(issuer, **settings)


def host(value: str, *, what: str, example: str) -> str:
    """Return a host name, which may have a port. Raises ``TypeError`` or ``ValueError`` if it is invalid."""
    if not isinstance(value, str):
        raise TypeError(f"{what} must be a string such as {example!r}")
    if _HOST.fullmatch(value) is None:
        raise ValueError(f"{what} must be a host name in lower case, without scheme and path, such as {example!r}")
    return value


def base_url(value: str, *, what: str, example: str) -> str:
    """Return a URL without its final slash. Raises ``TypeError`` or ``ValueError`` if it is invalid."""
    if not isinstance(value, str):
        raise TypeError(f"{what} must be a string such as {example!r}")
    if not value.startswith(("https://", "http://")):
        raise ValueError(f"{what} must be a URL such as {example!r}")
    return value.rstrip("/")


def segment(value: str, *, what: str, example: str) -> str:
    """Return one segment of the path of ``iss``. Raises ``TypeError`` or ``ValueError`` if it is invalid."""
    if not isinstance(value, str):
        raise TypeError(f"{what} must be a string such as {example!r}")
    if re.fullmatch(r"(?!\.+$)[A-Za-z0-9._~-]+", value) is None:
        raise ValueError(f"{what} must be letters, digits, '.', '_', '~' and '-', such as {example!r}")
    return value


def guid(value: str, *, what: str) -> str:
    """Return a GUID in lower case, as in tokens. Raises ``TypeError`` or ``ValueError`` if it is invalid."""
    if not isinstance(value, str):
        raise TypeError(f"{what} must be a string: a GUID")
    if _GUID.fullmatch(value.lower()) is None:
        raise ValueError(
            f"{what} must be a GUID such as '8eaef023-2b34-4da1-9baa-8bc8c9d6a490': tokens identify tenants by it, "
            f"not by a domain name"
        )
    return value.lower()
