"""The operator who restarts Redis."""

from __future__ import annotations

import random
import time
from collections.abc import Callable

import redis_server
from gate_routes import ORIGIN
from gateway_clients import Site
from gateway_operator import Operator
from soak_history import NEVER


class Redis(Operator):
    """Kills the store of used proofs, and starts it again with what it has on disk."""

    calm = 5

    def __init__(self, site: Site, rng: random.Random, server: redis_server.Server) -> None:
        super().__init__(site, rng)
        self._server = server

    def turns(self) -> list[Callable[[], None]]:
        return [self.restart]

    def restart(self) -> None:
        with self.site.history.replay_outages.lasting() as span:
            self._server.kill()
            span.begun = time.monotonic()
            time.sleep(self.rng.uniform(0.05, 1.5))
            span.ends = time.monotonic()
            self._server.start()
            self.see("proofs are accepted after a restart of Redis", self.accepts, 1.0)

    def accepts(self) -> bool:
        # By keys that are available, whatever the other operator does with the issuer's: both answer 503.
        keys = [key for key in self.site.history.all_keys() if key.published.ends == NEVER and key.known.begun < NEVER]
        signed = self.site.issuer.sign_request("GET", f"{ORIGIN}/bound/1", dpop=True, key_id=keys[-1].key_id)
        return self.probe("/bound/1", dict(signed.headers))[0] == "allowed"
