"""``scope_is_subset`` and ``validate`` of ``agentwrit.scope``."""

from __future__ import annotations

import functools
from collections.abc import Iterable
from typing import overload

from watchword.providers.agentwrit.broker import Broker
from watchword.providers.agentwrit.models import ValidateResult
from watchword.providers.agentwrit.trusted_brokers import TRUSTED_BROKERS, TrustedBrokers
from watchword.scopes import SlotScopes


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
    """Make a broker known to :func:`validate` by its URL, in place of another with that URL: in this process, by adding
    it to :data:`TRUSTED_BROKERS`. Raises ``TypeError`` for anything but a :class:`Broker`.
    """
    TRUSTED_BROKERS.add(broker)


def validate(
    broker_url: str | Broker,
    token: str | bytes,
    *,
    timeout: float = 10.0,
    now: float | None = None,
    brokers: TrustedBrokers = TRUSTED_BROKERS,
) -> ValidateResult:
    """Verify a token with the broker's key, without asking the broker; return what :meth:`Broker.validate` returns.

    ``broker_url`` is a :class:`Broker`, or the URL of one of ``brokers``: by default of those that :func:`trust_broker`
    made known. ``timeout`` has no effect: nothing is waited for. Raises ``ValueError`` if the broker is not known,
    ``TypeError`` if the token is neither ``str`` nor ``bytes``.
    """
    del timeout
    broker = broker_url if isinstance(broker_url, Broker) else brokers.find(broker_url)
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
