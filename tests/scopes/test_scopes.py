"""The public interface of the matchers: what they accept, show and reject."""

from __future__ import annotations

import threading
from typing import Any

import mint
import pytest

import watchword as ww
from watchword.scopes import PlainScopes, ResourceScopes, ScopeSyntaxError, SlotScopes, check_narrowing

MATCHERS: list[Any] = [ResourceScopes, SlotScopes, PlainScopes]
each_matcher = pytest.mark.parametrize("matcher", MATCHERS)

#: The same two scopes for every grammar: `a:b:c` is a resource with a colon, three slots, a token.
PAIR = ["a:b:c", "a:b:d"]


@each_matcher
@pytest.mark.parametrize(
    "form",
    [PAIR, tuple(PAIR), set(PAIR), dict.fromkeys(PAIR), reversed, "a:b:c a:b:d", "  a:b:d   a:b:c ", PAIR + PAIR],
    ids=["list", "tuple", "set", "mapping", "iterator", "str", "str with more spaces", "twice"],
)
def test_forms(matcher: Any, form: Any) -> None:
    held = matcher(form(PAIR) if callable(form) else form)
    assert (list(held), str(held), len(held), held.ignored) == (PAIR, "a:b:c a:b:d", 2, ())
    assert repr(held) == f"{matcher.__name__}('a:b:c a:b:d')"
    assert "a:b:c" in held
    for absent in ("a:b", "a:b:e", "A:b:c", "", " ", "a:b:c a:b:d", None, 7, b"a:b:c", "\ud800"):
        assert absent not in held


@each_matcher
def test_nothing_is_held(matcher: Any) -> None:
    for empty in (matcher([]), matcher(""), matcher("  "), matcher.from_claim(None), matcher.from_claim([])):
        assert (len(empty), str(empty), list(empty), bool(empty)) == (0, "", [], False)
        assert empty == matcher([])
        assert matcher(PAIR).covers(empty)
        assert empty.covers(empty)
        assert not empty.covers(matcher(PAIR))
        assert empty.missing(matcher(PAIR)) == tuple(PAIR)


@each_matcher
def test_a_verified_token_goes_in_whichever_form_its_claim_had(matcher: Any) -> None:
    keys = ww.KeySet.from_json(mint.jwks("ed25519"))
    policy = ww.Policy(issuer=mint.ISSUER, audience=mint.AUDIENCE)
    for claim in (" ".join(PAIR), PAIR):
        token = ww.verify(mint.token(mint.claims(scope=claim)), keys, policy, now=mint.NOW)
        assert matcher.from_claim(token.scopes) == matcher.from_claim(token.claims["scope"]) == matcher(PAIR)
    without = ww.verify(mint.token(mint.claims(scope=mint.OMIT)), keys, policy, now=mint.NOW)
    assert not matcher.from_claim(without.claims.get("scope"))


@each_matcher
@pytest.mark.parametrize("wrong", [7, b"a:b:c", [b"a:b:c"], ["a:b:c", None], [["a:b:c"]], object()])
def test_what_is_not_text_is_a_type_error(matcher: Any, wrong: Any) -> None:
    with pytest.raises(TypeError):
        matcher(wrong)
    with pytest.raises(TypeError):
        matcher.from_claim(wrong)
    with pytest.raises(TypeError):
        matcher()


@each_matcher
def test_none_is_an_absent_claim_and_no_requirement(matcher: Any) -> None:
    with pytest.raises(TypeError):
        matcher(None)


ALWAYS_MALFORMED = [
    "",
    " ",
    "a:b:c ",
    "a:b:\tc",
    "a:b:\nc",
    "a:b:\x00",
    "a:b:\x7f",
    "a:b:\x85",
    "a:b:\u2003c",
    "a:b:\ud800",
    "a:b:\ufffd",
]
MALFORMED: dict[Any, list[str]] = {
    ResourceScopes: [":", "::", ":read", "users:", "a:b:"],
    SlotScopes: [
        "a", "a:b", ":b:c", "a::c", "a:b:", "::", "*:b:c", "a:*:c", "*:*:*", "re*:b:c", "a:us*rs:c", "*", "a:**:c",
    ],
    PlainScopes: ['a"b', "a\\b", "é", "a:b:ü"],
}  # fmt: skip


