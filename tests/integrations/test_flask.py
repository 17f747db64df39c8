"""The gate in Flask: the application, blueprints, decorated views, and what they are told."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any

import flask
import pytest
from flask.views import MethodView
from request_samples import API, METADATA, VERIFIER, bearer, bound, token

from watchword.gate import Gate, Route
from watchword.integrations import wsgi
from watchword.integrations.flask import authenticated, init_app

ROUTES = (
    Route("/health", public=True),
    Route("/catalogue", optional=True),
    Route("/orders/{number}", methods=("GET", "POST"), scopes=("orders:read",)),
    Route("/archive/{number}"),
)


@pytest.fixture(name="gate")
def _gate() -> Gate:
    return Gate(VERIFIER, ROUTES, public_url=API)


def good(**claims: Any) -> dict[str, str]:
    return token(**{"scope": "orders:read archive:1", **claims})


def told() -> dict[str, Any]:
    """What a view knows of its request."""
    found = flask.g.get("token")
    return {
        "subject": None if found is None else found.subject,
        "route": getattr(flask.g.get("decision"), "route", None),
        "forged": [value for name, value in flask.request.headers if name.lower().startswith("x-auth")],
    }


def application(gate: Gate) -> flask.Flask:
    app = flask.Flask(__name__)
    app.add_url_rule("/health", "health", told)
    app.add_url_rule("/catalogue", "catalogue", told)
    app.add_url_rule("/orders/<int:number>", "orders", lambda number: told(), methods=["GET", "POST"])
    app.add_url_rule(
        "/archive/<int:number>", "archive", authenticated(gate, scopes=["archive:{number}"])(lambda number: told())
    )
    app.add_url_rule("/undeclared", "undeclared", told)
    return app


@pytest.fixture(name="client")
def _client(gate: Gate) -> Any:
    app = application(gate)
    init_app(app, gate)
    return app.test_client()


def test_a_view_knows_its_token(client: Any) -> None:
    answer = client.get("/orders/1", headers=good())
    assert answer.get_json() == {"subject": "alice", "route": "/orders/{number}", "forged": []}


@pytest.mark.parametrize(
    ("path", "headers", "status", "code"),
    [
        ("/orders/1", dict, 401, "missing_token"),
        ("/orders/1", lambda: bearer("garbage"), 401, "malformed_token"),
        ("/orders/1", lambda: token(scope="other"), 403, "insufficient_scope"),
        ("/undeclared", good, 403, "no_route"),
        ("/no/such/page", good, 403, "no_route"),
        ("/static/x", good, 403, "no_route"),
        ("/orders/1?access_token=x", good, 400, "token_in_query"),
        ("/health/../orders/1", good, 400, "ambiguous_path"),
    ],
)
def test_the_gates_answer_is_the_answer(gate: Gate, path: str, headers: Any, status: int, code: str) -> None:
    sent = headers()
    app = application(gate)
    init_app(app, gate)
    # Which would otherwise answer for the gate.
    app.register_error_handler(Exception, lambda error: ("handled", 200))
    app.register_error_handler(status, lambda error: ("handled", 200))
    answer = app.test_client().get(path, headers=sent)
    assert answer.status_code == status
    assert answer.content_type == "application/problem+json"
    assert answer.get_json()["code"] == code
    expected = gate.check(method="GET", target=path, headers=sent)
    challenge = answer.headers.getlist("WWW-Authenticate")
    assert challenge == [value for name, value in expected.headers if name == "WWW-Authenticate"]


def test_public_and_optional_routes(client: Any) -> None:
    assert client.get("/health", headers=bearer("garbage")).get_json()["subject"] is None
    assert client.get("/catalogue").get_json()["subject"] is None
    assert client.get("/catalogue", headers=good()).get_json()["subject"] == "alice"
    assert client.get("/catalogue", headers=bearer("garbage")).status_code == 401


@pytest.mark.parametrize("path", ["/health", "/orders/1", "/archive/1"])
def test_forged_identity_headers_are_removed(client: Any, path: str) -> None:
    answer = client.get(path, headers={**good(), "X-Auth-Sub": "admin", "X-Auth-Whatever": "admin"})
    assert answer.get_json()["forged"] == []


def test_the_metadata_needs_no_token(client: Any, gate: Gate) -> None:
    answer = client.get(METADATA)
    assert (answer.status_code, answer.get_json()) == (200, gate.metadata())


def test_a_token_in_a_form_is_rejected_with_the_reason(client: Any) -> None:
    answer = client.post("/orders/1", data={"access_token": "x"})
    assert (answer.status_code, answer.get_json()["code"]) == (400, "token_in_body")
    assert client.post("/orders/1", data={"a": "b"}).get_json()["code"] == "missing_token"
    assert client.post("/orders/1", data={"a": "b"}, headers=good()).status_code == 200


def test_what_reads_the_form_of_a_rejected_request_does_not_wait(gate: Gate) -> None:
    app = application(gate)
    init_app(app, gate)
    seen = []

    @app.after_request
    def log(response: Any) -> Any:
        seen.append(flask.request.form.to_dict())
        return response

    app.test_client().post("/orders/1", data={"a": "b"})
    assert seen == [{"a": "b"}]


def test_the_gate_is_asked_first(gate: Gate) -> None:
    app = application(gate)
    calls = []
    app.before_request(lambda: calls.append(flask.request.path) or "an answer of another extension")
    init_app(app, gate)
    assert app.test_client().get("/orders/1").status_code == 401
    assert calls == []
    assert app.test_client().get("/orders/1", headers=good()).text == "an answer of another extension"


# Decorated views


def test_a_scope_has_the_variables_of_the_url(client: Any) -> None:
    assert client.get("/archive/1", headers=good()).status_code == 200
    answer = client.get("/archive/2", headers=good())
    assert (answer.status_code, answer.get_json()["code"]) == (403, "insufficient_scope")
    assert 'scope="archive:2"' in answer.headers["WWW-Authenticate"]


def test_a_decorator_needs_no_middleware_and_no_routes() -> None:
    gate = Gate(VERIFIER, public_url=API)
    app = application(gate)
    client = app.test_client()
    assert client.get("/archive/1", headers=good()).get_json()["subject"] == "alice"
    assert client.get("/archive/1", headers={**good(), "X-Auth-Sub": "admin"}).get_json()["forged"] == []
    for headers, status in (({}, 401), (bearer("garbage"), 401), (token(scope="other"), 403)):
        answer = client.get("/archive/1", headers=headers)
        assert (answer.status_code, answer.content_type) == (status, "application/problem+json")
    assert client.get("/undeclared").status_code == 200


def test_an_optional_token_is_verified() -> None:
    gate = Gate(VERIFIER, public_url=API)
    app = flask.Flask(__name__)
    app.add_url_rule("/", "index", authenticated(gate, optional=True)(told))
    client = app.test_client()
    assert client.get("/").get_json()["subject"] is None
    assert client.get("/", headers=good()).get_json()["subject"] == "alice"
    assert client.get("/", headers=bearer("garbage")).status_code == 401


class Loaded:
    """What a converter made of a path: its text is chosen by a user."""

    def __str__(self) -> str:
        return "1"


@pytest.mark.parametrize("value", ["1 orders:read", "*", "1:2", "", Loaded()])
def test_a_variable_is_one_name(value: Any) -> None:
    gate = Gate(VERIFIER, public_url=API)
    view = authenticated(gate, scopes=["archive:{number}"])(lambda number: "in")
    app = flask.Flask(__name__)
    with app.test_request_context("/", headers=token(scope="archive:1 archive:* archive:1:2 orders:read archive:")):
        flask.request.view_args = {"number": value}
        assert view(number=value).status_code == 403


@pytest.mark.parametrize("outside", ["init_app", "wsgi", "both", "nothing"])
def test_a_proof_is_used_once_however_many_check(gate: Gate, outside: str) -> None:
    app = application(gate)
    if outside in ("init_app", "both"):
        init_app(app, gate)
    if outside in ("wsgi", "both"):
        app.wsgi_app = wsgi.GateMiddleware(app.wsgi_app, gate)  # type: ignore[method-assign]
    headers = bound("/archive/1", scope="archive:1")
    assert app.test_client().get("/archive/1", headers=headers).get_json()["subject"] == "alice"
    assert app.test_client().get("/archive/1", headers=headers).status_code == 401
    assert app.test_client().get("/archive/2", headers=bound("/archive/2", scope="archive:1")).status_code == 403


def test_a_decorator_on_a_public_route_verifies_the_token() -> None:
    gate = Gate(VERIFIER, (Route("/archive/{number}", public=True),), public_url=API)
    app = application(gate)
    init_app(app, gate)
    client = app.test_client()
    assert client.get("/archive/1").status_code == 401
    assert client.get("/archive/1", headers=bearer("garbage")).status_code == 401
    assert client.get("/archive/1", headers=bound("/archive/1", scope="archive:1")).get_json()["subject"] == "alice"


def test_another_gates_decision_is_not_trusted(gate: Gate) -> None:
    other = Gate(VERIFIER, (Route("/{path...}", public=True),), public_url=API)
    app = application(gate)
    init_app(app, other)
    assert app.test_client().get("/archive/1").status_code == 401


def test_the_requirements_of_a_view_do_not_replace_the_routes(gate: Gate) -> None:
    """A view that passes its request on to an application which the same gate checks by its routes."""
    inner = application(gate)
    init_app(inner, gate)
    outer = flask.Flask(__name__)
    outer.add_url_rule("/orders/<int:number>", "outer", authenticated(gate)(lambda number: inner.wsgi_app))
    assert outer.test_client().get("/orders/1", headers=good()).get_json()["subject"] == "alice"
    assert outer.test_client().get("/orders/1", headers=token(scope="other")).status_code == 403


def test_a_decision_is_of_one_request(gate: Gate) -> None:
    """Requests in one application context, as in an application's own tests, share ``g``."""
    app = application(gate)
    init_app(app, gate)
    with app.app_context():
        client = app.test_client()
        assert client.get("/archive/1", headers=good()).status_code == 200
        assert client.get("/archive/1").status_code == 401
        assert client.get("/health").get_json()["subject"] is None


