"""``scope_is_subset`` and ``validate`` of ``agentwrit.scope``."""

from __future__ import annotations

import functools
from collections.abc import Collection, Iterable
from typing import overload

from watchword.client import AsyncHttpxClient, CallSettings, SyncHttpxClient
from watchword.providers.agentwrit.broker import Broker
from watchword.providers.agentwrit.connection import connect
from watchword.providers.agentwrit.models import ValidateResult
from watchword.providers.agentwrit.trusted_brokers import TRUSTED_BROKERS, TrustedBrokers
from watchword.providers.agentwrit.validation import ask_broker
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
    allow_http_hosts: Collection[str] = (),
    call_settings: CallSettings | None = None,
    http_client: SyncHttpxClient | None = None,
) -> ValidateResult:
    """Return the verdict on a token: by the broker's key if it is known here, else the broker's own.

    ``broker_url`` is a :class:`Broker`, or a URL. If it is that of one of ``brokers`` (by default of those that
    :func:`trust_broker` added), the token is verified here, as of ``now`` in Unix seconds (``None``: the clock's), and
    nothing is sent. Otherwise the broker is asked, which also knows what was revoked. The result says which
    (``checked_by``). All other arguments are for asking: ``timeout`` is that of one attempt in seconds,
    ``call_settings`` replaces it, and ``allow_http_hosts`` and ``http_client`` are as in :class:`AgentWritApp`.

    Never raises because of a token. Raises ``ValueError`` if the URL is not https, or ``now`` is given and the key is
    not known; ``TypeError`` if the token is neither ``str`` nor ``bytes``; :class:`TransportError` or
    :class:`ProblemResponseError` if the broker is asked and gives no verdict.
    """
    broker = _known(broker_url, brokers, now)
    if broker is not None:
        return broker.validate(token, now=now)
    settings = CallSettings(timeout=timeout) if call_settings is None else call_settings
    caller = connect(str(broker_url), settings=settings, allow_http_hosts=allow_http_hosts, http_client=http_client)
    return caller.run(ask_broker(token))


async def validate_async(
    broker_url: str | Broker,
    token: str | bytes,
    *,
    timeout: float = 10.0,
    now: float | None = None,
    brokers: TrustedBrokers = TRUSTED_BROKERS,
    allow_http_hosts: Collection[str] = (),
    call_settings: CallSettings | None = None,
    http_client: AsyncHttpxClient | None = None,
) -> ValidateResult:
    """Return what :func:`validate` does, without blocking the event loop.

    ``timeout`` is in seconds, ``now`` in Unix seconds; ``http_client`` is an asynchronous client.
    """
    broker = _known(broker_url, brokers, now)
    if broker is not None:
        return broker.validate(token, now=now)
    settings = CallSettings(timeout=timeout) if call_settings is None else call_settings
    caller = connect(
        str(broker_url), settings=settings, allow_http_hosts=allow_http_hosts, async_http_client=http_client
    )
    return await caller.run_async(ask_broker(token))


def _known(broker_url: str | Broker, brokers: TrustedBrokers, now: float | None) -> Broker | None:
    broker = broker_url if isinstance(broker_url, Broker) else brokers.get(broker_url)
    if broker is None and now is not None:
        raise ValueError(
            f"now is given, but no public key is known for the broker {broker_url!r}, and a broker can only be asked"
            " about the present: call trust_broker(Broker(broker_url, public_key)) first"
        )
    return broker


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


__all__ = ["scope_is_subset", "trust_broker", "validate", "validate_async"]