@pytest.mark.parametrize(
    ("matcher", "scope"), [(matcher, scope) for matcher in MATCHERS for scope in ALWAYS_MALFORMED + MALFORMED[matcher]]
)
def test_what_is_not_a_scope(matcher: Any, scope: str) -> None:
    with pytest.raises(ScopeSyntaxError) as caught:
        matcher(["a:b:c", scope])
    assert isinstance(caught.value, ValueError)
    assert all(" " <= ch <= "~" for ch in str(caught.value))
    held = matcher.from_claim(["a:b:c", scope])
    assert list(held) == ["a:b:c"]
    assert len(held.ignored) == 1
    assert repr(held) == f"<{matcher.__name__}('a:b:c'), ignored=1>"
    assert held != matcher(["a:b:c"])
    # An invalid required scope is never granted, not even by the same text.
    assert not held.covers(held)
    assert held.missing(held) == held.ignored
    with pytest.raises(ww.InsufficientScopeError):
        held.require_all(held)
    assert held.narrow(held) == matcher(["a:b:c"])


def test_a_message_quotes_a_long_scope_no_further_than_one_can_read() -> None:
    with pytest.raises(ScopeSyntaxError) as caught:
        ResourceScopes(["\x1b[2J" + "x" * 100_000])
    assert len(str(caught.value)) < 300


@each_matcher
def test_immutable(matcher: Any) -> None:
    held = matcher(PAIR)
    for name in ("ignored", "allows", "scopes", "anything"):
        with pytest.raises(AttributeError):
            setattr(held, name, ())
    with pytest.raises(TypeError):
        type("More", (matcher,), {})
    assert {held: "found"}[matcher(reversed(PAIR))] == "found"


def test_matchers_of_different_grammars_are_different() -> None:
    sets = [matcher(PAIR) for matcher in MATCHERS]
    assert len({*sets}) == 3
    for held in sets:
        assert held != "a:b:c a:b:d"
        assert held != PAIR
        with pytest.raises(TypeError):
            held < held  # noqa: B015
    for held, other in zip(sets, sets[1:] + sets[:1], strict=True):
        assert held != other
        for method in (held.covers, held.missing, held.narrow, held.require_all):
            with pytest.raises(TypeError):
                method(other)
        with pytest.raises(TypeError):
            check_narrowing(held, other)  # type: ignore[type-var]


# ------------------------------------------------------------------------------------------------------------ resource


@pytest.mark.parametrize(
    ("held", "action", "resource", "allowed"),
    [
        ("users:*", "anything", "users", True),
        ("users:*", "read", "users.keys", False),
        ("users:**", "read", "users", True),
        ("users:**", "read", "users.keys.old", True),
        ("users:**", "read", "usersx", False),
        ("*:read", "read", "users", True),
        ("*:read", "read", "users.keys", False),
        ("*:*", "write", "users", True),
        ("*:*", "write", "users.keys", False),
        ("*:**", "write", "users.keys", True),
        ("*:**", "", "", True),
        ("us*:read", "read", "users", False),
        ("us*:read", "read", "us*", True),
        ("users.*:read", "read", "users.keys", False),
        ("**:read", "read", "users", False),
        ("urn:x:users:read", "read", "urn:x:users", True),
        ("users:read", "read", "USERS", False),
    ],
)  # fmt: skip
def test_resource_scopes(held: str, action: str, resource: str, allowed: bool) -> None:
    matcher = ResourceScopes([held])
    assert matcher.allows(action=action, resource=resource) is allowed
    assert bool(matcher.explain(action=action, resource=resource)) is allowed
    if allowed:
        matcher.require(action=action, resource=resource)
    else:
        with pytest.raises(ww.InsufficientScopeError):
            matcher.require(action=action, resource=resource)


@pytest.mark.parametrize("role", ["owner", "admin", "member", "openid", "*", "**"])
def test_words_grant_no_action_and_no_wildcard_grants_them(role: str) -> None:
    held = ResourceScopes([role])
    assert role in held
    assert f"{role}:*" not in held
    for action, resource in ((role, role), ("read", role), (role, ""), ("", role), ("*", "*")):
        assert not held.allows(action=action, resource=resource)
    everything = ResourceScopes(["*:**"])
    assert role not in everything
    assert not everything.covers(held)
    assert not held.covers(everything)
    assert list(everything.narrow(ResourceScopes([role, "users:read"]))) == ["users:read"]
    assert list(held.narrow(ResourceScopes([role, "users:read"]))) == [role]


