"""The configured issuers by their names: which of them a token is from, and the error for a token of another."""

from __future__ import annotations

from collections.abc import Iterable

from watchword import _kernel
from watchword._kernel import IssuerTable
from watchword.errors import WrongIssuerError
from watchword.issuer import Issuer
from watchword.jwks.events import printable

_NAMES_SHOWN = 4
_NAME_LENGTH = 256


class ConfiguredIssuers:
    """Issuers by all names that their tokens may have.

    ``max_token_bytes`` and ``max_header_bytes`` are the longest encoded forms that ``table.find`` reads. Raises
    ``ValueError`` if two issuers claim the same tokens.
    """

    __slots__ = ("_expected", "_spellings", "table")

    def __init__(
        self,
        issuers: Iterable[Issuer],
        max_token_bytes: int = _kernel.MAX_TOKEN_BYTES,
        max_header_bytes: int = _kernel.MAX_HEADER_BYTES,
    ) -> None:
        several = list(issuers)
        #: Finds the index of a token's issuer, in the order of ``issuers``.
        self.table = IssuerTable(
            [(issuer.issuer, issuer.spellings, issuer.tenants, issuer.trust_domain) for issuer in several],
            max_token_bytes,
            max_header_bytes,
        )
        self._expected = _expected([issuer.issuer for issuer in several])
        spellings = [spelling for issuer in several if issuer.trust_domain is None for spelling in issuer.spellings]
        self._spellings = {_alike(spelling): spelling for spelling in reversed(spellings)}

    def error(self, issuer: str | None) -> WrongIssuerError:
        """Return the error for a token with this unverified ``iss``, which is none of theirs.

        Its text quotes the configuration, and nothing of a token.
        """
        return WrongIssuerError(self._expected + ("" if issuer is None else self._hint(issuer)))

    def _hint(self, issuer: str) -> str:
        meant = self._spellings.get(_alike(issuer))
        if meant is not None:
            return f'; its "iss" differs from {_quoted(meant)} only {_difference(issuer, meant)}'
        template = self.table.template_of(issuer)
        if template is not None:
            return f'; its "iss" names a tenant of {_quoted(template)} that is not listed'
        template = self.table.template_of(_other_end(issuer))
        if template is not None:
            return f'; its "iss" differs from {_quoted(template)} only {_SLASH}'
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
