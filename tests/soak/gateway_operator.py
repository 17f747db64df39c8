"""An operator of the gateway, who notes each change, and waits until it is seen through the gateway.

It must be within the documented time and :data:`SLACK`.
"""

from __future__ import annotations

import collections
import random
import time
from collections.abc import Callable

from gateway_clients import Site
from gateway_exchange import Connection
from soak_processes import wait_until

#: How much longer than documented a change may take on a slow machine, in seconds.
SLACK = 10.0


class Operator:
    """Changes one thing after the other until the end: each once in order, and then in random order."""

    #: How much longer its pauses are than those of others.
    calm = 1

    def __init__(self, site: Site, rng: random.Random) -> None:
        self.site = site
        self.rng = rng
        self.done: collections.Counter[str] = collections.Counter()
        #: The longest time that each change took to be seen, in seconds.
        self.longest: dict[str, float] = {}

    def turns(self) -> list[Callable[[], None]]:
        """Return the changes."""
        raise NotImplementedError

    def missing(self) -> list[str]:
        """Return the changes that were not made."""
        return [turn.__name__ for turn in self.turns() if not self.done[turn.__name__]]

    def work(self, until: float, pause: float) -> None:
        """Make changes until then, each once at least."""
        try:
            turns = self.turns()
            while self.missing() or time.monotonic() < until:
                for turn in turns:
                    if not self.done[turn.__name__] or time.monotonic() < until:
                        turn()
                        self.done[turn.__name__] += 1
                        rest = self.rng.uniform(0.5, 1) * pause * self.calm
                        time.sleep(min(rest, max(0.0, until - time.monotonic())))
                turns = self.rng.sample(turns, len(turns))
        except Exception as error:
            self.site.tally.failed(f"operator: {type(self).__name__}", error)

    def see(self, what: str, condition: Callable[[], bool], seconds: float) -> None:
        """Wait until a change is seen."""
        took = wait_until(condition, seconds + SLACK, what)
        self.longest[what] = max(took, self.longest.get(what, 0.0))

    def probe(self, target: str, headers: dict[str, str]) -> tuple[str, str | None]:
        """Return the code and the route of the answer to a request of the operator's own."""
        connection = Connection(self.site.port)
        try:
            answer = connection.exchange("GET", target, headers).answer
        finally:
            connection.close()
        return answer.code, answer.route
