"""The settings of a client, checked."""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from watchword.client import check_base_url
from watchword.providers.authpi.errors import ConfigurationError

#: A private-use scheme is a domain name, read backwards (RFC 8252 section 7.1): its URI may have no authority.
_PRIVATE_USE = re.compile(r"[a-z][a-z0-9-]*(?:\.[a-z0-9][a-z0-9-]*)+:/", re.IGNORECASE | re.ASCII)
_NOT_IN_A_URI = re.compile(r"[\s\x00-\x1f\x7f-\x9f\\#]")


@dataclass(frozen=True)
class Endpoint:
    """A URL of the issuer's, as the base and the path of requests."""

    base_url: str
    path: str

    @property
    def url(self) -> str:
        """The whole URL."""
        return self.base_url + self.path


@dataclass(frozen=True, repr=False)
class ClientSettings:
    """What a client was configured with. ``resources`` are resource indicators (RFC 8707)."""

    issuer: str
    client_id: str
    client_secret: str | None
    redirect_uri: str | None
    auto_refresh: bool
    refresh_buffer_seconds: float
    resources: tuple[str, ...]
    requires_iss: bool
    authorization: Endpoint
    token: Endpoint
    userinfo: Endpoint
    revocation: Endpoint
    end_session: Endpoint

    @property
    def credentials(self) -> dict[str, str]:
        """The client's authentication: in the form, and never in a header (RFC 6749 section 2.3.1)."""
        secret = {} if self.client_secret is None else {"client_secret": self.client_secret}
        return {"client_id": self.client_id, **secret}

    def required_redirect_uri(self) -> str:
        """Return the redirect URI. Raises :class:`ConfigurationError` if there is none."""
        if self.redirect_uri is None:
            raise ConfigurationError("redirect_uri is required for authorization code flow: give it to the client")
        return self.redirect_uri

    def resources_of(self, resources: Sequence[str] | None) -> tuple[str, ...]:
        """Return the resource indicators of a call: its own, or the client's."""
        return self.resources if resources is None else as_resources(resources)


def required(name: str, value: object) -> str:
    """Return a string that is not blank. Raises :class:`ConfigurationError` otherwise."""
    if not isinstance(value, str) or not value.strip():
        raise ConfigurationError(f"{name} is required, as a string that is not blank")
    return _encodable(name, value)


def as_issuer(value: object, http_hosts: Collection[str]) -> str:
    """Return the issuer without final slashes. Raises :class:`ConfigurationError`."""
    return _checked(required("issuer_url", value), "issuer_url", http_hosts)


def as_endpoint(issuer: str, path: str, name: str, setting: object, http_hosts: Collection[str]) -> Endpoint:
    """Return the endpoint that ``setting`` names, by default ``path`` below the issuer."""
    if setting is None:
        return Endpoint(issuer, path)
    url = required(name, setting)
    _checked(url, name, http_hosts)
    parts = urlsplit(url)
    return Endpoint(f"{parts.scheme}://{parts.netloc}", parts.path)


def as_redirect_uri(value: object) -> str | None:
    """Return the redirect URI: a URL with a host, or a URI of a private-use scheme (RFC 8252 section 7.1)."""
    if value is None or value == "":
        return None
    uri = required("redirect_uri", value)
    try:
        parts = urlsplit(uri)
        host = parts.hostname
        has_port = parts.port is None or parts.port > 0
    except ValueError:
        host, has_port, parts = None, False, urlsplit("")
    is_private = _PRIVATE_USE.match(uri) is not None
    is_url = has_port and bool(parts.scheme) and (bool(host) or (is_private and not parts.netloc))
    if not is_url or _NOT_IN_A_URI.search(uri) or "@" in parts.netloc or "*" in parts.netloc:
        raise ConfigurationError(
            "redirect_uri must be a valid URL, without user information, wildcards and fragment, as it is registered"
        )
    return uri


def as_secret(value: object) -> str | None:
    """Return the client's secret; ``None`` if it is a public client (RFC 6749 section 2.1)."""
    if value is not None and not isinstance(value, str):
        raise ConfigurationError(f"client_secret must be a string or None, not {type(value).__name__}")
    return _encodable("client_secret", value) if value else None


def as_seconds(value: object) -> float:
    """Return the seconds before the end of a token in which it is renewed."""
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    if not is_number or not math.isfinite(value) or value < 0:  # type: ignore[arg-type,operator]
        raise ConfigurationError("refresh_buffer_seconds must be a number of seconds, 0 or more")
    return value  # type: ignore[return-value]


def as_resources(value: Sequence[str] | None) -> tuple[str, ...]:
    """Return resource indicators. Raises :class:`ConfigurationError` unless they are a list of strings."""
    if value is None:
        return ()
    if isinstance(value, (str, bytes)) or not isinstance(value, Sequence):
        raise ConfigurationError("resources must be a sequence of strings, not one string")
    if not all(isinstance(one, str) and one for one in value):
        raise ConfigurationError("resources must contain only strings that are not empty")
    return tuple(value)


def _encodable(name: str, value: str) -> str:
    try:
        value.encode()
    except UnicodeEncodeError:
        # Its attributes have the value, so it is no context.
        pass
    else:
        return value
    raise ConfigurationError(f"{name} has characters that UTF-8 cannot encode")


def _checked(url: str, name: str, http_hosts: Collection[str]) -> str:
    try:
        return check_base_url(url, what=name, http_hosts=http_hosts)
    except ValueError as error:
        raise ConfigurationError(f"{name} must be a valid URL: {error}") from None


__all__ = [
    "ClientSettings",
    "Endpoint",
    "as_endpoint",
    "as_issuer",
    "as_redirect_uri",
    "as_resources",
    "as_seconds",
    "as_secret",
    "required",
]
