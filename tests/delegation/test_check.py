"""The requirements for a chain."""

from __future__ import annotations

import inspect
from typing import Any

import chains
import pytest
from chains import record, recorded

import watchword as ww

ISSUER = "https://as.example"


def chain(*actors: str, **claims: Any) -> ww.DelegationChain:
    nested = {"act": chains.act(*actors)} if actors else {}
    return ww.DelegationChain.from_act({"iss": ISSUER, "sub": "client:root", **nested, **claims})


def rejection(found: ww.DelegationChain, **requirements: Any) -> str | None:
    try:
        found.check(**requirements)
    except ww.DelegationError as error:
        return error.code.value.removeprefix("delegation_")
    return None


def test_nothing_is_required_by_default() -> None:
    assert rejection(chain()) is None
    assert rejection(chain("a", "b", "a")) is None
    assert list(inspect.signature(ww.DelegationChain.check).parameters) == [
        "self", "max_depth", "require_human_root", "allowed_actors", "allow_cycles", "human",
        "allow_unknown_actors", "human_prefixes", "scope_grammar",
    ]  # fmt: skip


UNKNOWN = {"client_id": "web"}


@pytest.mark.parametrize(
    ("act", "position"),
    [
        (UNKNOWN, "1 of 1"),
        ({**UNKNOWN, "act": {"sub": "a"}}, "1 of 2"),
        ({"sub": "a", "act": UNKNOWN}, "2 of 2"),
        ({"email": "a@example.com", "iss": "https://other.example"}, "1 of 1"),
    ],
)
def test_an_unknown_actor_is_rejected_unless_it_is_allowed(act: dict[str, Any], position: str) -> None:
    found = chain(act=act)
    with pytest.raises(ww.ActorNotAllowedError) as caught:
        found.check()
    assert f"actor {position}" in caught.value.detail
    assert '"sub"' in caught.value.detail
    assert "web" not in str(caught.value)
    assert rejection(found, allow_unknown_actors=True) is None
    # A list names those that may act, and this one has no name.
    for names in (["web", "a"], ["", "a"], [*found.actors, "a"], [(ISSUER, "web"), (ISSUER, ""), "a"]):
        assert rejection(found, allowed_actors=names, allow_unknown_actors=True) == "actor_not_allowed"


def test_the_other_requirements_apply_to_unknown_actors() -> None:
    found = chain(act={**UNKNOWN, "act": UNKNOWN})
    assert rejection(found, max_depth=1, allow_unknown_actors=True) == "too_deep"
    assert rejection(found, require_human_root=True, allow_unknown_actors=True) == "no_human_root"
    # Two of them may be one or two, so that no circle can be seen.
    assert found.repeated == ()
    assert rejection(found, allow_cycles=False, allow_unknown_actors=True) is None


@pytest.mark.parametrize("depth", range(5))
def test_max_depth_is_the_number_of_actors(depth: int) -> None:
    found = chain(*[f"a{index}" for index in range(depth)])
    for limit in range(6):
        assert rejection(found, max_depth=limit) == (None if depth <= limit else "too_deep")


@pytest.mark.parametrize("limit", [-1, -(10**30), 10**30])
def test_an_invalid_depth(limit: int) -> None:
    with pytest.raises(ValueError, match="max_depth"):
        chain().check(max_depth=limit)


@pytest.mark.parametrize("limit", ["1", 1.5])
def test_a_depth_of_another_type(limit: Any) -> None:
    with pytest.raises(TypeError):
        chain().check(max_depth=limit)


def test_an_empty_list_allows_no_actor() -> None:
    for nobody in ([], (), set(), iter([])):
        assert rejection(chain("a"), allowed_actors=nobody) == "actor_not_allowed"
        assert rejection(chain("a", "b"), allowed_actors=nobody) == "actor_not_allowed"


def test_a_chain_without_actors_has_none_to_reject() -> None:
    assert rejection(chain(), allowed_actors=[]) is None
    assert rejection(chain(), allowed_actors=["x"]) is None


