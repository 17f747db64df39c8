"""Fork at random moments while other threads verify; every child has to verify.

    python tests/forks/fork_loop.py --forks 10000

Each round forks a *parent* that has imported ``watchword`` and done nothing else, as a fresh process has. Its threads
begin to verify, to prepare keys, to fetch or to check proofs, all for the first time, and meanwhile the parent forks
children at random moments. A child goes through everything itself. One that is not done after ``CHILD_TIMEOUT`` seconds
counts as hung, and is killed. The exit status is 0 if every child succeeded; the last line on stdout is a summary.
"""

from __future__ import annotations

import argparse
import faulthandler
import json
import os
import random
import signal
import sys
import threading
import time
import traceback
import warnings
from collections import Counter
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import mint
import proofs
import pytest

import watchword as ww
from watchword import dpop
from watchword.jwks import CacheSettings

CHILD_TIMEOUT = 60.0
PATIENT = CacheSettings(timeout=30, min_ttl=60)  # the machine may be slow
CHILDREN_A_ROUND = 8
ALGORITHMS = [(key, algorithm) for key, algorithm in mint.SIGNERS if algorithm != "Ed25519"]
KEYS = json.dumps(mint.jwks("ed25519", "p256", "p384", "rsa"))
TOKENS = [mint.token(key=key, algorithm=algorithm) for key, algorithm in ALGORITHMS]
TAMPERED = [token[:-8] + ("AAAAAAAA" if not token.endswith("AAAAAAAA") else "BBBBBBBB") for token in TOKENS]
BOUND = proofs.bound_token()
PROOFS = [proofs.proof(proofs.claims(jti=f"proof-{number}", ath=proofs.ath(BOUND))) for number in range(64)]


class Endpoint(BaseHTTPRequestHandler):
    """Serves the keys."""

    def do_GET(self) -> None:
        body = KEYS.encode()
        self.send_response(200)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *arguments: object) -> None:
        """Says nothing."""


