"""The state machine alone: its decisions, by the clock and by the events before."""

from __future__ import annotations

import random

import pytest
from endpoint import Key, jwks
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from watchword import KeySet
from watchword.jwks.freshness import MAX_GIVEN_UP, UNKNOWN_BURST, Attempt, Freshness
from watchword.jwks.settings import CacheSettings

SET = KeySet.from_json(jwks(Key("a")))
OTHER = KeySet.from_json(jwks(Key("b")))
SETTINGS = CacheSettings()  # 300 s, then 3600 s stale; 5 s time-out, 30 s cooldown, 0.1 s grace


def upper(low: float, high: float) -> float:
    return high


def held_at_zero(settings: CacheSettings = SETTINGS) -> Freshness[None]:
    state: Freshness[None] = Freshness(settings, uniform=upper)
    state.succeed(state.begin(0.0), SET, settings.ttl, None)
    return state


def test_without_a_set_the_first_caller_begins_and_all_wait() -> None:
    state: Freshness[None] = Freshness(SETTINGS)
    decision = state.decide(0.0)
    assert (decision.held, decision.start, decision.wait) == (None, True, 5.0)
    state.begin(0.0)
    decision = state.decide(2.0)
    assert (decision.held, decision.start, decision.wait, decision.limited) == (None, False, 3.0, False)


def test_without_a_set_only_a_few_wait_after_a_failure() -> None:
    state: Freshness[None] = Freshness(SETTINGS, uniform=upper)
    assert not state.decide(0.0).limited
    state.fail(state.begin(0.0), 5.0)
    decision = state.decide(7.0)
    assert (decision.start, decision.wait, decision.limited) == (True, 5.0, True)
    state.begin(7.0)
    assert state.decide(8.0).limited


def test_without_a_set_no_caller_waits_during_the_back_off() -> None:
    state: Freshness[None] = Freshness(SETTINGS, uniform=upper)
    state.fail(state.begin(0.0), 1.0)
    assert state.decide(1.0) == state.decide(2.9)
    assert (state.decide(2.9).start, state.decide(2.9).wait) == (False, 0.0)
    assert state.decide(3.0).start


@pytest.mark.parametrize(("failures", "longest"), [(1, 2), (2, 4), (5, 32), (6, 60), (2000, 60)])
def test_the_back_off_is_drawn_from_a_growing_range(failures: int, longest: float) -> None:
    drawn: list[tuple[float, float]] = []

    def uniform(low: float, high: float) -> float:
        drawn.append((low, high))
        return 0.0

    state: Freshness[None] = Freshness(SETTINGS, uniform=uniform)
    for _ in range(failures):
        state.fail(state.begin(0.0), 0.0)
    assert drawn[-1] == (0.0, longest)


def test_the_programs_own_random_numbers_are_left_alone() -> None:
    # Attempts end in threads of their own: a program that seeds its numbers would get others now and then.
    before = random.getstate()
    state: Freshness[None] = Freshness(SETTINGS)
    state.succeed(state.begin(0.0), SET, 300.0, None)
    state.fail(state.begin(1.0), 1.0)
    assert random.getstate() == before


def test_a_fresh_set_is_used_and_refreshed_ahead() -> None:
    state = held_at_zero()
    assert not state.decide(239.9).start
    decision = state.decide(240.0)
    assert decision.held is not None
    assert (decision.held.keys, decision.start, decision.wait) == (SET, True, 0.0)


def test_the_age_of_a_set_counts_from_the_question() -> None:
    state: Freshness[None] = Freshness(SETTINGS, uniform=upper)
    attempt = state.begin(100.0)
    state.succeed(attempt, SET, 300, None)  # however long that took
    assert state.held is not None
    assert (state.held.due_at, state.held.fresh_until, state.held.dead_at) == (340.0, 400.0, 4000.0)


def test_a_stale_set_without_an_attempt_to_refresh_waits_for_the_grace() -> None:
    state = held_at_zero()
    decision = state.decide(300.0)
    assert decision.held is not None
    assert (decision.start, decision.wait) == (True, 0.1)


def test_a_stale_set_is_used_at_once_while_an_attempt_is_in_flight() -> None:
    state = held_at_zero()
    state.begin(299.0)
    decision = state.decide(301.0)
    assert decision.held is not None
    assert (decision.start, decision.wait) == (False, 0.0)


def test_a_stale_set_is_used_at_once_after_a_failure_and_tried_again_after_the_back_off() -> None:
    state = held_at_zero()
    state.fail(state.begin(299.0), 299.5)
    decision = state.decide(301.0)
    assert decision.held is not None
    assert (decision.start, decision.wait) == (False, 0.0)
    decision = state.decide(301.5)
    assert decision.held is not None
    assert (decision.start, decision.wait) == (True, 0.0)


def test_a_dead_set_is_never_used() -> None:
    state = held_at_zero()
    assert state.usable(3899.9) is not None
    assert state.usable(3900.0) is None
    decision = state.decide(3900.0)
    assert (decision.held, decision.start, decision.wait) == (None, True, 5.0)


def test_max_stale_0_means_that_the_end_of_its_time_is_the_end_of_a_set() -> None:
    state = held_at_zero(CacheSettings(max_stale=0))
    assert state.decide(299.9).held is not None
    assert state.decide(300.0).held is None


def begin_for_unknown(state: Freshness[None], now: float) -> Attempt | None:
    """What a caller with an unknown kid does."""
    decision = state.decide_unknown(now, SET)
    return state.begin(now, for_unknown=True) if decision.start else None


def end(state: Freshness[None], attempt: Attempt | None) -> None:
    assert attempt is not None
    state.succeed(attempt, SET, 300, None)


def test_an_unknown_kid_fetches_although_the_set_was_fetched_only_just() -> None:
    state = held_at_zero()
    decision = state.decide_unknown(1.0, SET)
    assert (decision.held, decision.start, decision.wait, decision.limited) == (None, True, 5.0, True)


def test_two_fetches_for_unknown_kids_at_once_and_one_more_with_each_cooldown() -> None:
    state = held_at_zero()
    end(state, begin_for_unknown(state, 10.0))
    end(state, begin_for_unknown(state, 10.0))
    for now in (10.0, 39.9):
        rejected = state.decide_unknown(now, SET)
        assert (rejected.start, rejected.wait) == (False, 0.0)
    end(state, begin_for_unknown(state, 40.0))
    assert begin_for_unknown(state, 69.9) is None
    end(state, begin_for_unknown(state, 70.0))
    # After two quiet cooldowns there are two again, and no more than two after any number.
    for _ in range(2):
        end(state, begin_for_unknown(state, 1000.0))
    assert begin_for_unknown(state, 1000.0) is None


def test_the_cooldown_counts_from_the_beginning_of_failed_attempts_too() -> None:
    state = held_at_zero()
    end(state, begin_for_unknown(state, 30.0))
    attempt = begin_for_unknown(state, 30.0)
    assert attempt is not None
    assert state.decide_unknown(31.0, SET).wait == 4.0
    state.fail(attempt, 32.0)  # the back-off of 2 s is over long before
    assert not state.decide_unknown(59.9, SET).start
    assert state.decide_unknown(60.0, SET).start


def test_other_fetches_take_nothing_from_the_bucket() -> None:
    state = held_at_zero()
    for now in (1.0, 2.0, 3.0):
        end(state, state.begin(now))
    end(state, begin_for_unknown(state, 4.0))
    end(state, begin_for_unknown(state, 4.0))
    # Nor do they put off its refill.
    end(state, state.begin(20.0))
    assert state.decide_unknown(34.0, SET).start


def test_an_unknown_kid_in_an_old_set_gets_the_newer_one() -> None:
    state = held_at_zero()
    state.succeed(state.begin(10.0), OTHER, 300, None)
    decision = state.decide_unknown(10.0, SET)
    assert decision.held is not None
    assert (decision.held.keys, decision.start, decision.wait) == (OTHER, False, 0.0)


def test_unknown_kids_do_not_tie_up_callers_while_the_endpoint_is_in_trouble() -> None:
    state = held_at_zero()
    state.fail(state.begin(0.0), 5.0)
    assert state.decide_unknown(60.0, SET).wait == 0.1
    state.begin(60.0)
    assert state.decide_unknown(60.0, SET).wait == 0.1


