"""Who acts for whom: authgent's chain over the kernel's, and what can be demanded of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from watchword import _kernel
from watchword.errors import DelegationMalformedError
from watchword.providers.authgent.errors import translate_errors

#: The most that the kernel reads. A token holds 31 at most.
_MOST_ACTORS = 96


class DelegationChain:
    """The actors of a token (RFC 8693 section 4.1), the nearest first. It cannot be changed.

    An application has it from a verified token. In its own tests it may make one: of ``actors``, objects with a
    ``sub`` (and perhaps an ``iss``); a ``depth`` that is given must be their number. Raises ``ValueError`` where they
    make no chain.
    """

    __slots__ = ("_chain",)

    _chain: _kernel.DelegationChain

    def __init__(
        self,
        actors: Iterable[Mapping[str, str]] = (),
        depth: int | None = None,
        human_root: bool = False,  # noqa: FBT001, FBT002  # published as the third argument
    ) -> None:
        acts = [dict(actor) for actor in actors]
        if depth is not None and depth != len(acts):
            raise ValueError(f"a chain of {len(acts)} actors has that depth, and no other")
        if len(acts) > _MOST_ACTORS:
            raise ValueError(f"a chain has at most {_MOST_ACTORS} actors")
        claims: dict[str, Any] = {"human_root": human_root}
        nested: dict[str, Any] | None = None
        for act in reversed(acts):
            nested = {**act, "act": nested} if nested is not None else act
        if nested is not None:
            claims["act"] = nested
        try:
            self._chain = _known(_kernel.DelegationChain.from_act(claims, max_actors=_MOST_ACTORS))
        except DelegationMalformedError as verdict:
            raise ValueError(verdict.detail) from None

    @classmethod
    def from_claims(cls, claims: Mapping[str, Any]) -> DelegationChain:
        """The chain of a verified token's claims, which are believed.

        Raises :class:`~watchword.providers.authgent.DelegationError` where ``act`` is malformed.
        """
        made = cls.__new__(cls)
        with translate_errors():
            made._chain = _known(_kernel.DelegationChain.from_act(claims))
        return made

    @classmethod
    def _of(cls, chain: _kernel.DelegationChain) -> DelegationChain:
        made = cls.__new__(cls)
        made._chain = chain
        return made

    @property
    def subject(self) -> str | None:
        """On whose behalf everything happens: the token's ``sub``."""
        return self._chain.subject

    @property
    def actors(self) -> list[dict[str, str]]:
        """Each actor as ``{"sub": …}``, with its ``iss`` where it is another issuer's than the token is."""
        own = self._chain.issuer
        return [
            {"sub": subject} if actor.issuer is None or actor.issuer == own else {"sub": subject, "iss": actor.issuer}
            for actor in self._chain.actors
            if (subject := actor.subject) is not None
        ]

    @property
    def depth(self) -> int:
        """How many actors there are."""
        return self._chain.depth

    @property
    def human_root(self) -> bool:
        """Whether the *subject* is a human being: ``user:…``, or a token with the claim ``human_root``."""
        return self._chain.human_root

    def has_actor(self, sub: str) -> bool:
        """Whether somebody whom the token's own issuer calls by that name is an actor."""
        return {"sub": sub} in self.actors

    def __eq__(self, other: object) -> bool:
        """Whether the actors and the root are the same."""
        if not isinstance(other, DelegationChain):
            return NotImplemented
        return self.actors == other.actors and self.human_root == other.human_root

    def __hash__(self) -> int:
        """Goes with equality."""
        return hash((self.depth, self.human_root))

    def __repr__(self) -> str:
        """How long it is; names are not for logs."""
        return f"DelegationChain(depth={self.depth})"

    def __reduce__(self) -> tuple[object, ...]:
        """A copy has the actors and the root, and not the subject."""
        return (DelegationChain, (self.actors, self.depth, self.human_root))


def _known(chain: _kernel.DelegationChain) -> _kernel.DelegationChain:
    """Returns the chain. Raises ``DelegationMalformedError`` if an actor has no ``sub``: authgent's always have one."""
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
    """Check a chain: at most ``max_depth`` actors, each of them in ``allowed_actors``, a human being behind them.

    ``allowed_actors`` are names of the token's issuer, or pairs of an issuer and a name; no list demands nothing, an
    empty list allows nobody. ``human`` decides whether the root is a human being (by default ``chain.human_root``).

    Returns the chain. Raises :class:`~watchword.providers.authgent.DelegationError` with the ``error_code``
    ``delegation_depth_exceeded``, ``no_human_root`` or ``unauthorized_actor``; ``TypeError`` or ``ValueError`` for a
    demand that cannot be meant.
    """
    if not isinstance(chain, DelegationChain):
        raise TypeError("chain must be a DelegationChain: a verified token's delegation_chain")
    with translate_errors():
        chain._chain.check(
            max_depth=max_depth,
            require_human_root=require_human_root,
            allowed_actors=allowed_actors,
            human=None if human is None else lambda _: human(chain),
        )
    return chain


__all__ = ["DelegationChain", "verify_delegation_chain"]