def test_async_views(gate: Gate) -> None:
    app = flask.Flask(__name__)

    @app.get("/archive/<int:number>")
    @authenticated(gate, scopes=["archive:{number}"])
    async def archive(number: int) -> Any:
        """The archive."""
        return told()

    client = app.test_client()
    assert client.get("/archive/1", headers=good()).get_json()["subject"] == "alice"
    assert client.get("/archive/2", headers=good()).status_code == 403
    assert client.get("/archive/1").status_code == 401
    assert (archive.__name__, archive.__doc__) == ("archive", "The archive.")


def test_class_based_views(gate: Gate) -> None:
    class Archive(MethodView):
        decorators = (authenticated(gate, scopes=["archive:{number}"]),)

        def get(self, number: int) -> Any:
            return told()

    class Half(MethodView):
        def get(self, number: int) -> Any:
            return "open"

        @authenticated(gate, scopes=["archive:{number}"])
        def post(self, number: int) -> Any:
            return told()

    app = flask.Flask(__name__)
    app.add_url_rule("/archive/<int:number>", view_func=Archive.as_view("archive"))
    app.add_url_rule("/half/<int:number>", view_func=Half.as_view("half"))
    client = app.test_client()
    assert client.get("/archive/1", headers=good()).get_json()["subject"] == "alice"
    assert client.get("/archive/2", headers=good()).status_code == 403
    assert client.get("/half/1").text == "open"
    assert client.post("/half/1").status_code == 401
    assert client.post("/half/1", headers=good()).status_code == 200


