"""The state machine alone: what is to be done about keys, by the clock and by what has happened."""

from __future__ import annotations

import math
import random

import pytest
from endpoint import Key, jwks
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from watchword import KeySet
from watchword.jwks.freshness import MAX_GIVEN_UP, Attempt, Freshness
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
    advice = state.consult(0.0)
    assert (advice.held, advice.start, advice.wait) == (None, True, 5.0)
    state.begin(0.0)
    advice = state.consult(2.0)
    assert (advice.held, advice.start, advice.wait) == (None, False, 3.0)


def test_without_a_set_nobody_waits_during_the_back_off() -> None:
    state: Freshness[None] = Freshness(SETTINGS, uniform=upper)
    state.fail(state.begin(0.0), 1.0)
    assert state.consult(1.0) == state.consult(2.9)
    assert (state.consult(2.9).start, state.consult(2.9).wait) == (False, 0.0)
    assert state.consult(3.0).start


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
    assert not state.consult(239.9).start
    advice = state.consult(240.0)
    assert advice.held is not None
    assert (advice.held.keys, advice.start, advice.wait) == (SET, True, 0.0)


def test_the_age_of_a_set_counts_from_the_question() -> None:
    state: Freshness[None] = Freshness(SETTINGS, uniform=upper)
    attempt = state.begin(100.0)
    state.succeed(attempt, SET, 300, None)  # however long that took
    assert state.held is not None
    assert (state.held.due_at, state.held.fresh_until, state.held.dead_at) == (340.0, 400.0, 4000.0)


def test_a_stale_set_that_nobody_tried_to_renew_earns_the_endpoint_a_short_grace() -> None:
    state = held_at_zero()
    advice = state.consult(300.0)
    assert advice.held is not None
    assert (advice.start, advice.wait) == (True, 0.1)


def test_a_stale_set_is_used_at_once_while_an_attempt_is_in_flight() -> None:
    state = held_at_zero()
    state.begin(299.0)
    advice = state.consult(301.0)
    assert advice.held is not None
    assert (advice.start, advice.wait) == (False, 0.0)


def test_a_stale_set_is_used_at_once_after_a_failure_and_tried_again_after_the_back_off() -> None:
    state = held_at_zero()
    state.fail(state.begin(299.0), 299.5)
    advice = state.consult(301.0)
    assert advice.held is not None
    assert (advice.start, advice.wait) == (False, 0.0)
    advice = state.consult(301.5)
    assert advice.held is not None
    assert (advice.start, advice.wait) == (True, 0.0)


def test_a_dead_set_is_never_used() -> None:
    state = held_at_zero()
    assert state.usable(3899.9) is not None
    assert state.usable(3900.0) is None
    advice = state.consult(3900.0)
    assert (advice.held, advice.start, advice.wait) == (None, True, 5.0)


def test_max_stale_0_means_that_the_end_of_its_time_is_the_end_of_a_set() -> None:
    state = held_at_zero(CacheSettings(max_stale=0))
    assert state.consult(299.9).held is not None
    assert state.consult(300.0).held is None


def test_an_unknown_kid_fetches_once_a_cooldown_counted_from_the_last_attempt() -> None:
    state = held_at_zero()
    refused = state.consult_unknown(29.9, SET)
    assert (refused.start, refused.wait) == (False, 0.0)
    advice = state.consult_unknown(30.0, SET)
    assert (advice.held, advice.start, advice.wait) == (None, True, 5.0)
    attempt = state.begin(30.0)
    assert state.consult_unknown(31.0, SET).wait == 4.0
    state.fail(attempt, 32.0)
    # A failure counts, too, and from its beginning; the back-off of 2 s is over long before.
    assert not state.consult_unknown(59.9, SET).start
    assert state.consult_unknown(60.0, SET).start


def test_an_unknown_kid_in_an_old_set_gets_the_newer_one() -> None:
    state = held_at_zero()
    state.succeed(state.begin(10.0), OTHER, 300, None)
    advice = state.consult_unknown(10.0, SET)
    assert advice.held is not None
    assert (advice.held.keys, advice.start, advice.wait) == (OTHER, False, 0.0)


