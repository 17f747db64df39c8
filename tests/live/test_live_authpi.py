"""Every call of AuthPI's clients against oidc-provider with AuthPI's routes and claims."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from live_browser import Browser

pytest.importorskip("pydantic", reason="watchword.providers.authpi is made of pydantic's models")

import watchword as ww
from watchword.providers.authpi import (
    AuthenticatedAgent,
    AuthorizationUrl,
    ConsentRequiredError,
    IdpClient,
    IdpClientSync,
    InsufficientScopeError,
    LoginRequiredError,
    LogoutOptions,
    OAuthError,
    PrincipalType,
    RefreshError,
    SubjectMismatchError,
    TokenParseError,
)

SECRET = "secret-secret-secret-secret-secret"
REDIRECT_URI = "https://client.example/callback"
SCOPES = ["openid", "profile", "email"]

Call = Callable[[Any], Any]


@dataclass(frozen=True)
class Application:
    """An application that uses one of the two clients, and its users' browsers."""

    form: str
    issuer: str

    def call(self, call: Call, client_id: str = "cli_web", **options: Any) -> Any:
        """Make a client, and call it once."""
        if self.form == "sync":
            with self.client(IdpClientSync, client_id, **options) as client:
                return call(client)

        async def in_task() -> Any:
            async with self.client(IdpClient, client_id, **options) as client:
                return await call(client)

        return asyncio.run(in_task())

    def client(self, kind: Any, client_id: str, **options: Any) -> Any:
        secret = None if client_id == "cli_public" else SECRET
        # Its endpoints are where AuthPI's are; its keys are discovered.
        return kind(self.issuer, client_id, REDIRECT_URI, options.pop("client_secret", secret), **options)

    def begin(self, client_id: str = "cli_web", *, scopes: list[str] = SCOPES, **options: Any) -> AuthorizationUrl:
        kind = IdpClientSync if self.form == "sync" else IdpClient
        auth: AuthorizationUrl = self.client(kind, client_id).create_authorization_url(scopes, **options)
        return auth

    def callback(self, auth: AuthorizationUrl, login: str = "usr_1") -> str:
        with Browser(login) as browser:
            return browser.visit(auth.url, until=REDIRECT_URI)

    def log_in(self, client_id: str = "cli_web", login: str = "usr_1", **options: Any) -> AuthenticatedAgent:
        auth = self.begin(client_id, **options)
        callback = self.callback(auth, login)
        agent: AuthenticatedAgent = self.call(lambda client: client.exchange_callback(callback, auth), client_id)
        return agent


@pytest.fixture(params=["sync", "async"], name="app")
def _app(request: pytest.FixtureRequest, authpi_issuer: str) -> Application:
    return Application(str(request.param), authpi_issuer)


def claims(agent: AuthenticatedAgent) -> dict[str, Any]:
    return ww.decode_unverified(agent.tokens.id_token or "").claims or {}


def ending(agent: AuthenticatedAgent) -> dict[str, Any]:
    """What a session has stored of it, ten seconds before the end."""
    return {**agent.tokens.model_dump(), "expires_at": int(time.time()) + 10}


# Logins.


def test_a_login(app: Application) -> None:
    auth = app.begin(scopes=SCOPES)
    callback = app.callback(auth)
    found = {name: value for name, (value,) in parse_qs(urlsplit(callback).query).items()}
    assert (found["state"], found["iss"]) == (auth.state, app.issuer)
    agent = app.call(
        lambda client: client.exchange_callback(callback, auth), authorization_response_iss_parameter_supported=True
    )
    assert (agent.id, agent.type, agent.email, agent.email_verified) == (
        "usr_1",
        PrincipalType.USER,
        "usr_1@example.com",
        True,
    )
    assert agent.has_access_in("org_a", "write", "projects.tasks")
    assert not agent.is_expired(60)
    assert claims(agent)["nonce"] == auth.nonce
    assert agent.tokens.refresh_token


def test_a_login_with_claims_as_version_0_3_reads_them(app: Application) -> None:
    assert app.log_in(login="usr_2").is_member_of("org_a")


def test_a_login_of_a_public_client(app: Application) -> None:
    agent = app.log_in("cli_public", scopes=["openid", "email"], state="my-state", nonce="my-nonce")
    assert (agent.id, claims(agent)["nonce"]) == ("usr_1", "my-nonce")


def test_a_code_on_its_own(app: Application) -> None:
    """The way of version 0.3: the application takes the callback apart itself."""
    auth = app.begin()
    found = {name: value for name, (value,) in parse_qs(urlsplit(app.callback(auth)).query).items()}
    known = {
        "nonce": auth.nonce,
        "state": found["state"],
        "expected_state": auth.state,
        "iss": found["iss"],
    }
    agent = app.call(lambda client: client.exchange_code(found["code"], auth.code_verifier, **known))
    assert agent.id == "usr_1"