@pytest.mark.parametrize(
    ("ours", "theirs", "both"),
    [
        ("*:read", "users:*", "users:read"),
        ("*:read", "users:**", "users:read"),
        ("*:*", "users:**", "users:*"),
        ("*:*", "users.keys:**", ""),
        ("users:**", "users.keys:read users.keys.old:* teams:read", "users.keys.old:* users.keys:read"),
        ("users:*", "users.keys:*", ""),
        ("*:read", "*:write", ""),
        ("*:*", "*:read", "*:read"),
        ("*:**", "*:* owner", "*:*"),
        ("*:a *:b", "r:* s:**", "r:a r:b s:a s:b"),
    ],
)  # fmt: skip
def test_narrow_of_resource_scopes(ours: str, theirs: str, both: str) -> None:
    assert str(ResourceScopes(ours).narrow(ResourceScopes(theirs))) == both


def test_an_intersection_that_cannot_be_written_down_is_rejected() -> None:
    actions = ResourceScopes([f"*:action-{number}" for number in range(300)])
    resources = ResourceScopes([f"resource-{number}:*" for number in range(300)])
    with pytest.raises(ValueError, match="65536"):
        actions.narrow(resources)
    with pytest.raises(ValueError, match="65536"):
        resources.narrow(actions)
    few = ResourceScopes([f"resource-{number}:*" for number in range(3)])
    assert len(actions.narrow(few)) == 900


@pytest.mark.parametrize(
    ("held", "action", "resource", "scope", "words"),
    [
        ("users:read *:** users:**", "read", "users.keys", "*:**", "grants"),
        ("users:read *:write", "read", "users", "users:read", "grants"),
        ("*:read users:*", "read", "users", "users:*", "grants"),
        ("users:read", "write", "users", "users:read", "another action"),
        ("users:* teams:**", "read", "users.keys", "users:*", "below its resource"),
        ("*:read teams:**", "read", "users.keys", "*:read", "without a dot"),
        ("users.keys:read teams:read", "read", "users.names", "users.keys:read", "another resource"),
        ("teams:write", "read", "users", None, "none is similar"),
        ("owner", "read", "owner", None, "none is similar"),
        ("", "read", "users", None, "none is similar"),
    ],
)  # fmt: skip
def test_explain(held: str, action: str, resource: str, scope: str | None, words: str) -> None:
    explanation = ResourceScopes(held).explain(action=action, resource=resource)
    assert (explanation.scope, explanation.allowed) == (scope, words == "grants")
    assert words in str(explanation)
    assert scope is None or f'"{scope}"' in str(explanation)
    assert f'"{resource}:{action}"' in str(explanation)
    assert repr(explanation) == f"ScopeExplanation(allowed={explanation.allowed}, scope={scope!r})"


def test_an_explanation_can_be_logged_whatever_was_asked() -> None:
    held = ResourceScopes(["*:**", "é:read"])
    for name in ("a\nINFO allowed", "\x1b[2J", "\u202e", "x" * 100_000, '"', "\ud800"):
        text = str(held.explain(action=name, resource=name))
        assert all(" " <= ch <= "~" or ch == "…" for ch in text)
        assert len(text) < 1000


# ---------------------------------------------------------------------------------------------------------------- slot


@pytest.mark.parametrize(
    ("held", "request_", "allowed"),
    [
        ("read:data:*", ("read", "data", "customers"), True),
        ("read:data:*", ("read", "data", "a:b"), True),
        ("read:data:*", ("read", "data", "*"), True),
        ("read:data:*", ("read", "data", ""), False),
        ("read:data:*", ("write", "data", "customers"), False),
        ("read:data:*", ("read", "users", "customers"), False),
        ("read:data:a:b", ("read", "data", "a:b"), True),
        ("read:data:a:b", ("read", "data", "a"), False),
        ("read:data:a:b", ("read", "data:a", "b"), False),
        ("read:data:a:b", ("read:data", "a", "b"), False),
        ("read:data:cust*", ("read", "data", "customers"), False),
        ("read:data:cust*", ("read", "data", "cust*"), True),
        ("read:data:**", ("read", "data", "customers"), False),
        ("read:data:x", ("read", "data", "*"), False),
        ("read:data:x", ("", "", ""), False),
    ],
)  # fmt: skip
def test_slot_scopes(held: str, request_: tuple[str, str, str], allowed: bool) -> None:
    action, resource, identifier = request_
    matcher = SlotScopes([held])
    assert matcher.allows(action=action, resource=resource, identifier=identifier) is allowed
    if allowed:
        matcher.require(action=action, resource=resource, identifier=identifier)
    else:
        with pytest.raises(ww.InsufficientScopeError):
            matcher.require(action=action, resource=resource, identifier=identifier)


