"""Delegation chains: authgent's class, and the requirements that a chain can be checked for."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import watchword
from watchword.errors import DelegationMalformedError
from watchword.providers.authgent.errors import translate_errors
from watchword.providers.profiles.authgent import has_human_root

#: The most that the kernel parses. A token of the default size has at most 31.
_MAX_ACTORS = 96


class DelegationChain:
    """The actors of a token (RFC 8693 section 4.1), the nearest first. It is immutable.

    Verified tokens have one. Tests may make one of ``actors``, mappings with a ``sub`` and optionally an ``iss``;
    ``depth``, if it is given, must be their number, and ``human_root`` is what they say it is. Raises ``ValueError`` if
    they are not a valid chain.
    """

    __slots__ = ("_chain", "_human_root")

    _chain: watchword.DelegationChain
    _human_root: bool

    def __init__(
        self,
        actors: Iterable[Mapping[str, str]] = (),
        depth: int | None = None,
        human_root: bool = False,  # noqa: FBT001, FBT002  # published as the third argument
    ) -> None:
        acts = [dict(actor) for actor in actors]
        if depth is not None and depth != len(acts):
            raise ValueError(f"depth is {depth}: it must be the number of actors, {len(acts)}")
        if len(acts) > _MAX_ACTORS:
            raise ValueError(f"there are {len(acts)} actors: a chain has at most {_MAX_ACTORS}")
        claims: dict[str, Any] = {"human_root": human_root}
        nested: dict[str, Any] | None = None
        for act in reversed(acts):
            nested = {**act, "act": nested} if nested is not None else act
        if nested is not None:
            claims["act"] = nested
        try:
            self._chain = _checked(watchword.DelegationChain.from_act(claims, max_actors=_MAX_ACTORS))
        except DelegationMalformedError as verdict:
            raise ValueError(verdict.detail) from None
        self._human_root = self._chain.human_root

    @classmethod
    def from_claims(cls, claims: Mapping[str, Any]) -> DelegationChain:
        """Return the chain in a verified token's claims, which are not verified again.

        Raises :class:`~watchword.providers.authgent.DelegationError` if ``act`` is malformed.
        """
        with translate_errors():
            chain = _checked(watchword.DelegationChain.from_act(claims))
        return cls.of(chain, human_root=has_human_root(chain, claims))

    @classmethod
    def of(cls, chain: watchword.DelegationChain, *, human_root: bool) -> DelegationChain:
        """Return the chain of the kernel's, whose actors all have a ``sub``; ``human_root`` is what its claims say."""
        made = cls.__new__(cls)
        made._chain = chain
        made._human_root = human_root
        return made

    @property
    def subject(self) -> str | None:
        """The token's ``sub``, on whose behalf the actors act."""
        return self._chain.subject

    @property
    def actors(self) -> list[dict[str, str]]:
        """Each actor as ``{"sub": …}``, with ``iss`` if its issuer is not that of the token."""
        own = self._chain.issuer
        return [
            {"sub": subject} if actor.issuer is None or actor.issuer == own else {"sub": subject, "iss": actor.issuer}
            for actor in self._chain.actors
            if (subject := actor.subject) is not None
        ]

    @property
    def depth(self) -> int:
        """The number of actors."""
        return self._chain.depth

    @property
    def human_root(self) -> bool:
        """Whether the chain originates from a human being, in one of the two forms of authgent.

        Either the *subject* is ``user:`` and a name, or the claim ``human_root`` is ``true``. Or ``act`` has at least
        two levels, all of the token's own issuer, the innermost is ``user:`` and a name, no other level begins with
        ``user:``, and there is no claim ``human_root``.
        """
        return self._human_root

    def has_actor(self, sub: str) -> bool:
        """Return whether an actor of the token's own issuer has this ``sub``."""
        return {"sub": sub} in self.actors

    def __eq__(self, other: object) -> bool:
        """Return whether the actors and the root are equal."""
        if not isinstance(other, DelegationChain):
            return NotImplemented
        return self.actors == other.actors and self.human_root == other.human_root

    def __hash__(self) -> int:
        """Return a hash that is consistent with equality."""
        return hash((self.depth, self.human_root))

    def __repr__(self) -> str:
        """Return the depth, without names, which do not belong into logs."""
        return f"DelegationChain(depth={self.depth})"

    def __reduce__(self) -> tuple[object, ...]:
        """Return a copy of the actors and the root, without the subject."""
        return (DelegationChain, (self.actors, self.depth, self.human_root))


def _checked(chain: watchword.DelegationChain) -> watchword.DelegationChain:
    """Return the chain. Raises ``DelegationMalformedError`` if an actor has no ``sub``: authgent's always have one."""
    if any(actor.subject is None for actor in chain.actors):
        raise DelegationMalformedError('an actor in "act" has no "sub"')
    return chain


def verify_delegation_chain(
    chain: DelegationChain,
    max_depth: int = 5,
    allowed_actors: Iterable[str | tuple[str, str]] | None = None,
    require_human_root: bool = False,  # noqa: FBT001, FBT002  # published as the fourth argument
    *,
    human: Callable[[DelegationChain], bool] | None = None,
) -> DelegationChain:
    """Check a chain: at most ``max_depth`` actors, all of them ``allowed_actors``, and with a human root if required.

    ``allowed_actors`` are subjects of the token's issuer, or pairs of an issuer and a subject; ``None`` allows all, an
    empty list none. A human who is the innermost actor counts for both. ``human`` decides whether the root is human (by
    default :attr:`DelegationChain.human_root`).

    Returns the chain. Raises :class:`~watchword.providers.authgent.DelegationError` with the ``error_code``
    ``delegation_depth_exceeded``, ``no_human_root`` or ``unauthorized_actor``; ``TypeError`` or ``ValueError`` if an
    argument is invalid.
    """
    if not isinstance(chain, DelegationChain):
        raise TypeError(f"chain must be a DelegationChain (identity.delegation_chain), not {type(chain).__name__}")
    with translate_errors():
        chain._chain.check(
            max_depth=max_depth,
            require_human_root=require_human_root,
            allowed_actors=allowed_actors,
            human=lambda _: chain.human_root if human is None else human(chain),
        )
    return chain


__all__ = ["DelegationChain", "verify_delegation_chain"]
