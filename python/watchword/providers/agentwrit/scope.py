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
    """Return whether the scopes ``held`` cover all that are ``required`` (or ``allowed`` all that are ``requested``).

    Scopes are ``action:resource:identifier``, see :class:`watchword.scopes.SlotScopes`. A required text of another form
    is never covered, and a held one covers nothing. An empty requirement is always covered. Raises ``TypeError`` if the
    scopes are not a list of strings.
    """
    if (requested is not None and required is not None) or (allowed is not None and held is not None):
        raise TypeError("give either required and held, or requested and allowed: they are two names for the same")
    wanted = _compiled(required if requested is None else requested)
    return _compiled(held if allowed is None else allowed).covers(wanted)


def trust_broker(broker: Broker) -> None:
    """Add a broker to :data:`TRUSTED_BROKERS`, so that :func:`validate` finds it by its URL in this process.

    It replaces another broker with the same URL. Raises ``TypeError`` for anything but a :class:`Broker`.
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

    ``broker_url`` is a :class:`Broker`, or the URL of one of ``brokers``, by default of those that :func:`trust_broker`
    added. ``now`` is in Unix seconds (``None``: the clock's). ``timeout`` (seconds) has no effect: nothing is waited
    for. Raises ``ValueError`` if the broker is not known,
    ``TypeError`` if the token is neither ``str`` nor ``bytes``.
    """
    del timeout
    broker = broker_url if isinstance(broker_url, Broker) else brokers.find(broker_url)
    return broker.validate(token, now=now)


def _compiled(scopes: Iterable[str] | None) -> SlotScopes:
    if isinstance(scopes, (str, bytes)):
        raise TypeError(
            f"scopes must be a list of strings, not one {type(scopes).__name__}: split it at its spaces first"
        )
    return _matcher(tuple(scopes or ()))


@functools.lru_cache(maxsize=256)
def _matcher(scopes: tuple[str, ...]) -> SlotScopes:
    """Return the matcher of these scopes, cached."""
    return SlotScopes.from_claim(scopes)


__all__ = ["scope_is_subset", "trust_broker", "validate"]
