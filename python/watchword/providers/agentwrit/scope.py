"""``scope_is_subset`` and ``validate`` of ``agentwrit.scope``."""

from __future__ import annotations

import functools
from collections.abc import Iterable
from typing import overload

from watchword.providers.agentwrit.broker import Broker, without_slash
from watchword.providers.agentwrit.models import ValidateResult
from watchword.scopes import SlotScopes

_trusted: dict[str, Broker] = {}


@overload
def scope_is_subset(requested: Iterable[str] | None, allowed: Iterable[str] | None) -> bool: ...
@overload
def scope_is_subset(*, required: Iterable[str] | None, held: Iterable[str] | None) -> bool: ...
def scope_is_subset(
    requested: Iterable[str] | None = None,
    allowed: Iterable[str] | None = None,
    *,
    required: Iterable[str] | None = None,
    held: Iterable[str] | None = None,
) -> bool:
    """Whether what is held covers all that is required (``requested`` and ``allowed`` are other names of the two).

    Scopes are ``action:resource:identifier``, see :class:`watchword.scopes.SlotScopes`. What is required and is no such
    scope is covered by nothing; what is held and is none covers nothing. Nothing required is always covered. Raises
    ``TypeError`` where the scopes are no list of texts.
    """
    if (requested is not None and required is not None) or (allowed is not None and held is not None):
        raise TypeError("required and requested are the same, and so are held and allowed: give one of each")
    wanted = _compiled(required if requested is None else requested)
    return _compiled(held if allowed is None else allowed).covers(wanted)


def trust_broker(broker: Broker) -> None:
    """Lets :func:`validate` know a broker by its URL, in this process and until another takes its place."""
    if not isinstance(broker, Broker):
        raise TypeError(f"trust_broker takes a Broker, not {type(broker).__name__}")
    _trusted[broker.broker_url] = broker


def validate(
    broker_url: str | Broker, token: str | bytes, *, timeout: float = 10.0, now: float | None = None
) -> ValidateResult:
    """Whether a token is valid, by the broker's key and without asking the broker: see :meth:`Broker.validate`.

    ``broker_url`` is a :class:`Broker`, or the URL of one that :func:`trust_broker` was told of; raises ``ValueError``
    for any other. ``timeout`` is taken and not needed: nothing is waited for.
    """
    del timeout
    broker = broker_url if isinstance(broker_url, Broker) else _trusted.get(without_slash(broker_url))
    if broker is None:
        raise ValueError(
            "no public key is known for this broker, which publishes none:"
            " call trust_broker(Broker(broker_url, public_key)) when the program starts"
        )
    return broker.validate(token, now=now)


def _compiled(scopes: Iterable[str] | None) -> SlotScopes:
    if isinstance(scopes, (str, bytes)):
        raise TypeError("scopes are a list of scopes, not one text")
    return _matcher(tuple(scopes or ()))


@functools.lru_cache(maxsize=256)
def _matcher(scopes: tuple[str, ...]) -> SlotScopes:
    """The matcher of these scopes, made once for all that are alike and lately used."""
    return SlotScopes.from_claim(scopes)


__all__ = ["scope_is_subset", "trust_broker", "validate"]
