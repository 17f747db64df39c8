"""The middlewares of FastAPI and Flask, in real servers: the same application, the same answers."""

from __future__ import annotations

import contextlib
import json
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import authgent_apps
import endpoint
import httpx2
import mint
import pytest
from authgent_tokens import API, ISSUER, KEYS, act, chaining_grant, claims, now, receipt, sign, token, transaction_token

import watchword as ww
import watchword.providers.authgent as authgent
from watchword.providers.authgent.middleware.fastapi import AgentAuthMiddleware as AsgiMiddleware
from watchword.providers.authgent.middleware.flask import agent_auth_required

JWKS = json.dumps(mint.jwks("p256")).encode()

Start = Callable[..., httpx2.Client]


@pytest.fixture(name="start", params=authgent_apps.FRAMEWORKS)
def _start(request: pytest.FixtureRequest) -> Iterator[Start]:
    """Serve the application with these options, and return a client for it."""
    make, serve = authgent_apps.FRAMEWORKS[request.param]
    with contextlib.ExitStack() as stack:

        def start(issuer: str = ISSUER, audience: Any = None, **options: Any) -> httpx2.Client:
            options.setdefault("jwks_fetcher", KEYS if issuer == ISSUER else None)
            url = stack.enter_context(serve(make(issuer, audience, **options)))
            limits = httpx2.Limits(max_connections=64)
            return stack.enter_context(httpx2.Client(base_url=url, trust_env=False, timeout=30, limits=limits))

        yield start


def bearer(raw: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {raw}"}


def message(answer: httpx2.Response) -> str:
    body = answer.json()
    text: str = body.get("detail") or body.get("error")
    return text


def test_an_agent_is_known_to_the_application(start: Start) -> None:
    app = start()
    raw = token(sub="user:ada", act=act("client:a", "client:b"))
    expected = {"agent": "user:ada", "scopes": ["search:execute", "read"], "actors": ["client:a", "client:b"]}
    assert app.get("/me", headers=bearer(raw)).json() == expected
    assert app.get("/", headers=bearer(raw)).json() == expected
    assert app.post("/tools/search", headers=bearer(raw)).json() == expected


def test_an_exchanged_token_needs_the_audience_of_the_application(start: Start) -> None:
    raw = token(aud=API, sub="user:ada", act=act("client:agnt_2"))
    answer = start().get("/me", headers=bearer(raw))
    assert answer.status_code == 401
    assert "as every exchanged token is: pass audience= with the one" in message(answer)
    for secret in (raw, API, "user:ada", "agnt_2"):
        assert secret not in answer.text
        assert secret not in answer.headers["www-authenticate"]
    assert start(audience=API).get("/me", headers=bearer(raw)).json()["agent"] == "user:ada"


def test_a_request_without_a_token_is_answered(start: Start) -> None:
    app = start()
    basic = {"Authorization": "Basic YTpi"}
    for answer in (app.get("/"), app.get("/me"), app.post("/tools/search"), app.get("/me", headers=basic)):
        assert answer.status_code == 401
        challenge = answer.headers["www-authenticate"]
        # RFC 6750 section 3.1: who sends no token has made no error.
        assert "error" not in challenge
        assert 'Bearer realm="authgent"' in challenge
        assert f'resource_metadata="{ISSUER}/.well-known/oauth-protected-resource"' in challenge
        assert f'authorization_uri="{ISSUER}/token"' in challenge
        assert 'DPoP realm="authgent"' in challenge
        assert 'algs="ES256"' in challenge
        assert message(answer) == "No valid agent identity"


BAD: dict[str, Callable[[], str]] = {
    "expired": lambda: token(exp=now() - 60),
    "for another": lambda: token(aud=API),
    "of another issuer": lambda: token(iss="https://evil.example"),
    "of another key": lambda: mint.token(claims(), mint.header("p256", "ES256"), key="p256-b", algorithm="ES256"),
    "unsecured": lambda: mint.token(claims(), mint.header("p256", "none"), algorithm="none"),
    "critical": lambda: sign(claims(), mint.header("p256", "ES256", crit=["x"], x=1)),
    "kid a number": lambda: sign(claims(), mint.header("p256", "ES256", kid=5)),
    "scope a number": lambda: token(scope=5),
    "actor a number": lambda: token(act={"sub": 5}),
    "bound": lambda: token(cnf={"jkt": "x" * 43}),
    "receipt": receipt,
    "transaction token": transaction_token,
    "chaining grant": lambda: chaining_grant(aud=ISSUER),
    "garbage": lambda: "garbage",
    "long": lambda: "a" * 20_000 + ".b.c",
}


def test_a_token_that_is_no_good_is_answered(start: Start) -> None:
    app = start()
    for name, bad in BAD.items():
        for path in ("/", "/me"):
            answer = app.get(path, headers=bearer(bad()))
            assert answer.status_code == 401, name
            assert 'error="invalid_token"' in answer.headers["www-authenticate"], name
            assert message(answer), name


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ([("authorization", "Bearer a\tb")], 400),
        ([("authorization", "Bearer")], 400),
        ([("authorization", "Bearer a b")], 400),
        ([("authorization", "DPoP x.y.z")], 401),
        ([("authorization", "DPoP x.y.z"), ("dpop", "é")], 401),
        ([("authorization", "DPoP x.y.z"), ("dpop", "a"), ("dpop", "b")], 401),
        ([("authorization", "DPoP x.y.z"), ("dpop", "a,b")], 401),
        ([("authorization", "DPoP x.y.z"), ("dpop", "")], 401),
        ([("authorization", "é é")], 401),
        ([("authorization", "")], 401),
    ],
)
def test_any_headers_are_answered(start: Start, headers: list[tuple[str, str]], status: int) -> None:
    app = start()
    answer = app.get("/", headers=[(name.encode(), value.encode("latin-1")) for name, value in headers])
    assert answer.status_code == status


