"""The middleware for WSGI: what reaches the application, and what it is told."""

from __future__ import annotations

import io
import json
import ssl
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple
from urllib.parse import unquote_to_bytes

import pytest
from hypothesis import given
from hypothesis import strategies as st
from request_samples import API, METADATA, VERIFIER, bearer, bound, token

from watchword.gate import Gate, Route
from watchword.integrations._wsgi_environ import target
from watchword.integrations.wsgi import GateMiddleware

ROUTES = (
    Route("/health", public=True),
    Route("/catalogue", optional=True),
    Route("/orders/{id}", methods=("GET", "POST"), scopes=("orders:{id}",)),
    Route("/open/{rest...}"),
)
GATE = Gate(VERIFIER, ROUTES, public_url=API)


class Answer(NamedTuple):
    status: int
    headers: list[tuple[str, str]]
    body: bytes

    def header(self, wanted: str) -> str | None:
        (value,) = [value for name, value in self.headers if name.lower() == wanted.lower()] or [None]
        return value

    @property
    def code(self) -> str:
        return json.loads(self.body)["code"]


class Application:
    """Keeps the environment of each request that reaches it."""

    def __init__(self) -> None:
        self.environs: list[dict[str, Any]] = []

    def __call__(self, environ: dict[str, Any], start_response: Any) -> list[bytes]:
        self.environs.append(environ)
        start_response("200 OK", [("Content-Type", "text/plain")])
        return [b"in"]


def environ(path: str = "/orders/1", method: str = "GET", *, headers: dict[str, str] | None = None, **more: Any) -> Any:
    path, _, query = path.partition("?")
    found = {"REQUEST_METHOD": method, "SCRIPT_NAME": "", "PATH_INFO": path, "QUERY_STRING": query}
    found |= {"HTTP_" + name.upper().replace("-", "_"): value for name, value in (headers or {}).items()}
    return found | {"wsgi.input": io.BytesIO(), "wsgi.url_scheme": "http"} | more


def call(application: Any, sent: dict[str, Any]) -> Answer:
    found: list[Any] = []
    body = b"".join(application(sent, lambda status, headers: found.extend([status, headers])))
    status, headers = found
    assert status[3] == " "
    assert all(isinstance(name, str) and isinstance(value, str) for name, value in headers)
    return Answer(int(status[:3]), headers, body)


def gated(sent: dict[str, Any], gate: Any = GATE, **options: Any) -> tuple[Answer, dict[str, Any] | None]:
    """The answer, and the environment that the application got."""
    application = Application()
    answer = call(GateMiddleware(application, gate, **options), sent)
    return answer, application.environs[0] if application.environs else None


def good(**claims: Any) -> dict[str, str]:
    return token(**{"scope": "orders:1 orders:2", **claims})


def test_a_valid_token_reaches_the_application() -> None:
    answer, seen = gated(environ(headers=good()))
    assert (answer.status, answer.body) == (200, b"in")
    assert seen is not None
    assert seen["watchword.token"].subject == "alice"
    assert seen["watchword.decision"].variables == {"id": "1"}


@pytest.mark.parametrize(
    ("sent", "status", "code"),
    [
        (environ, 401, "missing_token"),
        (lambda: environ(headers=bearer("garbage")), 401, "malformed_token"),
        (lambda: environ("/orders/3", headers=good()), 403, "insufficient_scope"),
        (lambda: environ("/elsewhere", headers=good()), 403, "no_route"),
        (lambda: environ(method="DELETE", headers=good()), 403, "no_route"),
        (lambda: environ("/orders/1?access_token=x", headers=good()), 400, "token_in_query"),
        (lambda: environ("/open//x", headers=good()), 400, "ambiguous_path"),
        (lambda: environ("/open/../orders/1", headers=good()), 400, "ambiguous_path"),
        (lambda: environ("/open/;x", headers=good()), 400, "ambiguous_path"),
        # What a server makes of two headers.
        (lambda: environ(headers={"Authorization": f"{good()['Authorization']},{good()['Authorization']}"}), 400, None),
    ],
)
def test_what_is_rejected_does_not_reach_the_application(
    sent: Callable[[], dict[str, Any]], status: int, code: str | None
) -> None:
    answer, seen = gated(sent())
    assert seen is None
    assert answer.status == status
    assert answer.code == code or code is None
    assert answer.header("Content-Type") == "application/problem+json"
    assert answer.header("Content-Length") == str(len(answer.body))


