"""Precomputed tables, as an operator sees them. The settings are of the process: each test restores them."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

import mint
import pytest

import watchword as ww

POLICY = ww.Policy(issuer=mint.ISSUER, audience=mint.AUDIENCE)


@pytest.fixture(autouse=True)
def settings() -> Iterator[None]:
    before = ww.tables.stats()
    yield
    ww.tables.configure(max_bytes=before.max_bytes, width=before.width, after_uses=before.after_uses)


def fresh_key() -> tuple[ww.KeySet, str]:
    """A new key, and a token signed with it."""
    from watchword.testing import LocalIssuer

    issuer = LocalIssuer(mint.ISSUER, algorithms=("EdDSA",))
    return ww.KeySet.from_json(issuer.jwks()), issuer.mint({"aud": mint.AUDIENCE})


def wait_until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not holds():
        assert time.monotonic() < deadline, ww.tables.stats()
        time.sleep(0.001)


def test_a_set_is_prepared_at_once() -> None:
    keys, token = fresh_key()
    before = ww.tables.stats()
    assert keys.prepare() == 1
    after = ww.tables.stats()
    assert after.built > before.built
    assert 0 < after.bytes <= after.max_bytes
    ww.verify(token, keys, POLICY)
    assert keys.prepare() == 1


def test_a_table_is_built_after_some_uses() -> None:
    ww.tables.configure(after_uses=4)
    keys, token = fresh_key()
    built = ww.tables.stats().built

    def verified_once_more() -> bool:
        ww.verify(token, keys, POLICY)
        return ww.tables.stats().built > built

    wait_until(verified_once_more)


def test_keys_verify_without_memory_for_tables() -> None:
    ww.tables.configure(max_bytes=0)
    # What was being built for another test's key is gone as soon as it is done.
    wait_until(lambda: ww.tables.stats().bytes == 0)
    keys, token = fresh_key()
    assert keys.prepare() == 0
    for _ in range(100):
        ww.verify(token, keys, POLICY)
    assert ww.tables.stats().tables == 0


def test_keys_that_never_have_a_table() -> None:
    """In a process of its own: here, another test's key may be in the builder's hands."""
    program = """
import watchword as ww
from watchword.testing import LocalIssuer

issuer = LocalIssuer("https://as.example")
keys = ww.KeySet.from_json(issuer.jwks(), prepare="never")
policy, token = ww.Policy(), issuer.mint(aud=None)
assert keys.prepare() == len(keys) == 1
for _ in range(200):
    ww.verify(token, keys, policy)
print(ww.tables.stats().built)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr) == ("0\n", "")


@pytest.mark.parametrize(
    ("setting", "error"),
    [
        ({"max_bytes": -1}, ValueError),
        ({"max_bytes": 1 << 70}, ValueError),
        ({"max_bytes": "much"}, TypeError),
        ({"width": 3}, ValueError),
        ({"width": 9}, ValueError),
        ({"width": 300}, ValueError),
        ({"width": None, "after_uses": 0}, ValueError),
        ({"after_uses": 1 << 40}, ValueError),
        ({"after_uses": 1.5}, TypeError),
    ],
)
def test_invalid_settings(setting: dict[str, Any], error: type[Exception]) -> None:
    before = ww.tables.stats()
    with pytest.raises(error, match="|".join(setting)):
        ww.tables.configure(**setting)
    after = ww.tables.stats()
    assert (after.max_bytes, after.width, after.after_uses) == (before.max_bytes, before.width, before.after_uses)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
@pytest.mark.skipif(sys.version_info >= (3, 12), reason="a fork beside threads warns from Python 3.12 on")
def test_a_forked_child_builds_tables_of_its_own() -> None:
    """The builder's thread stays behind in the parent: the child has to notice."""
    ww.tables.configure(after_uses=4)
    keys, token = fresh_key()
    for _ in range(64):
        ww.verify(token, keys, POLICY)
    child = os.fork()
    if child == 0:
        status = 1
        try:
            keys, token = fresh_key()
            built = ww.tables.stats().built
            deadline = time.monotonic() + 30
            while ww.tables.stats().built == built and time.monotonic() < deadline:
                ww.verify(token, keys, POLICY)
            results = ww.verify_many([token] * 500, keys, POLICY, threads=2)
            status = 0 if ww.tables.stats().built > built and results.valid_count == 500 else 2
        finally:
            os._exit(status)
    _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == 0