def test_two_tokens_are_none(start: Start) -> None:
    app = start()
    answer = app.get("/", headers=[("authorization", f"Bearer {token()}"), ("authorization", f"Bearer {token()}")])
    assert answer.status_code == 400


def raw_request(app: httpx2.Client, lines: list[bytes]) -> bytes:
    """The status line of the answer to a request that no client would write."""
    url = app.base_url
    with socket.create_connection((url.host, url.port or 0), timeout=30) as connection:
        connection.sendall(b"\r\n".join([*lines, b"Connection: close", b"", b""]))
        with connection.makefile("rb") as answer:
            return answer.readline()


def test_no_host_and_no_path_ends_in_an_error_of_the_servers(start: Start) -> None:
    app = start()
    client = authgent.DPoPClient()
    raw = token(cnf={"jkt": client.jkt})
    proof = client.create_proof("GET", "https://api.example/", raw)
    carried = [b"Authorization: DPoP " + raw.encode(), b"DPoP: " + proof.encode()]
    for host in (b"", b"a b", b"[", b"\xff", b"x:99999", b"user@host", b"evil/path", b"a,b"):
        for path in (b"/", b"//", b"/%", b"/%zz", b"/a|b", b"/\xc3\xa9", b"http://x/y"):
            status = raw_request(app, [b"GET " + path + b" HTTP/1.1", b"Host: " + host, *carried])
            assert b" 50" not in status, (host, path, status)


def test_a_token_that_lacks_a_scope_is_not_enough(start: Start) -> None:
    answer = start().post("/tools/search", headers=bearer(token(scope="search:execute")))
    assert answer.status_code == 403
    assert message(answer) == "Insufficient scope. Missing: read"
    challenge = answer.headers["www-authenticate"]
    assert 'error="insufficient_scope"' in challenge
    assert 'scope="search:execute read"' in challenge
    assert start().get("/me", headers=bearer(token(scope=""))).json()["scopes"] == []


def test_schemes_have_no_case(start: Start) -> None:
    app = start()
    for scheme in ("bearer", "BEARER"):
        assert app.get("/me", headers={"Authorization": f"{scheme} {token()}"}).status_code == 200


def test_some_paths_are_open_to_everybody(start: Start) -> None:
    app = start()
    assert app.get("/health", headers=bearer("garbage")).json() == {"agent": None}
    assert app.get("/.well-known/oauth-protected-resource", headers=bearer("garbage")).status_code == 404
    assert app.get("/healthy", headers=bearer("garbage")).status_code == 401


def test_an_audience_can_be_named(start: Start) -> None:
    app = start(audience=API)
    assert app.get("/me", headers=bearer(token(aud=API))).status_code == 200
    assert app.get("/me", headers=bearer(token())).status_code == 401
    assert start(audience=ww.ANY_AUDIENCE).get("/me", headers=bearer(token(aud=API))).status_code == 200