def test_the_answer_to_a_head_request_has_no_body() -> None:
    answer, seen = gated(environ(method="HEAD"))
    assert (answer.status, answer.body, seen) == (401, b"", None)
    assert int(answer.header("Content-Length") or 0) > 0


def test_public_and_optional_routes() -> None:
    for sent, subject in (
        (environ("/health"), None),
        (environ("/health", headers=bearer("garbage")), None),
        (environ("/catalogue"), None),
        (environ("/catalogue", headers=good()), "alice"),
    ):
        answer, seen = gated(sent)
        assert answer.status == 200
        assert seen is not None
        assert getattr(seen["watchword.token"], "subject", None) == subject
    answer, seen = gated(environ("/catalogue", headers=bearer("garbage")))
    assert (answer.status, seen) == (401, None)


#: Spellings of variables that stand for X-Auth-… somewhere.
SPELLINGS = st.builds(
    "HTTP_X{}{}{}{}".format,
    st.sampled_from("-_."),
    st.sampled_from(["AUTH", "Auth", "auth"]),
    st.sampled_from("-_."),
    st.text("ABCdef_-.0", max_size=8),
)


@given(forged=st.dictionaries(SPELLINGS, st.just("admin"), min_size=1))
def test_no_spelling_of_an_identity_header_survives(forged: dict[str, str]) -> None:
    for identity_headers in (False, True):
        sent = environ(headers={**good(), "X-Author": "kept"}) | forged
        _, seen = gated(sent, identity_headers=identity_headers)
        assert seen is not None
        assert "admin" not in seen.values()
        assert seen["HTTP_X_AUTHOR"] == "kept"


#: Bytes as a server passes them.
PATHS = st.text("/ab.%2fF;é\\ ", max_size=8).map(lambda text: "/" + text.encode().decode("latin-1"))


@given(
    path=PATHS,
    script=st.sampled_from(["", "/a"]),
    raw=st.one_of(st.just(""), PATHS, PATHS.map(lambda path: f"/a{path}")),
)
def test_the_target_is_the_path_that_the_application_sees(path: str, script: str, raw: str) -> None:
    sent = environ("", PATH_INFO=path, SCRIPT_NAME=script, RAW_URI=raw)
    found = unquote_to_bytes(target(sent).encode("latin-1")).decode("latin-1")
    assert found in (script + path, path)
    if unquote_to_bytes(raw.encode("latin-1")).decode("latin-1") == script + path and "?" not in raw:
        assert target(sent) == raw


FORGED = ("HTTP_X_AUTH_SUB", "HTTP_X_AUTH_ANYTHING", "HTTP_X.AUTH.SUB", "HTTP_X_AUTH_SCOPE")


@pytest.mark.parametrize("path", ["/health", "/catalogue", "/orders/1"])
def test_forged_identity_headers_are_removed(path: str) -> None:
    for identity_headers in (False, True):
        forged = dict.fromkeys(FORGED, "admin")
        sent = environ(path, headers={**good(), "X-Author": "kept"}, **forged)
        _, seen = gated(sent, identity_headers=identity_headers)
        assert seen is not None
        assert "admin" not in seen.values()
        assert seen["HTTP_X_AUTHOR"] == "kept"


