"""The cost of an invalid request, by counting: the requests are those of the table in docs/costs.md.

A key gets a table once it has been used often enough, so that its uses can be counted from outside: who sends a request
a hundred times, and no table is built where 128 uses build one, has not made anybody use a key twice for each of them.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

BENCHES = Path(__file__).resolve().parents[1] / "benches"
PAGE = BENCHES.parent / "docs" / "costs.md"

_COUNT = """
import json, os, sys, time
import watchword as ww
import invalid_requests

ww.tables.configure(after_uses=128)

def tables():
    # They are built by a thread that ends when all requested ones are built.
    until = time.monotonic() + 60
    while len(os.listdir("/proc/self/task")) > 1:
        assert time.monotonic() < until
        time.sleep(0.001)
    return ww.tables.stats().built

found = {}
for name in [request.name for request in invalid_requests.requests()]:
    # With new keys of its own.
    (request,) = (one for one in invalid_requests.requests() if one.name == name)
    before = tables()
    counts = []
    for times in (100, 200):
        for _ in range(times):
            assert request.send() == request.code, name
        counts.append(tables() - before)
    found[name] = [request.allowed, *counts]
print(json.dumps(found))
"""


@pytest.fixture(scope="module", name="counted")
def _counted() -> dict[str, tuple[str, int, int]]:
    """For each request: what it may cost, and how many keys were prepared after sending it 100 and 300 times."""
    if not Path("/proc/self/task").exists():
        pytest.skip("only Linux lists a process's threads")
    done = subprocess.run(
        [sys.executable, "-c", _COUNT], capture_output=True, text=True, check=False, timeout=300, cwd=BENCHES
    )
    assert done.stderr == ""
    found = {name: (allowed, first, second) for name, (allowed, first, second) in json.loads(done.stdout).items()}
    assert len(found) > 30
    return found


def test_no_request_uses_a_key_more_than_once(counted: dict[str, tuple[str, int, int]]) -> None:
    assert {name: first for name, (_, first, _) in counted.items() if first} == {}


def test_no_request_uses_more_keys_than_it_may(counted: dict[str, tuple[str, int, int]]) -> None:
    """One verification is with the issuer's key; an attacker's proof, if verified, would give its key a table."""
    keys = {"parsing": {0}, "one check": {1}, "a valid token": {0, 1}, "16 checks": {16}}
    wrong = {name: (allowed, second) for name, (allowed, _, second) in counted.items() if second not in keys[allowed]}
    assert wrong == {}


def test_the_page_has_a_row_for_every_request(counted: dict[str, tuple[str, int, int]]) -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert [name for name, (allowed, *_) in counted.items() if f"| {name} | {allowed} | `" not in page] == []