def test_each_actor_must_be_on_the_list_and_the_subject_need_not() -> None:
    found = chain("a", "b", "c")
    assert rejection(found, allowed_actors=["c", "a", "b", "d"]) is None
    for position, left_out in enumerate("abc", 1):
        with pytest.raises(ww.ActorNotAllowedError) as caught:
            found.check(allowed_actors=set("abc") - {left_out})
        assert f"actor {position} of 3" in caught.value.detail


@pytest.mark.parametrize("name", ["A", "a ", " a", "a*", "*", "", "client:a", "á"])
def test_names_are_compared_exactly(name: str) -> None:
    assert rejection(chain("a"), allowed_actors=[name]) == "actor_not_allowed"


@pytest.mark.parametrize("names", ["client:abc", b"client:abc", "a"])
def test_a_single_name_is_a_mistake(names: Any) -> None:
    with pytest.raises(TypeError, match="list"):
        chain("a").check(allowed_actors=names)


@pytest.mark.parametrize("names", [5, [5], [None], [b"a"], [("a",)], [("i", "a", "b")], [["i", "a"]], [("i", 5)]])
def test_names_of_another_type_are_a_mistake(names: Any) -> None:
    with pytest.raises(TypeError):
        chain("a").check(allowed_actors=names)


def test_the_issuer_of_an_actor_is_a_part_of_its_name() -> None:
    foreign = chain(act={"sub": "a", "iss": "https://other.example"})
    assert rejection(foreign, allowed_actors=["a"]) == "actor_not_allowed"
    assert rejection(foreign, allowed_actors=[(ISSUER, "a")]) == "actor_not_allowed"
    assert rejection(foreign, allowed_actors=[("https://other.example", "a")]) is None
    assert rejection(foreign, allowed_actors=foreign.actors) is None
    own = chain("a")
    assert rejection(own, allowed_actors=[(ISSUER, "a")]) is None
    assert rejection(own, allowed_actors=own.actors) is None
    assert rejection(own, allowed_actors=foreign.actors) == "actor_not_allowed"
    nameless = ww.DelegationChain.from_act({"act": {"sub": "a"}})
    assert rejection(nameless, allowed_actors=["a"]) is None
    assert rejection(nameless, allowed_actors=[(ISSUER, "a")]) == "actor_not_allowed"


@pytest.mark.parametrize(
    ("claims", "human"),
    [
        ({"sub": "user:ada"}, True),
        ({"sub": "user:auth0|5"}, True),
        ({"sub": "client:a", "human_root": True}, True),
        ({"human_root": True}, True),
        ({"sub": "client:a"}, False),
        ({}, False),
        ({"sub": "USER:ada"}, False),
        ({"sub": " user:ada"}, False),
        ({"sub": "superuser:ada"}, False),
        ({"sub": "user"}, False),
        ({"sub": "user:"}, False),
        ({"sub": "client:a", "human_root": False}, False),
        ({"sub": "client:a", "human_root": "true"}, False),
        ({"sub": "client:a", "human_root": 1}, False),
        ({"sub": "client:a", "human_root": None}, False),
        ({"sub": "client:a", "human_root": {}}, False),
    ],
)
def test_who_is_human_by_default(claims: chains.Claims, human: bool) -> None:
    # Without actors, too: a machine's own token has no human being behind it.
    for actors in ((), ("client:x",), ("client:x", "client:y")):
        nested = {"act": chains.act(*actors)} if actors else {}
        chain = ww.DelegationChain.from_act({**claims, **nested})
        assert chain.human_root is human
        assert rejection(chain, require_human_root=True) == (None if human else "no_human_root")
        assert rejection(chain, require_human_root=False) is None


def test_what_an_actor_is_called_grants_nothing() -> None:
    # RFC 8693 section 4.1: earlier actors are not to be considered in access control decisions.
    assert rejection(chain("client:a", "user:bob"), require_human_root=True) == "no_human_root"
    assert rejection(chain("user:bob"), require_human_root=True) == "no_human_root"
    assert rejection(chain(act={"sub": "a", "human_root": True}), require_human_root=True) == "no_human_root"


def test_a_recorded_chain_begins_with_its_first_record() -> None:
    claims = recorded(record("user:ada", ["read:data:x"]), sub="agent:a", scope=["read:data:x"])
    assert rejection(ww.DelegationChain.from_records(claims), require_human_root=True) is None
    claims = recorded(record("agent:a", ["read:data:x"]), sub="user:ada", scope=["read:data:x"])
    assert rejection(ww.DelegationChain.from_records(claims), require_human_root=True) == "no_human_root"