def test_identity_headers_are_a_full_set() -> None:
    _, seen = gated(environ(headers=good()), identity_headers=True)
    _, anonymous = gated(environ("/health"), identity_headers=True)
    assert seen is not None
    assert anonymous is not None
    assert seen["HTTP_X_AUTH_SUB"] == "alice"
    names = {name for name in seen if name.startswith("HTTP_X_AUTH_")}
    assert names == {name for name in anonymous if name.startswith("HTTP_X_AUTH_")}
    assert anonymous["HTTP_X_AUTH_SUB"] == ""
    _, seen = gated(environ(headers=good()))
    assert seen is not None
    assert not any(name.startswith("HTTP_X_AUTH_") for name in seen)


@pytest.mark.parametrize("name", ["RAW_URI", "REQUEST_URI"])
def test_a_proof_is_for_the_path_that_the_client_sent(name: str) -> None:
    for raw, path in (
        ("/open/caf%C3%A9", "/open/caf\xc3\xa9"),
        ("/open/a%3Ab", "/open/a:b"),
        ("/open/a%20b?x=%2F", "/open/a b"),
    ):
        query = raw.partition("?")[2]
        sent = environ(path, headers=bound(raw), QUERY_STRING=query)
        assert gated(sent | {name: raw})[0].status == 200, raw
    # Without it, unreserved and usually escaped characters are still known.
    assert gated(environ("/open/caf\xc3\xa9", headers=bound("/open/caf%C3%A9")))[0].status == 200
    assert gated(environ("/open/a:b", headers=bound("/open/a%3Ab")))[0].status == 401
    assert gated(environ("/open/x", headers=bound("/open/y")))[0].status == 401


def test_the_mount_point_is_a_part_of_the_path() -> None:
    for more in ({}, {"RAW_URI": "/open/x"}):
        sent = environ("/x", headers=bound("/open/x"), SCRIPT_NAME="/open", **more)
        assert gated(sent)[0].status == 200


@pytest.mark.parametrize(
    "raw",
    ["/health", "/health?", "/health#/orders/1", "http://elsewhere.example/health", "//health", "*", "/health/%", ""],
)
def test_the_route_is_that_of_the_path_that_the_application_sees(raw: str) -> None:
    """A proxy or a server may pass another target than the path by which the application dispatches."""
    answer, seen = gated(environ("/orders/1", RAW_URI=raw, REQUEST_URI=raw))
    assert (answer.status, seen) == (401, None)


def test_an_encoded_slash_is_not_a_part_of_a_segment() -> None:
    routes = (Route("/files/{name}", public=True), Route("/files/x/{name}"))
    gate = Gate(VERIFIER, routes, public_url=API)
    answer, seen = gated(environ("/files/x/secret", RAW_URI="/files/x%2Fsecret"), gate)
    assert (answer.status, seen) == (400, None)
    answer, seen = gated(environ("/files/x/secret"), gate)
    assert (answer.status, seen) == (401, None)


def test_a_method_in_lower_case_is_that_of_the_application() -> None:
    routes = (Route("/x", methods=("POST",), scopes=("write",)), Route("/x", public=True))
    gate = Gate(VERIFIER, routes, public_url=API)
    answer, seen = gated(environ("/x", method="post"), gate)
    assert (answer.status, seen) == (401, None)


def form(body: bytes, content_type: str = "application/x-www-form-urlencoded", **more: Any) -> dict[str, Any]:
    sent = environ(method="POST", CONTENT_TYPE=content_type, CONTENT_LENGTH=str(len(body)))
    return sent | {"wsgi.input": io.BytesIO(body)} | more


def test_a_token_in_a_form_is_rejected_with_the_reason() -> None:
    assert gated(form(b"a=b&access_token=x"))[0].code == "token_in_body"
    assert gated(form(b"access_token=x", "Application/X-WWW-Form-Urlencoded; charset=utf-8"))[0].code == "token_in_body"
    assert gated(form(b"a=b"))[0].code == "missing_token"
    assert gated(form(b""))[0].code == "missing_token"
    assert gated(form(b"access_token=x", "application/json"))[0].code == "missing_token"


