"""The gate in Django, under WSGI and ASGI: the middleware, decorated views, and the setting."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest
from django.core.checks import run_checks
from django.core.exceptions import ImproperlyConfigured
from django.core.handlers.asgi import ASGIHandler
from django.core.handlers.wsgi import WSGIHandler
from django.test import AsyncClient, Client, RequestFactory, override_settings
from django_project import MIDDLEWARE, gate

# isort: split  # it configures Django, which the following need
from request_samples import API, ISSUER, METADATA, VERIFIER, bearer, bound, token

from watchword.gate import Gate, Route
from watchword.integrations import asgi, wsgi
from watchword.integrations.django import GateMiddleware, get_gate, request_allowed, request_rejected

DECORATED = ("function", "async", "class", "async-class")

#: Sends a request by Django's test client: ``ask(path, headers, method="get", **more)``.
Ask = Callable[..., Any]


def ask_wsgi(path: str, headers: dict[str, str] | None = None, method: str = "get", **more: Any) -> Any:
    return getattr(Client(raise_request_exception=False), method)(path, headers=headers or {}, **more)


def ask_asgi(path: str, headers: dict[str, str] | None = None, method: str = "get", **more: Any) -> Any:
    client = AsyncClient(raise_request_exception=False)
    return asyncio.run(getattr(client, method)(path, headers=headers or {}, **more))


def served(application: Any, target: str, headers: dict[str, str], **more: Any) -> tuple[int, bytes]:
    """The status and body of the answer of an ASGI application to what a server passes to it."""
    path, _, query = target.partition("?")
    scope = {
        "type": "http",
        "method": "GET",
        "path": unquote(path),
        "raw_path": path.encode(),
        "query_string": query.encode(),
        "headers": [
            (b"host", b"testserver"),
            *((name.lower().encode(), value.encode()) for name, value in headers.items()),
        ],
        **more,
    }
    sent: list[Any] = []

    async def run() -> None:
        unread = [{"type": "http.request", "body": b"", "more_body": False}]

        async def receive() -> Any:
            if not unread:
                await asyncio.Event().wait()  # the client stays
            return unread.pop()

        async def send(message: Any) -> None:
            sent.append(message)

        await application(scope, receive, send)

    asyncio.run(run())
    return sent[0]["status"], b"".join(message["body"] for message in sent[1:])


@pytest.fixture(name="ask", params=[ask_wsgi, ask_asgi], ids=["wsgi", "asgi"])
def _ask(request: pytest.FixtureRequest) -> Ask:
    return request.param


@pytest.fixture(name="quiet", autouse=True)
def _quiet() -> Iterator[None]:
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


def good(**claims: Any) -> dict[str, str]:
    return token(**{"scope": "orders:read archive:1", **claims})


def test_a_view_knows_its_token(ask: Ask) -> None:
    answer = ask("/orders/1", good()).json()
    assert answer == {"subject": "alice", "route": "/orders/{id}", "forged": [], "variables": {"id": 1}}


@pytest.mark.parametrize(
    ("path", "headers", "status", "code"),
    [
        ("/orders/1", dict, 401, "missing_token"),
        ("/orders/1", lambda: bearer("garbage"), 401, "malformed_token"),
        ("/orders/1", lambda: token(scope="other"), 403, "insufficient_scope"),
        ("/undeclared", good, 403, "no_route"),
        ("/orders/1?access_token=x", good, 400, "token_in_query"),
        ("/orders//1", good, 400, "ambiguous_path"),
        ("/health/../orders/1", good, 400, "ambiguous_path"),
    ],
)
def test_the_gates_answer_is_the_answer(ask: Ask, path: str, headers: Any, status: int, code: str) -> None:
    sent = headers()
    answer = ask(path, sent)
    assert answer.status_code == status
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.json()["code"] == code
    expected = gate.check(method="GET", target=path, headers=sent)
    challenges = [value for name, value in expected.headers if name == "WWW-Authenticate"]
    assert answer.headers.get("WWW-Authenticate") == (", ".join(challenges) or None)


def test_public_and_optional_routes(ask: Ask) -> None:
    assert ask("/health", bearer("garbage")).json()["subject"] is None
    assert ask("/catalogue").json()["subject"] is None
    assert ask("/catalogue", good()).json()["subject"] == "alice"
    assert ask("/catalogue", bearer("garbage")).status_code == 401


class UsesHeadersEarly:
    """A middleware outside of the gate's, by which Django caches the headers."""

    def __init__(self, get_response: Any) -> None:
        self.get_response = get_response

    def __call__(self, request: Any) -> Any:
        assert request.headers["X-Auth-Sub"] == "admin"
        return self.get_response(request)


