"""The answer of a resource server if a valid token has insufficient scope (RFC 6750 section 3.1)."""

from __future__ import annotations

import copy
import pickle

import pytest

import watchword as ww
from watchword.scopes import PlainScopes, ResourceScopes, SlotScopes

WITHOUT_SCOPE = 'Bearer error="insufficient_scope", error_description="the token\'s scopes do not allow this"'


def rejected(call: object) -> ww.InsufficientScopeError:
    with pytest.raises(ww.InsufficientScopeError) as caught:
        call()  # type: ignore[operator]
    return caught.value


def test_each_matcher_names_what_is_required() -> None:
    resource = ResourceScopes("users:read")
    assert rejected(lambda: resource.require(action="write", resource="users")).scope == "users:write"
    slot = SlotScopes("read:data:a")
    assert rejected(lambda: slot.require(action="read", resource="data", identifier="b:c")).scope == "read:data:b:c"
    plain = PlainScopes("openid")
    assert rejected(lambda: plain.require("profile")).scope == "profile"
    assert rejected(lambda: plain.require_all(PlainScopes("profile openid email"))).scope == "email profile"


def test_what_a_server_answers() -> None:
    error = rejected(lambda: ResourceScopes("users:read").require(action="write", resource="users"))
    assert (error.code, error.http_status) == (ww.ErrorCode.INSUFFICIENT_SCOPE, 403)
    assert isinstance(error, ww.VerificationError)
    assert error.www_authenticate() == WITHOUT_SCOPE + ', scope="users:write"'
    answer = error.www_authenticate(realm="api", resource_metadata="https://api.example/.well-known/x")
    assert answer is not None
    assert answer.startswith('Bearer realm="api", error="insufficient_scope", ')
    assert answer.endswith('scope="users:write", resource_metadata="https://api.example/.well-known/x"')
    assert "users:write" in error.detail


@pytest.mark.parametrize(
    "resource", ['a"b', "a\\b", "a\r\nSet-Cookie: x=y", "a b", "é", "\x00", "\ud800", "x" * 2000], ids=ascii
)
def test_a_request_cannot_write_into_the_header(resource: str) -> None:
    error = rejected(lambda: ResourceScopes("users:read").require(action="read", resource=resource))
    # With a space it is two scope tokens: not what was intended, and nothing worse.
    assert error.www_authenticate() == WITHOUT_SCOPE + (', scope="a b:read"' if resource == "a b" else "")
    assert all(" " <= ch <= "~" or ch == "…" for ch in str(error))


def test_made_by_hand() -> None:
    assert ww.InsufficientScopeError().scope is None
    error = ww.InsufficientScopeError("not enough", scope="orders:read orders:write")
    assert str(error) == "insufficient_scope: not enough"
    assert str(error.www_authenticate()).endswith('scope="orders:read orders:write"')
    for bad in ("", " a", "a  b", "a "):
        assert "scope=" not in str(ww.InsufficientScopeError(scope=bad).www_authenticate())


def test_copied_and_pickled_with_its_scope() -> None:
    error = ww.InsufficientScopeError("not enough", scope="a b")
    for again in (copy.copy(error), copy.deepcopy(error), pickle.loads(pickle.dumps(error))):
        assert (type(again), again.detail, again.scope) == (type(error), "not enough", "a b")