def test_a_wildcard_in_another_slot_covers_nothing() -> None:
    required = SlotScopes(["read:data:customers"])
    for scope in ("*:data:customers", "read:*:customers", "*:*:*", "re*d:data:*"):
        held = SlotScopes.from_claim([scope])
        assert held.ignored == (scope,)
        assert not held.covers(required)
        assert not held.covers(held)


def test_narrow_of_slot_scopes() -> None:
    ours, theirs = (
        SlotScopes("read:data:* write:data:a"),
        SlotScopes("read:data:a read:data:b write:data:* read:users:a"),
    )
    assert str(ours.narrow(theirs)) == "read:data:a read:data:b write:data:a"


# -------------------------------------------------------------------------------------------------------------- plain


def test_plain_scopes() -> None:
    held = PlainScopes("orders:read openid *")
    assert held.allows("openid")
    assert held.allows("*")
    for scope in ("OpenID", "orders", "orders:read openid", "orders:*", "", " openid", "\ud800"):
        assert not held.allows(scope)
        assert scope not in held
        with pytest.raises(ww.InsufficientScopeError):
            held.require(scope)
    held.require("openid")
    assert str(held.narrow(PlainScopes("openid profile"))) == "openid"


# ---------------------------------------------------------------------------------------------------------- delegation


@pytest.mark.parametrize(
    ("matcher", "parent", "child", "beyond"),
    [
        (ResourceScopes, "users:** owner", "users.keys:read", ""),
        (ResourceScopes, "users:*", "users:** users:read", "users:**"),
        (ResourceScopes, "*:**", "owner", "owner"),
        (SlotScopes, "read:data:*", "read:data:a read:data:*", ""),
        (SlotScopes, "read:data:a", "read:data:* write:data:a", "read:data:* write:data:a"),
        (PlainScopes, "openid profile", "profile", ""),
        (PlainScopes, "profile", "openid profile", "openid"),
    ],
)
def test_check_narrowing(matcher: Any, parent: str, child: str, beyond: str) -> None:
    if not beyond:
        check_narrowing(matcher(parent), matcher(child))
        return
    with pytest.raises(ww.InsufficientScopeError) as caught:
        check_narrowing(matcher(parent), matcher(child))
    assert caught.value.scope == beyond


def test_what_could_not_be_read_goes_beyond_any_parent() -> None:
    parent = SlotScopes.from_claim(["read:data:*", "*:*:*"])
    with pytest.raises(ww.InsufficientScopeError) as caught:
        check_narrowing(parent, parent)
    assert caught.value.scope == "*:*:*"


# ------------------------------------------------------------------------------------------------------------- calling


def test_requests_are_asked_by_name() -> None:
    held: Any = ResourceScopes("users:read")
    for wrong in (
        {"action": "read"},
        {"resource": "users"},
        {"action": 7, "resource": "users"},
        {"action": None, "resource": "users"},
    ):
        with pytest.raises(TypeError):
            held.allows(**wrong)
    with pytest.raises(TypeError):
        held.allows("read", "users")


def test_text_that_is_not_unicode_is_never_granted() -> None:
    held = ResourceScopes(["*:**", "users:**"])
    for action, resource in (("read", "users.\ud800"), ("\ud800", "users"), ("read", "\udfff")):
        assert not held.allows(action=action, resource=resource)
        assert not held.explain(action=action, resource=resource)
        with pytest.raises(ww.InsufficientScopeError):
            held.require(action=action, resource=resource)
    slots = SlotScopes(["read:data:*"])
    assert not slots.allows(action="read", resource="data", identifier="\ud800")
    with pytest.raises(ww.InsufficientScopeError):
        slots.require(action="read", resource="data", identifier="\ud800")


def test_one_matcher_for_many_threads() -> None:
    held = ResourceScopes([f"r{number}:**" for number in range(100)])
    wrong: list[int] = []

    def ask(number: int) -> None:
        for _ in range(500):
            if not held.allows(action="read", resource=f"r{number}.x") or held.allows(
                action="read", resource=f"s{number}"
            ):
                wrong.append(number)

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong
