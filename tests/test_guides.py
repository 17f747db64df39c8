"""The code of docs/guides runs as it is printed, against an issuer on loopback."""

from __future__ import annotations

import asyncio
import contextlib
import importlib.util
import json
import re
import subprocess
import sys
import time
import urllib.request
import warnings
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import httpx2
import pytest

import watchword as ww
from watchword.testing import LocalIssuer, ServedIssuer

GUIDES = Path(__file__).parents[1] / "docs" / "guides"
API = "https://api.example"

#: Each guide and the test that runs its code.
TESTED = {
    "from-pyjwt",
    "from-python-jose",
    "from-authlib",
    "from-flask-jwt-extended",
    "from-simplejwt",
    "from-fastapi-security",
    "fastapi",
    "asgi",
    "flask",
    "wsgi",
    "django",
    "mcp",
    "grpc",
    "celery",
    "gateway",
}


@pytest.fixture(name="issuer", scope="module")
def _issuer() -> Iterator[ServedIssuer]:
    with LocalIssuer(audience=API, algorithms=("ES256",)).serve() as served:
        yield served


def _blocks(guide: str, issuer: ServedIssuer) -> list[str]:
    """The guide's blocks of Python, with the issuer on loopback in the place of https://as.example."""
    text = (GUIDES / f"{guide}.md").read_text()
    text = text.replace("https://as.example/.well-known/jwks.json", issuer.jwks_uri)
    text = re.sub(r'ww\.Issuer\(\s*(ISSUER|"https://as\.example")', r"ww.Issuer(\1, allow_loopback_http=True", text)
    text = text.replace("https://as.example", issuer.issuer)
    return re.findall(r"^```python\n(.*?)^```$", text, flags=re.MULTILINE | re.DOTALL)


def _module(name: str, source: str, folder: Path) -> ModuleType:
    path = folder / f"{name}.py"
    path.write_text(source)
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def test_every_guide_is_tested() -> None:
    assert {path.stem for path in GUIDES.glob("*.md") if "```python" in path.read_text()} == TESTED


@pytest.mark.parametrize(
    ("guide", "other"),
    [
        ("from-pyjwt", "verify_with_pyjwt"),
        ("from-python-jose", "verify_with_jose"),
        ("from-authlib", "verify_with_authlib"),
    ],
)
def test_both_libraries_accept_one_token_and_reject_an_expired_one(
    guide: str, other: str, issuer: ServedIssuer
) -> None:
    raw = issuer.mint(sub="alice")
    space: dict[str, Any] = {"jwks": issuer.jwks(), "raw": raw}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the other libraries' own
        for block in _blocks(guide, issuer):
            exec(compile(block, guide, "exec"), space)
        assert space[other](raw)["sub"] == "alice"
        with pytest.raises(Exception, match=r"(?i)expired"):
            space[other](issuer.mint_bad("expired"))
    assert space["verify_with_watchword"](raw)["sub"] == "alice"
    with pytest.raises(ww.ExpiredError):
        space["verify_with_watchword"](issuer.mint_bad("expired"))


def _check_answers(get: Any, issuer: ServedIssuer) -> None:
    """``get(path, headers)`` returns status, challenge and body of the service's answer."""
    good = issuer.mint(sub="alice", scope="orders:read")
    assert get("/orders", _bearer(good)) == (200, None, {"orders of": "alice"})
    status, challenge, _ = get("/orders", {})
    assert status == 401
    assert "Bearer" in challenge
    status, challenge, _ = get("/orders", _bearer(issuer.mint_bad("expired")))
    assert status == 401
    assert 'error="invalid_token"' in challenge
    status, challenge, _ = get("/orders", _bearer(issuer.mint(scope="orders:write")))
    assert status == 403
    assert 'error="insufficient_scope"' in challenge


def _asgi_get(client: Any) -> Any:
    def get(path: str, headers: dict[str, str]) -> Any:
        answer = client.get(path, headers=headers)
        return answer.status_code, answer.headers.get("WWW-Authenticate"), answer.json()

    return get


def test_fastapi(issuer: ServedIssuer, tmp_path: Path) -> None:
    from fastapi.testclient import TestClient

    alone, middleware = _blocks("fastapi", issuer)
    for source in (alone, alone + middleware):
        with TestClient(_module("guide_fastapi", source, tmp_path).app) as client:
            _check_answers(_asgi_get(client), issuer)
            headers = _bearer(issuer.mint(sub="alice", scope="orders:7"))
            assert client.get("/orders/7", headers=headers).json() == {"order": 7, "of": "alice"}
            assert client.get("/orders/8", headers=headers).status_code == 403
            assert client.get("/openapi.json").json()["components"]["securitySchemes"]
            challenge = client.get("/orders").headers["WWW-Authenticate"]
            (url,) = set(re.findall('resource_metadata="https://api.example([^"]*)"', challenge))
            assert client.get(url).json()["authorization_servers"] == [issuer.issuer]
    # With the middleware, what no route matches is rejected.
    assert client.get("/other").status_code == 403


def test_asgi(issuer: ServedIssuer, tmp_path: Path) -> None:
    from starlette.testclient import TestClient

    starlette, pure = _blocks("asgi", issuer)
    module = _module("guide_asgi", starlette + pure, tmp_path)
    with TestClient(module.app) as client:
        _check_answers(_asgi_get(client), issuer)
        assert client.get("/health").text == "ok"
        headers = _bearer(issuer.mint(scope="orders:7"))
        assert client.get("/orders/7", headers=headers).json() == {"order": "7"}
        assert client.get("/orders/8", headers=headers).status_code == 403
        assert client.get("/.well-known/oauth-protected-resource").json()["resource"] == API
        prover = ww.dpop.DpopProver()
        raw = issuer.mint(cnf={"jkt": prover.jkt})
        headers = {"Authorization": f"DPoP {raw}", "DPoP": prover.proof("GET", f"{API}/events", raw)}
        with client.websocket_connect("/events", headers=headers) as session:
            assert session.receive_text() == "event"
    assert TestClient(module.service).get("/orders/7", headers=_bearer(issuer.mint(sub="alice"))).text == "alice"


def test_from_fastapi_security(issuer: ServedIssuer, tmp_path: Path) -> None:
    from fastapi.testclient import TestClient

    (block,) = _blocks("from-fastapi-security", issuer)
    client = TestClient(_module("guide_from_fastapi_security", block, tmp_path).app)
    allowed = _bearer(issuer.mint(sub="alice", permissions=["products:create"]))
    anyone = _bearer(issuer.mint(sub="bob"))
    invalid = _bearer(issuer.mint_bad("expired"))
    assert client.post("/products", headers=allowed).json() == {"by": "alice"}
    assert client.post("/products", headers=anyone).status_code == 403
    assert client.get("/users/me", headers=anyone).json() == {"id": "bob"}
    assert client.get("/users/me").status_code == 401
    assert client.get("/catalogue").json() == {"anonymous": True}
    assert client.get("/catalogue", headers=anyone).json() == {"anonymous": False}
    assert client.get("/catalogue", headers=invalid).status_code == 401


def _check_gate(get: Any, issuer: ServedIssuer) -> None:
    """As ``_check_answers``, and what the pages of Flask and Django add."""
    _check_answers(get, issuer)
    good = issuer.mint(sub="alice", scope="orders:7")
    assert get("/orders/7", _bearer(good)) == (200, None, {"order": 7, "of": "alice"})
    assert get("/orders/8", _bearer(good))[0] == 403
    assert get("/orders/7", {})[0] == 401
    assert get("/health", {})[0] == 200
    assert get("/elsewhere", _bearer(good))[0] == 403


def _flask_get(app: Any) -> Any:
    client = app.test_client()

    def get(path: str, headers: dict[str, str]) -> Any:
        answer = client.get(path, headers=headers)
        return answer.status_code, answer.headers.get("WWW-Authenticate"), answer.get_json(silent=True)

    return get


def test_flask(issuer: ServedIssuer, tmp_path: Path) -> None:
    whole = _module("guide_flask", "".join(_blocks("flask", issuer)), tmp_path)
    _check_gate(_flask_get(whole.app), issuer)
    get = _flask_get(whole.internal)
    raw = issuer.mint(sub="alice", scope="admin", auth_time=int(time.time()))
    assert get("/admin/report", _bearer(raw)) == (200, None, {"for": "alice"})
    status, challenge, _ = get("/admin/report", _bearer(issuer.mint(scope="admin", auth_time=1)))
    assert status == 401
    assert 'error="insufficient_user_authentication"' in challenge
    assert get("/admin/", {}) == (200, None, {"for": None})
    assert get("/admin/", _bearer(issuer.mint_bad("expired")))[0] == 401


