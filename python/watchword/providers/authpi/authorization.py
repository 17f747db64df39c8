"""Begin a login, and end one: the URLs that a browser is sent to, and what comes back (RFC 6749, 7636, 9207)."""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any
from urllib.parse import parse_qsl, urlencode

from watchword import base64url
from watchword.providers.authpi import refusals
from watchword.providers.authpi.client_settings import ClientSettings
from watchword.providers.authpi.errors import ConfigurationError, OAuthError
from watchword.providers.authpi.types import AuthorizationUrl, LogoutOptions, OAuthCallbackInput

#: A callback is a redirect of the browser's, whose URL no browser and no server would take longer than this.
_MAX_LENGTH = 32 * 1024

_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:/|[/?]")

#: What a callback says. A parameter is not repeated (RFC 6749 section 3.1).
_PARAMETERS = ("state", "iss", "error", "error_description", "code")


def authorization_url(
    settings: ClientSettings,
    scopes: Sequence[str],
    state: str | None,
    nonce: str | None,
    org: str | None,
    resources: Sequence[str] | None,
    extra: Mapping[str, str] | None,
) -> AuthorizationUrl:
    """Return the URL of an authorization request, and what its callback is checked with."""
    redirect_uri = settings.required_redirect_uri()
    if isinstance(scopes, str):
        raise TypeError('scopes must be a list of strings, such as ["openid", "email"], not one string')
    if not scopes:
        raise OAuthError("invalid_request", "scopes are required")
    if "openid" not in scopes:
        raise OAuthError("invalid_request", "openid scope is required")
    verifier = _random()
    made = AuthorizationUrl(
        url="", code_verifier=verifier, state=state or _random(), nonce=nonce or _random(),
        resources=settings.resources_of(resources),
    )  # fmt: skip
    parameters: dict[str, str | Sequence[str]] = {
        "client_id": settings.client_id,
        "redirect_uri": redirect_uri,
        "response_type": "code",
        "scope": " ".join(scopes),
        "state": made.state,
        "code_challenge": base64url.encode(hashlib.sha256(verifier.encode("ascii")).digest()),
        "code_challenge_method": "S256",
        "nonce": made.nonce,
    }
    if org:
        parameters["org"] = org
    if made.resources:
        parameters["resource"] = made.resources
    for name, value in (extra or {}).items():
        # "request" and "request_uri" would replace all of them (RFC 9101).
        if name in parameters or name in ("request", "request_uri", "response_mode"):
            raise ConfigurationError(f"extra_params must not have {name!r}: the client sets it")
        parameters[name] = value
    return made.model_copy(update={"url": f"{settings.authorization.url}?{urlencode(parameters, doseq=True)}"})


def logout_url(settings: ClientSettings, options: LogoutOptions | None) -> str:
    """Return the URL that ends the session at the issuer (OpenID Connect RP-Initiated Logout 1.0 section 2)."""
    stated = {} if options is None else {name: value for name, value in options.model_dump().items() if value}
    return settings.end_session.url + (f"?{urlencode(stated)}" if stated else "")


class Login:
    """What a session keeps of a login: an :class:`AuthorizationUrl`, or a mapping with the same members.

    Raises :class:`ConfigurationError` if one is missing: an empty ``state`` would equal none.
    """

    def __init__(self, auth: AuthorizationUrl | Mapping[str, Any]) -> None:
        if not isinstance(auth, (AuthorizationUrl, Mapping)):
            raise TypeError(f"auth must be an AuthorizationUrl or a mapping, not {type(auth).__name__}")
        members = auth.model_dump() if isinstance(auth, AuthorizationUrl) else auth
        self.code_verifier = _kept(members, "code_verifier")
        self.state = _kept(members, "state")
        self.nonce = _kept(members, "nonce")
        self.resources: Sequence[str] | None = members.get("resources")


def code_of(callback: OAuthCallbackInput, login: Login, settings: ClientSettings) -> str:
    """Return the code of a callback, after checking whose it is.

    Raises :class:`OAuthError`: ``invalid_state``, ``invalid_issuer``, ``invalid_request`` if it is none, and the
    server's own error.
    """
    parameters = _parameters(callback)
    check_state(parameters.get("state"), login.state)
    check_issuer(parameters.get("iss"), settings)
    if parameters.get("error"):
        raise refusals.of_parameters(parameters)
    if not parameters.get("code"):
        raise OAuthError("invalid_request", "the callback has no code")
    return parameters["code"]


def check_state(actual: str | None, expected: str) -> None:
    """Raise ``OAuthError`` with ``invalid_state`` unless the callback answers this browser's login."""
    if actual is None or not expected or not _are_equal(actual, expected):
        raise OAuthError("invalid_state", "the callback's state did not match that of this login")


def check_issuer(actual: str | None, settings: ClientSettings) -> None:
    """Raise ``OAuthError`` with ``invalid_issuer`` if the callback is another server's (RFC 9207 section 2.4)."""
    if actual is None and settings.requires_iss:
        raise OAuthError("invalid_issuer", "the callback names no issuer (iss)")
    if actual is not None and not _are_equal(actual, settings.issuer):
        raise OAuthError("invalid_issuer", "the callback's iss is another issuer")


def _parameters(callback: OAuthCallbackInput) -> dict[str, str]:
    if isinstance(callback, str):
        if len(callback) > _MAX_LENGTH:
            raise OAuthError("invalid_request", f"the callback is longer than {_MAX_LENGTH} characters")
        text = callback.partition("#")[0]
        query = text.partition("?")[2] if _URL.match(text) else text
        pairs = parse_qsl(query, keep_blank_values=True)
    elif isinstance(callback, Mapping):
        pairs = [(name, one) for name, value in _items(callback) for one in _values(value)]
    else:
        raise TypeError(f"callback must be a URL, a query string or a mapping, not {type(callback).__name__}")
    known = [(name, value) for name, value in pairs if name in _PARAMETERS]
    found = dict(known)
    if len(found) != len(known):
        raise OAuthError("invalid_request", "a parameter of the callback is repeated")
    return found


def _items(callback: Mapping[str, object]) -> Iterable[tuple[str, object]]:
    # Of Werkzeug and Django, and of Starlette: their items() have one value of each name.
    for name in ("lists", "multi_items"):
        all_items: Callable[[], Iterable[tuple[str, object]]] | None = getattr(callback, name, None)
        if all_items is not None:
            return all_items()
    return callback.items()


def _values(value: object) -> Sequence[str]:
    values = () if value is None else (value,) if isinstance(value, str) else value
    if not isinstance(values, Sequence) or not all(isinstance(one, str) for one in values):
        raise TypeError("the values of a callback's parameters must be strings, lists of strings, or None")
    return values


def _kept(members: Mapping[str, Any], name: str) -> str:
    value = members.get(name)
    if not isinstance(value, str) or not value:
        raise ConfigurationError(f"auth has no {name}: keep what create_authorization_url returned in the session")
    return value


def _random() -> str:
    # 43 characters: the least that RFC 7636 section 4.1 allows for a verifier, of 256 bits.
    return base64url.encode(secrets.token_bytes(32))


def _are_equal(actual: str, expected: str) -> bool:
    return hmac.compare_digest(actual.encode("utf-8", "surrogatepass"), expected.encode("utf-8", "surrogatepass"))


__all__ = ["Login", "authorization_url", "check_issuer", "check_state", "code_of", "logout_url"]
