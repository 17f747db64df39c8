"""``AuthenticatedAgent``: every documented method, and the recorded rows of the published package."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest
from authpi_tokens import ORGANIZATIONS, ORGANIZATIONS_BY_ID
from pydantic import ValidationError

from watchword.providers.authpi import (
    AgentType,
    AuthenticatedAgent,
    Organization,
    PrincipalType,
    TokenSet,
    UserInfo,
)
from watchword.providers.authpi.types import organizations_of


def agent(
    *,
    orgs: Any = (),
    token_scope: str | None = None,
    expires_in: int = 3600,
    kind: PrincipalType = PrincipalType.USER,
    id_token: str | None = None,
    **_: Any,
) -> AuthenticatedAgent:
    return AuthenticatedAgent(
        id="usr_1",
        type=kind,
        tokens=TokenSet(
            access_token="opaque", expires_at=int(time.time()) + expires_in, scope=token_scope, id_token=id_token
        ),
        organizations=[Organization(id=name, scopes=scopes) for name, scopes in orgs],
    )


def member(*scopes: str) -> AuthenticatedAgent:
    return agent(orgs=[("org_a", list(scopes)), ("org_b", ["billing:*"])])


def test_access_in_an_organization_as_documented() -> None:
    one = member("projects:**", "users:read")
    for action, resource in [
        ("read", "projects"),
        ("write", "projects"),
        ("delete", "projects.tasks"),
        ("read", "projects.tasks.comments"),
        ("read", "users"),
    ]:
        assert one.has_access_in("org_a", action, resource) is True
    assert one.has_access_in("org_a", "write", "users") is False
    assert one.has_access_in("org_a", "read", "billing") is False
    assert one.has_access_in("org_unknown", "read", "users") is False
    assert one.has_access_in(org_id="org_b", action="read", resource="billing") is True
    assert one.has_access("read", "billing") is True
    assert one.has_access(action="write", resource="billing.invoices") is False


def test_roles_as_documented() -> None:
    one = member("owner", "admin", "projects:**")
    assert (one.is_owner_of("org_a"), one.is_admin_of("org_a"), one.is_member_of("org_a")) == (True, True, True)
    assert (one.is_owner_of("org_b"), one.is_admin_of("org_b"), one.is_member_of("org_b")) == (False, False, True)
    assert (one.is_owner_of("org_c"), one.is_member_of("org_c")) == (False, False)
    everything = member("*:**")
    assert everything.has_access_in("org_a", "delete", "anything.at.all") is True
    assert (everything.is_owner_of("org_a"), everything.is_admin_of("org_a")) == (False, False)


def test_scopes_of_an_organization() -> None:
    one = member("users:read", "projects:**")
    assert one.get_scopes_for("org_a") == ["users:read", "projects:**"]
    assert one.get_scopes_for("org_unknown") == []
    # The result is a copy: changing it has no effect.
    one.get_scopes_for("org_b").append("*:**")
    assert one.has_access_in("org_b", "read", "users") is False


def test_a_client_has_the_scopes_of_its_token() -> None:
    client = agent(token_scope="users:read users:write", kind=PrincipalType.AGENT)
    assert client.has_access("read", "users") is True
    assert client.has_access("read", "billing") is False
    assert client.has_access_in("org_a", "read", "users") is False
    assert client.type is PrincipalType.AGENT
    # A client whose id does not begin with agt_ counts as a user; its tokens show that there was no login.
    assert agent(token_scope="users:read").has_access("read", "users") is True


def test_a_user_without_an_organization_has_no_scopes() -> None:
    user = agent(token_scope="openid users:read *:**", id_token="header.payload.signature")
    assert user.has_access("read", "users") is False
    renewed = agent(token_scope="*:**")
    renewed = renewed.model_copy(update={"tokens": renewed.tokens.model_copy(update={"subject_hint": "usr_1"})})
    assert renewed.has_access("read", "users") is False


def test_an_agent_that_logged_in_has_no_scopes_of_the_session() -> None:
    """Only the ID token is verified: the scope is what the login requested, or what somebody wrote into the session."""
    one = agent(token_scope="*:**", id_token="header.payload.signature", kind=PrincipalType.AGENT)
    assert one.has_access("read", "users") is False


def test_expiry_as_documented() -> None:
    soon = agent(expires_in=45)
    assert soon.expires_at == soon.tokens.expires_at
    assert 40 <= soon.expires_in <= 45
    assert (soon.is_expired(), soon.is_expired(60), soon.is_expired(0)) == (False, True, False)
    # One name in the documentation, another in the package.
    assert (soon.is_expired(buffer=60), soon.is_expired(buffer_seconds=60)) == (True, True)
    with pytest.raises(TypeError, match="two names"):
        soon.is_expired(60, buffer=60)
    gone = agent(expires_in=-5)
    assert gone.expires_in < 0
    assert gone.is_expired(0) is True
    assert agent(expires_in=29).is_expired() is True


def test_principals() -> None:
    assert AgentType is PrincipalType
    assert [kind.value for kind in PrincipalType] == ["user", "personal_token", "api_key", "agent"]
    assert PrincipalType("agent") is PrincipalType.AGENT
    assert PrincipalType.AGENT == "agent"
    for subject, kind in [("agt_1", "agent"), ("key_1", "api_key"), ("tok_1", "personal_token"), ("", "user")]:
        assert PrincipalType.of(subject) == kind


def test_data_for_rules_of_your_own() -> None:
    (first, _) = organizations_of(ORGANIZATIONS)
    assert (first.id, first.title, first.scopes) == ("org_a", "Admin", ["projects:**", "users:read"])
    assert first.joined_at == 1_700_000_000


def test_both_published_shapes_of_organizations() -> None:
    assert organizations_of(ORGANIZATIONS_BY_ID) == organizations_of(ORGANIZATIONS)
    assert [one.id for one in organizations_of(ORGANIZATIONS)] == ["org_a", "org_b"]
    for claim in (ORGANIZATIONS, ORGANIZATIONS_BY_ID):
        info = UserInfo.model_validate({"sub": "usr_1", "organizations": claim, "favourite": "blue"})
        assert info.organizations == organizations_of(ORGANIZATIONS)
        assert info.model_extra == {"favourite": "blue"}
    assert UserInfo(sub="usr_1").organizations is None
    assert UserInfo(sub="usr_1", organizations=organizations_of(ORGANIZATIONS)).organizations is not None


@pytest.mark.parametrize(
    "claim", [None, [], {}, "org_a", 5, True, [None], ["org_a"], [{}], [{"id": 5}], [{"id": ""}], {"org_a": None}]
)
def test_what_is_no_membership_is_left_out(claim: Any) -> None:
    assert organizations_of(claim) == []


@pytest.mark.parametrize("scopes", [None, "users:read", {"users:read": 1}, 5])
def test_scopes_that_are_no_array_grant_nothing(scopes: Any) -> None:
    assert organizations_of([{"id": "org_a", "scopes": scopes}]) == [Organization(id="org_a")]


@pytest.mark.parametrize("wrong", [{"scopes": [5]}, {"scopes": [None]}, {"title": 5}, {"joined_at": "yesterday"}])
def test_a_membership_of_wrong_types_is_an_error_that_quotes_nothing(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="a membership in") as caught:
        organizations_of([{"id": "org_secret", **wrong}])
    assert "org_secret" not in str(caught.value)
    assert "yesterday" not in str(caught.value)


def test_what_is_secret_is_in_no_repr() -> None:
    one = agent(id_token="the-id-token")
    tokens = TokenSet(access_token="the-access-token", refresh_token="the-refresh-token", expires_at=1)
    shown = repr(one) + str(one) + repr(tokens) + str(tokens) + f"{tokens}"
    for secret in ("the-id-token", "the-access-token", "the-refresh-token", "opaque"):
        assert secret not in shown
    assert tokens.model_dump()["access_token"] == "the-access-token"


def test_models_are_immutable_and_go_through_a_session() -> None:
    tokens = TokenSet(access_token="a", expires_at=5, refresh_token="r", scope="openid")
    written = json.loads(json.dumps(tokens.model_dump()))
    assert TokenSet(**written) == tokens
    assert tokens.token_type == "Bearer"
    with pytest.raises(ValidationError):
        tokens.scope = "*:**"  # type: ignore[misc]
    with pytest.raises(ValidationError):
        Organization(id="org_a").id = "org_b"  # type: ignore[misc]


# What the published package was seen to answer, row by row.


def _subject_kind(args: dict[str, Any]) -> str:
    return PrincipalType.of(args["sub"]).value


def test_row_by_row(shared: Path) -> None:
    document = json.loads((shared / "truth" / "authpi.json").read_bytes())
    replayed = 0
    for row in document["rows"]:
        if row["fn"] == "_get_agent_type":
            answer: Any = _subject_kind(row["args"])
        elif row["fn"].startswith("agent."):
            args = dict(row["args"])
            one = agent(**args)
            asked = {name: args[name] for name in ("org_id", "action", "resource", "buffer") if name in args}
            answer = getattr(one, row["fn"].removeprefix("agent."))(**asked)
        else:
            continue
        replayed += 1
        assert answer == row["result"], row
    assert replayed == 29
