"""The calls of ``IdpClient`` and ``IdpClientSync``: what is sent, what is returned, what is raised."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
import pickle
from typing import Any
from urllib.parse import parse_qs, urlsplit

import endpoint
import httpx
import httpx2
import pytest
from authpi_server import ACCESS, CODE, NONCE, REDIRECT_URI, REFRESH, SECRET, VERIFIER, Idp, json_answer
from authpi_tokens import CLIENT, ISSUER

from watchword.providers.authpi import (
    AccountLinkingRequiredError,
    AuthorizationUrl,
    ConfigurationError,
    ConsentRequiredError,
    IdpClient,
    IdpClientSync,
    InsufficientScopeError,
    InteractionRequiredError,
    LoginRequiredError,
    LogoutOptions,
    OAuthError,
    PrincipalType,
    SessionExpiredError,
    SubjectMismatchError,
    TokenParseError,
    UserBlockedError,
)

CLASSES = {
    "account_linking_required": AccountLinkingRequiredError,
    "consent_required": ConsentRequiredError,
    "insufficient_scope": InsufficientScopeError,
    "interaction_required": InteractionRequiredError,
    "login_required": LoginRequiredError,
    "session_expired": SessionExpiredError,
    "user_blocked": UserBlockedError,
}


def offline(**options: Any) -> IdpClientSync:
    return IdpClientSync(ISSUER, CLIENT, **{"redirect_uri": REDIRECT_URI, **options})


def query(url: str) -> dict[str, list[str]]:
    return parse_qs(urlsplit(url).query, strict_parsing=True)


# The login's URL.


@pytest.mark.parametrize("kind", [IdpClient, IdpClientSync])
def test_an_authorization_url(kind: Any) -> None:
    idp = kind(ISSUER + "//", CLIENT, REDIRECT_URI)
    auth = idp.create_authorization_url(scopes=["openid", "profile"])
    assert auth.url.startswith(f"{ISSUER}/authorize?")
    assert [len(one) for one in (auth.code_verifier, auth.state, auth.nonce)] == [43, 43, 43]
    challenge = base64.urlsafe_b64encode(hashlib.sha256(auth.code_verifier.encode()).digest()).rstrip(b"=").decode()
    assert query(auth.url) == {
        "client_id": [CLIENT],
        "redirect_uri": [REDIRECT_URI],
        "response_type": ["code"],
        "scope": ["openid profile"],
        "state": [auth.state],
        "code_challenge": [challenge],
        "code_challenge_method": ["S256"],
        "nonce": [auth.nonce],
    }
    other = idp.create_authorization_url(["openid"])
    assert len({auth.state, auth.nonce, auth.code_verifier, other.state, other.nonce, other.code_verifier}) == 6


def test_an_authorization_url_with_everything() -> None:
    auth = offline(resources=["https://a.example"]).create_authorization_url(
        ["openid"],
        "my state",
        "my nonce",
        "org_1",
        ["https://b.example", "https://c.example"],
        extra_params={"prompt": "none"},
    )
    found = query(auth.url)
    assert (auth.state, auth.nonce, auth.resources) == (
        "my state",
        "my nonce",
        ("https://b.example", "https://c.example"),
    )
    assert (found["org"], found["prompt"]) == (["org_1"], ["none"])
    assert found["resource"] == ["https://b.example", "https://c.example"]
    assert query(offline(resources=["https://a.example"]).create_authorization_url(["openid"]).url)["resource"] == [
        "https://a.example"
    ]
    # A session keeps it as JSON, and gives it back.
    assert AuthorizationUrl(**json.loads(json.dumps(auth.model_dump()))) == auth


def test_a_login_that_cannot_be() -> None:
    for scopes in ([], ["profile"]):
        with pytest.raises(OAuthError) as caught:
            offline().create_authorization_url(scopes)
        assert caught.value.error == "invalid_request"
    with pytest.raises(TypeError, match="list of strings"):
        offline().create_authorization_url("openid")  # type: ignore[arg-type]
    with pytest.raises(ConfigurationError, match="redirect_uri is required"):
        offline(redirect_uri=None).create_authorization_url(["openid"])
    for name in ("state", "redirect_uri", "request", "request_uri", "response_mode"):
        with pytest.raises(ConfigurationError, match=name):
            offline().create_authorization_url(["openid"], extra_params={name: "x"})


def test_secrets_are_in_no_repr() -> None:
    auth = offline().create_authorization_url(["openid"])
    shown = repr(auth) + repr(LogoutOptions(id_token_hint="the-token", state="the-state")) + repr(offline())
    assert not any(
        one in shown for one in (auth.state, auth.nonce, auth.code_verifier, "the-token", "the-state", SECRET)
    )


# The settings.


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"issuer_url": ""}, "issuer_url is required"),
        ({"issuer_url": None}, "issuer_url is required"),
        ({"issuer_url": "not-a-url"}, "issuer_url must be a valid URL"),
        ({"issuer_url": "http://idp.example"}, "issuer_url must be a valid URL"),
        ({"issuer_url": "https://u:p@idp.example"}, "issuer_url must be a valid URL"),
        ({"client_id": "  "}, "client_id is required"),
        ({"redirect_uri": "not-a-url"}, "redirect_uri must be a valid URL"),
        ({"redirect_uri": "https://app.example/#x"}, "redirect_uri must be a valid URL"),
        ({"redirect_uri": "https://*.example/"}, "redirect_uri must be a valid URL"),
        ({"redirect_uri": "https://u@app.example/"}, "redirect_uri must be a valid URL"),
        ({"redirect_uri": "https://app.example:99999999/"}, "redirect_uri must be a valid URL"),
        ({"redirect_uri": "https://[x/"}, "redirect_uri must be a valid URL"),
        ({"redirect_uri": 5}, "redirect_uri"),
        ({"client_secret": b"x"}, "client_secret"),
        ({"client_secret": SECRET + "\udcff"}, "client_secret"),
        ({"client_id": "\udcff"}, "client_id"),
        ({"refresh_buffer_seconds": -1}, "refresh_buffer_seconds"),
        ({"refresh_buffer_seconds": True}, "refresh_buffer_seconds"),
        ({"resources": "https://a.example"}, "sequence of strings"),
        ({"resources": [5]}, "only strings"),
        ({"token_endpoint": "http://idp.example/token"}, "token_endpoint must be a valid URL"),
        ({"userinfo_endpoint": ""}, "userinfo_endpoint is required"),
        ({"subject_prefixes": "usr_"}, "subject_prefixes"),
        ({"foreign_claims": "scope"}, "foreign_claims"),
    ],
)
def test_invalid_settings(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigurationError, match=message) as caught:
        IdpClientSync(**{"issuer_url": ISSUER, "client_id": CLIENT, **changes})
    assert SECRET not in str(caught.value)


def test_redirect_uris_that_are_valid() -> None:
    for uri in ("com.example.app:/callback?x=%2F", "http://127.0.0.1:5000/cb", "http://[::1]/cb", "https://a.example"):
        assert query(offline(redirect_uri=uri).create_authorization_url(["openid"]).url)["redirect_uri"] == [uri]


def test_a_client_of_the_wrong_kind() -> None:
    with pytest.raises(TypeError, match="synchronous client"):
        offline(http_client=httpx2.AsyncClient())
    with httpx2.Client() as client, pytest.raises(TypeError, match="asynchronous client"):
        IdpClient(ISSUER, CLIENT, http_client=client)  # type: ignore[arg-type]


def test_a_host_that_is_allowed_over_plain_http(idp: Idp) -> None:
    with pytest.raises(ConfigurationError, match="allow_http_hosts"):
        IdpClientSync("http://idp.internal", CLIENT, jwks=idp.issuing.jwks())
    # For the endpoints, and for the discovery of keys.
    made = IdpClientSync("http://idp.internal", CLIENT, allow_http_hosts=["idp.internal"])
    assert made.create_logout_url() == "http://idp.internal/logout"


# The exchange of a code.


def test_a_code_is_exchanged(idp: Idp, form: str) -> None:
    agent = idp.call(form, lambda client: client.exchange_code(CODE, VERIFIER))
    assert (agent.id, agent.type, agent.email) == ("usr_1", PrincipalType.USER, "ada@example.com")
    assert agent.has_access_in("org_a", "write", "projects.tasks")
    assert (agent.tokens.access_token, agent.tokens.refresh_token) == ("new-access-token", "new-refresh-token")
    assert agent.tokens.subject_hint is None
    assert not agent.is_expired(3500)
    (sent,) = idp.server.requests
    assert (sent.method, sent.headers["content-type"]) == ("POST", "application/x-www-form-urlencoded")
    assert "authorization" not in sent.headers
    assert idp.forms() == [
        {
            "grant_type": "authorization_code",
            "code": CODE,
            "redirect_uri": REDIRECT_URI,
            "client_id": CLIENT,
            "code_verifier": VERIFIER,
            "client_secret": SECRET,
        }
    ]


def test_a_public_client_has_no_secret(idp: Idp, form: str) -> None:
    idp.call(form, lambda client: client.exchange_code(CODE, VERIFIER), client_secret="")
    idp.call(form, lambda client: client.revoke_token(REFRESH), client_secret=None)
    assert "client_secret" not in idp.forms()[0]
    assert idp.forms("/revoke") == [{"token": REFRESH, "client_id": CLIENT}]


def test_the_resources_of_an_exchange(idp: Idp, form: str) -> None:
    idp.call(form, lambda client: client.exchange_code(CODE, VERIFIER), resources=["https://a.example"])
    idp.call(
        form, lambda client: client.exchange_code(CODE, VERIFIER, resources=["https://b.example", "https://c.example"])
    )
    bodies = [parse_qs(one.body.decode()) for one in idp.server.requests]
    assert [one["resource"] for one in bodies] == [["https://a.example"], ["https://b.example", "https://c.example"]]


def test_what_is_known_of_the_callback_is_checked(idp: Idp, form: str) -> None:
    known = {"nonce": NONCE, "state": "s", "expected_state": "s", "iss": idp.server.url}
    assert idp.call(form, lambda client: client.exchange_code(CODE, VERIFIER, **known)).id == "usr_1"
    sent = idp.server.count()
    for name, value, code in (("state", "t", "invalid_state"), ("iss", "https://evil.example", "invalid_issuer")):
        with pytest.raises(OAuthError) as caught:
            idp.call(form, lambda client: client.exchange_code(CODE, VERIFIER, **{**known, name: value}))  # noqa: B023
        assert caught.value.error == code
    with pytest.raises(TypeError, match="expected_state"):
        idp.call(form, lambda client: client.exchange_code(CODE, VERIFIER, state="s"))
    # Nothing was used up.
    assert idp.server.count() == sent
    with pytest.raises(OAuthError) as caught:
        idp.call(form, lambda client: client.exchange_code(CODE, VERIFIER, nonce="another"))
    assert caught.value.error == "invalid_nonce"


def test_an_exchange_without_an_id_token(idp: Idp, form: str) -> None:
    idp.answers(id_token=None)
    with pytest.raises(TokenParseError, match="missing ID token"):
        idp.call(form, lambda client: client.exchange_code(CODE, VERIFIER))


def test_an_id_token_that_is_not_the_issuers(idp: Idp, form: str) -> None:
    with endpoint.running() as elsewhere:
        idp.answers(id_token=Idp(elsewhere).issuing.mint(iss=idp.server.url))
    with pytest.raises(TokenParseError):
        idp.call(form, lambda client: client.exchange_code(CODE, VERIFIER))


def test_an_access_token_that_is_not_the_id_tokens(idp: Idp, form: str) -> None:
    idp.answers(id_token=idp.issuing.mint(at_hash="AAAAAAAAAAAAAAAAAAAAAA"))
    with pytest.raises(TokenParseError, match="at_hash"):
        idp.call(form, lambda client: client.exchange_code(CODE, VERIFIER))


@pytest.mark.parametrize("code", ["invalid_grant", *CLASSES])
def test_a_code_that_is_refused(idp: Idp, form: str, code: str) -> None:
    idp.refuses("/token", code, error_description="Code\r\nexpired" + "!" * 1000)
    with pytest.raises(OAuthError) as caught:
        idp.call(form, lambda client: client.exchange_code(CODE, VERIFIER))
    assert type(caught.value) is CLASSES.get(code, OAuthError)
    assert caught.value.error == code
    assert caught.value.error_description == "Code expired" + "!" * (512 - 12)
    assert idp.server.count() == 1


@pytest.mark.parametrize(
    ("changes", "what"),
    [
        ({"access_token": None}, "access_token"),
        ({"access_token": 5}, "access_token"),
        ({"token_type": "DPoP"}, "token_type"),
        ({"expires_in": "3600"}, "expires_in"),
        ({"expires_in": -1}, "expires_in"),
        ({"expires_in": True}, "expires_in"),
        ({"refresh_token": {}}, "refresh_token"),
        ({"id_token": ["x"]}, "id_token"),
        ({"scope": ["openid"]}, "scope"),
    ],
)
def test_an_answer_of_another_form(idp: Idp, form: str, changes: dict[str, Any], what: str) -> None:
    idp.answers(**changes)
    with pytest.raises(OAuthError, match=what) as caught:
        idp.call(form, lambda client: client.exchange_code(CODE, VERIFIER))
    assert caught.value.error == "server_error"


def test_an_answer_with_less_and_with_more(idp: Idp, form: str) -> None:
    idp.answers(token_type=None, expires_in=None, refresh_token=None, scope=None, new_member={"a": 1})
    tokens = idp.call(form, lambda client: client.exchange_code(CODE, VERIFIER)).tokens
    assert (tokens.token_type, tokens.refresh_token, tokens.scope) == ("Bearer", None, None)


def test_a_description_that_quotes_a_secret_is_left_out(idp: Idp, form: str) -> None:
    idp.refuses("/token", "invalid_grant", error_description=f"the code {CODE} is used up")
    with pytest.raises(OAuthError) as caught:
        idp.call(form, lambda client: client.exchange_code(CODE, VERIFIER))
    assert CODE not in str(caught.value)
    idp.refuses("/token", f"no {SECRET}")
    with pytest.raises(OAuthError) as caught:
        idp.call(form, lambda client: client.client_credentials())
    assert (caught.value.error, SECRET in str(caught.value)) == ("token_error", False)


@pytest.mark.parametrize("wrong", ["\udcff", "a\nb", "\u00e9"])
def test_what_cannot_be_a_code_or_a_token_is_not_sent(idp: Idp, form: str, wrong: str) -> None:
    auth = {"state": "s", "nonce": "n", "code_verifier": VERIFIER}
    agent = agent_of(idp)
    tokens = agent.tokens.model_copy(update={"access_token": wrong, "refresh_token": wrong})
    agent = agent.model_copy(update={"tokens": tokens})
    for call in (
        lambda client: client.exchange_code(wrong, VERIFIER),
        lambda client: client.exchange_code(CODE, wrong),
        lambda client: client.exchange_callback({"code": wrong, "state": "s"}, auth),
        lambda client: client.revoke_token(wrong),
        lambda client: client.get_user_info(agent),
        lambda client: client.refresh(agent),
    ):
        with pytest.raises(OAuthError) as caught:
            idp.call(form, call)
        assert caught.value.error == "invalid_request"
    assert idp.server.count() == 0


# The callback.


def callbacks(**changes: str | None) -> list[Any]:
    """A callback in every form: a URL, a query, parameters."""
    parameters = {name: value for name, value in {"code": CODE, **changes}.items() if value is not None}
    text = str(httpx2.QueryParams(parameters))
    return [
        f"{REDIRECT_URI}?{text}#state=other",
        f"com.example.app:/callback?{text}",
        f"/callback?{text}",
        f"?{text}",
        text,
        parameters,
        {name: [value] for name, value in parameters.items()} | {"other": None},
    ]


def test_a_callback_is_exchanged(idp: Idp, form: str) -> None:
    auth = idp.client("thread").create_authorization_url(["openid"], nonce=NONCE)
    kept = {"code_verifier": auth.code_verifier, "state": auth.state, "nonce": auth.nonce}
    for iss in (None, idp.server.url):
        for callback in callbacks(state=auth.state, iss=iss):
            assert idp.call(form, lambda client: client.exchange_callback(callback, auth)).id == "usr_1"  # noqa: B023
    assert idp.call(form, lambda client: client.exchange_callback(callback, kept)).id == "usr_1"
    assert {one["code_verifier"] for one in idp.forms()} == {auth.code_verifier}


def test_a_callback_uses_the_resources_of_its_login(idp: Idp, form: str) -> None:
    auth = idp.client("thread").create_authorization_url(["openid"], nonce=NONCE, resources=["https://b.example"])
    callback = {"code": CODE, "state": auth.state}
    idp.call(form, lambda client: client.exchange_callback(callback, auth), resources=["https://a.example"])
    assert idp.forms()[0]["resource"] == "https://b.example"


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"state": None}, "invalid_state"),
        ({"state": ""}, "invalid_state"),
        ({"state": "\udcff\u00e9"}, "invalid_state"),
        ({"state": None, "error": "access_denied"}, "invalid_state"),
        ({"iss": "https://evil.example"}, "invalid_issuer"),
        ({"iss": ""}, "invalid_issuer"),
        ({"code": None}, "invalid_request"),
        ({"code": ""}, "invalid_request"),
        ({"error": "access_denied", "error_description": "Denied"}, "access_denied"),
        ({"error": 'quo"ted'}, "invalid_request"),
    ],
)
def test_a_callback_that_is_rejected(idp: Idp, form: str, changes: dict[str, str | None], code: str) -> None:
    auth = idp.client("thread").create_authorization_url(["openid"])
    callback = {"code": CODE, "state": auth.state, **changes}
    with pytest.raises(OAuthError) as caught:
        idp.call(form, lambda client: client.exchange_callback(callback, auth))
    assert caught.value.error == code
    assert auth.state not in str(caught.value)
    assert idp.server.count() == 0


def test_a_parameter_twice(idp: Idp, form: str) -> None:
    auth = idp.client("thread").create_authorization_url(["openid"])
    for callback in (f"?code=a&code=b&state={auth.state}", {"code": ["a"], "state": [auth.state, auth.state]}):
        with pytest.raises(OAuthError, match="repeated"):
            idp.call(form, lambda client: client.exchange_callback(callback, auth))  # noqa: B023
    with pytest.raises(OAuthError, match="longer than"):
        idp.call(form, lambda client: client.exchange_callback("?" + "x" * 40_000, auth))
    for wrong in (5, {"code": 5}, {"code": [5]}):
        with pytest.raises(TypeError, match="callback"):
            idp.call(form, lambda client: client.exchange_callback(wrong, auth))  # noqa: B023
    assert idp.server.count() == 0


@pytest.mark.parametrize("code", CLASSES)
def test_an_error_of_the_callback_has_its_class(idp: Idp, form: str, code: str) -> None:
    auth = idp.client("thread").create_authorization_url(["openid"])
    callback = {"error": code, "state": auth.state, "iss": idp.server.url}
    with pytest.raises(CLASSES[code]) as caught:
        idp.call(form, lambda client: client.exchange_callback(callback, auth))
    assert caught.value.error == code


def test_a_callback_without_iss_is_rejected_if_the_issuer_always_sends_it(idp: Idp, form: str) -> None:
    auth = idp.client("thread").create_authorization_url(["openid"], nonce=NONCE)
    always = {"authorization_response_iss_parameter_supported": True}
    with pytest.raises(OAuthError, match="names no issuer"):
        idp.call(form, lambda client: client.exchange_callback({"code": CODE, "state": auth.state}, auth), **always)
    callback = {"code": CODE, "state": auth.state, "iss": idp.server.url}
    assert idp.call(form, lambda client: client.exchange_callback(callback, auth), **always).id == "usr_1"


def test_a_code_without_iss_is_rejected_if_the_issuer_always_sends_it(idp: Idp, form: str) -> None:
    """A mix-up attack leaves it out (RFC 9207 section 2.4): ``iss=query.get("iss")`` is then ``None``."""
    always = {"authorization_response_iss_parameter_supported": True}
    with pytest.raises(OAuthError, match="names no issuer") as caught:
        idp.call(form, lambda client: client.exchange_code(CODE, VERIFIER, iss=None), **always)
    assert (caught.value.error, idp.server.count()) == ("invalid_issuer", 0)
    good = idp.server.url
    assert idp.call(form, lambda client: client.exchange_code(CODE, VERIFIER, iss=good), **always).id == "usr_1"


def test_a_nonce_of_another_type_uses_up_no_code(idp: Idp, form: str) -> None:
    with pytest.raises(TypeError, match="nonce"):
        idp.call(form, lambda client: client.exchange_code(CODE, VERIFIER, nonce=5))
    assert idp.server.count() == 0


@pytest.mark.parametrize("name", ["state", "nonce", "code_verifier"])
def test_a_session_that_keeps_nothing_matches_no_callback(idp: Idp, form: str, name: str) -> None:
    auth = idp.client("thread").create_authorization_url(["openid"]).model_copy(update={name: ""})
    with pytest.raises(ConfigurationError, match=name):
        idp.call(form, lambda client: client.exchange_callback({"code": CODE, "state": ""}, auth))
    with pytest.raises(TypeError, match="auth must be"):
        idp.call(form, lambda client: client.exchange_callback({"code": CODE}, None))


def test_another_logins_id_token(idp: Idp, form: str) -> None:
    auth = idp.client("thread").create_authorization_url(["openid"])
    with pytest.raises(OAuthError) as caught:
        idp.call(form, lambda client: client.exchange_callback({"code": CODE, "state": auth.state}, auth))
    assert caught.value.error == "invalid_nonce"


# Machine tokens, claims, revocation, logout.


def test_client_credentials(idp: Idp, form: str) -> None:
    idp.answers(scope="users:read users:write")
    agent = idp.call(form, lambda client: client.client_credentials(scopes=["users:read", "users:write"]))
    assert (agent.id, agent.organizations) == (CLIENT, [])
    assert (agent.tokens.id_token, agent.tokens.refresh_token) == (None, None)
    assert agent.has_access("read", "users")
    assert not agent.has_access("delete", "users")
    idp.call(form, lambda client: client.client_credentials())
    assert idp.forms() == [
        {
            "grant_type": "client_credentials",
            "client_id": CLIENT,
            "client_secret": SECRET,
            "scope": "users:read users:write",
        },
        {"grant_type": "client_credentials", "client_id": CLIENT, "client_secret": SECRET},
    ]
    with pytest.raises(ConfigurationError, match="client_secret is required"):
        idp.call(form, lambda client: client.client_credentials(), client_secret=None)
    with pytest.raises(TypeError, match="list of strings"):
        idp.call(form, lambda client: client.client_credentials("users:read"))


def test_a_client_that_is_refused(idp: Idp, form: str) -> None:
    idp.refuses("/token", "invalid_client", 401, error_description="Client authentication failed")
    with pytest.raises(OAuthError, match="Client authentication failed") as caught:
        idp.call(form, lambda client: client.client_credentials())
    assert caught.value.error == "invalid_client"


def agent_of(idp: Idp) -> Any:
    return idp.call("thread", lambda client: client.create_agent(idp.stored(), auto_refresh=False))


def test_user_info(idp: Idp, form: str) -> None:
    idp.server.routes["/userinfo"] = json_answer(
        {
            "sub": "usr_1",
            "name": "Ada",
            "picture": "https://p.example",
            "department": "engineering",
            "organizations": {"org_a": {"scopes": ["users:read"]}},
        }
    )
    agent = agent_of(idp)
    info = idp.call(form, lambda client: client.get_user_info(agent))
    assert (info.sub, info.name, info.picture, info.department) == ("usr_1", "Ada", "https://p.example", "engineering")
    assert [one.id for one in info.organizations] == ["org_a"]
    (sent,) = idp.server.requests
    assert (sent.method, sent.path, sent.headers["authorization"]) == ("GET", "/userinfo", f"Bearer {ACCESS}")
    with pytest.raises(TypeError, match="AuthenticatedAgent"):
        idp.call(form, lambda client: client.get_user_info("usr_1"))


def test_user_info_of_somebody_else(idp: Idp, form: str) -> None:
    idp.server.routes["/userinfo"] = json_answer({"sub": "usr_2"})
    agent = agent_of(idp)
    with pytest.raises(SubjectMismatchError) as caught:
        idp.call(form, lambda client: client.get_user_info(agent))
    assert (caught.value.expected_sub, caught.value.actual_sub) == ("usr_1", "usr_2")


def test_user_info_that_is_refused_keeps_the_servers_own_error(idp: Idp, form: str) -> None:
    agent = agent_of(idp)
    challenge = 'Bearer realm="x", error="invalid_token", error_description="no"'
    for behaviour, code in (
        (json_answer({"error": "invalid_token", "error_description": "gone"}, 401), "invalid_token"),
        (endpoint.answer(status=401, WWW_Authenticate=challenge), "invalid_token"),
        (endpoint.answer(status=401, WWW_Authenticate="Bearer"), "userinfo_error"),
        (json_answer({"error": "insufficient_scope"}, 403), "insufficient_scope"),
        (json_answer({"error": 5}, 403), "userinfo_error"),
    ):
        idp.server.routes["/userinfo"] = behaviour
        with pytest.raises(OAuthError) as caught:
            idp.call(form, lambda client: client.get_user_info(agent))
        assert caught.value.error == code
        assert type(caught.value) is CLASSES.get(code, OAuthError)


def test_user_info_of_another_form(idp: Idp, form: str) -> None:
    agent = agent_of(idp)
    for members in (
        {"sub": "usr_1", "email": {"a": 1}},
        {"sub": "usr_1", "organizations": [{"id": "a", "scopes": [5]}]},
    ):
        idp.server.routes["/userinfo"] = json_answer(members)
        with pytest.raises(OAuthError, match=list(members)[1]) as caught:
            idp.call(form, lambda client: client.get_user_info(agent))
        assert (caught.value.error, caught.value.__cause__) == ("server_error", None)


def test_a_token_is_revoked(idp: Idp, form: str) -> None:
    idp.call(form, lambda client: client.revoke_token(REFRESH, "refresh_token"))
    idp.call(form, lambda client: client.revoke_token(ACCESS, token_type_hint="access_token"))
    idp.call(form, lambda client: client.revoke_token(ACCESS, hint="access_token"))
    common = {"client_id": CLIENT, "client_secret": SECRET}
    assert idp.forms("/revoke") == [
        {"token": REFRESH, "token_type_hint": "refresh_token", **common},
        {"token": ACCESS, "token_type_hint": "access_token", **common},
        {"token": ACCESS, "token_type_hint": "access_token", **common},
    ]
    idp.refuses("/revoke", "unsupported_token_type", error_description="no")
    with pytest.raises(OAuthError) as caught:
        idp.call(form, lambda client: client.revoke_token(REFRESH))
    assert caught.value.error == "unsupported_token_type"
    # The agent of a login without a refresh token.
    with pytest.raises(TypeError, match="token must be a string"):
        idp.call(form, lambda client: client.revoke_token(None))


@pytest.mark.parametrize("kind", [IdpClient, IdpClientSync])
def test_a_logout_url(kind: Any) -> None:
    idp = kind(ISSUER, CLIENT)
    assert idp.create_logout_url() == idp.create_logout_url(LogoutOptions()) == f"{ISSUER}/logout"
    options = {"id_token_hint": "a.b.c", "post_logout_redirect_uri": "https://app.example/?x=1&y", "state": "s&t"}
    assert query(idp.create_logout_url(LogoutOptions(**options))) == {name: [one] for name, one in options.items()}


# Endpoints elsewhere, and the application's own client.


def test_endpoints_elsewhere(idp: Idp, form: str) -> None:
    with endpoint.running() as elsewhere:
        elsewhere.routes["/oauth/token"] = idp.server.routes.pop("/token")
        elsewhere.routes["/me"] = idp.server.routes.pop("/userinfo")
        elsewhere.routes["/gone/"] = idp.server.routes.pop("/revoke")
        options = {
            "authorization_endpoint": "https://login.example/a",
            "token_endpoint": f"{elsewhere.url}/oauth/token",
            "userinfo_endpoint": f"{elsewhere.url}/me",
            "revocation_endpoint": f"{elsewhere.url}/gone/",
            "end_session_endpoint": "https://login.example/z",
        }
        agent = idp.call(form, lambda client: client.exchange_code(CODE, VERIFIER), **options)
        assert idp.call(form, lambda client: client.get_user_info(agent), **options).sub == "usr_1"
        idp.call(form, lambda client: client.revoke_token(REFRESH), **options)
        client = idp.client(form, **options)
        assert client.create_authorization_url(["openid"]).url.startswith("https://login.example/a?client_id=")
        assert client.create_logout_url() == "https://login.example/z"
        assert [one.path for one in elsewhere.requests] == ["/oauth/token", "/me", "/gone/"]
    assert idp.server.count() == 0


def test_the_keys_are_fetched_from_the_issuer_or_from_where_they_are(idp: Idp, form: str) -> None:
    idp.server.routes["/keys"] = json_answer(idp.issuing.jwks())
    options = {"jwks": None, "jwks_uri": f"{idp.server.url}/keys"}
    assert idp.call(form, lambda client: client.exchange_code(CODE, VERIFIER), **options).id == "usr_1"
    metadata = {"issuer": idp.server.url, "jwks_uri": f"{idp.server.url}/keys"}
    idp.server.routes["/.well-known/openid-configuration"] = json_answer(metadata)
    idp.server.routes["/.well-known/oauth-authorization-server"] = json_answer(metadata)
    assert idp.call(form, lambda client: client.exchange_code(CODE, VERIFIER), jwks=None).id == "usr_1"


@pytest.mark.parametrize("library", [httpx, httpx2])
def test_a_client_of_the_applications_own(idp: Idp, library: Any) -> None:
    with library.Client(headers={"x-mine": "1"}) as own:
        idp.call("thread", lambda client: client.exchange_code(CODE, VERIFIER), http_client=own)
        assert not own.is_closed

    async def in_task() -> None:
        async with library.AsyncClient(headers={"x-mine": "1"}) as own:
            await idp.client("task", http_client=own).exchange_code(CODE, VERIFIER)

    asyncio.run(in_task())
    assert [one.headers.get("x-mine") for one in idp.server.requests] == ["1", "1"]


def test_errors_are_pickled() -> None:
    from watchword.providers.authpi.refusals import RefusedSessionError

    error = pickle.loads(pickle.dumps(RefusedSessionError("session_expired", "gone", 400)))
    assert isinstance(error, SessionExpiredError)
    assert (error.error, error.error_description, error.status_code) == ("session_expired", "gone", 400)