def test_a_slow_old_answer_never_replaces_a_newer_set() -> None:
    state: Freshness[None] = Freshness(SETTINGS, uniform=upper)
    slow = state.begin(0.0)
    assert state.give_up_overdue(4.9) is None
    assert state.give_up_overdue(5.0) is slow
    quick = state.begin(10.0)
    assert state.succeed(quick, OTHER, 300, None)
    assert not state.succeed(slow, SET, 300, None)
    assert state.held is not None
    assert state.held.keys is OTHER


def test_a_late_answer_is_better_than_none_and_as_old_as_its_question() -> None:
    state: Freshness[None] = Freshness(SETTINGS, uniform=upper)
    slow = state.begin(0.0)
    state.give_up_overdue(5.0)
    assert state.succeed(slow, SET, 300, None)
    assert state.held is not None
    assert (state.held.asked_at, state.failures) == (0.0, 0)


def test_fetches_that_never_end_are_left_behind_in_small_number_only() -> None:
    state: Freshness[None] = Freshness(SETTINGS, uniform=upper)
    now = 0.0
    for _ in range(MAX_GIVEN_UP):
        last = state.begin(now)
        state.give_up_overdue(now + 5)
        now += 100
    assert not state.decide(now).start
    assert not state.decide_forced(now).start
    assert state.next_look() is None
    state.fail(last, now)
    assert state.decide(now).start


def test_a_forced_refresh_minds_neither_cooldown_nor_back_off_but_the_attempt_in_flight() -> None:
    state = held_at_zero()
    state.fail(state.begin(0.0), 0.0)
    assert state.decide_forced(0.0).start
    state.begin(0.0)
    assert (state.decide_forced(1.0).start, state.decide_forced(1.0).wait) == (False, 4.0)


def test_after_a_fork_the_attempts_of_the_other_process_are_forgotten() -> None:
    state = held_at_zero()
    state.begin(250.0)
    state.forget_attempts()
    assert state.decide(250.0).start


