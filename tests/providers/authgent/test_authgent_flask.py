"""Specific to Flask: a decorator without middleware, views of every kind, error handlers."""

from __future__ import annotations

from typing import Any

import flask
import pytest
from authgent_apps import PUBLIC
from authgent_tokens import API, ISSUER, KEYS, token

import watchword.providers.authgent as authgent
from watchword.providers.authgent.middleware.flask import (
    AgentAuthMiddleware,
    agent_auth_required,
    get_agent_identity,
    require_agent_auth,
)


def good() -> dict[str, str]:
    return {"Authorization": f"Bearer {token()}"}


def test_one_view_can_verify_by_itself() -> None:
    app = flask.Flask(__name__)

    @app.route("/tools/search", methods=["POST"])
    @agent_auth_required(issuer=ISSUER, scopes=["search:execute"], jwks_fetcher=KEYS, public_url=PUBLIC)
    def search() -> dict[str, Any]:
        identity = flask.g.agent_identity
        assert identity is get_agent_identity()
        return {"agent": identity.subject}

    @app.get("/open")
    def anybody() -> str:
        return "anybody"

    client = app.test_client()
    assert client.post("/tools/search", headers=good()).get_json() == {"agent": "client:agnt_1"}
    assert client.post("/tools/search").status_code == 401
    assert client.post("/tools/search", headers={"Authorization": "Bearer x"}).status_code == 401
    answer = client.post("/tools/search", headers={"Authorization": f"Bearer {token(scope='read')}"})
    assert answer.status_code == 403
    assert answer.get_json() == {"error": "Insufficient scope. Missing: search:execute"}
    assert client.get("/open", headers={"Authorization": "Bearer x"}).text == "anybody"


def test_each_view_may_have_its_own_audience() -> None:
    app = flask.Flask(__name__)
    for number, audience in enumerate((API, None)):
        view = agent_auth_required(ISSUER, None, audience, jwks_fetcher=KEYS, public_url=PUBLIC)(lambda: "in")
        app.add_url_rule(f"/{number}", f"view-{number}", view)
    client = app.test_client()
    assert [client.get(path, headers=good()).status_code for path in ("/0", "/1")] == [401, 200]


def test_a_view_may_be_guarded_before_or_after_the_middleware_is_made() -> None:
    app = flask.Flask(__name__)

    @app.get("/items/<int:item>")
    @require_agent_auth()
    def items(item: int) -> str:
        """The items."""
        return f"{item} {flask.g.authgent_identity.subject}"

    AgentAuthMiddleware(app, issuer=ISSUER, jwks_fetcher=KEYS, public_url=PUBLIC)
    assert app.test_client().get("/items/7", headers=good()).text == "7 client:agnt_1"
    assert app.test_client().get("/items/7").status_code == 401
    assert (items.__name__, items.__doc__) == ("items", "The items.")


def test_an_application_without_middleware_rejects_everybody() -> None:
    app = flask.Flask(__name__)
    app.add_url_rule("/a", "a", require_agent_auth()(lambda: "in"))
    app.add_url_rule("/b", "b", lambda: get_agent_identity().subject)
    for path in ("/a", "/b"):
        answer = app.test_client().get(path, headers=good())
        assert answer.status_code == 401
        assert answer.headers["WWW-Authenticate"] == 'Bearer realm="authgent"'


def test_an_applications_own_error_handler_has_its_say() -> None:
    app = flask.Flask(__name__)
    AgentAuthMiddleware(app, issuer=ISSUER, jwks_fetcher=KEYS, public_url=PUBLIC)
    app.add_url_rule("/health", "health", lambda: get_agent_identity().subject)
    app.register_error_handler(401, lambda error: ("please log in", 401))
    assert app.test_client().get("/health").text == "please log in"


def test_an_applications_own_tests_may_say_who_calls() -> None:
    app = flask.Flask(__name__)
    agent = authgent.AgentIdentity("client:test", ["a"], authgent.DelegationChain(), authgent.TokenClaims())
    with app.test_request_context("/"):
        flask.g.agent_identity = agent
        assert get_agent_identity() is agent
        assert require_agent_auth(["a"])(lambda: "in")() == "in"


def test_a_path_is_what_the_client_escaped() -> None:
    app = flask.Flask(__name__)
    AgentAuthMiddleware(app, issuer=ISSUER, jwks_fetcher=KEYS, public_url=PUBLIC)
    app.add_url_rule("/v1/<path:rest>", "rest", lambda rest: rest)
    client = authgent.DPoPClient()
    raw = token(cnf={"jkt": client.jkt})
    for path, status in (
        ("/v1/a/b", 200),
        ("/v1/%C3%A9", 200),
        ("/v1/a:b@c!d", 200),
        ("/v1/a%20b", 200),
        ("/v1/a%2Fb", 400),
    ):
        headers = client.create_proof_headers(raw, "GET", f"{PUBLIC}{path}")
        assert app.test_client().get(path, headers=headers).status_code == status, path


def test_a_view_may_be_a_coroutine() -> None:
    @require_agent_auth(["a"])
    async def view() -> str:
        return "in"

    app = flask.Flask(__name__)
    agent = authgent.AgentIdentity("client:test", ["a"], authgent.DelegationChain(), authgent.TokenClaims())
    with app.test_request_context("/"):
        flask.g.agent_identity = agent
        with pytest.raises(StopIteration, match="in"):
            view().send(None)


def test_no_exception_of_ours_lets_a_request_through(monkeypatch: pytest.MonkeyPatch) -> None:
    app = flask.Flask(__name__)
    AgentAuthMiddleware(app, issuer=ISSUER, jwks_fetcher=KEYS, public_url=PUBLIC)
    app.add_url_rule("/", "index", lambda: "in")
    alone = flask.Flask(__name__)
    alone.add_url_rule("/", "index", agent_auth_required(ISSUER, jwks_fetcher=KEYS, public_url=PUBLIC)(lambda: "in"))

    def broken(*_: Any) -> None:
        raise RuntimeError("broken")

    monkeypatch.setattr("watchword.providers.authgent.middleware.gate.identity_of", broken)
    for one in (app, alone):
        answer = one.test_client().get("/", headers=good())
        assert answer.status_code == 500
        assert "broken" not in answer.text


def test_headers_of_the_application_are_passed_on() -> None:
    app = flask.Flask(__name__)
    AgentAuthMiddleware(app, issuer=ISSUER, jwks_fetcher=KEYS, public_url=PUBLIC)
    app.add_url_rule("/", "index", lambda: flask.request.headers["X-Auth-Tenant"])
    assert app.test_client().get("/", headers={**good(), "X-Auth-Tenant": "a"}).text == "a"


def test_a_decorator_for_several_views_verifies_a_request_once() -> None:
    required = agent_auth_required(ISSUER, "read", jwks_fetcher=KEYS, public_url=PUBLIC)
    app = flask.Flask(__name__)
    inner = required(lambda: "in")
    app.add_url_rule("/", "index", required(inner))
    client = authgent.DPoPClient()
    raw = token(cnf={"jkt": client.jkt})
    assert app.test_client().get("/", headers=client.create_proof_headers(raw, "GET", f"{PUBLIC}/")).text == "in"