def test_a_bound_token_comes_with_its_proof(start: Start) -> None:
    app = start()
    client = authgent.DPoPClient()
    raw = token(cnf={"jkt": client.jkt})
    for path in ("/me", "/me?page=2", "/me?x=%2F"):
        headers = client.create_proof_headers(raw, "GET", authgent_apps.PUBLIC + path)
        assert app.get(path, headers=headers).status_code == 200
        answer = app.get(path, headers=headers)
        assert answer.status_code == 401
        assert answer.headers["www-authenticate"].startswith("DPoP ")
        assert 'algs="ES256"' in answer.headers["www-authenticate"]
    url = f"{authgent_apps.PUBLIC}/me"
    for headers in (
        bearer(raw),
        {"Authorization": f"DPoP {raw}"},
        authgent.DPoPClient().create_proof_headers(raw, "GET", url),
        client.create_proof_headers(raw, "POST", url),
        client.create_proof_headers(raw, "GET", url + "/"),
        client.create_proof_headers(raw, "GET", "https://elsewhere.example/me"),
        {"Authorization": f"DPoP {raw}", "DPoP": client.create_proof("GET", url)},
        client.create_proof_headers(token(), "GET", url),
    ):
        assert app.get("/me", headers=headers).status_code == 401


def test_a_bound_token_that_lacks_a_scope_is_answered_by_its_own_scheme(start: Start) -> None:
    app = start()
    client = authgent.DPoPClient()
    raw = token(cnf={"jkt": client.jkt}, scope="read")
    url = f"{authgent_apps.PUBLIC}/tools/search"
    answer = app.post("/tools/search", headers=client.create_proof_headers(raw, "POST", url))
    assert answer.status_code == 403
    assert answer.headers["www-authenticate"].startswith("DPoP ")


def test_behind_a_proxy_the_public_url_counts(start: Start) -> None:
    app = start(public_url="https://api.example/")
    client = authgent.DPoPClient()
    raw = token(cnf={"jkt": client.jkt})
    headers = client.create_proof_headers(raw, "GET", "https://api.example/me")
    assert app.get("/me", headers={**headers, "Host": "whatever.example"}).status_code == 200
    own = f"{authgent_apps.PUBLIC}/me"
    assert app.get("/me", headers=client.create_proof_headers(raw, "GET", own)).status_code == 401


@pytest.mark.parametrize("public_url", ["https://api.example", ["https://api.example", "https://b.example:8443"]])
def test_a_proof_for_another_host_is_rejected_whatever_the_host_header(start: Start, public_url: Any) -> None:
    """An attacker who received a proof forwards it with the token, and chooses the ``Host`` header."""
    app = start(public_url=public_url)
    client = authgent.DPoPClient()
    raw = token(cnf={"jkt": client.jkt})
    own = str(app.base_url).rstrip("/").removeprefix("http://")
    for host in ("elsewhere.example", own, "localhost"):
        for scheme in ("http", "https"):
            headers = client.create_proof_headers(raw, "GET", f"{scheme}://{host}/me")
            answer = app.get("/me", headers={**headers, "Host": host})
            assert answer.status_code == 401
            assert 'error="invalid_dpop_proof"' in answer.headers["www-authenticate"]
    headers = client.create_proof_headers(raw, "GET", "https://api.example/me")
    assert app.get("/me", headers={**headers, "Host": "elsewhere.example"}).status_code == 200


def test_of_several_names_the_host_header_chooses_one(start: Start) -> None:
    app = start(public_url=("https://api.example", "https://b.example:8443"))
    client = authgent.DPoPClient()
    raw = token(cnf={"jkt": client.jkt})
    for host, url, status in (
        ("b.example:8443", "https://b.example:8443/me", 200),
        ("B.example:8443", "https://b.example:8443/me", 200),
        ("api.example", "https://b.example:8443/me", 401),
        ("b.example:8443", "https://api.example/me", 401),
        ("api.example:443", "https://api.example/me", 200),
    ):
        headers = client.create_proof_headers(raw, "GET", url)
        assert app.get("/me", headers={**headers, "Host": host}).status_code == status, (host, url)


def test_without_a_public_url_nothing_starts() -> None:
    with pytest.raises(ValueError, match=r'public_url is missing: set it.*"https://api\.example"'):
        AsgiMiddleware(None, issuer=ISSUER, jwks_fetcher=KEYS)  # type: ignore[arg-type]  # no application is needed
    with pytest.raises(ValueError, match="public_url is missing"):
        authgent_apps.flask_app(ISSUER, jwks_fetcher=KEYS, public_url=None)
    with pytest.raises(ValueError, match="public_url is missing"):
        agent_auth_required(ISSUER, jwks_fetcher=KEYS)