def test_a_client_that_disconnects_is_rejected() -> None:
    class Gone:
        def read(self, *_: Any) -> bytes:
            raise OSError("the client has disconnected")

    answer, seen = gated(form(b"access_token=x", **{"wsgi.input": Gone()}))
    assert (answer.code, seen) == ("missing_token", None)


class Counting(io.BytesIO):
    def read(self, size: int | None = -1) -> bytes:
        assert size is not None
        assert 0 <= size <= 16 * 1024
        return super().read(size)


def test_at_most_16_kib_of_a_form_are_read() -> None:
    body = b"a=" + b"b" * 1_000_000
    assert gated(form(body, **{"wsgi.input": Counting(body)}))[0].code == "missing_token"
    chunked = form(b"", CONTENT_LENGTH="") | {"wsgi.input": Counting(b"access_token=x"), "wsgi.input_terminated": True}
    assert gated(chunked)[0].code == "token_in_body"


@pytest.mark.parametrize("length", ["", "-1", "x", "1" * 30, "\u0662"])
def test_a_body_without_an_end_is_not_read(length: str) -> None:
    class Endless:
        reads = 0

        def read(self, *_: Any) -> bytes:
            self.reads += 1
            return b"access_token=x"

    endless = Endless()
    answer, seen = gated(form(b"", CONTENT_LENGTH=length, **{"wsgi.input": endless}))
    assert (answer.code, seen, endless.reads) == ("missing_token", None, 0)


def test_an_allowed_request_keeps_its_body() -> None:
    sent = form(b"access_token=x") | environ(method="POST", headers=good())
    sent |= {"CONTENT_TYPE": "application/x-www-form-urlencoded", "wsgi.input": io.BytesIO(b"a=b")}
    _, seen = gated(sent)
    assert seen is not None
    assert seen["wsgi.input"].read() == b"a=b"


def test_the_metadata_needs_no_token() -> None:
    answer, seen = gated(environ(METADATA))
    assert (answer.status, seen) == (200, None)
    assert answer.header("Content-Type") == "application/json"
    assert json.loads(answer.body) == GATE.metadata()
    assert json.loads(answer.body)["resource"] == API
    answer, _ = gated(environ(METADATA, method="HEAD"))
    assert (answer.status, answer.body) == (200, b"")
    assert gated(environ(METADATA, method="POST"))[0].status == 405
    answer, _ = gated(environ(METADATA, method="OPTIONS"))
    assert (answer.status, answer.header("Access-Control-Allow-Origin")) == (204, "*")
    assert gated(environ(METADATA + "/x"))[0].status == 403


class Recorder:
    """A gate that keeps the arguments of its checks."""

    def __init__(self) -> None:
        self.arguments: list[dict[str, Any]] = []

    def check(self, **arguments: Any) -> Any:
        self.arguments.append(arguments)
        return GATE.check(**arguments)

    def __getattr__(self, name: str) -> Any:
        return getattr(GATE, name)


def sent_to_the_gate(sent: dict[str, Any]) -> dict[str, Any]:
    recorder = Recorder()
    gated(sent, recorder)
    (arguments,) = recorder.arguments
    return arguments


class Connection:
    def __init__(self, der: bytes | None) -> None:
        self.der = der

    def getpeercert(self, binary_form: bool = False) -> bytes | None:
        assert binary_form
        return self.der


def test_the_certificate_is_that_of_the_connection() -> None:
    pem = ssl.DER_cert_to_PEM_cert(b"certificate")
    assert sent_to_the_gate(environ(SSL_CLIENT_CERT=pem))["certificate"] == pem
    assert sent_to_the_gate(environ(**{"gunicorn.socket": Connection(b"der")}))["certificate"] == b"der"
    for nothing in ({}, {"SSL_CLIENT_CERT": ""}, {"gunicorn.socket": Connection(None)}, {"gunicorn.socket": object()}):
        assert sent_to_the_gate(environ(**nothing))["certificate"] is None
    header = sent_to_the_gate(environ(headers={"Ssl-Client-Cert": pem, "X-SSL-Client-Cert": pem}))
    assert header["certificate"] is None


