"""``python tests/soak/gate.py --seconds 60``: a gate under load while everything around it changes.

32 clients send valid and invalid requests to two servers that share one gate. Meanwhile the issuer rotates and
withdraws keys and has outages; the operator replaces the routes, fetches the keys, adds and removes another issuer.
Every answer is compared with what was right at that time; a wrong one, or any 500, fails the run.
"""

from __future__ import annotations

import argparse
import collections
import contextlib
import json
import random
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

if __name__ == "__main__":
    sys.path[:0] = [str(Path(__file__).resolve().parents[2] / "python")]

from soak_clients import SEEN, Client
from soak_history import History, Key, Span
from soak_service import serving
from soak_tally import Tally

from watchword.gate import Gate, GateConfig, Route
from watchword.testing import LocalIssuer, ServedIssuer

ORIGIN = "https://api.example"
CLIENTS = 32


def routes(generation: int) -> list[Route]:
    """The routes of a generation: the name tells which, and the scope that they require alternates."""
    return [
        Route("/public", public=True, name=f"public {generation}"),
        Route("/orders/{id}", scopes=(f"orders:{generation % 2}",), name=f"orders {generation}"),
        Route("/any/{id}", name=f"any {generation}"),
    ]


class Operator:
    """Changes one thing after the other, and notes it."""

    def __init__(self, issuer: ServedIssuer, partner: LocalIssuer, gate: Gate, history: History) -> None:
        self._issuer = issuer
        self._partner = partner
        self._gate = gate
        self._history = history
        self.done: collections.Counter[str] = collections.Counter()

    def work(self, until: float, rng: random.Random) -> None:
        turns: list[Callable[[], None]] = [
            self.rotate,
            self.withdraw,
            self.refresh,
            self.reload,
            self.configure,
            self.reload,
            self.configure,
            self.outage,
        ]
        while time.monotonic() < until:
            for turn in rng.sample(turns, len(turns)):
                if time.monotonic() < until:
                    turn()
                    self.done[turn.__name__] += 1
                    time.sleep(rng.uniform(0.01, 0.05))

    def rotate(self) -> None:
        with self._history.publishing() as keys:
            keys += [Key(key_id, Span(), Span()) for key_id in self._issuer.rotate()]

    def withdraw(self) -> None:
        """Withdraw the oldest keys, but not the last two generations."""
        published = [key for key in self._history.all_keys() if key.published.ends == float("inf")]
        for key in published[:-4]:
            with self._history.withdrawing(key):
                self._issuer.remove_key(key.key_id)

    def refresh(self) -> None:
        with self._history.refreshing():
            self._gate.refresh()

    def reload(self) -> None:
        with self._history.reloading() as (generation, _):
            self._gate.reload(routes(generation))

    def configure(self) -> None:
        """Replace everything, issuers too: the partner is added or removed."""
        with self._history.reloading(toggle_partner=True) as (generation, partner):
            self._gate.reload(_config(self._issuer, self._partner if partner else None, generation))

    def outage(self) -> None:
        with self._history.outages.lasting(), self._issuer.outage():
            time.sleep(0.05)


def _config(issuer: ServedIssuer, partner: LocalIssuer | None, generation: int) -> GateConfig:
    # Without a cooldown, every unknown kid makes the gate fetch the keys.
    first = {"issuer": issuer.issuer, "allow_loopback_http": True, "cache": {"cooldown": 0}}
    others = [] if partner is None else [{"issuer": partner.issuer, "jwks": json.dumps(partner.jwks())}]
    document = {
        "public_url": ORIGIN,
        "token": {"audience": ORIGIN},
        "token_cache": {"max_bytes": 16 << 20},
        "issuers": [first, *others],
        "routes": [_as_document(route) for route in routes(generation)],
    }
    return GateConfig.from_json(json.dumps(document))


def _as_document(route: Route) -> dict[str, object]:
    found: dict[str, object] = {"path": route.path, "name": route.name}
    return {**found, "public": True} if route.public else {**found, "scopes": list(route.scopes)}


@contextlib.contextmanager
def _gate(issuer: ServedIssuer) -> Iterator[Gate]:
    config = _config(issuer, None, 0)
    with config.verifier() as verifier:
        yield Gate(verifier, config.routes, **config.gate_keywords())


def run(seconds: float, seed: int, clients: int = CLIENTS) -> tuple[Tally, collections.Counter[str]]:
    """Return what the clients saw and what the operator did."""
    history, tally = History(), Tally(SEEN)
    partner = LocalIssuer("https://partner.example", audience=ORIGIN, key_ids=["partner-1"])
    with LocalIssuer(audience=ORIGIN, algorithms=("EdDSA", "ES256")).serve() as issuer, _gate(issuer) as gate:
        operator = Operator(issuer, partner, gate, history)
        with history.publishing() as keys:
            keys += [Key(jwk["kid"], Span(), Span()) for jwk in issuer.jwks()["keys"]]
        operator.refresh()
        operator.reload()
        with serving(gate) as ports:
            until = time.monotonic() + seconds
            made = [
                Client(issuer, partner, history, tally, ports[number % 2], random.Random(f"{seed} {number}"))
                for number in range(clients)
            ]
            threads = [threading.Thread(target=client.work, args=(until,)) for client in made]
            for thread in threads:
                thread.start()
            operator.work(until, random.Random(seed))
            for thread in threads:
                thread.join()
    return tally, operator.done


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--clients", type=int, default=CLIENTS)
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 32))
    options = parser.parse_args()
    tally, done = run(options.seconds, options.seed, options.clients)
    print(f"seed {options.seed}, {options.clients} clients, {options.seconds:g} s: {tally.total} answers")
    print("changes: " + ", ".join(f"{count} {name}" for name, count in sorted(done.items())))
    print(*tally.describe(), sep="\n")
    missing = tally.missing()
    if missing:
        print(f"too short a run: never seen: {'; '.join(missing)}")
    for wrong in tally.wrong[:20]:
        print("WRONG", wrong)
    print(f"{len(tally.wrong)} wrong answers")
    sys.exit(bool(tally.wrong or missing))


if __name__ == "__main__":
    main()