@pytest.mark.parametrize("path", ["/health", "/orders/1", "/function/1", "/async/1"])
def test_forged_identity_headers_are_removed(ask: Ask, path: str) -> None:
    forged = {**good(), "X-Auth-Sub": "admin", "X-Auth-Whatever": "admin"}
    assert ask(path, forged).json()["forged"] == []
    with override_settings(MIDDLEWARE=[f"{__name__}.UsesHeadersEarly", MIDDLEWARE]):
        assert ask(path, forged).json()["forged"] == []


def test_the_metadata_needs_no_token(ask: Ask) -> None:
    answer = ask(METADATA)
    assert (answer.status_code, answer.json()) == (200, gate.metadata())


def test_a_token_in_a_form_is_rejected_with_the_reason(ask: Ask) -> None:
    form = "application/x-www-form-urlencoded"
    answer = ask("/orders/1", method="post", data="access_token=x", content_type=form)
    assert (answer.status_code, answer.json()["code"]) == (400, "token_in_body")
    answer = ask("/orders/1", method="post", data="a=b", content_type=form)
    assert answer.json()["code"] == "missing_token"
    assert ask("/orders/1", good(), method="post", data="a=b", content_type=form).status_code == 200


def test_a_proof_is_for_the_path_that_the_client_sent() -> None:
    path = "/caf%C3%A9/1"
    assert ask_wsgi(path, bound(path)).status_code == 200
    assert ask_wsgi(path + "?x=%2F", bound(path)).status_code == 200
    assert ask_wsgi(path, bound("/caf%C3%A9/2")).status_code == 401
    # Django's client for ASGI does not decode paths as servers do.
    assert served(ASGIHandler(), path, bound(path))[0] == 200
    assert served(ASGIHandler(), path + "?x=%2F", bound(path))[0] == 200
    assert served(ASGIHandler(), path, bound("/caf%C3%A9/2"))[0] == 401


def test_the_raw_path_of_a_server_is_used() -> None:
    for name in ("RAW_URI", "REQUEST_URI"):
        assert ask_wsgi("/orders/1", good(), **{name: "/orders/1"}).status_code == 200
        # That of another path is not.
        assert ask_wsgi("/orders/1", **{name: "/health"}).status_code == 401
        assert ask_wsgi("/orders/1", **{name: "/orders%2F1"}).status_code == 400
    assert served(ASGIHandler(), "/orders/1", good(), raw_path=b"/health")[0] == 500
    assert served(ASGIHandler(), "/orders/1", good(), raw_path=b"/orders%2f1")[0] == 400


@pytest.mark.parametrize("kind", DECORATED)
def test_a_scope_has_the_variables_of_the_url(ask: Ask, kind: str) -> None:
    assert ask(f"/{kind}/1", good()).json()["subject"] == "alice"
    answer = ask(f"/{kind}/2", good())
    assert (answer.status_code, answer.json()["code"]) == (403, "insufficient_scope")
    assert 'scope="archive:2"' in answer.headers["WWW-Authenticate"]


@pytest.mark.parametrize("kind", DECORATED)
def test_a_decorator_needs_no_middleware(ask: Ask, kind: str) -> None:
    with override_settings(MIDDLEWARE=[]):
        answer = ask(f"/{kind}/1", {**good(), "X-Auth-Sub": "admin"}).json()
        assert (answer["subject"], answer["forged"]) == ("alice", [])
        for headers, status in (({}, 401), (bearer("garbage"), 401), (token(scope="other"), 403)):
            answer = ask(f"/{kind}/1", headers)
            assert (answer.status_code, answer.headers["Content-Type"]) == (status, "application/problem+json")
        assert ask("/orders/1").status_code == 200


