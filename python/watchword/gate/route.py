"""Route: a method and a path template, and what is required of their requests."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields
from typing import Any, Literal

from watchword.arguments import as_tuple

ScopeGrammar = Literal["plain", "resource", "slot"]


@dataclass(frozen=True, kw_only=True)
class Requirements:
    """What is required of a request, whatever its method and path are; see :class:`Route`."""

    name: str | None = None
    optional: bool = False
    issuers: Iterable[str] | None = None
    audience: str | Iterable[str] | None = None
    scopes: Iterable[str] = ()
    scope_grammar: ScopeGrammar = "plain"
    dpop: Literal["allowed", "required"] = "allowed"
    max_depth: int | None = None
    require_human_root: bool = False
    allowed_actors: Iterable[str | tuple[str, str]] | None = None
    acr_values: Iterable[str] = ()
    max_age: int | None = None

    def __post_init__(self) -> None:
        """Make tuples of the lists."""
        for name in ("issuers", "scopes", "allowed_actors", "acr_values"):
            object.__setattr__(self, name, as_tuple(name, getattr(self, name)))
        if self.audience is not None and not isinstance(self.audience, str):
            object.__setattr__(self, "audience", as_tuple("audience", self.audience))

    def as_dict(self) -> dict[str, Any]:
        """Return the fields by their names."""
        return {one.name: getattr(self, one.name) for one in fields(self)}


@dataclass(frozen=True)
class Route(Requirements):
    """A route: a path template, and what is required of requests for it. The first route that matches is taken.

    In ``path``, ``{id}`` stands for one segment that is not empty, and ``{path...}``, at the end only, for all that
    remains. ``methods`` are compared exactly, and ``GET`` includes ``HEAD`` (``None``: every method). ``name`` names
    the route in logs (by default its path).

    ``public``: no token is verified. ``optional``: a request without a token passes as anonymous, one with an invalid
    token is rejected. Otherwise a valid token is required, of one of ``issuers`` (names of configured issuers;
    ``None``: all) and for ``audience`` (``None``: the Verifier's or the issuer's).

    ``scopes`` are required, all of them, in the grammar ``scope_grammar`` (:mod:`watchword.scopes`); ``{id}`` in a
    scope stands for the value of that variable of the path. ``dpop="required"``: the token must be bound to a key and
    be sent with a proof (RFC 9449). ``max_depth`` (the number of actors), ``require_human_root`` and ``allowed_actors``
    (names of the token's issuer, or pairs of an issuer and a name; ``()``: none) limit the chain of delegation (RFC
    8693). ``acr_values`` and ``max_age`` (seconds) are required of the user's authentication (RFC 9470).

    Raises ``TypeError`` if a list is a single ``str``. A Gate checks the rest, and raises ``ValueError``.
    """

    path: str
    methods: Iterable[str] | None = None
    public: bool = False

    def __post_init__(self) -> None:
        """Make tuples of the lists."""
        super().__post_init__()
        if not isinstance(self.path, str):
            raise TypeError(f"path must be a str, not {type(self.path).__name__}")
        object.__setattr__(self, "methods", as_tuple("methods", self.methods))


__all__ = ["Requirements", "Route", "ScopeGrammar"]