def test_wsgi(issuer: ServedIssuer, tmp_path: Path) -> None:
    from werkzeug.test import Client

    (block,) = _blocks("wsgi", issuer)
    client = Client(_module("guide_wsgi", block, tmp_path).app)

    def get(path: str, headers: dict[str, str]) -> Any:
        answer = client.get(path, headers=headers)
        return answer.status_code, answer.headers.get("WWW-Authenticate"), answer.json

    _check_answers(get, issuer)


def test_from_flask_jwt_extended(issuer: ServedIssuer) -> None:
    import jwt
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    public_key = jwt.PyJWK(issuer.jwks()["keys"][0]).key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    space: dict[str, Any] = {"public_key": public_key}
    for block in _blocks("from-flask-jwt-extended", issuer):
        exec(compile(block, "from-flask-jwt-extended", "exec"), space)
    good, expired = _bearer(issuer.mint(sub="alice", scope="orders:read")), _bearer(issuer.mint_bad("expired"))
    for app in ("before", "after"):
        get = _flask_get(space[app])
        assert get("/orders", good)[::2] == (200, {"orders of": "alice"})
        assert get("/orders", {})[0] == 401
        assert get("/orders", expired)[0] == 401
        assert get("/orders", _bearer(issuer.mint(scope="other")))[0] == 403
        assert get("/catalogue", good)[::2] == (200, {"for": "alice"})
        assert get("/catalogue", {})[::2] == (200, {"for": None})
        assert get("/catalogue", expired)[0] == 401


#: Django is configured once for a process, so each project has one of its own, which answers requests line by line.
DJANGO = """
import json, logging, os, sys
sys.path.insert(0, os.getcwd())
os.environ["DJANGO_SETTINGS_MODULE"] = "test_settings"
logging.disable(logging.CRITICAL)
import django
django.setup()
from django.core.management import call_command
call_command("check")
import asyncio
from django.test import AsyncClient, Client
for line in sys.stdin:
    path, headers = json.loads(line)
    answers = [Client().get(path, headers=headers), asyncio.run(AsyncClient().get(path, headers=headers))]
    told = []
    for answer in answers:
        is_json = "json" in answer.headers["Content-Type"]
        body = json.loads(answer.content) if is_json else None
        told.append([answer.status_code, answer.headers.get("WWW-Authenticate"), body])
    print(json.dumps(told), flush=True)
"""


@contextlib.contextmanager
def _django(guide: str, issuer: ServedIssuer, folder: Path, more: str = "") -> Iterator[Any]:
    """Write a guide's files, each named by its first line, and yield a function that requests by WSGI and by ASGI."""
    (folder / "shop").mkdir()
    (folder / "shop" / "__init__.py").touch()
    for block in _blocks(guide, issuer):
        (folder / block.partition("\n")[0].removeprefix("# ")).write_text(block)
    (folder / "test_settings.py").write_text(
        "from shop.settings import *\nALLOWED_HOSTS = ['testserver']\nSECRET_KEY = 'for a test'\n"
        "REST_FRAMEWORK = {'UNAUTHENTICATED_USER': None}\n" + more
    )
    (folder / "run.py").write_text(DJANGO)
    command = [sys.executable, "-u", "run.py"]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, text=True, cwd=folder) as served:
        assert served.stdin is not None
        assert served.stdout is not None
        assert served.stderr is not None
        if not served.stdout.readline().startswith("System check identified no issues"):
            raise AssertionError(served.stderr.read())

        def get(path: str, headers: dict[str, str]) -> Any:
            print(json.dumps([path, headers]), file=served.stdin, flush=True)
            line = served.stdout.readline()
            assert line, served.stderr.read()
            by_wsgi, by_asgi = json.loads(line)
            assert by_wsgi[0] == by_asgi[0]
            assert by_wsgi[1] == by_asgi[1]
            return tuple(by_wsgi)

        yield get
        served.stdin.close()


def test_django(issuer: ServedIssuer, tmp_path: Path) -> None:
    with _django("django", issuer, tmp_path) as get:
        _check_gate(get, issuer)

        def get_api(path: str, headers: dict[str, str]) -> Any:
            return get(f"/api{path}", headers)

        _check_answers(get_api, issuer)
        good = _bearer(issuer.mint(sub="alice", scope="orders:7"))
        assert get_api("/orders/7", good) == (200, None, {"order": 7, "of": "alice"})
        assert get_api("/orders/8", good)[0] == 403