def test_without_a_public_url_a_server_does_not_start() -> None:
    """uvicorn serves on after most exceptions at the start of an application, but not after this one."""
    program = (
        "import uvicorn, authgent_apps\n"
        "app = authgent_apps.fastapi_app('https://as.example', public_url=None)\n"
        "uvicorn.run(app, host='127.0.0.1', port=0, lifespan='auto')\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        cwd=Path(authgent_apps.__file__).parent,
    )
    assert done.returncode != 0
    assert "AgentAuthMiddleware: public_url is missing: set it" in done.stderr


def test_a_nonce_is_issued_if_one_is_required(start: Start) -> None:
    app = start(dpop=ww.dpop.DpopVerifier(nonces=ww.dpop.Nonces(ww.dpop.Nonces.new_key())))
    client = authgent.DPoPClient()
    raw = token(cnf={"jkt": client.jkt})
    url = f"{authgent_apps.PUBLIC}/me"
    answer = app.get("/me", headers=client.create_proof_headers(raw, "GET", url))
    assert answer.status_code == 401
    assert 'error="use_dpop_nonce"' in answer.headers["www-authenticate"]
    nonce = answer.headers["dpop-nonce"]
    assert app.get("/me", headers=client.create_proof_headers(raw, "GET", url, nonce)).status_code == 200


def test_metadata_of_ones_own_are_pointed_to(start: Start) -> None:
    own = "https://api.example/.well-known/oauth-protected-resource"
    assert f'resource_metadata="{own}"' in start(resource_metadata=own).get("/me").headers["www-authenticate"]


@pytest.mark.parametrize("framework", authgent_apps.FRAMEWORKS)
@pytest.mark.parametrize(
    "options",
    [
        {"resource_metadata": 'https://x/"'},
        {"leeway": -1},
        {"bound_tokens": "maybe"},
        {"public_url": None},
        {"public_url": []},
        {"public_url": "api.example"},
        {"issuer": "http://elsewhere.example", "jwks_fetcher": None},
    ],
)
def test_invalid_settings_are_reported_before_the_first_token(framework: str, options: dict[str, Any]) -> None:
    make, _ = authgent_apps.FRAMEWORKS[framework]

    def start() -> None:
        app = make(**{"issuer": ISSUER, "jwks_fetcher": KEYS, **options})
        app.build_middleware_stack()  # FastAPI makes its middlewares late

    with pytest.raises(ValueError, match=r"\w"):
        start()


def test_unavailable_keys_are_not_the_clients_fault(start: Start) -> None:
    with endpoint.running() as server:
        server.routes["/.well-known/jwks.json"] = endpoint.answer(b"no", status=500)
        answer = start(server.url).get("/me", headers=bearer(token(iss=server.url, aud=server.url)))
        assert answer.status_code == 503
        assert "retry-after" in answer.headers
        assert "www-authenticate" not in answer.headers


def test_many_at_once_on_a_cold_cache_are_all_answered(start: Start) -> None:
    with endpoint.running() as server:
        slow = endpoint.Hang(endpoint.answer(JWKS))
        server.routes["/.well-known/jwks.json"] = slow
        app = start(server.url)
        url = f"{authgent_apps.PUBLIC}/me"
        client = authgent.DPoPClient()

        def requests(number: int) -> tuple[int, dict[str, str]]:
            own = {"iss": server.url, "aud": server.url}
            if number % 4 == 0:
                return 401, bearer(token(**own, exp=now() - 60))
            if number % 4 == 1:
                return 401, {}
            if number % 4 == 2:
                return 200, client.create_proof_headers(token(**own, cnf={"jkt": client.jkt}), "GET", url)
            return 200, bearer(token(**own))

        wanted = [requests(number) for number in range(32)]
        threading.Timer(0.3, slow.released.set).start()
        with ThreadPoolExecutor(32) as pool:
            answers = list(pool.map(lambda one: app.get("/me", headers=one[1]).status_code, wanted))
        assert answers == [status for status, _ in wanted]
        assert server.count() == 1


def test_many_at_once_while_the_keys_do_not_come_are_all_answered(start: Start) -> None:
    with endpoint.running() as server:
        server.routes["/.well-known/jwks.json"] = endpoint.reset
        app = start(server.url)
        headers = bearer(token(iss=server.url, aud=server.url))
        with ThreadPoolExecutor(32) as pool:
            answers = set(pool.map(lambda _: app.get("/me", headers=headers).status_code, range(32)))
        assert answers == {503}
