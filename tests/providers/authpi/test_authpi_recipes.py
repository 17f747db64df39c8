"""The documented applications: FastAPI, Flask and Django log users in, and keep their sessions alive."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from authpi_server import SECRET, Idp
from authpi_tokens import CLIENT

pytest.importorskip("django", reason="Django is not installed")
pytest.importorskip("fastapi", reason="FastAPI is not installed")
pytest.importorskip("flask", reason="Flask is not installed")
pytest.importorskip("itsdangerous", reason="Starlette's sessions need it")

import django
import fastapi
import flask
from django.conf import settings
from django.http import HttpResponse, QueryDict
from django.test import RequestFactory
from fastapi.responses import RedirectResponse
from fastapi.testclient import TestClient
from starlette.datastructures import QueryParams
from starlette.middleware.sessions import SessionMiddleware
from werkzeug.test import EnvironBuilder

from watchword.providers.authpi import AuthenticatedAgent, IdpClient, IdpClientSync, OAuthError, TokenExpiredError

CALLBACK = "http://localhost:8000/callback"


def options(idp: Idp) -> dict[str, Any]:
    return {
        "issuer_url": idp.server.url,
        "client_id": CLIENT,
        "client_secret": SECRET,
        "redirect_uri": CALLBACK,
        "jwks": idp.issuing.jwks(),
    }


def configure_django() -> None:
    if not settings.configured:
        settings.configure(ALLOWED_HOSTS=["*"], SECRET_KEY="0123456789", USE_TZ=True)
        django.setup()


def come_back(client: Any, location: str) -> tuple[Any, Any]:
    """Come back from the login with somebody else's state, and with the right one."""
    (state,) = parse_qs(urlsplit(location).query)["state"]
    return client.get("/callback?code=c&state=other"), client.get(f"/callback?code=c&state={state}")


def test_a_repeated_parameter_is_rejected_in_what_each_framework_parses(idp: Idp) -> None:
    configure_django()
    with IdpClientSync(**options(idp)) as authpi:
        auth = authpi.create_authorization_url(["openid"])
        query = f"state={auth.state}&code=c&iss=https://evil.example&iss={idp.server.url}"
        queries = [
            flask.Request(EnvironBuilder(query_string=query).get_environ()).args,
            QueryDict(query),
            QueryParams(query),
        ]
        for parsed in queries:
            with pytest.raises(OAuthError, match="repeated"):
                authpi.exchange_callback(parsed, auth)
    assert idp.server.count() == 0


def test_fastapi(idp: Idp) -> None:
    app = fastapi.FastAPI()
    app.add_middleware(SessionMiddleware, secret_key="0123456789")
    authpi = IdpClient(**options(idp))

    @app.get("/login")
    async def login(request: fastapi.Request) -> Any:
        auth = authpi.create_authorization_url(scopes=["openid", "profile", "email"])
        request.session["code_verifier"] = auth.code_verifier
        request.session["state"] = auth.state
        return RedirectResponse(auth.url)

    @app.get("/callback")
    async def callback(request: fastapi.Request, code: str, state: str) -> Any:
        if state != request.session.get("state"):
            return {"error": "Invalid state"}
        agent = await authpi.exchange_code(code, request.session["code_verifier"])
        request.session["tokens"] = agent.tokens.model_dump()
        return {"callback": agent.id}

    async def get_agent(request: fastapi.Request) -> AuthenticatedAgent:
        try:
            return await authpi.create_agent(
                request.session["tokens"], on_refresh=lambda tokens: request.session.update({"tokens": tokens})
            )
        except TokenExpiredError:
            raise fastapi.HTTPException(status_code=401) from None

    @app.get("/dashboard")
    async def dashboard(request: fastapi.Request) -> Any:
        agent = await get_agent(request)
        if not agent.has_access_in("org_a", "read", "projects"):
            raise fastapi.HTTPException(status_code=403)
        return {"user": agent.id, "email": agent.email, "refresh_token": request.session["tokens"]["refresh_token"]}

    # The login's tokens end at once; those of a renewal do not.
    idp.answers(expires_in=0, access_token="a", refresh_token="first")
    with TestClient(app, follow_redirects=False) as client:
        wrong, done = come_back(client, client.get("/login").headers["location"])
        assert wrong.json() == {"error": "Invalid state"}
        assert done.json() == {"callback": "usr_1"}
        idp.answers(refresh_token="second")
        for _ in range(2):
            page = client.get("/dashboard").json()
            assert page == {"user": "usr_1", "email": "ada@example.com", "refresh_token": "second"}
    assert [one.get("refresh_token") for one in idp.forms()] == [None, "first"]


def test_flask(idp: Idp) -> None:
    app = flask.Flask(__name__)
    app.secret_key = "0123456789"
    authpi = IdpClientSync(**options(idp))

    @app.get("/login")
    def login() -> Any:
        auth = authpi.create_authorization_url(scopes=["openid", "profile", "email"])
        flask.session["login"] = {"code_verifier": auth.code_verifier, "state": auth.state, "nonce": auth.nonce}
        return flask.redirect(auth.url)

    @app.get("/callback")
    def callback() -> Any:
        if flask.request.args.get("state") != flask.session["login"]["state"]:
            return "Invalid state", 400
        agent = authpi.exchange_code(flask.request.args["code"], flask.session["login"]["code_verifier"])
        flask.session["tokens"] = agent.tokens.model_dump()
        return agent.id

    @app.get("/dashboard")
    def dashboard() -> Any:
        agent = authpi.create_agent(
            flask.session["tokens"],
            # flask.session is that of the thread that handles the request.
            on_refresh=lambda tokens: flask.session.update({"tokens": tokens}),
        )
        return f"Welcome, {agent.email}"

    idp.answers(expires_in=0, access_token="a", refresh_token="first")
    with app.test_client() as client:
        wrong, done = come_back(client, client.get("/login").headers["location"])
        assert (wrong.status_code, done.text) == (400, "usr_1")
        idp.answers(refresh_token="second")
        for _ in range(2):
            assert client.get("/dashboard").text == "Welcome, ada@example.com"
        with client.session_transaction() as session:
            assert session["tokens"]["refresh_token"] == "second"
    assert [one.get("refresh_token") for one in idp.forms()] == [None, "first"]


def test_django(idp: Idp) -> None:
    configure_django()
    authpi = IdpClientSync(**options(idp))
    session: dict[str, Any] = {}

    def callback(request: Any) -> HttpResponse:
        agent = authpi.exchange_callback(request.GET, request.session.pop("login"))
        request.session["tokens"] = agent.tokens.model_dump()
        return HttpResponse(f"Welcome, {agent.email}")

    login = authpi.create_authorization_url(["openid"], nonce="nonce-of-the-login")
    session["login"] = login.model_dump()
    request = RequestFactory().get("/callback", {"code": "c", "state": login.state, "iss": idp.server.url})
    request.session = session
    assert callback(request).content == b"Welcome, ada@example.com"
    assert list(session) == ["tokens"]
