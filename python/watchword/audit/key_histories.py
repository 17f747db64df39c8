"""The keys of an audit, in the form in which the kernel takes them."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping

from watchword import KeySet
from watchword.jwks.archive import KeyArchive, KeyRules, KeyState, KeyTimeline

#: The keys of an audit: the same for all tokens, or those of each issuer.
Keys = KeySet | KeyArchive | Mapping[str, "KeySet | KeyTimeline"]

#: From when on (Unix seconds) which keys are accepted, with their states.
KeyHistory = list[tuple[float, list[tuple[str, KeySet]]]]


def key_histories(keys: Keys, rules: KeyRules | None = None) -> list[tuple[str | None, KeyHistory]]:
    """Return the keys of each issuer over time; under the name ``None`` those for all tokens.

    Raises ``TypeError`` if they are something else, ``ValueError`` if there are none.
    """
    if rules is not None and not isinstance(keys, KeyArchive):
        raise ValueError("rules are for an archive of keys: omit them")
    if isinstance(keys, KeySet):
        return [(None, _of_key_set(keys))]
    found = [(issuer, _history(issuer, of_issuer)) for issuer, of_issuer in _by_issuer(keys, rules)]
    if not found:
        raise ValueError("keys has no issuer: nothing could be verified")
    return [*found]


def _by_issuer(keys: object, rules: KeyRules | None) -> Iterator[tuple[str, object]]:
    if isinstance(keys, KeyArchive):
        yield from ((issuer, keys.timeline(issuer, rules)) for issuer in keys.issuers)
    elif isinstance(keys, Mapping):
        yield from keys.items()
    else:
        raise TypeError("keys must be a KeySet, a KeyArchive, or a mapping of issuers to their keys")


def _history(issuer: str, keys: object) -> KeyHistory:
    if not isinstance(issuer, str):
        raise TypeError("keys must have the issuers' names as its keys")
    if isinstance(keys, KeySet):
        return _of_key_set(keys)
    if isinstance(keys, KeyTimeline):
        return [(epoch.start, [(str(state), some) for state, some in epoch.layers]) for epoch in keys.epochs]
    raise TypeError("the keys of an issuer must be a KeySet or a KeyTimeline")


def _of_key_set(keys: KeySet) -> KeyHistory:
    return [(-math.inf, [(str(KeyState.GIVEN), keys)])]


__all__ = ["KeyHistory", "Keys", "key_histories"]