@pytest.mark.parametrize("kind", ["half", "half-async"])
def test_a_method_of_a_class_may_be_decorated(ask: Ask, kind: str) -> None:
    with override_settings(MIDDLEWARE=[]):
        assert ask(f"/{kind}/1").status_code == 200
        assert ask(f"/{kind}/1", method="post").status_code == 401
        assert ask(f"/{kind}/1", good(), method="post").json()["subject"] == "alice"
        assert ask(f"/{kind}/2", good(), method="post").status_code == 403


def test_an_optional_token_is_verified(ask: Ask) -> None:
    with override_settings(MIDDLEWARE=[]):
        assert ask("/optional/1").json()["subject"] is None
        assert ask("/optional/1", good()).json()["subject"] == "alice"
        assert ask("/optional/1", bearer("garbage")).status_code == 401


@pytest.mark.parametrize("kind", DECORATED)
@pytest.mark.parametrize("middleware", [[MIDDLEWARE], []])
def test_a_proof_is_used_once_however_many_check(ask: Ask, kind: str, middleware: list[str]) -> None:
    with override_settings(MIDDLEWARE=middleware):
        headers = bound(f"/{kind}/1", scope="archive:1")
        assert ask(f"/{kind}/1", headers).json()["subject"] == "alice"
        assert ask(f"/{kind}/1", headers).status_code == 401


def test_the_middleware_of_wsgi_decides_for_that_of_django() -> None:
    answers: list[str] = []
    headers = bound("/function/1", scope="archive:1")
    environ = RequestFactory(headers=headers).get("/function/1").environ
    application = wsgi.GateMiddleware(WSGIHandler(), gate)
    body = b"".join(application(environ, lambda status, _: answers.append(status)))
    assert answers == ["200 OK"]
    assert b'"subject": "alice"' in body


def test_the_middleware_of_asgi_decides_for_that_of_django() -> None:
    headers = {**bound("/function/1", scope="archive:1"), "X-Auth-Sub": "admin"}
    status, body = served(asgi.GateMiddleware(ASGIHandler(), gate), "/function/1", headers)
    assert status == 200
    assert b'"subject": "alice"' in body
    assert b"admin" not in body


def test_signals(ask: Ask) -> None:
    seen: list[tuple[str, str, Any]] = []

    def allowed(request: Any, decision: Any, **_: Any) -> None:
        seen.append(("allowed", request.path, decision.token.subject))
        raise RuntimeError("of a receiver")

    def rejected(request: Any, decision: Any, **_: Any) -> None:
        seen.append(("rejected", request.path, decision.code))

    request_allowed.connect(allowed)
    request_rejected.connect(rejected)
    try:
        for middleware in ([MIDDLEWARE], []):
            with override_settings(MIDDLEWARE=middleware):
                assert ask("/function/1", good()).status_code == 200
                assert ask("/function/2", good()).status_code == 403
                assert ask("/function/1").status_code == 401
    finally:
        request_allowed.disconnect(allowed)
        request_rejected.disconnect(rejected)
    assert seen == [
        ("allowed", "/function/1", "alice"),
        ("allowed", "/function/2", "alice"),
        ("rejected", "/function/2", "insufficient_scope"),
        ("rejected", "/function/1", "missing_token"),
        ("allowed", "/function/1", "alice"),
        ("rejected", "/function/2", "insufficient_scope"),
        ("rejected", "/function/1", "missing_token"),
    ]


# The setting