def test_unknown_kids_do_not_tie_up_callers_while_the_endpoint_is_in_trouble() -> None:
    state = held_at_zero()
    state.fail(state.begin(0.0), 5.0)
    assert state.consult_unknown(60.0, SET).wait == 0.1
    state.begin(60.0)
    assert state.consult_unknown(60.0, SET).wait == 0.1


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
    assert not state.consult(now).start
    assert not state.consult_forced(now).start
    assert state.next_look() is None
    state.fail(last, now)
    assert state.consult(now).start


def test_a_forced_refresh_minds_neither_cooldown_nor_back_off_but_the_attempt_in_flight() -> None:
    state = held_at_zero()
    state.fail(state.begin(0.0), 0.0)
    assert state.consult_forced(0.0).start
    state.begin(0.0)
    assert (state.consult_forced(1.0).start, state.consult_forced(1.0).wait) == (False, 4.0)


def test_after_a_fork_the_attempts_of_the_other_process_are_forgotten() -> None:
    state = held_at_zero()
    state.begin(250.0)
    state.forget_attempts()
    assert state.consult(250.0).start


class AnyOrder(RuleBasedStateMachine):
    """Whatever the order of calls, answers, failures and time."""

    @initialize(
        ttl=st.sampled_from([10, 300, 3600]),
        max_stale=st.sampled_from([0, 30, 3600]),
        cooldown=st.sampled_from([0, 30]),
    )
    def begin(self, ttl: float, max_stale: float, cooldown: float) -> None:
        self.settings = CacheSettings(ttl=ttl, min_ttl=10, max_stale=max_stale, cooldown=cooldown)
        # A failure must come again when the same steps are tried again.
        self.state: Freshness[int] = Freshness(self.settings, uniform=random.Random(0).uniform)
        self.now = 0.0
        self.running: list[Attempt] = []  # threads out there, whether or not the state has given them up
        self.brought: dict[int, tuple[float, float]] = {}  # sequence: when it was asked for, its lifetime
        self.begun_for_unknown: list[float] = []
        self.last_begun = -math.inf

    def start(self) -> None:
        assert self.state.attempt is None, "two attempts at once"
        assert len(self.running) <= MAX_GIVEN_UP
        self.running.append(self.state.begin(self.now))
        self.last_begun = self.now

    # Eighths of a second add up exactly, so that every bound can be tested to the last moment.
    @rule(eighths=st.one_of(st.integers(0, 80), st.integers(0, 40_000)))
    def time_passes(self, eighths: int) -> None:
        self.now += eighths / 8

    @rule()
    def a_caller_needs_keys(self) -> None:
        self.state.give_up_overdue(self.now)
        advice = self.state.consult(self.now)
        assert 0 <= advice.wait <= self.settings.timeout
        if advice.held is not None:
            assert self.now - advice.held.asked_at < self.brought[advice.held.sequence][1] + self.settings.max_stale
            assert advice.wait <= self.settings.grace
        if advice.start:
            self.start()

    @rule()
    def a_caller_has_an_unknown_kid(self) -> None:
        self.state.give_up_overdue(self.now)
        seen = self.state.held.keys if self.state.held is not None else SET
        advice = self.state.consult_unknown(self.now, seen)
        assert 0 <= advice.wait <= self.settings.timeout
        if advice.start:
            assert self.now - self.last_begun >= self.settings.cooldown
            self.start()

    @rule(share=st.floats(0, 1, exclude_max=True))
    def nobody_needs_to_ask_for_a_while(self, share: float) -> None:
        """What a caller does without the lock is what it would have been told with it."""
        self.state.give_up_overdue(self.now)
        until = self.state.settled_until(self.now)
        if until > self.now:
            moment = self.now + share * (until - self.now)
            if moment < until:  # else it was rounded up to it
                assert self.state.attempt is None or moment < self.state.attempt.deadline
                advice = self.state.consult(moment)
                assert (advice.held, advice.start, advice.wait) == (self.state.held, False, 0.0)
                assert self.state.held is not None
                assert (moment < self.state.held.fresh_until) == (self.now < self.state.held.fresh_until)

    @rule()
    def an_operator_refreshes(self) -> None:
        self.state.give_up_overdue(self.now)
        if self.state.consult_forced(self.now).start:
            self.start()

    @rule()
    def the_scheduler_looks(self) -> None:
        self.state.give_up_overdue(self.now)
        at = self.state.next_look()
        if at is not None and at <= self.now:
            # It is never woken for nothing, again and again.
            assert self.state.consult(self.now).start
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
