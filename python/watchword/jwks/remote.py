"""Keys over HTTP: the threads and the lock around :class:`~watchword.jwks.freshness.Freshness`.

Whoever needs keys asks the state machine under the lock, begins an attempt if told so, and waits outside the lock if
told so. An attempt runs in a daemon thread of its own, in no caller's, so that threads and event loops share it alike.
"""

from __future__ import annotations

import contextlib
import itertools
import threading
from collections.abc import Callable, Collection, Iterator
from concurrent.futures import Future
from dataclasses import dataclass, replace
from typing import TypeVar

from watchword._kernel import KeySet
from watchword.errors import KeysUnavailableError
from watchword.jwks.describe import describe_change
from watchword.jwks.download import Answer, DownloadError, Endpoint, Origin
from watchword.jwks.events import Counters, EventKind, KeyEvent, Listener, Stats, printable, tell
from watchword.jwks.fetch import Fetcher
from watchword.jwks.forks import mind_forks
from watchword.jwks.freshness import Attempt, Freshness, Held
from watchword.jwks.negative import UnknownKeyIds
from watchword.jwks.scheduler import scheduler
from watchword.jwks.urls import redact
from watchword.jwks.waiting import Pending

_T = TypeVar("_T")

_TOO_LATE = "no complete answer in time"


@dataclass(eq=False)
class _Flight:
    """An attempt, and what its waiters wait for: done when it has ended, however it ended."""

    attempt: Attempt
    future: Future[None]


@dataclass(frozen=True, slots=True)
class _Pass:
    """What callers may use without asking, and for how long. Replaced whole, so it can be read without the lock."""

    keys: KeySet
    until: float
    stale: bool