class World:
    """What a server makes while it loads, before it forks."""

    def __init__(self, url: str, seed: int) -> None:
        self.random = random.Random(seed)
        self.url = url
        self.policy = ww.Policy(issuer=mint.ISSUER, audience=mint.AUDIENCE)
        self.keys = ww.KeySet.from_json(KEYS)
        self.cache = ww.TokenCache(max_bytes=1 << 20)
        self.replay = dpop.MemoryReplayStore()
        self.nonces = dpop.Nonces()
        self.verifier = ww.Verifier(
            [ww.Issuer(mint.ISSUER, jwks_uri=f"{url}/jwks", allow_loopback_http=True, cache_settings=PATIENT)],
            audience=mint.AUDIENCE,
            clock=lambda: float(mint.NOW),
            token_cache=self.cache,
        )
        self.token: ww.VerifiedToken | None = None

    # What threads do; each is also one of the things that a child does.

    def verify(self) -> None:
        for place in self.random.sample(range(len(TOKENS)), len(TOKENS)):
            token = ww.verify(TOKENS[place], self.keys, self.policy, now=mint.NOW)
            assert token.claims["sub"] == token.subject == "agent-7"
            assert token.header["alg"] == ALGORITHMS[place][1]
            assert token.plain_scopes.allows("read")
            assert token.resource_scopes.ignored == token.slot_scopes.ignored[2:]
            assert token.delegation.depth == 0
            with pytest.raises(ww.InvalidSignatureError):
                ww.verify(TAMPERED[place], self.keys, self.policy, now=mint.NOW)

    def verify_many(self) -> None:
        tokens = [TOKENS[0], TOKENS[1], TAMPERED[0]] * 32
        result = ww.verify_many(tokens, self.keys, self.policy, now=mint.NOW, threads=2)
        assert result.valid_count == 64
        assert [code for code in result.codes() if code is not None] == ["invalid_signature"] * 32
        assert [isinstance(one, ww.VerifiedToken) for one in result] == [True, True, False] * 32

    def prepare(self) -> None:
        self.keys.prepare()
        assert ww.KeySet.from_json(KEYS).prepare() == 4
        assert len({key.thumbprint for key in self.keys}) == 4

    def remember(self) -> None:
        for token in TOKENS[:3] * 3:
            self.cache.verify(token, self.keys, self.policy, mint.NOW)
        stats = self.cache.stats()
        assert stats.bytes <= stats.max_bytes
        self.cache.clear()

    def read_keys(self) -> None:
        keys = ww.KeySet.from_json(json.loads(KEYS))
        assert len(keys) == 4
        ww.verify(TOKENS[0], keys, self.policy, now=mint.NOW)
        ww.tables.configure()
        ww.tables.stats()
        ww.thumbprint(json.loads(KEYS)["keys"][0])

    def fetch(self) -> None:
        assert self.verifier.verify(TOKENS[1]).subject == "agent-7"
        self.verifier.refresh()
        assert self.verifier.verify(TOKENS[0]).subject == "agent-7"
        assert self.verifier.verify_many(TOKENS).valid_count == len(TOKENS)

    def check_proofs(self) -> None:
        for number in self.random.sample(range(len(PROOFS)), 4):
            proof = dpop.verify_proof(
                PROOFS[number], method=proofs.METHOD, uri=proofs.URI, access_token=BOUND, now=mint.NOW
            )
            assert proof.jwk["kty"] == "EC"
            self.replay.consume(proof.replay_id, proof.expires_at, mint.NOW)
            ww.verify(BOUND, self.keys, self.policy, now=mint.NOW, proof=proof)
        assert self.nonces.accepts(self.nonces.issue())

    def look(self) -> None:
        """Several threads, and children, look at one token's members for the first time."""
        token = self.token
        assert token is not None
        assert token.claims["sub"] == "agent-7"
        assert token.plain_scopes.allows("read")
        assert token.header["typ"] == "JWT"


LOCAL = ("verify", "verify_many", "prepare", "remember", "read_keys", "check_proofs", "look")
SCENARIOS: dict[str, tuple[str, ...]] = {
    "first verification": ("verify", "verify"),
    "prepare": ("prepare", "prepare", "verify"),
    "batch": ("verify_many", "verify"),
    "cache and proofs": ("remember", "check_proofs", "remember", "check_proofs"),
    "keys": ("read_keys", "prepare", "look", "verify"),
    "fetch": ("fetch", "verify", "fetch"),
}


def checked(work: Callable[[], None]) -> int:
    """Run it; 0 if it succeeded."""
    try:
        work()
    except BaseException:
        traceback.print_exc()
        sys.stderr.flush()
        faulthandler.dump_traceback()  # of all threads: perhaps one of them hangs
        return 1
    return 0


def child(world: World, scenario: str) -> None:
    for name in LOCAL:
        getattr(world, name)()
    if scenario == "fetch":
        world.fetch()


def parent(world: World, scenario: str) -> Counter[str]:
    """Begin all work of the scenario in threads, and fork meanwhile."""
    outcome: Counter[str] = Counter()
    world.token = ww.verify(TOKENS[2], ww.KeySet.from_json(KEYS), world.policy, now=mint.NOW)  # ES384: has no table
    start, stop = threading.Event(), threading.Event()

    def work(name: str) -> None:
        start.wait()
        while not stop.is_set():
            if checked(getattr(world, name)):
                outcome["a thread failed"] += 1
                return

    threads = [threading.Thread(target=work, args=(name,)) for name in SCENARIOS[scenario]]
    for thread in threads:
        thread.start()
    children: dict[int, float] = {}
    start.set()
    for _ in range(CHILDREN_A_ROUND):
        time.sleep(world.random.choice((0, 0.0005, 0.002, 0.005, 0.02)) * world.random.random())
        pid = os.fork()
        if pid == 0:
            status = checked(lambda: child(world, scenario))
            sys.stdout.flush()
            os._exit(status)
        children[pid] = time.monotonic()
    stop.set()
    for pid, began in children.items():
        outcome[wait_for(pid, began + CHILD_TIMEOUT)] += 1
    for thread in threads:
        thread.join(CHILD_TIMEOUT)
        outcome["a thread hung"] += thread.is_alive()
    world.verifier.close()
    return outcome


