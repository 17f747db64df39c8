"""Which configured issuer a token is for, from what it says of itself before its signature is verified.

It only chooses among what is configured: the kernel checks ``iss`` (or, for a trust domain, ``sub``) again by the
policy of the issuer that is chosen here.
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
    """An issuer template: what stands before the tenant, and after it."""

    prefix: str
    suffix: str

    @classmethod
    def of(cls, spelling: str) -> Template | None:
        """``https://login.example/{tid}/v2.0`` taken apart; ``None`` for a spelling without a placeholder.

        Whether the spelling is well-formed is for the kernel's Policy to say, before.
        """
        prefix, brace, rest = spelling.partition("{")
        return cls(prefix, rest.partition("}")[2]) if brace else None

    def matches(self, issuer: str) -> bool:
        """Whether ``issuer`` is this template with some tenant."""
        end = len(issuer) - len(self.suffix)
        return (
            len(self.prefix) < end
            and issuer.startswith(self.prefix)
            and issuer.endswith(self.suffix)
            and _may_be_tenant(issuer[len(self.prefix) : end])
        )

    def overlaps(self, other: Template) -> bool:
        """Whether one ``iss`` could match both templates."""
        short, long = sorted((self.prefix, other.prefix), key=len)
        tail, longer = sorted((self.suffix, other.suffix), key=len)
        if not (long.startswith(short) and longer.endswith(tail)):
            return False
        # What one template says and the other leaves to the tenant must be able to be part of a tenant.
        return _may_be_tenant(f"{long[len(short) :]}x{longer[: len(longer) - len(tail)]}")


class Router(Generic[_T]):
    """The issuers that are configured, by all that their tokens may name. Never changed once it is made.

    An exact spelling (an explicit tenant's too) comes before a template that accepts any tenant, and ``iss`` before
    ``sub``. Raises ``ValueError`` if two issuers claim the same tokens.
    """

    __slots__ = ("_domains", "_templates", "exact")

    def __init__(self, issuers: Iterable[tuple[Issuer, _T]]) -> None:
        #: The issuers by the spellings that can be listed.
        self.exact: dict[str, _T] = {}
        self._templates: list[tuple[Template, Issuer, _T]] = []
        self._domains: dict[str, _T] = {}
        for issuer, target in issuers:
            self._add(issuer, target)

    def find(self, issuer: str | None, subject: Callable[[], str | None]) -> _T | None:
        """The issuer for an unverified ``iss``, or, if that is none of those configured, for the unverified ``sub``
        that ``subject`` tells; ``None`` if there is none for it either.
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
                            f"{issuer.issuer!r} and {owner.issuer!r} accept any tenant, and one iss could be of both: "
                            f"list the tenants of one of them"
                        )
                self._templates.append((template, issuer, target))

    @staticmethod
    def _claim(table: dict[str, _T], name: str, issuer: Issuer, target: _T) -> None:
        if table.setdefault(name, target) is not target:
            raise ValueError(
                f"{name!r} is given twice, as an issuer, an alias or a tenant; one of them is of {issuer.issuer!r}"
            )


def _may_be_tenant(text: str) -> bool:
    # As the kernel's Policy has it: a delimiter in the place of the tenant could make one issuer look like another.
    return _TENANT.fullmatch(text) is not None and text not in (".", "..")
