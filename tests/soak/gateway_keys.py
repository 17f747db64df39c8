"""The operator who changes the issuer's keys, and takes their endpoint down."""

from __future__ import annotations

import contextlib
import random
import socket
import time
from collections.abc import Callable, Iterator

from gateway_clients import Site
from gateway_operator import Operator
from soak_history import NEVER, Key, Span

from watchword.testing import LocalIssuer, ServedIssuer

#: Of the keys, in seconds (docs/keys.md): short, so that there are many changes.
CACHE = {
    "ttl": 2,
    "min_ttl": 2,
    "max_ttl": 2,
    "max_stale": 2,
    "timeout": 1,
    "cooldown": 1,
    "backoff_base": 0.1,
    "backoff_cap": 0.5,
}


class Endpoint:
    """The issuer's endpoint, which can be taken down and comes back on the same port."""

    def __init__(self, origin: LocalIssuer) -> None:
        self._origin = origin
        self._up = contextlib.ExitStack()
        # Bound, but not listening, so that nobody else takes the port during an outage.
        self._reserved = _bound(0)
        self._served = self._start()
        #: With it tokens are signed, whether the endpoint is up or down.
        self.issuer = self._served

    def _start(self) -> ServedIssuer:
        return self._up.enter_context(self._origin.serve(port=self._port))

    @property
    def _port(self) -> int:
        port: int = self._reserved.getsockname()[1]
        return port

    @contextlib.contextmanager
    def closed(self) -> Iterator[None]:
        """Return a context manager within which nothing listens."""
        self._up.close()
        try:
            yield
        finally:
            self._served = self._start()

    @contextlib.contextmanager
    def hanging(self) -> Iterator[None]:
        """Return a context manager within which it accepts connections and answers nothing."""
        with self.closed(), _bound(self._port) as silent:
            silent.listen()
            yield

    def failing(self) -> contextlib.AbstractContextManager[None]:
        """Return a context manager within which it answers 503."""
        return self._served.outage()

    def close(self) -> None:
        self._up.close()
        self._reserved.close()


def _bound(port: int) -> socket.socket:
    """Return a socket with a port that another may have, too, of which one listens."""
    bound = socket.socket()
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    bound.bind(("127.0.0.1", port))
    return bound


class Keys(Operator):
    """Rotates and withdraws keys, and takes their endpoint down."""

    def __init__(self, site: Site, rng: random.Random, endpoint: Endpoint) -> None:
        super().__init__(site, rng)
        self._endpoint = endpoint

    def turns(self) -> list[Callable[[], None]]:
        return [self.rotate, self.short_outage, self.expiry, self.withdraw]

    def rotate(self) -> None:
        self._await(self._publish())

    def withdraw(self) -> None:
        """Withdraw the oldest keys, but not the last two generations."""
        published = [key for key in self.site.history.all_keys() if key.published.ends == NEVER]
        withdrawn = published[:-4]
        for key in withdrawn:
            with self.site.history.withdrawing(key):
                self.site.issuer.remove_key(key.key_id)
        for key in withdrawn:
            self.see("a withdrawn key is rejected", self._gets(key, "unknown_key"), CACHE["ttl"])
            key.known.ended = time.monotonic()

    def short_outage(self) -> None:
        """No answer shows it."""
        with self._down():
            time.sleep(self.rng.uniform(0.1, CACHE["max_stale"] / 2))

    def expiry(self) -> None:
        """An outage until the keys have expired; new ones are published meanwhile."""
        newest = self.site.history.all_keys()[-1]
        with contextlib.ExitStack() as noted:
            with self._down():
                # Until then they must be used: they have not been past their lifetime for so long.
                time.sleep(CACHE["max_stale"] / 2)
                span = noted.enter_context(self.site.history.expiries.lasting())
                most = CACHE["ttl"] + CACHE["max_stale"]
                self.see("keys expire in an outage", self._gets(newest, "keys_unavailable"), most)
                span.begun = time.monotonic()
                time.sleep(self.rng.uniform(0.2, 1.0))
                keys = self._publish()
                span.ends = time.monotonic()
            self.see("keys are available after an outage", self._gets(newest, "allowed"), CACHE["backoff_cap"])
        self._await(keys)

    def _publish(self) -> list[Key]:
        with self.site.history.publishing() as keys:
            keys += [Key(key_id, Span(), Span()) for key_id in self.site.issuer.rotate()]
        return keys

    def _await(self, keys: list[Key]) -> None:
        # Mostly a client is the first to use it.
        time.sleep(self.rng.uniform(0, 0.2))
        for key in keys:
            self.see("a new key is accepted", self._gets(key, "allowed"), CACHE["cooldown"])
            key.known.begins, key.known.begun = key.published.begins, time.monotonic()

    def _gets(self, key: Key, code: str) -> Callable[[], bool]:
        headers = {"Authorization": f"Bearer {self.site.issuer.mint(key_id=key.key_id)}"}
        return lambda: self.probe("/any/1", headers)[0] == code

    def _down(self) -> contextlib.AbstractContextManager[None]:
        endpoint = self._endpoint
        return self.rng.choice([endpoint.closed, endpoint.hanging, endpoint.failing])()