def test_from_simplejwt(issuer: ServedIssuer, tmp_path: Path) -> None:
    more = """
INSTALLED_APPS = ["django.contrib.contenttypes", "django.contrib.auth", "watchword.integrations.django"]
ROOT_URLCONF = __name__
from django.urls import path
class Urls(list):
    def __iter__(self):  # views need the settings
        from shop import views
        return iter([path("before", views.Before.as_view()), path("after", views.After.as_view())])
urlpatterns = Urls()
"""
    with _django("from-simplejwt", issuer, tmp_path, more) as get:
        for path in ("/before", "/after"):
            good = _bearer(issuer.mint(sub="alice", scope="orders:read"))
            assert get(path, good)[::2] == (200, {"orders of": "alice"})
            assert get(path, {})[0] == 401
            assert get(path, _bearer(issuer.mint_bad("expired")))[0] == 401
            assert get(path, _bearer(issuer.mint(scope="other")))[0] == 403


def test_mcp(issuer: ServedIssuer, tmp_path: Path) -> None:
    from asgi_server import loopback_socket, serving

    from watchword.holder import DpopProver

    with loopback_socket() as (listening, origin):
        program = "\n\n".join(_blocks("mcp", issuer)).replace("https://mcp.example", origin)
        module = _module("guide_mcp", program.replace("mcp.example", origin.removeprefix("http://")), tmp_path)
        url, prover = f"{origin}/mcp", DpopProver()

        def mint(**claims: Any) -> str:
            return issuer.mint(
                {"sub": "alice", "aud": url, "scope": "orders:read", "cnf": {"jkt": prover.jkt}, **claims}
            )

        def orders(**claims: Any) -> Any:
            return asyncio.run(module.orders(url, mint(**claims), prover))

        with serving(module.app, listening):
            assert orders() == ["an order of alice, asked for by nobody else"]
            assert orders(act={"sub": "agent-7"}) == ["an order of alice, asked for by ['agent-7']"]
            for claims, status in (
                ({"aud": API}, 401),
                ({"scope": "other"}, 403),
                ({"act": {"sub": "c", "act": {"sub": "b", "act": {"sub": "a"}}}}, 403),
            ):
                token = mint(**claims)
                proof = prover.proof("POST", url, token)
                headers = {"Authorization": f"DPoP {token}", "DPoP": proof}
                assert httpx2.post(url, headers=headers, trust_env=False).status_code == status
    # With the SDK's own settings, without protect().
    verifier = module.server_with_settings._token_verifier
    bearer = asyncio.run(verifier.verify_token(mint(cnf=None)))
    assert (bearer.subject, bearer.resource) == ("alice", url)
    assert asyncio.run(verifier.verify_token(mint())) is None


def test_grpc(issuer: ServedIssuer, tmp_path: Path) -> None:
    import grpc

    from watchword.holder import DpopProver

    module = _module("guide_grpc", "\n\n".join(_blocks("grpc", issuer)), tmp_path)
    prover = DpopProver()

    def check(port: int) -> None:
        with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:

            def get(**claims: Any) -> Any:
                token = issuer.mint({"sub": "alice", "scope": "orders:read", "cnf": {"jkt": prover.jkt}, **claims})
                try:
                    return module.get_order(channel, token, prover, "1")
                except grpc.RpcError as error:
                    return error.code()

            assert get() == "order 1 of alice"
            assert get(pad="x" * 11_000) == "order 1 of alice"
            assert get(scope="orders:write") is grpc.StatusCode.PERMISSION_DENIED
            assert get(aud="https://elsewhere.example") is grpc.StatusCode.UNAUTHENTICATED

    server, port = module.serve("127.0.0.1:0")
    check(port)
    server.stop(0).wait()

    async def check_async() -> None:
        server, port = await module.serve_async("127.0.0.1:0")
        await asyncio.to_thread(check, port)
        await server.stop(0)

    asyncio.run(check_async())


