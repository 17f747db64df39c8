"""Issuers added and removed while tokens are verified."""

from __future__ import annotations

import asyncio
import os
import threading
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from endpoint import LONG, Hang, Key, Server, answer, eventually, jwks
from verdicts import ELSE, ONE, TWO, code, error, remote

import watchword as ww
from watchword.jwks import Pending, Stats

A, B, C = Key("a"), Key("b"), Key("c")
TEMPLATE = "https://login.example/{tid}"


def test_an_issuer_is_added_and_removed(server: Server) -> None:
    server.routes.update({"/one": answer(jwks(A)), "/two": answer(jwks(B))})
    with ww.Verifier([remote(server, ONE, "/one")]) as verifier:
        assert code(verifier, B.token(TWO)) == "wrong_issuer"
        verifier.add_issuer(remote(server, TWO, "/two"))
        assert server.count("/two") == 0
        assert (code(verifier, A.token(ONE)), code(verifier, B.token(TWO))) == (None, None)
        assert list(verifier.stats()) == [ONE, TWO]
        assert repr(verifier) == f"Verifier(['{ONE}', '{TWO}'])"
        verifier.remove_issuer(ONE)
        assert (code(verifier, A.token(ONE)), code(verifier, B.token(TWO))) == ("wrong_issuer", None)
        assert list(verifier.stats()) == [TWO]


def test_every_kind_of_issuer_is_added_and_removed() -> None:
    verifier = ww.Verifier([ww.Issuer(ONE, jwks=jwks(A), aliases=["one"])], audience=ww.ANY_AUDIENCE)
    verifier.add_issuer(ww.Issuer(TEMPLATE, jwks=jwks(B), tenants=ww.ANY_TENANT))
    verifier.add_issuer(ww.Issuer("spiffe://example.org", jwks=jwks(C)))
    tokens = {
        ONE: A.token("one"),
        TEMPLATE: B.token("https://login.example/t", tid="t"),
        "spiffe://example.org": C.token(ELSE, sub="spiffe://example.org/x", aud="me"),
    }
    assert [code(verifier, token) for token in tokens.values()] == [None] * 3
    for name, token in tokens.items():
        verifier.remove_issuer(name)
        assert code(verifier, token) == "wrong_issuer"


def test_an_issuer_may_be_a_string() -> None:
    with ww.Verifier(ONE) as verifier:
        verifier.add_issuer(TWO)
        assert list(verifier.stats()) == [ONE, TWO]
        with pytest.raises(TypeError, match="Issuer objects"):
            verifier.add_issuer(5)  # type: ignore[arg-type]
        with pytest.raises(TypeError, match="Issuer objects"):
            verifier.add_issuer([TWO])  # type: ignore[arg-type]


def test_what_cannot_be_added_changes_nothing() -> None:
    closed: list[bool] = []
    verifier = ww.Verifier([ww.Issuer(ONE, jwks=jwks(A), aliases=["one"])])
    for issuer in (
        ww.Issuer(ONE, jwks=jwks(B)),
        ww.Issuer("one", jwks=jwks(B)),
        ww.Issuer(TWO, source=OwnKeys(closed), aliases=["one"]),
        ww.Issuer("https://{t}.example", source=OwnKeys(closed), tenants=["one", "two"]),
    ):
        with pytest.raises(ValueError, match="given twice"):
            verifier.add_issuer(issuer)
    assert list(verifier.stats()) == [ONE]
    assert code(verifier, A.token("one")) is None
    assert closed == []  # they are their owner's


def test_an_unknown_issuer_to_remove_is_reported_with_the_known_ones() -> None:
    verifier = ww.Verifier([ww.Issuer(ONE, jwks=jwks(A), aliases=["one"])])
    for name in (TWO, "one", ONE + "/", ""):
        with pytest.raises(ValueError, match=ONE):
            verifier.remove_issuer(name)
    verifier.remove_issuer(ONE)
    with pytest.raises(ValueError, match="no issuer is named"):
        verifier.remove_issuer(ONE)