BROKEN: dict[str, tuple[Any, str]] = {
    "missing": (None, "is missing"),
    "empty": ("", "is missing"),
    "no text": (5, "is missing"),
    "no module": ("nowhere.gate", "nowhere"),
    "no attribute": ("django_project.gates", "gates"),
    "no dotted path": ("gate", "gate"),
    "no gate": ("django_project.not_a_gate", "must be a watchword.gate.Gate"),
    "no file": ("/no/such/gate.toml", "gate.toml"),
    "no file either": (Path("/no/such/gate"), "/no/such/gate"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_without_a_gate_nothing_starts(name: str) -> None:
    value, message = BROKEN[name]
    with override_settings(WATCHWORD_GATE=value):
        for start in (get_gate, lambda: GateMiddleware(lambda _: None), WSGIHandler, ASGIHandler):
            with pytest.raises(ImproperlyConfigured, match=message):
                start()
        (error,) = run_checks(tags=["security"], include_deployment_checks=False)
        assert error.id == "watchword.E001"
        assert "WATCHWORD_GATE" in error.msg


@pytest.mark.parametrize("suffix", ["toml", "json"])
def test_the_gate_may_be_described_by_a_file(ask: Ask, suffix: str, tmp_path: Path) -> None:
    (tmp_path / "keys.json").write_text(json.dumps(ISSUER.jwks()))
    file = tmp_path / f"gate.{suffix}"
    issuer = {"issuer": ISSUER.issuer, "jwks_file": "keys.json", "audience": API}
    route = {"path": "/orders/{id}", "scopes": ["orders:read"]}
    if suffix == "json":
        text = json.dumps({"public_url": API, "issuers": [issuer], "routes": [route]})
    else:
        sections = (("issuers", issuer), ("routes", route))
        tables = (
            f"[[{name}]]\n" + "\n".join(f"{key} = {value!r}" for key, value in table.items())
            for name, table in sections
        )
        text = "\n".join([f"public_url = {API!r}", *tables])
    file.write_text(text)
    for value in (file, str(file)):
        with override_settings(WATCHWORD_GATE=value):
            assert ask("/orders/1", good()).json()["subject"] == "alice"
            assert ask("/orders/1").status_code == 401
            assert ask("/catalogue").status_code == 403
            assert get_gate() is get_gate()
    file.write_text("public_url = 5\n")
    with override_settings(WATCHWORD_GATE=file), pytest.raises(ImproperlyConfigured, match=rf"gate\.{suffix}"):
        get_gate()


def test_a_gate_has_no_complaints() -> None:
    assert run_checks() == []
    assert get_gate() is gate


@pytest.mark.parametrize("middleware", [[MIDDLEWARE], []])
@pytest.mark.parametrize("name", BROKEN)
def test_without_a_gate_no_view_is_reached(ask: Ask, name: str, middleware: list[str]) -> None:
    with override_settings(WATCHWORD_GATE=BROKEN[name][0], MIDDLEWARE=middleware):
        for kind in DECORATED:
            try:
                answer = ask(f"/{kind}/1", good())
            except ImproperlyConfigured:
                continue  # the handler does not start
            assert answer.status_code == 500


def test_another_gate_is_used_after_the_setting_changes(ask: Ask, tmp_path: Path) -> None:
    with override_settings(WATCHWORD_GATE=f"{__name__}.CLOSED"):
        assert ask("/orders/1", good()).status_code == 403
        assert get_gate() is CLOSED
    assert ask("/orders/1", good()).status_code == 200


CLOSED = Gate(VERIFIER, (Route("/nowhere"),), public_url=API)


# What fails closes


def bug(*_: Any, **__: Any) -> Any:
    raise RuntimeError("a bug")


@pytest.mark.parametrize("is_unanswered", [False, True])
@pytest.mark.parametrize("kind", ["orders", *DECORATED])
def test_whatever_fails_the_view_is_not_reached(
    ask: Ask, kind: str, is_unanswered: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    for owner in (Gate, type(gate.guard())):
        for name in ("check", "check_async", "authorize"):
            if hasattr(owner, name):
                monkeypatch.setattr(owner, name, bug)
    if is_unanswered:
        monkeypatch.setattr(Gate, "failed", bug)
    with override_settings(MIDDLEWARE=[MIDDLEWARE] if kind == "orders" else []):
        answer = ask(f"/{kind}/1", good())
    assert answer.status_code == 500
    assert b"alice" not in answer.content
    if not is_unanswered:
        assert answer.json()["code"] == "internal_error"