def test_a_predicate_decides_who_is_human() -> None:
    seen: list[ww.DelegationChain] = []

    def is_auth0(found: ww.DelegationChain) -> bool:
        seen.append(found)
        return (found.subject or "").startswith("auth0|")

    human, machine = chain(sub="auth0|5"), chain(sub="user:ada")
    assert rejection(human, require_human_root=True, human=is_auth0) is None
    assert rejection(machine, require_human_root=True, human=is_auth0) == "no_human_root"
    assert seen == [human, machine]
    assert rejection(machine, human=is_auth0) is None
    assert len(seen) == 2


@pytest.mark.parametrize(
    ("prefixes", "subject", "human"),
    [
        (None, "user:ada", True),
        (["auth0|", "google|"], "google|5", True),
        (["auth0|", "google|"], "user:ada", False),
        (["auth0|"], "auth0|", False),
        ([], "user:ada", False),
    ],
)
def test_prefixes_say_who_is_human(prefixes: list[str] | None, subject: str, human: bool) -> None:
    checked = chain("client:a", sub=subject)
    assert rejection(checked, require_human_root=True, human_prefixes=prefixes) == (None if human else "no_human_root")
    assert rejection(checked, human_prefixes=prefixes) is None
    claimed = chain(sub="client:b", human_root=True)
    assert rejection(claimed, require_human_root=True, human_prefixes=prefixes) is None


@pytest.mark.parametrize(
    ("argument", "error"), [("auth0|", TypeError), ([5], TypeError), (["auth0|", ""], ValueError)]
)  # fmt: skip
def test_invalid_prefixes(argument: Any, error: type[Exception]) -> None:
    with pytest.raises(error, match="human_prefixes"):
        chain().check(human_prefixes=argument)


def test_a_predicate_and_prefixes_are_one_rule_too_many() -> None:
    with pytest.raises(ValueError, match="human_prefixes"):
        chain().check(human=lambda checked: True, human_prefixes=["user:"])


def test_a_predicate_that_gives_no_verdict_is_a_mistake() -> None:
    async def forgotten_await(found: ww.DelegationChain) -> bool:
        return False

    for verdict in (None, 1, "yes", [0]):
        with pytest.raises(TypeError, match="bool"):
            chain().check(require_human_root=True, human=lambda found, verdict=verdict: verdict)
    coroutines = []
    with pytest.raises(TypeError, match="bool"):
        chain().check(
            require_human_root=True, human=lambda found: coroutines.append(forgotten_await(found)) or coroutines[0]
        )
    coroutines[0].close()
    with pytest.raises(TypeError):
        chain().check(require_human_root=True, human=5)  # type: ignore[arg-type]


def test_a_predicates_own_failure_is_passed_on() -> None:
    with pytest.raises(ZeroDivisionError):
        chain().check(require_human_root=True, human=lambda found: 1 / 0 > 0)


@pytest.mark.parametrize(
    ("actors", "subject", "repeated"),
    [
        ([], "a", ()),
        (["b"], "a", ()),
        (["a"], "a", ("a",)),
        (["b", "c", "b"], "a", ("b",)),
        (["b", "b"], "a", ("b",)),
        (["b", "a", "b", "a"], "a", ("b", "a")),
        (["b", "B", "b "], "a", ()),
    ],
)
def test_cycles_are_reported_and_rejected_on_request(
    actors: list[str], subject: str, repeated: tuple[str, ...]
) -> None:
    found = chain(*actors, sub=subject)
    assert found.repeated == repeated
    assert rejection(found) is None
    assert rejection(found, allow_cycles=False) == ("cycle" if repeated else None)


def test_the_same_name_under_another_issuer_is_another_name() -> None:
    found = chain(act={"sub": "a", "iss": "https://other.example", "act": {"sub": "a"}}, sub="b")
    assert found.repeated == ()


