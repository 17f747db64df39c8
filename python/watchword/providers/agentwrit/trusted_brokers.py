"""Brokers by their URLs, for calls that give a URL and no key."""

from __future__ import annotations

from typing import Final

from watchword.providers.agentwrit.broker import Broker, without_slash


class TrustedBrokers:
    """The brokers that :func:`~watchword.providers.agentwrit.validate` finds by URL. Any thread may use it."""

    def __init__(self) -> None:
        self._brokers: dict[str, Broker] = {}

    def add(self, broker: Broker) -> None:
        """Add a broker, in place of another with the same URL. Raises ``TypeError`` for anything but a Broker."""
        if not isinstance(broker, Broker):
            raise TypeError(f"broker must be a Broker, not {type(broker).__name__}")
        self._brokers[broker.broker_url] = broker

    def remove(self, broker_url: str) -> None:
        """Remove a broker. Raises ``ValueError`` if there is none with this URL."""
        if self._brokers.pop(without_slash(broker_url), None) is None:
            raise ValueError(f"broker_url {broker_url!r} is the URL of no trusted broker")

    def get(self, broker_url: str) -> Broker | None:
        """Return the broker with this URL, ``None`` if there is none."""
        return self._brokers.get(without_slash(broker_url))

    def __repr__(self) -> str:
        """Return the URLs."""
        return f"TrustedBrokers({list(self._brokers)!r})"


#: The brokers of every call that names no others. It is the only state of the process: the published ``validate`` takes
#: a URL and no key, and a broker publishes none, so what ``trust_broker`` is given has to be kept until then.
TRUSTED_BROKERS: Final = TrustedBrokers()


__all__ = ["TRUSTED_BROKERS", "TrustedBrokers"]