class AnyOrder(RuleBasedStateMachine):
    """Whatever the order of calls, answers, failures and time."""

    @initialize(
        ttl=st.sampled_from([10, 300, 3600]),
        max_stale=st.sampled_from([0, 30, 3600]),
        cooldown=st.sampled_from([0, 30]),
    )
    def begin(self, ttl: float, max_stale: float, cooldown: float) -> None:
        self.settings = CacheSettings(ttl=ttl, min_ttl=10, max_stale=max_stale, cooldown=cooldown)
        # A failure must be reproducible with the same steps.
        self.state: Freshness[int] = Freshness(self.settings, uniform=random.Random(0).uniform)
        self.now = 0.0
        self.running: list[Attempt] = []  # threads out there, whether or not the state has given them up
        self.brought: dict[int, tuple[float, float]] = {}  # sequence: when it was requested, its lifetime
        self.begun_for_unknown: list[float] = []

    def start(self, *, for_unknown: bool = False) -> None:
        assert self.state.attempt is None, "two attempts at once"
        assert len(self.running) <= MAX_GIVEN_UP
        self.running.append(self.state.begin(self.now, for_unknown=for_unknown))

    # Eighths of a second add up exactly, so that every bound can be tested to the last moment.
    @rule(eighths=st.one_of(st.integers(0, 80), st.integers(0, 40_000)))
    def time_passes(self, eighths: int) -> None:
        self.now += eighths / 8

    @rule()
    def a_caller_needs_keys(self) -> None:
        self.state.give_up_overdue(self.now)
        decision = self.state.decide(self.now)
        assert 0 <= decision.wait <= self.settings.timeout
        if decision.held is not None:
            assert self.now - decision.held.asked_at < self.brought[decision.held.sequence][1] + self.settings.max_stale
            assert decision.wait <= self.settings.grace
        if decision.start:
            self.start()

    @rule()
    def a_caller_has_an_unknown_kid(self) -> None:
        self.state.give_up_overdue(self.now)
        seen = self.state.held.keys if self.state.held is not None else SET
        decision = self.state.decide_unknown(self.now, seen)
        assert 0 <= decision.wait <= self.settings.timeout
        if decision.start:
            self.start(for_unknown=True)
            self.begun_for_unknown.append(self.now)
            self.check_bucket()
        elif decision.held is None and self.state.usable(self.now) is not None and self.state.attempt is None:
            # By the back-off, which everybody minds, or by the bucket: never after a cooldown without such a fetch, so
            # that a kid which is requested again after the cooldown causes one.
            quiet = all(self.now - at >= self.settings.cooldown for at in self.begun_for_unknown)
            assert not (quiet and self.state.decide_forced(self.now).start and self.now >= self.state._retry_at)

    def check_bucket(self) -> None:
        """In any n cooldowns at most 2 + n fetches for unknown kids."""
        cooldown = self.settings.cooldown
        if cooldown == 0:
            return
        for number, since in enumerate(reversed(self.begun_for_unknown), start=1):
            assert number <= UNKNOWN_BURST + (self.now - since) // cooldown

    @rule(share=st.floats(0, 1, exclude_max=True))
    def nobody_needs_to_ask_for_a_while(self, share: float) -> None:
        """A caller without the lock does what it would have done with it."""
        self.state.give_up_overdue(self.now)
        until = self.state.settled_until(self.now)
        if until > self.now:
            moment = self.now + share * (until - self.now)
            if moment < until:  # else it was rounded up to it
                assert self.state.attempt is None or moment < self.state.attempt.deadline
                decision = self.state.decide(moment)
                assert (decision.held, decision.start, decision.wait) == (self.state.held, False, 0.0)
                assert self.state.held is not None
                assert (moment < self.state.held.fresh_until) == (self.now < self.state.held.fresh_until)

    @rule()
    def an_operator_refreshes(self) -> None:
        self.state.give_up_overdue(self.now)
        if self.state.decide_forced(self.now).start:
            self.start()

    @rule()
    def the_scheduler_looks(self) -> None:
        self.state.give_up_overdue(self.now)
        at = self.state.next_look()
        if at is not None and at <= self.now:
            # It is never woken for nothing, again and again.
            assert self.state.decide(self.now).start
            self.start()

    @precondition(lambda self: self.running)
    @rule(data=st.data(), lifetime=st.sampled_from([10.0, 300.0, 3600.0]))
    def an_answer_comes(self, data: st.DataObject, lifetime: float) -> None:
        attempt = data.draw(st.sampled_from(self.running))
        self.running.remove(attempt)
        newest = max(self.brought, default=0)
        taken = self.state.succeed(attempt, KeySet.from_json(jwks(Key("k"))), lifetime, attempt.sequence)
        assert taken == (attempt.sequence > newest)
        if taken:
            self.brought[attempt.sequence] = (attempt.started_at, lifetime)

    @precondition(lambda self: self.running)
    @rule(data=st.data())
    def an_attempt_fails(self, data: st.DataObject) -> None:
        attempt = data.draw(st.sampled_from(self.running))
        self.running.remove(attempt)
        self.state.fail(attempt, self.now)

    @rule()
    def the_process_forks(self) -> None:
        self.state.forget_attempts()
        self.running.clear()

    @invariant()
    def the_newest_set_is_held_and_none_too_old_is_used(self) -> None:
        if not hasattr(self, "state"):
            return
        held = self.state.held
        assert (held.sequence if held is not None else 0) == max(self.brought, default=0)
        usable = self.state.usable(self.now)
        if usable is not None:
            asked_at, lifetime = self.brought[usable.sequence]
            assert self.now - asked_at < lifetime + self.settings.max_stale


TestAnyOrder = AnyOrder.TestCase
TestAnyOrder.settings = hypothesis_settings(stateful_step_count=60)


@given(
    gaps=st.lists(st.integers(0, 400), max_size=60),
    failing=st.lists(st.booleans(), min_size=60, max_size=60),
)
def test_the_bucket_is_that_of_the_model(gaps: list[int], failing: list[bool]) -> None:
    """Compared with a bucket kept as a list of the times of its refills."""
    state = held_at_zero(CacheSettings(max_stale=1_000_000))
    now, missing = 0.0, []
    for gap, fails in zip(gaps, failing, strict=False):
        now += gap / 8
        missing = [at for at in missing if at > now]
        decision = state.decide_unknown(now, SET)
        backing_off = state.failures > 0 and now < state._retry_at
        assert decision.start == (len(missing) < UNKNOWN_BURST and not backing_off)
        if decision.start:
            attempt = state.begin(now, for_unknown=True)
            missing.append((missing[-1] if missing else now) + SETTINGS.cooldown)
            if fails:
                state.fail(attempt, now)
            else:
                end(state, attempt)