def test_blueprints(gate: Gate) -> None:
    app = flask.Flask(__name__)
    gated = flask.Blueprint("gated", __name__, url_prefix="/orders")
    gated.add_url_rule("/<int:number>", "orders", lambda number: told())
    init_app(gated, gate)
    decorated = flask.Blueprint("decorated", __name__, url_prefix="/archive")
    decorated.add_url_rule(
        "/<int:number>", "archive", authenticated(gate, scopes=["archive:{number}"])(lambda number: told())
    )
    app.register_blueprint(gated)
    app.register_blueprint(decorated)
    app.add_url_rule("/open", "open", told)
    client = app.test_client()
    assert client.get("/open").status_code == 200
    assert client.get("/orders/1").status_code == 401
    assert client.get("/orders/1", headers=good()).get_json()["subject"] == "alice"
    assert client.get("/archive/1").status_code == 401
    assert client.get("/archive/1", headers=good()).get_json()["subject"] == "alice"


# What fails closes


@pytest.fixture(name="quiet", autouse=True)
def _quiet() -> Iterator[None]:
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


def bug(*_: Any, **__: Any) -> Any:
    raise RuntimeError("a bug")


@pytest.mark.parametrize("kind", ["init_app", "sync", "async"])
@pytest.mark.parametrize("is_unanswered", [False, True])
def test_whatever_fails_the_view_is_not_reached(
    gate: Gate, kind: str, is_unanswered: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = flask.Flask(__name__)
    reached = []
    if kind == "async":

        async def view() -> str:
            reached.append(kind)
            return "in"
    else:

        def view() -> str:  # type: ignore[misc]
            reached.append(kind)
            return "in"

    if kind == "init_app":
        init_app(app, gate)
        app.add_url_rule("/health", "view", view)
    else:
        app.add_url_rule("/health", "view", authenticated(gate)(view))
    for owner in (Gate, type(gate.guard())):
        for name in ("check", "check_async", "authorize"):
            if hasattr(owner, name):
                monkeypatch.setattr(owner, name, bug)
    if is_unanswered:
        monkeypatch.setattr(Gate, "failed", bug)
    app.config["PROPAGATE_EXCEPTIONS"] = False
    answer = app.test_client().get("/health", headers=good())
    assert answer.status_code == 500
    assert b"a bug" not in answer.data
    assert reached == []
    if not is_unanswered:
        assert answer.get_json()["code"] == "internal_error"


def test_arguments_are_checked_before_the_first_request(gate: Gate) -> None:
    for wrong in (None, "gate", VERIFIER):
        with pytest.raises(TypeError, match="gate must be"):
            init_app(flask.Flask(__name__), wrong)  # type: ignore[arg-type]
        with pytest.raises(TypeError, match="gate must be"):
            authenticated(wrong)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="app must be"):
        init_app(None, gate)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="scope"):
        authenticated(gate, scopes=['a"b'])
    with pytest.raises(TypeError):
        authenticated(gate, scope=["a"])