@pytest.mark.parametrize(
    ("held", "position"),
    [
        ([["read:data:*"], ["read:data:*"], ["read:data:a"]], None),
        ([["read:data:*"], ["read:data:a"], ["read:data:a"]], None),
        ([["read:data:*"], ["read:data:*"], []], None),
        ([["read:data:*", "write:data:a"], ["write:data:a"], ["write:data:a"]], None),
        ([["read:data:*"], ["read:data:a:b"], ["read:data:a:b"]], None),
        ([["read:data:a"], ["read:data:*"], ["read:data:a"]], 2),
        ([["read:data:*"], ["read:data:a"], ["read:data:*"]], 1),
        ([["read:data:*"], ["read:data:a"], ["read:data:b"]], 1),
        ([["read:data:*"], ["write:data:a"], ["write:data:a"]], 2),
        ([["read:data:*"], [], ["read:data:a"]], 1),
        ([[], ["read:data:a"], []], 2),
        ([["read:data:a"], ["read:data:a:b"], ["read:data:a:b"]], 2),
        ([["read:data:*"], ["read:files:a"], []], 2),
        ([["read:data:*"], ["READ:data:a"], []], 2),
    ],
)
def test_no_hop_may_widen_the_scopes(held: list[list[str]], position: int | None) -> None:
    root, middle, leaf = held
    claims = recorded(record("agent:root", root), record("agent:middle", middle), scope=leaf)
    found = ww.DelegationChain.from_records(claims)
    if position is None:
        found.check()
        return
    with pytest.raises(ww.ScopeWidenedError, match=f"actor {position} of 2"):
        found.check()


@pytest.mark.parametrize(
    ("granted", "delegated", "grammars"),
    [
        ("read:data:*", "read:data:a", {"slot", "resource"}),
        ("read:data:*", "read:data:a:b", {"slot"}),
        ("users:**", "users.keys:read", {"resource"}),
        ("openid", "openid", {"resource", "plain"}),
        ("a:b:c", "a:b:c", {"slot", "resource", "plain"}),
        ("openid", "profile", set()),
    ],
)
def test_the_caller_names_the_grammar_of_the_scopes(granted: str, delegated: str, grammars: set[str]) -> None:
    checked = ww.DelegationChain.from_records(recorded(record("agent:root", [granted]), scope=[delegated]))
    verdicts = {name: rejection(checked, scope_grammar=name) for name in ("slot", "resource", "plain")}
    assert verdicts == {name: None if name in grammars else "scope_widened" for name in verdicts}
    assert rejection(checked) == verdicts["slot"]


def test_an_unknown_grammar_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="'slot', 'resource' or 'plain'"):
        chain().check(scope_grammar="words")  # type: ignore[arg-type]


def test_a_token_without_scope_holds_none() -> None:
    claims = recorded(record("agent:root", ["read:data:a"]))
    del claims["scope"]
    chain = ww.DelegationChain.from_records(claims)
    assert chain.actors[0].scopes == ()
    chain.check()
    words = recorded(record("agent:root", ["read:data:*"]))
    words["scope"] = "read:data:a read:data:b"
    ww.DelegationChain.from_records(words).check()


def test_the_first_requirement_that_is_not_met_names_the_error() -> None:
    claims = recorded(record("a", ["read:data:x"]), record("a", ["read:data:y"]), sub="b")
    found = ww.DelegationChain.from_records(claims)
    requirements: dict[str, Any] = {
        "max_depth": 1, "allow_cycles": False, "require_human_root": True, "allowed_actors": [],
    }  # fmt: skip
    for name, code in (
        ("max_depth", "too_deep"),
        ("allow_cycles", "cycle"),
        ("require_human_root", "no_human_root"),
        ("allowed_actors", "actor_not_allowed"),
    ):
        assert rejection(found, **requirements) == code
        del requirements[name]
    assert rejection(found, **requirements) == "scope_widened"


def test_an_error_contains_no_name() -> None:
    found = chain("client:secret", "client:secret", sub="secret")
    for requirements in (
        {"max_depth": 0},
        {"allow_cycles": False},
        {"require_human_root": True},
        {"allowed_actors": []},
    ):
        with pytest.raises(ww.DelegationError) as caught:
            found.check(**requirements)  # type: ignore[arg-type]
        assert "secret" not in str(caught.value) + repr(caught.value) + str(caught.value.www_authenticate())
