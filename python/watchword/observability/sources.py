"""What is read when metrics are collected: key caches, token caches, replay stores, decision logs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Protocol, TypeAlias, runtime_checkable

from watchword import TokenCache, Verifier
from watchword.observability.decision_log import DecisionLog
from watchword.observability.instruments import (
    BUILD,
    KEYS,
    LOG_LINES,
    REPLAY_CAPACITY,
    REPLAY_PROOFS,
    TOKEN_CACHE,
    Instrument,
)

if TYPE_CHECKING:
    from watchword.gate import Gate


@runtime_checkable
class BoundedStore(Protocol):
    """A replay store that knows its size and capacity, as :class:`watchword.dpop.MemoryReplayStore` does."""

    @property
    def capacity(self) -> int:
        """The number of ids that fit."""
        ...

    def __len__(self) -> int:
        """Return the number of ids."""
        ...


#: What may be observed.
Source: TypeAlias = "Gate | Verifier | TokenCache | BoundedStore | DecisionLog"

Values: TypeAlias = Mapping[tuple[str, ...], float]
"""The values of a metric by its labels."""


class Sources:
    """Gates, verifiers, token caches, replay stores and decision logs.

    A gate stands for its verifier, and a verifier for its token cache and its replay store. What several share is read
    once. If two verifiers have the same issuer, its counters are added, and the worse value of each state is taken.

    Raises ``TypeError`` if one of ``sources`` is none of these.
    """

    def __init__(self, sources: Iterable[Source]) -> None:
        self._sources = tuple(sources)
        for source in self._sources:
            if not _is_source(source):
                raise TypeError(
                    f"{type(source).__name__} cannot be observed: give gates, verifiers, token caches, replay stores "
                    "with a capacity, or decision logs"
                )

    def read(self) -> dict[Instrument, Values]:
        """Return the current values of every metric that has any."""
        from watchword import __version__

        found: dict[Instrument, dict[tuple[str, ...], list[float]]] = {BUILD: {(__version__,): [1]}}
        for instrument, labels, value in self._readings():
            found.setdefault(instrument, {}).setdefault(labels, []).append(value)
        return {
            instrument: {labels: instrument.merge(several) for labels, several in values.items()}
            for instrument, values in found.items()
        }

    def _readings(self) -> Iterator[tuple[Instrument, tuple[str, ...], float]]:
        for source in self._expanded():
            if isinstance(source, Verifier):
                for issuer, stats in source.stats().items():
                    for field, instrument in KEYS.items():
                        value = getattr(stats, field)
                        if value is not None:
                            yield instrument, (issuer,), value
            elif isinstance(source, TokenCache):
                cache = source.stats()
                for field, instrument in TOKEN_CACHE.items():
                    yield instrument, (), getattr(cache, field)
            elif isinstance(source, DecisionLog):
                lines = source.stats()
                for result in ("written", "dropped", "failed"):
                    yield LOG_LINES, (result,), getattr(lines, result)
            elif isinstance(source, BoundedStore):
                yield REPLAY_PROOFS, (), len(source)
                yield REPLAY_CAPACITY, (), source.capacity

    def _expanded(self) -> list[object]:
        """Return what is to be read, each once."""
        found: dict[int, object] = {}
        for source in self._sources:
            # Now, as a gate may be given another verifier.
            for one in _expand(source):
                found[id(one)] = one
        return list(found.values())


def _expand(source: object) -> Iterator[object]:
    verifier = source if isinstance(source, Verifier) else getattr(source, "verifier", None)
    if isinstance(verifier, Verifier):
        yield from (verifier, verifier.token_cache, verifier.dpop.replay)
    else:
        yield source


def _is_source(source: object) -> bool:
    if isinstance(source, (Verifier, TokenCache, DecisionLog, BoundedStore)):
        return True
    return isinstance(getattr(source, "verifier", None), Verifier)


__all__ = ["BoundedStore", "Source", "Sources", "Values"]
