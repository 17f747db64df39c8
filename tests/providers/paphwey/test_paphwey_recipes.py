"""The recipes for FastAPI, Django and Celery, as the page prints them, over the clients and a stand-in."""

from __future__ import annotations

import asyncio
import importlib.util
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from paphwey_client_calls import AUDIENCE, Client, challenge, grant
from standins.paphwey import API_KEY, PaphweyGateway, serving

from watchword import decode_unverified
from watchword.providers.paphwey import AsyncPaphweyClient

PAGE = Path(__file__).parents[3] / "docs" / "providers" / "paphwey.md"


@pytest.fixture
def gateway(monkeypatch: pytest.MonkeyPatch) -> Iterator[PaphweyGateway]:
    with serving() as gateway:
        monkeypatch.setenv("PAPHWEY_BASE_URL", gateway.url)
        monkeypatch.setenv("PAPHWEY_API_KEY", API_KEY)
        monkeypatch.setenv("SESSION_SECRET", "for a test")
        yield gateway


def recipe(name: str) -> str:
    blocks = re.findall(r"^```python\n(.*?)^```$", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    (found,) = (block for block in blocks if block.startswith(f"# {name}\n"))
    return str(found)


def module(name: str, source: str, folder: Path) -> ModuleType:
    path = folder / f"{name}.py"
    path.write_text(source)
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    made = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(made)
    return made


def attested(gateway: PaphweyGateway, **claims: Any) -> tuple[str, str]:
    client = Client("thread", gateway.url)
    delegation_id = client.create(grant()).delegation_id
    return delegation_id, gateway.approve(client.present(delegation_id, challenge()).approval_url, **claims)


def test_fastapi(gateway: PaphweyGateway, tmp_path: Path) -> None:
    from fastapi.testclient import TestClient

    made = module("paphwey_main", recipe("main.py"), tmp_path)
    delegation_id, raw = attested(gateway)
    _, expired = attested(gateway, exp=1)
    with TestClient(made.app) as client:

        def post(token: str) -> Any:
            body = {"attestation_token": token, "delegation_id": delegation_id}
            return client.post("/actions/purchase", json=body)

        assert post(expired).status_code == 403
        assert "session" not in client.cookies
        gateway.failures.append((503, {}))
        unavailable = post(raw)
        assert (unavailable.status_code, unavailable.headers["retry-after"]) == (503, "5")
        assert post(raw).json() == {"status": "accepted"}
        assert "session" in client.cookies
        assert post(raw).status_code == 403


#: With the events of older versions of FastAPI, as Paphwey documents it.
EVENTS = """
import os
from fastapi import Depends, FastAPI, HTTPException, Request
from pydantic import BaseModel
from watchword import decode_unverified
from watchword.providers.paphwey import AsyncPaphweyClient

app = FastAPI()

class PurchaseBody(BaseModel):
    attestation_token: str
    delegation_id: str

async def get_paphwey(request: Request) -> AsyncPaphweyClient:
    return request.app.state.paphwey

@app.on_event("startup")
async def _startup() -> None:
    app.state.paphwey = AsyncPaphweyClient(
        base_url=os.environ["PAPHWEY_BASE_URL"],
        api_key=os.environ["PAPHWEY_API_KEY"],
        on_invalid="return",
    )

@app.on_event("shutdown")
async def _shutdown() -> None:
    await app.state.paphwey.aclose()

@app.post("/actions/purchase")
async def purchase(body: PurchaseBody, paphwey: AsyncPaphweyClient = Depends(get_paphwey)):
    outcome = await paphwey.verify_outcome(
        attestation_token=body.attestation_token,
        audience="merchant.example",
        expected_delegation_id=body.delegation_id,
    )
    if not outcome.valid:
        raise HTTPException(403, "attestation invalid")
    return {"status": "accepted"}
"""


@pytest.mark.filterwarnings(r"ignore:\s*on_event is deprecated")
def test_fastapi_with_events(gateway: PaphweyGateway, tmp_path: Path) -> None:
    from fastapi.testclient import TestClient

    made = module("paphwey_events", EVENTS, tmp_path)
    delegation_id, raw = attested(gateway)
    with TestClient(made.app) as client:
        for token, status in ((raw, 200), ("a.b.c", 403)):
            body = {"attestation_token": token, "delegation_id": delegation_id}
            assert client.post("/actions/purchase", json=body).status_code == status


DJANGO = """
import json, os, sys
sys.path.insert(0, os.getcwd())
from django.conf import settings
settings.configure(
    INSTALLED_APPS=["merchant.apps.MerchantConfig"], ROOT_URLCONF=__name__, SECRET_KEY="for a test",
    ALLOWED_HOSTS=["testserver"], PAPHWEY_BASE_URL=os.environ["PAPHWEY_BASE_URL"],
    PAPHWEY_API_KEY=os.environ["PAPHWEY_API_KEY"],
)
import django
django.setup()
from django.test import Client
from django.urls import path
from merchant.views import accept_outcome
urlpatterns = [path("outcome", accept_outcome)]
for line in sys.stdin:
    answer = Client().post("/outcome", json.loads(line))
    print(json.dumps([answer.status_code, answer.json()]))
"""


def test_django(gateway: PaphweyGateway, tmp_path: Path) -> None:
    (tmp_path / "merchant").mkdir()
    (tmp_path / "merchant" / "__init__.py").touch()
    for name in ("merchant/apps.py", "merchant/views.py"):
        (tmp_path / name).write_text(recipe(name))
    (tmp_path / "run.py").write_text(DJANGO)
    delegation_id, raw = attested(gateway)
    lines = [{"token": token, "delegation_id": delegation_id} for token in (raw[:-8] + "AAAAAAAA", raw)]
    done = subprocess.run(
        [sys.executable, "run.py"],
        input="\n".join(map(json.dumps, lines)),
        capture_output=True,
        text=True,
        cwd=tmp_path,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    claims = decode_unverified(raw).claims
    assert claims is not None
    assert [json.loads(line) for line in done.stdout.splitlines()] == [
        [403, {"error": "invalid"}],
        [200, {"receipt_id": claims["receipt_id"]}],
    ]


CELERY = """
import sys, types
merchant = sys.modules["merchant"] = types.ModuleType("merchant")
class TransientError(Exception):
    pass
class Ledger:
    failures, opened = 2, []
    def open(self, **named):
        if self.failures:
            self.failures -= 1
            raise TransientError
        self.opened.append(named)
        return types.SimpleNamespace(id="record-1")
class Shipping:
    scheduled = []
    def schedule(self, order, record_id):
        self.scheduled.append((order, record_id))
merchant.TransientError, merchant.ledger, merchant.shipping = TransientError, Ledger(), Shipping()
from celery import Celery
app = Celery("merchant", broker="memory://", backend="cache+memory://")
app.conf.update(task_always_eager=True, task_default_retry_delay=0)
"""


def test_celery(gateway: PaphweyGateway, tmp_path: Path) -> None:
    source = """
import json, sys, merchant_setup, merchant, tasks
got = tasks.fulfil_purchase.delay(delegation_id=sys.argv[1], receipt_id=sys.argv[2], order={"sku": "a"})
print(json.dumps([got.get(), merchant.ledger.opened, merchant.shipping.scheduled]))
"""
    (tmp_path / "merchant_setup.py").write_text(CELERY)
    (tmp_path / "tasks.py").write_text(recipe("tasks.py"))
    (tmp_path / "run.py").write_text(source)
    delegation_id, raw = attested(gateway)

    async def verified() -> str:
        async with AsyncPaphweyClient(gateway.url, API_KEY) as client:
            outcome = await client.verify_outcome(
                attestation_token=raw, audience=AUDIENCE, expected_delegation_id=delegation_id
            )
            return str(outcome.receipt_id)

    receipt_id = asyncio.run(verified())
    command = [sys.executable, "run.py", delegation_id, receipt_id]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, check=False)
    assert done.returncode == 0, done.stderr
    result, opened, scheduled = json.loads(done.stdout.splitlines()[-1])
    assert result == "record-1"
    assert opened == [{"receipt_id": receipt_id, "delegation_id": delegation_id}]
    assert scheduled == [[{"sku": "a"}, "record-1"]]