def test_celery(issuer: ServedIssuer, tmp_path: Path) -> None:
    tasks, pool = _blocks("celery", issuer)
    for folder in ("in", "processed", "results"):
        (tmp_path / folder).mkdir()
    # A broker of files in the place of Redis, and results, which the guide's tasks do not need.
    tasks = tasks.replace(
        'broker="redis://localhost:6379/0")',
        f'broker="filesystem://", backend="file://{tmp_path}/results")\n'
        f'app.conf.broker_transport_options = dict(data_folder_in="{tmp_path}/in", data_folder_out="{tmp_path}/in", '
        f'processed_folder="{tmp_path}/processed")',
    )
    (tmp_path / "tasks.py").write_text(tasks)
    command = [sys.executable, "-m", "celery", "-A", "tasks", "worker", "--pool", "prefork", "-c", "2", "-l", "warning"]
    worker = subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        script = (
            "import sys, time, tasks\n"
            "good, expired = sys.argv[1:]\n"
            "print(tasks.archive_order.delay('o-1', good, time.time()).get(timeout=60))\n"
            "failed = tasks.archive_order.delay('o-2', expired, time.time())\n"
            "print(type(failed.get(timeout=60, propagate=False)).__name__)\n"
        )
        good = issuer.mint(sub="alice", scope="orders:write")
        done = subprocess.run(
            [sys.executable, "-c", script, good, issuer.mint_bad("expired")],
            capture_output=True,
            text=True,
            cwd=tmp_path,
            check=False,
        )
    finally:
        worker.terminate()
        worker.wait()
    assert done.stdout.splitlines() == ["o-1 archived for alice", "ExpiredError"], done.stderr
    (tmp_path / "pool.py").write_text(
        f"{pool}\nif __name__ == '__main__':\n    import sys\n    print(subjects(sys.argv[1:]))\n"
    )
    done = subprocess.run(
        [sys.executable, "pool.py", good, good], capture_output=True, text=True, cwd=tmp_path, check=True
    )
    assert done.stdout.strip() == "['alice', 'alice']"


def test_gateway(issuer: ServedIssuer) -> None:
    space: dict[str, Any] = {}
    for block in _blocks("gateway", issuer):
        exec(compile(block, "gateway", "exec"), space)
    raw = issuer.mint()
    with space["verifier"] as verifier:
        assert verifier.verify(raw).subject == verifier.verify(raw).subject
    assert space["cache"].stats().hits == 1


def test_observability(
    issuer: ServedIssuer, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """docs/observability.md: what is exposed and logged after some requests."""
    import prometheus_client

    whole, options, queued, traced = _blocks("../observability", issuer)
    space: dict[str, Any] = {}
    start, servers = prometheus_client.start_http_server, []
    # Any free port.
    monkeypatch.setattr(prometheus_client, "start_http_server", lambda _, **given: servers.append(start(0, **given)[0]))
    exec(compile(whole, "observability", "exec"), space)
    gate, metrics = space["gate"], space["metrics"]

    def send(token: str) -> Any:
        return gate.check(method="GET", target="/orders/1", headers=_bearer(token))

    with gate, servers[0]:
        exec(compile(queued, "observability", "exec"), space)
        try:
            assert send(issuer.mint(scope="orders:read")).allowed
            assert not send(issuer.mint_bad("expired")).allowed
        finally:
            space["listener"].stop()
            space["decisions"].handlers.clear()
            space["decisions"].propagate = True
        (line,) = capsys.readouterr().err.splitlines()
        assert json.loads(line)["code"] == "expired"
        with urllib.request.urlopen(f"http://127.0.0.1:{servers[0].server_port}/metrics") as answer:
            text = answer.read().decode()
        assert re.search(r'^watchword_verdicts_total\{.*code="expired".*\} 1\.0$', text, flags=re.MULTILINE)
        assert re.search(r"^watchword_keys_cached\{.*\} 1\.0$", text, flags=re.MULTILINE)
        exec(compile(traced, "observability", "exec"), space)
        assert send(issuer.mint(scope="orders:read")).allowed
        assert sum(metrics.verdicts().values()) == 2
        assert sum(space["metrics"].verdicts().values()) == 1
        exec(compile(options, "observability", "exec"), space)
        servers[0].shutdown()


@pytest.mark.parametrize("page", sorted((GUIDES.parent / "issuers").glob("*.md")), ids=lambda path: path.stem)
def test_the_settings_of_an_issuer_page_are_valid(page: Path) -> None:
    space: dict[str, Any] = {}
    for block in re.findall(r"^```python\n(.*?)^```$", page.read_text(), flags=re.MULTILINE | re.DOTALL):
        exec(compile(block, page.name, "exec"), space)
    assert space["verifier"].stats()
    space["verifier"].close()
