"""The order of sets of scopes, against the plain model: what covers what, what is equal, what the intersection is."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scope_model import GRAMMARS, Grammar, resource_grants, slot_grants

import watchword as ww
from watchword.scopes import ResourceScopes, ScopeSyntaxError, SlotScopes

each_grammar = pytest.mark.parametrize("grammar", GRAMMARS.values(), ids=list(GRAMMARS))


@each_grammar
@given(data=st.data())
def test_a_set_allows_what_the_model_allows(grammar: Grammar, data: st.DataObject) -> None:
    scopes = data.draw(grammar.sets())
    held = grammar.matcher(scopes)
    assert {request for request in grammar.world if grammar.asks(held, request)} == grammar.meaning(scopes)


@each_grammar
@given(data=st.data())
def test_covers_is_inclusion_and_equality_is_equality(grammar: Grammar, data: st.DataObject) -> None:
    first, second = data.draw(grammar.sets()), data.draw(grammar.sets())
    ours, theirs = grammar.matcher(first), grammar.matcher(second)
    granted, required = grammar.meaning(first), grammar.meaning(second)
    assert ours.covers(theirs) == (required <= granted)
    assert ours.covers(theirs) == (ours.missing(theirs) == ())
    assert ours.covers(theirs) == all(scope in ours for scope in second)
    assert (ours == theirs) == (granted == required) == (ours.covers(theirs) and theirs.covers(ours))
    if ours == theirs:
        assert (hash(ours), str(ours), list(ours), len(ours)) == (hash(theirs), str(theirs), list(theirs), len(theirs))
    assert all(grammar.requests(scope) - granted for scope in ours.missing(theirs))


@each_grammar
@given(data=st.data())
def test_reflexive_transitive_monotone(grammar: Grammar, data: st.DataObject) -> None:
    first, second, third = (data.draw(grammar.sets()) for _ in range(3))
    ours, theirs, others = (grammar.matcher(scopes) for scopes in (first, second, third))
    assert ours.covers(ours)
    if ours.covers(theirs) and theirs.covers(others):
        assert ours.covers(others)
    more = grammar.matcher(first + second)
    assert more.covers(ours)
    assert more.covers(theirs)
    assert others.covers(more) == (others.covers(ours) and others.covers(theirs))


@each_grammar
@given(data=st.data())
def test_narrow_is_the_greatest_lower_bound(grammar: Grammar, data: st.DataObject) -> None:
    first, second, third = (data.draw(grammar.sets()) for _ in range(3))
    ours, theirs, others = (grammar.matcher(scopes) for scopes in (first, second, third))
    both = ours.narrow(theirs)
    assert grammar.meaning(both) == grammar.meaning(first) & grammar.meaning(second)
    assert ours.covers(both)
    assert theirs.covers(both)
    assert both.covers(others) == (ours.covers(others) and theirs.covers(others))
    assert both == theirs.narrow(ours)
    assert ours.narrow(ours) == ours
    assert both.narrow(others) == ours.narrow(theirs.narrow(others))
    assert (both == theirs) == ours.covers(theirs)


@each_grammar
@given(data=st.data())
def test_the_list_is_the_shortest_and_can_be_read_again(grammar: Grammar, data: st.DataObject) -> None:
    scopes = data.draw(grammar.sets())
    held = grammar.matcher(scopes)
    listed = list(held)
    assert listed == sorted(set(listed))
    assert set(listed) <= set(scopes)
    assert len(held) == len(listed)
    assert grammar.meaning(listed) == grammar.meaning(scopes)
    for left_out in listed:
        assert grammar.meaning(scope for scope in listed if scope != left_out) != grammar.meaning(scopes)
    assert grammar.matcher(listed) == grammar.matcher(str(held)) == held
    assert hash(grammar.matcher(listed)) == hash(held)


names = st.text(alphabet=st.sampled_from("ab.:*é "), max_size=6) | st.text(max_size=8)


def lenient(scopes: list[str]) -> tuple[list[str], ResourceScopes]:
    held = ResourceScopes.from_claim(scopes)
    return [scope for scope in scopes if scope not in held.ignored], held


@given(scopes=st.lists(names, max_size=5), action=names, resource=names)
def test_any_text_as_resource_scopes(scopes: list[str], action: str, resource: str) -> None:
    kept, held = lenient(scopes)
    allowed = held.allows(action=action, resource=resource)
    assert allowed == any(resource_grants(scope, action, resource) for scope in kept)
    explanation = held.explain(action=action, resource=resource)
    assert bool(explanation) == explanation.allowed == allowed
    assert explanation.scope is None or explanation.scope in list(held)
    if allowed:
        assert resource_grants(str(explanation.scope), action, resource)


@given(
    scopes=st.lists(names | st.builds("{}:{}:{}".format, names, names, names), max_size=5),
    parts=st.tuples(names, names, names),
)
def test_any_text_as_slot_scopes(scopes: list[str], parts: tuple[str, str, str]) -> None:
    held = SlotScopes.from_claim(scopes)
    kept = [scope for scope in scopes if scope not in held.ignored]
    action, resource, identifier = parts
    allowed = held.allows(action=action, resource=resource, identifier=identifier)
    assert allowed == any(slot_grants(scope, *parts) for scope in kept)


@pytest.mark.parametrize("matcher", [grammar.matcher for grammar in GRAMMARS.values()], ids=list(GRAMMARS))
@given(scopes=st.lists(names, max_size=4))
def test_the_lenient_reading_is_the_strict_one_of_what_it_keeps(matcher: Any, scopes: list[str]) -> None:
    held = matcher.from_claim(scopes)
    kept = []
    for scope in scopes:
        try:
            matcher([scope])
        except ScopeSyntaxError:
            assert scope in held.ignored
        else:
            kept.append(scope)
            assert scope not in held.ignored
    assert list(held) == list(matcher(kept))
    assert (held == matcher(kept)) == (held.ignored == ())
    # What could not be read is never granted.
    assert matcher(kept).covers(held) == held.covers(held) == (held.ignored == ())


@given(st.lists(st.sampled_from(["users:*", "users:read", ":read", "x:", ""]), max_size=5))
def test_what_was_left_out_takes_part_in_equality_only(scopes: list[str]) -> None:
    held = ww.scopes.ResourceScopes.from_claim(scopes)
    again = ww.scopes.ResourceScopes.from_claim([*reversed(scopes), *scopes])
    assert (held, hash(held), held.ignored) == (again, hash(again), again.ignored)