def test_without_any_issuer_every_token_is_rejected() -> None:
    verifier = ww.Verifier([ww.Issuer(ONE, jwks=jwks(A))])
    verifier.remove_issuer(ONE)
    assert code(verifier, A.token(ONE)) == "wrong_issuer"
    rejected = error(verifier, A.token(ONE))
    assert rejected is not None
    assert rejected.detail == "no issuer is configured; Verifier.add_issuer adds one"
    assert code(verifier, "x") == "malformed_token"
    assert verifier.verify_many([]).codes() == []
    verifier.refresh()
    verifier.add_issuer(ww.Issuer(ONE, jwks=jwks(A)))
    assert code(verifier, A.token(ONE)) is None


def test_the_requirements_of_the_verifier_are_those_of_issuers_that_come_later() -> None:
    verifier = ww.Verifier([ww.Issuer(ONE, jwks=jwks(A))], audience="me", required=("exp", "jti"))
    verifier.add_issuer(ww.Issuer(TWO, jwks=jwks(A)))
    verifier.add_issuer(ww.Issuer(ELSE, jwks=jwks(A), audience="others", required=("exp",)))
    assert code(verifier, A.token(TWO, aud="me", jti="1")) is None
    assert code(verifier, A.token(TWO, aud="others", jti="1")) == "wrong_audience"
    assert code(verifier, A.token(TWO, aud="me")) == "missing_claim"
    assert code(verifier, A.token(ELSE, aud="others")) is None


def test_a_closed_verifier_takes_no_more(server: Server) -> None:
    verifier = ww.Verifier([ww.Issuer(ONE, jwks=jwks(A))])
    verifier.close()
    with pytest.raises(ValueError, match="closed"):
        verifier.add_issuer(remote(server, TWO))
    verifier.remove_issuer(ONE)


class OwnKeys:
    """A custom source, which records when it is closed."""

    def __init__(self, closed: list[bool], *keys: Key) -> None:
        self._keys = ww.KeySet.from_json(jwks(*keys or (A,)))
        self._closed = closed

    def current(self) -> ww.KeySet | None:
        return self._keys

    def request(self) -> Pending[ww.KeySet]:
        return Pending(lambda: self._keys)

    def request_newer(self, seen: ww.KeySet, key_ids: Any) -> Pending[ww.KeySet | None]:
        return Pending(lambda: None)

    def refresh(self) -> Pending[ww.KeySet]:
        return self.request()

    def stats(self) -> Stats:
        return Stats()

    def close(self) -> None:
        self._closed.append(True)


def test_the_source_of_a_removed_issuer_is_closed_unless_it_is_the_operators(server: Server) -> None:
    server.routes["/jwks"] = answer(jwks(A))
    closed: list[bool] = []
    own = ww.Issuer(TWO, source=OwnKeys(closed))
    with ww.Verifier([remote(server, ONE), own]) as verifier:
        assert code(verifier, A.token(ONE)) is None
        source = verifier._table.entries[ONE].source
        verifier.remove_issuer(ONE)
        with pytest.raises(ValueError, match="closed"):
            source.request()
        assert source.current() is None
        verifier.remove_issuer(TWO)
        assert closed == []
        # Added again, it starts anew.
        verifier.add_issuer(remote(server, ONE))
        verifier.add_issuer(own)
        assert (code(verifier, A.token(ONE)), code(verifier, A.token(TWO))) == (None, None)
        assert server.count() == 2


def test_a_token_cache_forgets_a_removed_issuer() -> None:
    cache = ww.TokenCache(max_bytes=1 << 20)
    keys = ww.KeySet.from_json(jwks(A))
    issuer = ww.Issuer(ONE, jwks=keys)
    for others in ([], [ww.Issuer(TWO, jwks=jwks(B))]):
        cache.clear()
        verifier = ww.Verifier([issuer, *others], token_cache=cache)
        token = A.token(ONE)
        verifier.verify(token)
        hits = cache.stats().hits
        verifier.verify(token)
        assert cache.stats().hits == hits + 1
        verifier.remove_issuer(ONE)
        assert code(verifier, token) == "wrong_issuer"
        assert cache.stats().hits == hits + 1
        # Even by the same keys: it is verified anew for an issuer that was added again.
        verifier.add_issuer(issuer)
        verifier.verify(token)
        assert cache.stats().hits == hits + 1
        verifier.verify(token)
        assert cache.stats().hits == hits + 2