def test_the_gate_gets_all_headers_with_hyphens() -> None:
    sent = environ(headers={"X-Forwarded-For": "a", "DPoP": "b"}, CONTENT_TYPE="text/plain", CONTENT_LENGTH="5")
    headers: Iterable[tuple[str, str]] = sent_to_the_gate(sent)["headers"]
    assert sorted(headers) == [
        ("CONTENT-LENGTH", "5"),
        ("CONTENT-TYPE", "text/plain"),
        ("DPOP", "b"),
        ("X-FORWARDED-FOR", "a"),
    ]


class Broken:
    """A gate of which one thing fails."""

    def __init__(self, *broken: str) -> None:
        self.broken = broken

    def __getattr__(self, name: str) -> Any:
        found = getattr(GATE, name)
        if name in self.broken:
            if not callable(found):
                raise RuntimeError("a bug")
            return self._raise
        return self._check if name == "check" else found

    def _check(self, **arguments: Any) -> Any:
        return BrokenDecision(GATE.check(**arguments), self.broken)

    def _raise(self, *_: Any, **__: Any) -> Any:
        raise RuntimeError("a bug")


class BrokenDecision:
    def __init__(self, decision: Any, broken: Iterable[str]) -> None:
        self.decision, self.broken = decision, broken

    def __getattr__(self, name: str) -> Any:
        if name in self.broken:
            raise RuntimeError("a bug")
        return getattr(self.decision, name)


@pytest.mark.parametrize(
    "broken",
    ["check", "allowed", "forwarded_headers", "identity_headers", "token"],
)
def test_whatever_fails_the_application_is_not_reached(broken: str) -> None:
    answer, seen = gated(environ(headers=good()), Broken(broken), identity_headers=True)
    assert seen is None
    assert (answer.status, answer.code) == (500, "internal_error")
    assert b"bug" not in answer.body


@pytest.mark.parametrize("broken", ["check", "forwarded_headers"])
def test_if_even_that_fails_the_server_answers(broken: str) -> None:
    application = Application()
    with pytest.raises(RuntimeError, match="a bug"):
        call(GateMiddleware(application, Broken(broken, "failed")), environ(headers=good()))
    assert application.environs == []


def test_a_failure_of_the_metadata_is_answered() -> None:
    for broken in ("metadata", "metadata_path"):
        assert gated(environ(METADATA), Broken(broken))[0].status == 500


@pytest.mark.parametrize("more", [{"PATH_INFO": None}, {"PATH_INFO": "/\u20ac"}, {"REQUEST_METHOD": None}])
def test_an_environment_that_no_server_makes_is_rejected(more: dict[str, Any]) -> None:
    answer, seen = gated(environ(headers=good()) | more)
    assert seen is None
    assert answer.status >= 400


def test_another_middleware_of_the_same_gate_does_not_use_the_proof_again() -> None:
    application = Application()
    inner = GateMiddleware(application, GATE)
    assert call(GateMiddleware(inner, GATE), environ("/open/x", headers=bound("/open/x"))).status == 200
    other = Gate(VERIFIER, (Route("/{rest...}"),), public_url=API)
    stacked = GateMiddleware(GateMiddleware(application, other), GATE)
    assert call(stacked, environ("/open/x", headers=bearer("garbage"))).status == 401
    assert call(stacked, environ("/health")).status == 401
    assert len(application.environs) == 1


def test_arguments_are_checked_before_the_first_request() -> None:
    with pytest.raises(TypeError, match="gate must be"):
        GateMiddleware(Application(), None)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="app must be"):
        GateMiddleware(None, GATE)  # type: ignore[arg-type]