def test_a_used_code_ends_the_grant(app: Application) -> None:
    auth = app.begin()
    callback = app.callback(auth)
    agent = app.call(lambda client: client.exchange_callback(callback, auth))
    with pytest.raises(OAuthError) as caught:
        app.call(lambda client: client.exchange_callback(callback, auth))
    assert caught.value.error == "invalid_grant"
    with pytest.raises(RefreshError) as caught:
        app.call(lambda client: client.refresh(agent))
    assert caught.value.error == "invalid_grant"


def test_a_wrong_verifier(app: Application) -> None:
    auth = app.begin()
    callback = app.callback(auth)
    wrong = auth.model_copy(update={"code_verifier": "x" * 43})
    with pytest.raises(OAuthError) as caught:
        app.call(lambda client: client.exchange_callback(callback, wrong))
    assert caught.value.error == "invalid_grant"
    # The code was not used up.
    assert app.call(lambda client: client.exchange_callback(callback, auth)).id == "usr_1"


def test_somebody_elses_callback(app: Application) -> None:
    auth = app.begin()
    callback = app.callback(auth)
    with pytest.raises(OAuthError) as caught:
        app.call(lambda client: client.exchange_callback(callback, app.begin()))
    assert caught.value.error == "invalid_state"
    with pytest.raises(OAuthError) as caught:
        app.call(lambda client: client.exchange_callback(callback.replace("&iss=http", "&iss=https"), auth))
    assert caught.value.error == "invalid_issuer"
    other = auth.model_copy(update={"nonce": "of another login"})
    with pytest.raises(OAuthError) as caught:
        app.call(lambda client: client.exchange_callback(callback, other))
    assert caught.value.error == "invalid_nonce"


def test_another_clients_id_token(app: Application) -> None:
    """An ID token in a session must be this client's own."""
    agent = app.log_in("cli_public")
    with pytest.raises(TokenParseError):
        app.call(lambda client: client.create_agent(agent.tokens))
    assert app.call(lambda client: client.create_agent(agent.tokens), "cli_public").id == "usr_1"


def test_a_login_without_interaction(app: Application) -> None:
    silent = {"extra_params": {"prompt": "none"}}
    auth = app.begin(**silent)
    callback = app.callback(auth)
    with pytest.raises(LoginRequiredError) as caught:
        app.call(lambda client: client.exchange_callback(callback, auth))
    assert caught.value.error_description
    with Browser("usr_1") as browser:
        browser.visit(app.begin(scopes=["openid"]).url, until=REDIRECT_URI)
        # The session at the issuer is enough for what was consented to, and for no more.
        again = app.begin(scopes=["openid"], **silent)
        callback = browser.visit(again.url, until=REDIRECT_URI)
        assert app.call(lambda client: client.exchange_callback(callback, again)).id == "usr_1"
        more = app.begin(scopes=["openid", "email"], **silent)
        callback = browser.visit(more.url, until=REDIRECT_URI)
        with pytest.raises(ConsentRequiredError):
            app.call(lambda client: client.exchange_callback(callback, more))


def test_a_login_for_a_resource(app: Application) -> None:
    agent = app.log_in(resources=["https://api.example/"], scopes=[*SCOPES, "users:read"])
    assert agent.tokens.scope is not None
    assert "users:read" in agent.tokens.scope
    # The access token is the resource's.
    with pytest.raises(InsufficientScopeError):
        app.call(lambda client: client.get_user_info(agent))
    renewed = app.call(lambda client: client.refresh(agent, resources=["https://api.example/"]))
    assert renewed.id == "usr_1"


# Renewals.


def test_a_renewal(app: Application) -> None:
    agent = app.log_in()
    new = app.call(lambda client: client.refresh(agent))
    assert new.id == agent.id
    assert new.tokens.access_token != agent.tokens.access_token
    assert new.tokens.refresh_token not in (None, agent.tokens.refresh_token)
    assert claims(new)["nonce"] == claims(agent)["nonce"]
    # A session that is loaded in time is renewed by itself.
    got: list[dict[str, Any]] = []
    loaded = app.call(lambda client: client.create_agent(ending(new), on_refresh=got.append))
    assert got == [loaded.tokens.model_dump()]
    assert loaded.tokens.refresh_token != new.tokens.refresh_token
    assert app.call(lambda client: client.create_agent(got[0])) == loaded


def test_a_used_refresh_token_ends_the_grant(app: Application) -> None:
    agent = app.log_in()
    new = app.call(lambda client: client.refresh(agent))
    errors: list[Exception] = []
    with pytest.raises(RefreshError) as caught:
        app.call(lambda client: client.create_agent(ending(agent), on_refresh_error=errors.append))
    assert (caught.value.error, caught.value.status_code, errors) == ("invalid_grant", 400, [caught.value])
    with pytest.raises(RefreshError):
        app.call(lambda client: client.refresh(new))


