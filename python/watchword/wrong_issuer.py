"""The error for a token of an unknown issuer: which issuers are configured, and which was probably meant."""

from __future__ import annotations

from collections.abc import Iterable

from watchword.errors import WrongIssuerError
from watchword.issuer import Issuer
from watchword.jwks.events import printable
from watchword.routing import Template

_NAMES_SHOWN = 4
_NAME_LENGTH = 256


class ConfiguredIssuers:
    """The names of issuers, for error messages. The text quotes the configuration, and nothing of a token."""

    __slots__ = ("_expected", "_spellings", "_templates")

    def __init__(self, issuers: Iterable[Issuer]) -> None:
        several = list(issuers)
        self._expected = _expected([issuer.issuer for issuer in several])
        spellings = [spelling for issuer in several if issuer.trust_domain is None for spelling in issuer.spellings]
        templates = [(spelling, Template.of(spelling)) for spelling in spellings]
        self._templates = [(spelling, template) for spelling, template in templates if template is not None]
        self._spellings = {_alike(spelling): spelling for spelling in reversed(spellings)}

    def error(self, issuer: str | None) -> WrongIssuerError:
        """Return the error for a token with this unverified ``iss``, which is none of theirs."""
        return WrongIssuerError(self._expected + ("" if issuer is None else self._hint(issuer)))

    def _hint(self, issuer: str) -> str:
        meant = self._spellings.get(_alike(issuer))
        if meant is not None:
            return f'; its "iss" differs from {_quoted(meant)} only {_difference(issuer, meant)}'
        for spelling, template in self._templates:
            if template.matches(issuer):
                return f'; its "iss" names a tenant of {_quoted(spelling)} that is not listed'
            if template.matches(_other_end(issuer)):
                return f'; its "iss" differs from {_quoted(spelling)} only {_SLASH}'
        return ""


_SLASH = "by a slash at the end"


def _expected(names: list[str]) -> str:
    if not names:
        return "no issuer is configured; Verifier.add_issuer adds one"
    shown = [_quoted(name) for name in names[:_NAMES_SHOWN]]
    more = len(names) - len(shown)
    if more:
        shown.append(f"{more} more")
    listed = shown[0] if len(shown) == 1 else f"{', '.join(shown[:-1])} or {shown[-1]}"
    return f"the token must be from a configured issuer: {listed}"


def _alike(issuer: str) -> str:
    """Return the same text for names that are easily confused."""
    return issuer.lower().removeprefix("https://").removeprefix("http://").removesuffix("/")


def _difference(found: str, meant: str) -> str:
    if found == _other_end(meant):
        return _SLASH
    if found.lower() == meant.lower():
        return "in upper and lower case"
    if found.partition("://")[2] == meant.partition("://")[2] or found in meant or meant in found:
        return "in its scheme (https://, http:// or none)"
    return "in its scheme, in upper and lower case or by a slash at the end"


def _other_end(issuer: str) -> str:
    return issuer[:-1] if issuer.endswith("/") else f"{issuer}/"


def _quoted(name: str) -> str:
    return f'"{printable(name, _NAME_LENGTH)}"'