def wait_for(pid: int, deadline: float) -> str:
    """How the process ended; one that does not end is killed."""
    pause = 0.0005
    while True:
        ended, status = os.waitpid(pid, os.WNOHANG)
        if ended:
            return "verified" if status == 0 else f"failed ({os.waitstatus_to_exitcode(status)})"
        if time.monotonic() > deadline:
            os.kill(pid, signal.SIGABRT)  # shows where it hangs
            time.sleep(0.5)
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
            return "hung"
        time.sleep(pause)
        pause = min(2 * pause, 0.02)


def run(forks: int, seed: int, scenarios: list[str], url: str, total: Counter[str]) -> None:
    """Rounds, until there were so many forks."""
    source = random.Random(seed)
    number = 0
    while sum(count for outcome, count in total.items() if "thread" not in outcome) < forks:
        scenario = scenarios[number % len(scenarios)]
        number += 1
        reading, writing = os.pipe()
        round_seed = source.getrandbits(32)
        pid = os.fork()
        if pid == 0:
            os.close(reading)
            try:
                outcome = parent(World(url, round_seed), scenario)
                os.write(writing, json.dumps({f"{name}": count for name, count in outcome.items()}).encode())
            except BaseException:
                traceback.print_exc()
            finally:
                sys.stderr.flush()
                os._exit(0)
        os.close(writing)
        with os.fdopen(reading, "rb") as pipe:
            answer = pipe.read()
        ended = wait_for(pid, time.monotonic() + CHILD_TIMEOUT)
        outcome = json.loads(answer) if answer else {f"the parent {ended}": CHILDREN_A_ROUND}
        bad = {name: count for name, count in outcome.items() if name != "verified" and count}
        if bad:
            print(f"round {number} ({scenario}, seed {round_seed}): {bad}", file=sys.stderr, flush=True)
        total.update({name: count for name, count in outcome.items() if count})


def main() -> int:
    global CHILD_TIMEOUT  # noqa: PLW0603 - a program's option
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--forks", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=None)
    parser.add_argument("--timeout", type=float, default=CHILD_TIMEOUT, help="seconds that a child may take")
    parser.add_argument("--scenario", action="append", choices=list(SCENARIOS))
    options: Any = parser.parse_args()
    CHILD_TIMEOUT = options.timeout
    seed = options.seed if options.seed is not None else random.SystemRandom().getrandbits(32)
    faulthandler.enable()
    # Of forking with threads (from Python 3.12), which is the point.
    warnings.simplefilter("ignore", DeprecationWarning)
    server = ThreadingHTTPServer(("127.0.0.1", 0), Endpoint)
    endpoint = os.fork()
    if endpoint == 0:
        server.serve_forever()
    port = server.server_address[1]
    server.socket.close()
    began = time.monotonic()
    total: Counter[str] = Counter()
    try:
        run(options.forks, seed, options.scenario or list(SCENARIOS), f"http://127.0.0.1:{port}", total)
    except KeyboardInterrupt:
        pass  # interrupted: print the figures so far
    finally:
        os.kill(endpoint, signal.SIGKILL)
        os.waitpid(endpoint, 0)
    seconds = round(time.monotonic() - began, 1)
    print(json.dumps({"seed": seed, "seconds": seconds, "outcomes": total}))
    return 0 if set(total) == {"verified"} else 1


if __name__ == "__main__":
    sys.exit(main())
