"""The one thread that wakes sources."""

from __future__ import annotations

import gc
import threading
import time
import weakref

import pytest
from endpoint import LONG, eventually

from watchword.jwks.scheduler import Scheduler


class Sleeper:
    def __init__(self) -> None:
        self.woken: list[float] = []
        self.awake = threading.Event()

    def wake(self) -> None:
        self.woken.append(time.monotonic())
        self.awake.set()


@pytest.fixture
def scheduler() -> Scheduler:
    return Scheduler()


def idle(scheduler: Scheduler) -> bool:
    return scheduler._thread is None


def test_it_wakes_once_after_a_while_and_ends(scheduler: Scheduler) -> None:
    sleeper = Sleeper()
    began = time.monotonic()
    scheduler.wake_after(0.05, sleeper)
    assert sleeper.awake.wait(LONG)
    assert sleeper.woken[0] - began >= 0.05
    eventually(lambda: idle(scheduler))
    assert len(sleeper.woken) == 1


def test_a_later_arrangement_replaces_the_one_before(scheduler: Scheduler) -> None:
    sleeper = Sleeper()
    scheduler.wake_after(3600, sleeper)
    scheduler.wake_after(-1, sleeper)
    assert sleeper.awake.wait(LONG)
    eventually(lambda: idle(scheduler))


def test_the_nearest_comes_first(scheduler: Scheduler) -> None:
    late, soon = Sleeper(), Sleeper()
    scheduler.wake_after(0.2, late)
    scheduler.wake_after(0.05, soon)
    assert late.awake.wait(LONG)
    assert soon.woken[0] < late.woken[0]


def test_what_is_forgotten_is_not_woken(scheduler: Scheduler) -> None:
    sleeper = Sleeper()
    scheduler.wake_after(0.05, sleeper)
    scheduler.forget(sleeper)
    eventually(lambda: idle(scheduler))
    assert sleeper.woken == []


def test_it_keeps_nothing_alive_and_ends_with_the_last(scheduler: Scheduler) -> None:
    sleeper = Sleeper()
    scheduler.wake_after(3600, sleeper)
    gone = weakref.ref(sleeper)
    assert not idle(scheduler)
    del sleeper
    gc.collect()
    assert gone() is None
    eventually(lambda: idle(scheduler))


def test_a_callback_that_raises_is_logged_and_stops_no_other(
    scheduler: Scheduler, caplog: pytest.LogCaptureFixture
) -> None:
    class Broken:
        def wake(self) -> None:
            raise RuntimeError("broken")

    broken, sleeper = Broken(), Sleeper()
    scheduler.wake_after(0, broken)
    scheduler.wake_after(0.05, sleeper)
    assert sleeper.awake.wait(LONG)
    assert "could not be woken" in caplog.text


def test_it_starts_again_when_needed(scheduler: Scheduler) -> None:
    for _ in range(20):
        sleeper = Sleeper()
        scheduler.wake_after(0, sleeper)
        assert sleeper.awake.wait(LONG)
    eventually(lambda: idle(scheduler))


def test_many_threads_may_arrange_at_once(scheduler: Scheduler) -> None:
    sleepers = [Sleeper() for _ in range(200)]
    parts = [sleepers[start::8] for start in range(8)]

    def arrange(part: list[Sleeper]) -> None:
        for sleeper in part:
            scheduler.wake_after(0.001, sleeper)

    threads = [threading.Thread(target=arrange, args=(part,)) for part in parts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    eventually(lambda: all(len(sleeper.woken) == 1 for sleeper in sleepers))
    eventually(lambda: idle(scheduler))