def test_a_session_that_is_loaded_twice_does_not_end_the_grant(app: Application) -> None:
    stored, got = ending(app.log_in()), []

    async def in_tasks(client: Any) -> Any:
        calls = [client.create_agent(stored, on_refresh=got.append) for _ in range(4)]
        agents = [*(await asyncio.gather(*calls)), await client.create_agent(stored, on_refresh=got.append)]
        return agents[-1], await client.refresh(agents[-1])

    def one_after_the_other(client: Any) -> Any:
        agents = [client.create_agent(stored, on_refresh=got.append) for _ in range(5)]
        return agents[-1], client.refresh(agents[-1])

    agent, renewed = app.call(one_after_the_other if app.form == "sync" else in_tasks)
    assert got == [agent.tokens.model_dump()] * 5
    assert renewed.id == "usr_1"


def test_a_renewal_without_an_id_token(app: Application) -> None:
    agent = app.log_in("cli_without")
    got: list[dict[str, Any]] = []
    new = app.call(lambda client: client.create_agent(ending(agent), on_refresh=got.append), "cli_without")
    assert (new.id, new.email, new.organizations) == (agent.id, agent.email, agent.organizations)
    assert (got[0]["id_token"], got[0]["subject_hint"]) == (None, "usr_1")
    assert app.call(lambda client: client.create_agent(got[0]), "cli_without") == new
    stolen = {**got[0], "subject_hint": "usr_2"}
    with pytest.raises(SubjectMismatchError):
        app.call(lambda client: client.create_agent(stolen), "cli_without")
    assert app.call(lambda client: client.refresh(new), "cli_without").id == "usr_1"


def test_a_renewal_of_a_public_client(app: Application) -> None:
    agent = app.log_in("cli_public")
    assert app.call(lambda client: client.refresh(agent), "cli_public").id == "usr_1"


# The rest.


def test_user_info(app: Application) -> None:
    agent = app.log_in()
    info = app.call(lambda client: client.get_user_info(agent))
    assert (info.sub, info.email, info.name) == ("usr_1", "usr_1@example.com", "Ada")
    assert info.organizations == agent.organizations
    app.call(lambda client: client.revoke_token(agent.tokens.access_token, "access_token"))
    with pytest.raises(OAuthError) as caught:
        app.call(lambda client: client.get_user_info(agent))
    assert caught.value.error == "invalid_token"


def test_machine_tokens(app: Application) -> None:
    agent = app.call(lambda client: client.client_credentials(scopes=["users:read", "users:write"]), "agt_machine")
    assert (agent.id, agent.type, agent.organizations) == ("agt_machine", PrincipalType.AGENT, [])
    assert agent.has_access("write", "users")
    assert (agent.tokens.id_token, agent.tokens.refresh_token) == (None, None)
    assert not app.call(lambda client: client.client_credentials(), "agt_machine").has_access("read", "users")
    with pytest.raises(OAuthError) as caught:
        app.call(lambda client: client.client_credentials(), "agt_machine", client_secret="wrong")
    assert caught.value.error == "invalid_client"


def test_revocation(app: Application) -> None:
    agent = app.log_in()
    for _ in range(2):
        app.call(lambda client: client.revoke_token(agent.tokens.refresh_token, "refresh_token"))
    app.call(lambda client: client.revoke_token("no token at all"))
    with pytest.raises(RefreshError) as caught:
        app.call(lambda client: client.refresh(agent))
    assert caught.value.error == "invalid_grant"


def test_a_logout(app: Application) -> None:
    auth = app.begin()
    with Browser("usr_1") as browser:
        callback = browser.visit(auth.url, until=REDIRECT_URI)
        agent = app.call(lambda client: client.exchange_callback(callback, auth))
        options = LogoutOptions(
            id_token_hint=agent.tokens.id_token, post_logout_redirect_uri="https://client.example/", state="bye"
        )
        client = app.client(IdpClientSync if app.form == "sync" else IdpClient, "cli_web")
        page = browser.get(client.create_logout_url(options))
        assert page.status_code == 200
        found = re.search(r'name="xsrf" value="([^"]+)"', page.text)
        action = re.search(r'action="([^"]+)"', page.text)
        assert found is not None
        assert action is not None
        done = browser.post(action[1], {"xsrf": found[1], "logout": "yes"})
        assert done.headers["location"] == "https://client.example/?state=bye"
        # The session at the issuer has ended.
        silent = app.begin(extra_params={"prompt": "none"})
        callback = browser.visit(silent.url, until=REDIRECT_URI)
    with pytest.raises(LoginRequiredError):
        app.call(lambda client: client.exchange_callback(callback, silent))
