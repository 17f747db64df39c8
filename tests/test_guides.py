"""The code of docs/guides runs as it is printed, against an issuer on loopback."""

from __future__ import annotations

import importlib.util
import json
import re
import subprocess
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

import watchword as ww
from watchword.testing import LocalIssuer, ServedIssuer

GUIDES = Path(__file__).parents[1] / "docs" / "guides"
API = "https://api.example"

#: Each guide and the test that runs its code.
TESTED = {"from-pyjwt", "from-python-jose", "from-authlib", "fastapi", "flask", "django", "mcp", "celery", "gateway"}


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
    assert challenge.startswith('Bearer error="invalid_token"')
    status, challenge, _ = get("/orders", _bearer(issuer.mint(scope="orders:write")))
    assert status == 403
    assert 'error="insufficient_scope"' in challenge


def test_fastapi(issuer: ServedIssuer, tmp_path: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of the test client
        from fastapi.testclient import TestClient
    (block,) = _blocks("fastapi", issuer)
    with TestClient(_module("guide_fastapi", block, tmp_path).app) as client:

        def get(path: str, headers: dict[str, str]) -> Any:
            answer = client.get(path, headers=headers)
            return answer.status_code, answer.headers.get("WWW-Authenticate"), answer.json()

        _check_answers(get, issuer)


def test_flask(issuer: ServedIssuer, tmp_path: Path) -> None:
    (block,) = _blocks("flask", issuer)
    client = _module("guide_flask", block, tmp_path).app.test_client()

    def get(path: str, headers: dict[str, str]) -> Any:
        answer = client.get(path, headers=headers)
        return answer.status_code, answer.headers.get("WWW-Authenticate"), answer.get_json()

    _check_answers(get, issuer)


def test_django(issuer: ServedIssuer, tmp_path: Path) -> None:
    (block,) = _blocks("django", issuer)
    (tmp_path / "authentication.py").write_text(block)
    # Django is configured once for a process, so it has one of its own.
    script = """
import json, sys, django
from django.conf import settings
settings.configure(ROOT_URLCONF=__name__, ALLOWED_HOSTS=["testserver"], SECRET_KEY="for a test",
                   MIDDLEWARE=["authentication.AccessTokenMiddleware"])
django.setup()
from django.urls import path
import authentication
urlpatterns = [path("api/orders", authentication.orders)]
from django.test import Client
answers = []
for headers in json.load(sys.stdin):
    answer = Client().get("/api/orders", headers=headers)
    answers.append([answer.status_code, answer.headers.get("WWW-Authenticate"), answer.json()])
print(json.dumps(answers))
"""
    (tmp_path / "run.py").write_text(script)

    def get(_: str, headers: dict[str, str]) -> Any:
        done = subprocess.run(
            [sys.executable, "run.py"],
            input=json.dumps([headers]),
            capture_output=True,
            text=True,
            cwd=tmp_path,
            check=True,
        )
        return tuple(json.loads(done.stdout)[0])

    _check_answers(get, issuer)


def test_mcp(issuer: ServedIssuer, tmp_path: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        from starlette.testclient import TestClient
    (block,) = _blocks("mcp", issuer)
    with TestClient(_module("guide_mcp", block, tmp_path).app, base_url="http://127.0.0.1:8000") as client:

        def initialize(headers: dict[str, str]) -> Any:
            return client.post(
                "/mcp",
                headers={"Accept": "application/json, text/event-stream", **headers},
                json={
                    "jsonrpc": "2.0",
                    "id": 1,
                    "method": "initialize",
                    "params": {
                        "protocolVersion": "2025-06-18",
                        "capabilities": {},
                        "clientInfo": {"name": "test", "version": "1"},
                    },
                },
            )

        mint = issuer.mint
        resource = "https://mcp.example/mcp"
        good = initialize(_bearer(mint(aud=resource, scope="orders:read", client_id="c1")))
        assert good.status_code == 200
        assert "orders" in good.text
        assert initialize({}).status_code == 401
        assert initialize(_bearer(mint(scope="orders:read"))).status_code == 401  # for another audience
        assert initialize(_bearer(mint(aud=resource, scope="other"))).status_code == 403


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


@pytest.mark.parametrize("page", sorted((GUIDES.parent / "issuers").glob("*.md")), ids=lambda path: path.stem)
def test_the_settings_of_an_issuer_page_are_valid(page: Path) -> None:
    space: dict[str, Any] = {}
    for block in re.findall(r"^```python\n(.*?)^```$", page.read_text(), flags=re.MULTILINE | re.DOTALL):
        exec(compile(block, page.name, "exec"), space)
    assert space["verifier"].stats()
    space["verifier"].close()