class RemoteSource:
    """A :class:`~watchword.jwks.source.KeySource` of a JWK Set behind a URL."""

    def __init__(
        self, endpoint: Endpoint, *, fetcher: Fetcher, clock: Callable[[], float], listener: Listener | None
    ) -> None:
        settings = endpoint.settings
        self._endpoint = endpoint
        self._fetcher = fetcher
        self._clock = clock
        self._listener = listener
        self._state: Freshness[Origin] = Freshness(settings)
        self._unknown = UnknownKeyIds(settings.negative_size, settings.negative_ttl)
        self._counters = Counters()
        self._last_failure: str | None = None
        self._stale_uses = 0
        self._stale_told = 0  # the sequence of the last set whose stale use was told
        self._closed = False
        self.after_fork()
        mind_forks(self)

    def after_fork(self) -> None:
        """The lock may be held, and the attempt carried, by a thread of the other process."""
        # Reentrant, as a signal handler or a finalizer may call close() while its own thread is inside.
        self._lock = threading.RLock()
        self._state.forget_attempts()
        self._flight: _Flight | None = None
        self._news: list[KeyEvent] = []
        self._ended: list[_Flight] = []
        self._pass: _Pass | None = None

    # What a Verifier asks.

    def current(self) -> KeySet | None:
        """The set, as long as nothing else is to be done. Takes no lock: it is called for every token."""
        found = self._pass
        if found is None or self._clock() >= found.until:
            return None
        if found.stale:
            self._stale_uses += 1  # without the lock, so that now and then one is lost
        return found.keys

    def request(self) -> Pending[KeySet]:
        """The set; waits for it only where there is none that may be used, or for the grace."""
        with self._turn() as now:
            self._check_open()
            advice = self._state.consult(now)
            return self._pending(self._settle, self._join(now, start=advice.start), advice.wait)

    def refresh(self) -> Pending[KeySet]:
        """A new set, or a failure, whatever the cooldown and the back-off say."""
        with self._turn() as now:
            self._check_open()
            held = self._state.held
            advice = self._state.consult_forced(now)
            flight = self._join(now, start=advice.start)
            return self._pending(lambda: self._settle_refresh(held), flight, advice.wait)

    def request_newer(self, seen: KeySet, key_ids: Collection[str | None]) -> Pending[KeySet | None]:
        """Another set, fetched where neither the cooldown, nor the back-off, nor the negative cache is against it."""
        with self._turn() as now:
            self._check_open()
            self._counters.add("unknown_keys")
            if all(self._unknown.holds(key_id, now) for key_id in key_ids):
                self._counters.add("negative_hits")
                self._tell_unknown(key_ids, "it is known to be unknown")
                return Pending(lambda: None)
            advice = self._state.consult_unknown(now, seen)
            flight = self._join(now, start=advice.start)
            if advice.held is not None:
                self._tell_unknown(key_ids, "a newer set has come meanwhile")
            elif advice.wait > 0:
                self._tell_unknown(key_ids, "a fetch is begun" if advice.start else "a fetch is on its way")
            else:
                self._counters.add("cooldown_refusals")
                self._tell_unknown(key_ids, "the keys were asked for only just")
            begun = flight.attempt if flight is not None and advice.start else None
            return self._pending(lambda: self._settle_newer(seen, key_ids, begun), flight, advice.wait)

    def stats(self) -> Stats:
        """The counters."""
        with self._lock:
            held = self._state.held
            return self._counters.snapshot(
                stale_uses=self._stale_uses,
                negative_size=len(self._unknown),
                keys=len(held.keys) if held is not None else 0,
                rejected_keys=len(held.keys.rejected) if held is not None else 0,
                age=max(0.0, self._clock() - held.asked_at) if held is not None else None,
                consecutive_failures=self._state.failures,
                fetching=self._state.attempt is not None,
            )

    def close(self) -> None:
        """Ends the refreshing in the background and drops the set. A fetch in flight ends by itself."""
        with self._turn():
            self._closed = True
            self._state.held = None
            self._state.forget_attempts()
            self._end_flight()
        scheduler.forget(self)

    def wake(self) -> None:
        """The scheduler's call: refreshes ahead, and gives up what is overdue."""
        with self._turn() as now:
            if not self._closed:
                self._join(now, start=self._state.consult(now).start)
                self._arrange(now)

    # How things stand after the wait.

    def _settle(self) -> KeySet:
        with self._turn() as now:
            held = self._state.usable(now)
            if held is None:
                self._counters.add("unavailable")
                raise KeysUnavailableError(f"the keys of {self._name()} are not available: {self._trouble()}")
            if now >= held.fresh_until:
                self._stale_uses += 1
                if self._stale_told < held.sequence:
                    self._stale_told = held.sequence
                    self._report(EventKind.STALE_SET_USED, self._last_failure or "a newer set is on its way")
            return held.keys

    def _settle_refresh(self, before: Held[Origin] | None) -> KeySet:
        with self._turn() as now:
            held = self._state.usable(now)
            if held is None or held is before:
                raise KeysUnavailableError(f"the keys of {self._name()} could not be refreshed: {self._trouble()}")
            return held.keys

    def _settle_newer(self, seen: KeySet, key_ids: Collection[str | None], begun: Attempt | None) -> KeySet | None:
        with self._turn() as now:
            held = self._state.usable(now)
            if held is None:
                return None
            changed = held.keys is not seen
            if begun is not None and held.sequence >= begun.sequence:
                # The endpoint was asked after these kids were seen, and has answered without them. (The answer to an
                # attempt that was under way already may be from before the key was published.)
                for key_id in itertools.islice(key_ids, self._endpoint.settings.negative_size):
                    absent = not changed if key_id is None else key_id not in held.keys
                    if absent:
                        self._unknown.add(key_id, now)
            return held.keys if changed else None

    # One turn at the state. The methods from here on are called within one, save _carry_out.

    @contextlib.contextmanager
    def _turn(self) -> Iterator[float]:
        """Holds the lock and yields the time. Waiters are woken and listeners told after the lock is released."""
        news: list[KeyEvent] = []
        ended: list[_Flight] = []
        try:
            with self._lock:
                now = self._clock()
                try:
                    if self._state.give_up_overdue(now) is not None:
                        self._note_failure(_TOO_LATE, None)
                        self._end_flight()
                        self._arrange(now)
                    yield now
                finally:
                    self._pass = self._issue_pass(now)
                    news, self._news = self._news, []
                    ended, self._ended = self._ended, []
        finally:
            for flight in ended:
                flight.future.set_result(None)
            tell(self._listener, *news)

    def _issue_pass(self, now: float) -> _Pass | None:
        held = self._state.held
        if held is None:
            return None
        return _Pass(held.keys, self._state.settled_until(now), now >= held.fresh_until)

    def _join(self, now: float, *, start: bool) -> _Flight | None:
        """The attempt in flight, begun here where ``start`` says so."""
        if start:
            self._begin(now)
        return self._flight

    def _begin(self, now: float) -> None:
        flight = _Flight(self._state.begin(now), Future())
        # A running future can't be cancelled: whatever becomes of one waiter, the others keep theirs.
        flight.future.set_running_or_notify_cancel()
        self._flight = flight
        self._counters.add("fetches")
        held = self._state.held
        previous = held.origin if held is not None else None
        if previous is not None and self._state.failures:
            # Perhaps the set has moved: after a failure the place is looked up anew.
            previous = replace(previous, discovered=None)
        try:
            threading.Thread(
                target=self._carry_out, args=(flight, previous), name="watchword-fetch", daemon=True
            ).start()
        except RuntimeError:
            self._failed(flight, "no thread could be started", None, now)
        except BaseException:
            self._failed(flight, "interrupted", None, now)
            raise
        self._arrange(now)

    def _carry_out(self, flight: _Flight, previous: Origin | None) -> None:
        """The body of an attempt's thread."""
        url = self._endpoint.jwks_uri
        outcome: Answer | DownloadError
        try:
            started = KeyEvent(
                kind=EventKind.FETCH_STARTED, issuer=self._endpoint.issuer, url=redact(url) if url else None
            )
            tell(self._listener, started)
            outcome = self._endpoint.download(self._fetcher, previous, flight.attempt.started_at)
        except DownloadError as error:
            outcome = error
        except BaseException as error:
            # Not even a SystemExit of somebody's fetcher may leave waiters without an end.
            outcome = DownloadError(f"the attempt ended in {type(error).__name__}", redact(url) if url else None)
        with self._turn() as now:
            if self._closed:
                return
            if isinstance(outcome, Answer):
                self._succeeded(flight, outcome)
            else:
                self._failed(flight, outcome.detail, outcome.url, now)
            self._arrange(now)

    def _succeeded(self, flight: _Flight, answer: Answer) -> None:
        origin, old = answer.origin, self._state.held
        url = redact(origin.url)
        in_time = self._state.succeed(flight.attempt, origin.keys, answer.lifetime, origin)
        self._end_flight(flight)
        if not in_time:
            self._counters.add("discarded")
            self._report(EventKind.ANSWER_DISCARDED, "a newer set has come meanwhile", url=url)
            return
        self._last_failure = None
        self._report(
            EventKind.FETCH_SUCCEEDED,
            f"{'unchanged, ' if answer.unchanged else ''}good for {answer.lifetime:g} s",
            url=url,
        )
        if answer.unchanged:
            self._counters.add("not_modified")
            return
        changes = describe_change(self._endpoint.issuer, old.keys if old is not None else None, origin.keys, url)
        self._news += changes
        if any(change.kind is EventKind.SET_CHANGED for change in changes):
            self._counters.add("set_changes")
            self._unknown.clear()

    def _failed(self, flight: _Flight, detail: str, url: str | None, now: float) -> None:
        self._state.fail(flight.attempt, now)
        if flight is self._flight:  # else it was given up, and told and counted then
            self._note_failure(detail, url)
            self._end_flight()

    def _note_failure(self, detail: str, url: str | None) -> None:
        self._last_failure = detail
        self._counters.add("failures")
        self._report(EventKind.FETCH_FAILED, detail, url=url)

    def _end_flight(self, flight: _Flight | None = None) -> None:
        """Wakes the waiters of the attempt in flight (where it is this one)."""
        if self._flight is not None and flight in (None, self._flight):
            self._ended.append(self._flight)
            self._flight = None

    def _arrange(self, now: float) -> None:
        at = self._state.next_look()
        if at is not None and not self._closed:
            scheduler.wake_after(at - now, self)

    def _pending(self, settle: Callable[[], _T], flight: _Flight | None, seconds: float) -> Pending[_T]:
        if flight is None or seconds <= 0:
            return Pending(settle)
        self._counters.add("waits")
        return Pending(settle, flight.future, seconds)

    def _check_open(self) -> None:
        if self._closed:
            raise ValueError("the verifier is closed")

    def _report(self, kind: EventKind, detail: str, *, url: str | None = None, key_id: str | None = None) -> None:
        self._news.append(KeyEvent(kind=kind, issuer=self._endpoint.issuer, detail=detail, url=url, key_id=key_id))

    def _tell_unknown(self, key_ids: Collection[str | None], detail: str) -> None:
        first = next((printable(key_id) for key_id in key_ids if key_id is not None), None)
        self._report(EventKind.UNKNOWN_KEY, detail, key_id=first)

    def _name(self) -> str:
        return printable(self._endpoint.issuer, 200)

    def _trouble(self) -> str:
        if self._closed:
            return "the verifier is closed"
        if self._last_failure is not None:
            return self._last_failure
        return _TOO_LATE if self._state.attempt is not None else "no attempt has been made"
