"""Which configured issuer a token is from, by its unverified claims.

This only selects one of the configured issuers: the kernel checks ``iss`` (or, for a trust domain, ``sub``) again,
against the policy of that issuer.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Generic, NamedTuple, TypeVar

from watchword.issuer import Issuer
from watchword.spiffe import SPIFFE_SCHEME

_T = TypeVar("_T")

_TENANT = re.compile(r"[A-Za-z0-9._-]+")


class Template(NamedTuple):
    """An issuer template: the text before the tenant, and after it."""

    prefix: str
    suffix: str

    @classmethod
    def of(cls, spelling: str) -> Template | None:
        """Split ``https://login.example/{tid}/v2.0``. Return ``None`` for a spelling without a placeholder.

        The kernel's Policy has checked before that the spelling is well-formed.
        """
        prefix, brace, rest = spelling.partition("{")
        return cls(prefix, rest.partition("}")[2]) if brace else None

    def matches(self, issuer: str) -> bool:
        """Return whether ``issuer`` is this template with any tenant."""
        end = len(issuer) - len(self.suffix)
        return (
            len(self.prefix) < end
            and issuer.startswith(self.prefix)
            and issuer.endswith(self.suffix)
            and _may_be_tenant(issuer[len(self.prefix) : end])
        )

    def overlaps(self, other: Template) -> bool:
        """Return whether one ``iss`` could match both templates."""
        short, long = sorted((self.prefix, other.prefix), key=len)
        tail, longer = sorted((self.suffix, other.suffix), key=len)
        if not (long.startswith(short) and longer.endswith(tail)):
            return False
        # The text that only one of the templates has must be able to be part of the other's tenant.
        return _may_be_tenant(f"{long[len(short) :]}x{longer[: len(longer) - len(tail)]}")


class Router(Generic[_T]):
    """The configured issuers, by all names that their tokens may have. Immutable.

    An exact spelling (an explicit tenant's too) comes before a template that accepts any tenant, and ``iss`` before
    ``sub``. Raises ``ValueError`` if two issuers claim the same tokens.
    """

    __slots__ = ("_domains", "_templates", "exact")

    def __init__(self, issuers: Iterable[tuple[Issuer, _T]]) -> None:
        #: The issuers by their exact spellings.
        self.exact: dict[str, _T] = {}
        self._templates: list[tuple[Template, Issuer, _T]] = []
        self._domains: dict[str, _T] = {}
        for issuer, target in issuers:
            self._add(issuer, target)

    def find(self, issuer: str | None, subject: Callable[[], str | None]) -> _T | None:
        """Return the issuer for an unverified ``iss``, or else for the unverified ``sub`` that ``subject`` returns.

        ``None`` if neither names a configured issuer.
        """
        if issuer is not None:
            found = self.exact.get(issuer)
            if found is not None:
                return found
            for template, _, target in self._templates:
                if template.matches(issuer):
                    return target
        if self._domains:
            named = subject()
            if named is not None and named.startswith(SPIFFE_SCHEME):
                return self._domains.get(named[len(SPIFFE_SCHEME) :].partition("/")[0])
        return None

    def _add(self, issuer: Issuer, target: _T) -> None:
        if issuer.trust_domain is not None:
            self._claim(self._domains, issuer.trust_domain, issuer, target)
            return
        for spelling in issuer.spellings:
            template = Template.of(spelling)
            if template is None:
                self._claim(self.exact, spelling, issuer, target)
            elif isinstance(issuer.tenants, Iterable):
                for tenant in issuer.tenants:
                    self._claim(self.exact, f"{template.prefix}{tenant}{template.suffix}", issuer, target)
            else:
                for other, owner, _ in self._templates:
                    if owner is not issuer and template.overlaps(other):
                        raise ValueError(
                            f"{issuer.issuer!r} and {owner.issuer!r} accept any tenant, and one iss could match both: "
                            f"list the tenants of one of them"
                        )
                self._templates.append((template, issuer, target))

    @staticmethod
    def _claim(table: dict[str, _T], name: str, issuer: Issuer, target: _T) -> None:
        if table.setdefault(name, target) is not target:
            raise ValueError(
                f"{name!r} is given twice, as an issuer, an alias or a tenant, once for {issuer.issuer!r}: remove one"
            )


def _may_be_tenant(text: str) -> bool:
    # The same rule as in the kernel's Policy: a delimiter in a tenant could make one issuer look like another.
    return _TENANT.fullmatch(text) is not None and text not in (".", "..")
