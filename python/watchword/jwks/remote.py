"""Keys over HTTP: the threads and the lock around :class:`~watchword.jwks.freshness.Freshness`.

For a caller that needs keys, the state machine decides under the lock whether an attempt is started and whether the
caller waits, outside the lock. An attempt runs in a daemon thread of its own, shared by threads and event loops.
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
from watchword.fork_safety import register_after_fork
from watchword.jwks.describe import describe_change
from watchword.jwks.download import Answer, DownloadError, Endpoint, Origin
from watchword.jwks.events import Counters, EventKind, KeyEvent, Listener, Stats, notify, printable
from watchword.jwks.fetch import Fetcher
from watchword.jwks.freshness import Attempt, Decision, Freshness, Held
from watchword.jwks.negative import MAX_KEY_IDS, UnknownKeyIds
from watchword.jwks.outage import Outage, log
from watchword.jwks.scheduler import scheduler
from watchword.jwks.urls import redact
from watchword.threads import start_daemon
from watchword.waiting import Gate, Pending

_T = TypeVar("_T")

_TOO_LATE = "no complete answer in time"


@dataclass(eq=False)
class _InFlight:
    """An attempt, and the future that its waiters wait for: done when it has ended, successfully or not."""

    attempt: Attempt
    future: Future[None]


@dataclass(frozen=True, slots=True)
class _Snapshot:
    """The set that callers may use without a decision, and until when. Immutable, so it is read without the lock."""

    keys: KeySet
    until: float
    stale: bool


@dataclass(frozen=True, slots=True)
class _Search:
    """The unknown kids of a caller."""

    seen: KeySet
    key_ids: Collection[str | None]
    after: int
    """The last attempt begun before; the answer to a later one decides whether the kids exist."""
    until: float

    def misses(self, keys: KeySet) -> bool:
        """Return whether any of the kids is not in a set."""
        return any(self.misses_one(keys, key_id) for key_id in self.key_ids)

    def misses_one(self, keys: KeySet, key_id: str | None) -> bool:
        """Return whether a kid is not in a set. Any other set may have a key for tokens without one."""
        return keys is self.seen if key_id is None else key_id not in keys


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
        self._unknown = UnknownKeyIds(settings.cooldown)
        self._gate = Gate(settings.max_waiters)
        self._counters = Counters()
        self._last_failure: str | None = None
        self._stale_uses = 0
        self._waits = 0  # other than those that the gate counts
        self._outage = Outage()
        self._closed = False
        self.after_fork()
        register_after_fork(self)

    def after_fork(self) -> None:
        """Make a new lock and forget the attempt: both may belong to a thread of the parent process."""
        self._gate.after_fork()
        # Reentrant, as a signal handler or a finalizer may call close() while its own thread is inside.
        self._lock = threading.RLock()
        self._state.forget_attempts()
        self._flight: _InFlight | None = None
        self._news: list[KeyEvent] = []
        self._for_log: list[KeyEvent] = []
        self._ended: list[_InFlight] = []
        self._snapshot: _Snapshot | None = None

    # The interface of a KeySource.

    def current(self) -> KeySet | None:
        """Return the set if no decision is due. Takes no lock: it is called for every token."""
        found = self._snapshot
        if found is None or self._clock() >= found.until:
            return None
        if found.stale:
            self._stale_uses += 1  # without the lock, so that now and then one is lost
        return found.keys

    def request(self) -> Pending[KeySet]:
        """Return the set. The wait is for a fetch if no set is usable, or for the grace."""
        with self._turn() as now:
            self._check_open()
            decision = self._state.decide(now)
            return self._pending(self._settle, self._join(now, start=decision.start), decision)

    def refresh(self) -> Pending[KeySet]:
        """Fetch the set, whatever the cooldown and the back-off."""
        with self._turn() as now:
            self._check_open()
            held = self._state.held
            decision = self._state.decide_forced(now)
            flight = self._join(now, start=decision.start)
            return self._pending(lambda: self._settle_refresh(held), flight, decision)

    def request_newer(self, seen: KeySet, key_ids: Collection[str | None]) -> Pending[KeySet | None]:
        """Return another set, fetched unless the cooldown, the back-off or the negative cache forbids it."""
        with self._turn() as now:
            self._check_open()
            self._counters.add("unknown_keys")
            if all(self._unknown.contains(key_id, now) for key_id in key_ids):
                self._counters.add("negative_hits")
                self._report_unknown(key_ids, "no fetch: the endpoint did not know it within the cooldown")
                return Pending(lambda: None)
            search = _Search(seen, key_ids, self._state.sequence, now + self._endpoint.settings.timeout)
            pending, decision = self._find_newer(search, now)
            if decision.held is not None:
                self._report_unknown(key_ids, "there is a newer set by now")
            elif decision.start:
                self._report_unknown(key_ids, "a fetch has begun")
            elif decision.wait > 0:
                self._report_unknown(key_ids, "a fetch is in flight")
            else:
                self._counters.add("cooldown_rejections")
                self._report_unknown(key_ids, "no fetch: within the cooldown or the back-off")
            return pending

    def stats(self) -> Stats:
        """Return the counters."""
        with self._lock:
            held, now = self._state.held, self._clock()
            return self._counters.snapshot(
                stale_uses=self._stale_uses,
                waits=self._waits + self._gate.admitted,
                waits_rejected=self._gate.rejected,
                negative_size=self._unknown.count(now),
                keys=len(held.keys) if held is not None else 0,
                rejected_keys=len(held.keys.rejected) if held is not None else 0,
                age=max(0.0, now - held.asked_at) if held is not None else None,
                expires_in=max(0.0, held.dead_at - now) if held is not None else None,
                refresh_in=max(0.0, held.due_at - now) if held is not None else None,
                consecutive_failures=self._state.failures,
                fetching=self._state.attempt is not None,
            )

    def close(self) -> None:
        """End the refreshing in the background and drop the set. A fetch in flight ends by itself."""
        with self._turn():
            self._closed = True
            self._state.held = None
            self._state.forget_attempts()
            self._end_flight()
        scheduler.forget(self)

    def wake(self) -> None:
        """Refresh ahead, and give up what is overdue: the scheduler's call."""
        with self._turn() as now:
            if not self._closed:
                self._join(now, start=self._state.decide(now).start)
                self._arrange(now)

    # What is returned after the wait.

    def _settle(self) -> KeySet:
        with self._turn() as now:
            held = self._state.usable(now)
            if held is None:
                self._counters.add("unavailable")
                raise KeysUnavailableError(f"the keys of {self._name()} are not available: {self._trouble()}")
            if now >= held.fresh_until:
                self._stale_uses += 1
                if self._outage.is_first(EventKind.STALE_SET_USED):
                    self._report(EventKind.STALE_SET_USED, self._last_failure or "a fetch is in flight", to_log=True)
            return held.keys

    def _settle_refresh(self, before: Held[Origin] | None) -> KeySet:
        with self._turn() as now:
            held = self._state.usable(now)
            if held is None or held is before:
                raise KeysUnavailableError(f"the keys of {self._name()} could not be refreshed: {self._trouble()}")
            return held.keys

    def _settle_newer(self, search: _Search, flight: _InFlight | None) -> KeySet | Pending[KeySet | None] | None:
        with self._turn() as now:
            held = self._state.usable(now)
            if held is None:
                return None
            changed = held.keys is not search.seen
            if flight is not None and flight.future.done() and search.misses(held.keys):
                if flight.attempt.sequence <= search.after:
                    # That answer may be from before the key was published: a fetch of its own, if one is left.
                    return self._find_newer(search, now)[0]
                if held.sequence >= flight.attempt.sequence:
                    # The endpoint was asked after these kids were seen, and has answered without them.
                    for key_id in itertools.islice(search.key_ids, MAX_KEY_IDS):
                        if search.misses_one(held.keys, key_id):
                            self._unknown.add(key_id, flight.attempt.started_at)
            return held.keys if changed else None

    # One turn at the state. The methods from here on are called within one, save _carry_out.

    @contextlib.contextmanager
    def _turn(self) -> Iterator[float]:
        """Hold the lock and yield the time. Waiters are woken and events reported after the lock is released."""
        news: list[KeyEvent] = []
        for_log: list[KeyEvent] = []
        ended: list[_InFlight] = []
        try:
            with self._lock:
                now = self._clock()
                try:
                    if self._state.give_up_overdue(now) is not None:
                        self._note_failure(_TOO_LATE, None)
                        self._end_flight()
                        self._arrange(now)
                    self._check_expired(now)
                    yield now
                finally:
                    self._snapshot = self._take_snapshot(now)
                    news, self._news = self._news, []
                    for_log, self._for_log = self._for_log, []
                    ended, self._ended = self._ended, []
        finally:
            for flight in ended:
                flight.future.set_result(None)
            log(*for_log)
            notify(self._listener, *news)

    def _take_snapshot(self, now: float) -> _Snapshot | None:
        held = self._state.held
        if held is None:
            return None
        is_stale = now >= held.fresh_until
        if is_stale and not self._outage.has_reported(EventKind.STALE_SET_USED):
            return None  # so that the first caller reports its use, in ``_settle``
        return _Snapshot(held.keys, self._state.settled_until(now), is_stale)

    def _find_newer(self, search: _Search, now: float) -> tuple[Pending[KeySet | None], Decision[Origin]]:
        """Begin or join a fetch, unless there is a newer set by now that has all of the kids."""
        held = self._state.usable(now)
        seen = held.keys if held is not None and search.misses(held.keys) else search.seen
        decision = self._state.decide_unknown(now, seen)
        flight = self._join(now, start=decision.start, for_unknown=True)
        # However many fetches that takes, a caller waits no longer than one may last.
        decision = replace(decision, wait=min(decision.wait, search.until - now))
        return self._pending(lambda: self._settle_newer(search, flight), flight, decision), decision

    def _join(self, now: float, *, start: bool, for_unknown: bool = False) -> _InFlight | None:
        """Return the attempt in flight, begun here if ``start`` is true."""
        if start:
            self._begin(now, for_unknown=for_unknown)
        return self._flight

    def _begin(self, now: float, *, for_unknown: bool) -> None:
        flight = _InFlight(self._state.begin(now, for_unknown=for_unknown), Future())
        # A running future can't be cancelled: the cancellation of one waiter does not affect the others.
        flight.future.set_running_or_notify_cancel()
        self._flight = flight
        self._counters.add("fetches")
        held = self._state.held
        previous = held.origin if held is not None else None
        if previous is not None and self._state.failures:
            # The set may have moved: after a failure its URL is discovered again.
            previous = replace(previous, discovered=None)
        try:
            start_daemon("watchword-fetch", self._carry_out, flight, previous)
        except RuntimeError:
            self._failed(flight, "no thread could be started", None, now)
        except BaseException:
            self._failed(flight, "interrupted", None, now)
            raise
        self._arrange(now)

    def _carry_out(self, flight: _InFlight, previous: Origin | None) -> None:
        """The body of an attempt's thread."""
        url = self._endpoint.jwks_uri
        outcome: Answer | DownloadError
        try:
            started = KeyEvent(
                kind=EventKind.FETCH_STARTED, issuer=self._endpoint.issuer, url=redact(url) if url else None
            )
            notify(self._listener, started)
            outcome = self._endpoint.download(self._fetcher, previous, flight.attempt.started_at)
        except DownloadError as error:
            outcome = error
        except BaseException as error:
            # Even after a fetcher's SystemExit the waiters must be woken.
            outcome = DownloadError(f"the attempt ended in {type(error).__name__}", redact(url) if url else None)
        with self._turn() as now:
            if self._closed:
                return
            if isinstance(outcome, Answer):
                self._succeeded(flight, outcome)
            else:
                self._failed(flight, outcome.detail, outcome.url, now)
            self._arrange(now)

    def _succeeded(self, flight: _InFlight, answer: Answer) -> None:
        origin, old, failures = answer.origin, self._state.held, self._state.failures
        url = redact(origin.url)
        in_time = self._state.succeed(flight.attempt, origin.keys, answer.lifetime, origin)
        self._end_flight(flight)
        if not in_time:
            self._counters.add("discarded")
            self._report(EventKind.ANSWER_DISCARDED, "there is a newer set by now", url=url)
            return
        self._last_failure = None
        over = self._outage.end()
        self._report(
            EventKind.FETCH_SUCCEEDED,
            f"{'unchanged, ' if answer.unchanged else ''}fresh for {answer.lifetime:g} s",
            url=url,
            keys=origin.keys,
        )
        if over:
            self._report(EventKind.RECOVERED, f"after {failures} failed attempts", url=url, to_log=True)
        if answer.unchanged:
            self._counters.add("not_modified")
            return
        changes = describe_change(self._endpoint.issuer, old.keys if old is not None else None, origin.keys, url)
        self._news += changes
        if any(change.kind is EventKind.SET_CHANGED for change in changes):
            self._counters.add("set_changes")
            self._unknown.clear()

    def _failed(self, flight: _InFlight, detail: str, url: str | None, now: float) -> None:
        self._state.fail(flight.attempt, now)
        if flight is self._flight:  # else it was given up, and reported and counted then
            self._note_failure(detail, url)
            self._end_flight()

    def _note_failure(self, detail: str, url: str | None) -> None:
        self._last_failure = detail
        self._counters.add("failures")
        self._report(EventKind.FETCH_FAILED, detail, url=url, to_log=self._outage.is_first(EventKind.FETCH_FAILED))

    def _check_expired(self, now: float) -> None:
        """Report a set that expired in an outage. One that expired during a suspension is about to be replaced."""
        held = self._state.held
        if held is None or now < held.dead_at or not self._state.failures or self._closed:
            return
        if self._outage.is_first(EventKind.SET_EXPIRED):
            self._report(EventKind.SET_EXPIRED, self._trouble(), to_log=True)

    def _end_flight(self, flight: _InFlight | None = None) -> None:
        """Wake the waiters of the attempt in flight (if it is this one)."""
        if self._flight is not None and flight in (None, self._flight):
            self._ended.append(self._flight)
            self._flight = None

    def _arrange(self, now: float) -> None:
        at = self._state.next_look()
        if at is not None and not self._closed:
            scheduler.wake_after(at - now, self)

    def _pending(
        self, settle: Callable[[], _T | Pending[_T]], flight: _InFlight | None, decision: Decision[Origin]
    ) -> Pending[_T]:
        if flight is None or decision.wait <= 0:
            return Pending(settle)
        if decision.limited:
            return Pending(settle, flight.future, decision.wait, self._gate)
        self._waits += 1
        return Pending(settle, flight.future, decision.wait)

    def _check_open(self) -> None:
        if self._closed:
            raise ValueError("the verifier is closed")

    def _report(
        self,
        kind: EventKind,
        detail: str,
        *,
        url: str | None = None,
        key_id: str | None = None,
        keys: KeySet | None = None,
        to_log: bool = False,
    ) -> None:
        event = KeyEvent(kind=kind, issuer=self._endpoint.issuer, detail=detail, url=url, key_id=key_id, keys=keys)
        self._news.append(event)
        if to_log:
            self._for_log.append(event)

    def _report_unknown(self, key_ids: Collection[str | None], detail: str) -> None:
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