# In flight.


def waits(verifier: ww.Verifier, name: str, count: int) -> None:
    eventually(lambda: verifier.stats()[name].waits >= count)


@pytest.mark.parametrize("others", [[], [ww.Issuer(TWO, jwks=jwks(B))]], ids=["alone", "beside another"])
def test_who_waits_for_the_keys_of_a_removed_issuer_gets_wrong_issuer(server: Server, others: list[ww.Issuer]) -> None:
    server.routes["/jwks"] = hang = Hang(answer(jwks(A)))
    with ww.Verifier([remote(server, ONE), *others]) as verifier:
        found: list[Any] = []
        tokens = [A.token(ONE), "x", B.token(TWO)]
        theirs = None if others else "wrong_issuer"
        threads = [
            threading.Thread(target=lambda: found.append(error(verifier, A.token(ONE)).code)),  # type: ignore[union-attr]
            threading.Thread(target=lambda: found.append(verifier.verify_many(tokens).codes())),
        ]
        for thread in threads:
            thread.start()
        waits(verifier, ONE, 2)
        verifier.remove_issuer(ONE)
        for thread in threads:
            thread.join(LONG)
        assert len(found) == 2
        assert "wrong_issuer" in found
        assert ["wrong_issuer", "malformed_token", theirs] in found
        hang.released.set()


def test_who_waits_in_a_task_gets_wrong_issuer_too(server: Server) -> None:
    server.routes["/jwks"] = hang = Hang(answer(jwks(A)))

    async def main(verifier: ww.Verifier) -> None:
        waiting = asyncio.create_task(verifier.verify_async(A.token(ONE)))
        batch = asyncio.create_task(verifier.verify_many_async([A.token(ONE)]))
        while verifier.stats()[ONE].waits < 2:
            await asyncio.sleep(0.001)
        verifier.remove_issuer(ONE)
        with pytest.raises(ww.WrongIssuerError):
            await waiting
        assert (await batch).codes() == ["wrong_issuer"]

    with ww.Verifier([remote(server, ONE)]) as verifier:
        asyncio.run(main(verifier))
        hang.released.set()


def test_who_waits_while_its_issuer_is_replaced_gets_a_verdict_of_now(server: Server) -> None:
    server.routes["/jwks"] = hang = Hang(answer(jwks(A)))
    with ww.Verifier([remote(server, ONE)]) as verifier:
        found: list[Any] = []
        thread = threading.Thread(target=lambda: found.append(_code(verifier, A.token(ONE))))
        thread.start()
        waits(verifier, ONE, 1)
        verifier.remove_issuer(ONE)
        verifier.add_issuer(ww.Issuer(ONE, jwks=jwks(A)))
        thread.join(LONG)
        hang.released.set()
        assert found in ([None], ["wrong_issuer"])  # it may have looked between the two
        assert code(verifier, A.token(ONE)) is None


def test_refresh_does_not_mind_an_issuer_that_is_removed_meanwhile(server: Server) -> None:
    server.routes.update({"/one": Hang(answer(jwks(A))), "/two": answer(jwks(B))})
    with ww.Verifier([remote(server, ONE, "/one"), remote(server, TWO, "/two")]) as verifier:
        failed: list[BaseException] = []

        def refresh() -> None:
            try:
                verifier.refresh()
            except BaseException as error:
                failed.append(error)

        thread = threading.Thread(target=refresh)
        thread.start()
        server.wait_for(1, "/one")
        verifier.remove_issuer(ONE)
        thread.join(LONG)
        assert not thread.is_alive()
        assert failed == []
        assert verifier.stats()[TWO].keys == 1


@pytest.mark.parametrize("kind", ["memory", "file", "remote"])
def test_verdicts_while_issuers_come_and_go(server: Server, tmp_path: Path, kind: str) -> None:
    """Eight threads verify while others add and remove: no verdict but the two that are right at some moment."""
    server.routes["/jwks"] = answer(jwks(A))
    path = tmp_path / "keys.json"
    path.write_bytes(jwks(A))
    coming: Callable[[], ww.Issuer] = {
        "memory": lambda: ww.Issuer(ONE, jwks=jwks(A)),
        "file": lambda: ww.Issuer(ONE, jwks_file=path),
        "remote": lambda: remote(server, ONE),
    }[kind]
    staying = ww.Issuer(TWO, jwks=jwks(B))
    cache = ww.TokenCache(max_bytes=1 << 20)
    verifier = ww.Verifier([staying], token_cache=cache)
    token, always, never = A.token(ONE), B.token(TWO), Key("a").token(ONE)
    stop = threading.Event()
    counts: Counter[tuple[str, Any]] = Counter()
    failed: list[BaseException] = []
    lock = threading.Lock()

    def note(what: str, codes: list[ww.ErrorCode | None]) -> None:
        with lock:
            counts.update((what, one) for one in codes)

    def one_by_one() -> None:
        note("coming", [_code(verifier, token)])
        note("staying", [_code(verifier, always)])
        note("forged", [_code(verifier, never)])

    def at_once() -> None:
        theirs, ours, forged = verifier.verify_many([token, always, never]).codes()
        note("coming", [theirs])
        note("staying", [ours])
        note("forged", [forged])

    async def task() -> None:
        await asyncio.gather(*(verifier.verify_async(always) for _ in range(4)))
        codes = (await verifier.verify_many_async([token, always])).codes()
        note("coming", codes[:1])
        note("staying", codes[1:])

    def run(work: Callable[[], None]) -> None:
        try:
            while not stop.is_set():
                work()
        except BaseException as error:
            failed.append(error)
            stop.set()

    def change() -> None:
        verifier.add_issuer(coming())
        verifier.stats()
        _code(verifier, token)
        verifier.remove_issuer(ONE)

    work: list[Callable[[], None]] = [*[one_by_one] * 5, *[at_once] * 2, lambda: asyncio.run(task())]
    threads = [threading.Thread(target=run, args=(one,)) for one in work]
    for thread in threads:
        thread.start()
    try:
        for _ in range(150):
            if stop.is_set():
                break
            change()
    finally:
        stop.set()
        for thread in threads:
            thread.join(LONG)
    verifier.close()
    assert failed == []
    assert {what for what, code in counts if code is None} >= {"staying"}
    assert {code for what, code in counts if what == "coming"} <= {None, "wrong_issuer"}
    assert {code for what, code in counts if what == "staying"} == {None}
    assert {code for what, code in counts if what == "forged"} <= {"invalid_signature", "wrong_issuer"}


def _code(verifier: ww.Verifier, token: str) -> ww.ErrorCode | None:
    try:
        verifier.verify(token)
    except ww.VerificationError as error:
        return error.code
    return None


def test_many_threads_add_and_remove_at_once() -> None:
    verifier = ww.Verifier([ww.Issuer(TWO, jwks=jwks(B))])
    failed: list[BaseException] = []

    def run(number: int) -> None:
        key = Key("k")
        issuer = ww.Issuer(f"https://{number}.example", jwks=jwks(key))
        try:
            for _ in range(50):
                verifier.add_issuer(issuer)
                assert verifier.verify(key.token(issuer.issuer)).issuer == issuer.issuer
                verifier.remove_issuer(issuer.issuer)
                with pytest.raises(ww.WrongIssuerError):
                    verifier.verify(key.token(issuer.issuer))
        except BaseException as error:
            failed.append(error)

    threads = [threading.Thread(target=run, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(LONG)
    assert failed == []
    assert list(verifier.stats()) == [TWO]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_a_forked_child_changes_its_issuers_even_if_another_thread_was_at_it() -> None:
    verifier = ww.Verifier([ww.Issuer(ONE, jwks=jwks(A))])
    held, release = threading.Event(), threading.Event()

    def hold() -> None:
        with verifier._lock:
            held.set()
            release.wait(LONG)

    thread = threading.Thread(target=hold)
    thread.start()
    held.wait(LONG)
    child = os.fork()
    if child == 0:
        status = 1
        try:
            verifier.add_issuer(ww.Issuer(TWO, jwks=jwks(B)))
            verifier.remove_issuer(ONE)
            verifier.verify(B.token(TWO))
            verifier.close()
            status = 0
        finally:
            os._exit(status)
    release.set()
    thread.join()
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert list(verifier.stats()) == [ONE]
