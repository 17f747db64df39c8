"""The code of README.md's first screen and of the quick start runs as printed, against an issuer on loopback."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jwt
import pytest
from fastapi.testclient import TestClient

import watchword as ww
from watchword.testing import LocalIssuer, ServedIssuer

ROOT = Path(__file__).parents[1]
API = "https://api.example"

pytestmark = pytest.mark.filterwarnings("ignore:Using `httpx` with")


@pytest.fixture(name="issuer", scope="module")
def _issuer() -> Iterator[ServedIssuer]:
    with LocalIssuer(audience=API, algorithms=("EdDSA",)).serve() as served:
        yield served


def _blocks(page: str) -> list[str]:
    return re.findall(r"^```python\n(.*?)^```$", (ROOT / page).read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)


def _run(source: str) -> dict[str, Any]:
    names: dict[str, Any] = {"__name__": "a_program"}
    exec(source, names)
    return names


@pytest.mark.parametrize("block", [0, 1], ids=["watchword", "pyjwt"])
def test_first_screen(block: int, issuer: ServedIssuer) -> None:
    source = _blocks("README.md")[block]
    assert sum(1 for line in source.splitlines() if line.strip()) <= (10, 20)[block]
    source = source.replace(
        'ww.Issuer("https://as.example")', f'ww.Issuer("{issuer.issuer}", allow_loopback_http=True)'
    )
    subject = _run(source.replace("https://as.example", issuer.issuer))["subject"]
    assert subject(issuer.mint(sub="alice")) == "alice"
    for defect in ("expired", "missing exp", "wrong audience", "wrong issuer", "one bit of the signature flipped"):
        bad = issuer.mint_bad(defect)
        with pytest.raises((ww.VerificationError, jwt.InvalidTokenError)):
            subject(bad)


def test_quick_start(issuer: ServedIssuer) -> None:
    makes_issuer, service = _blocks("docs/quickstart.md")
    _run(makes_issuer)
    client = TestClient(_run(service.replace("http://127.0.0.1:8001", issuer.issuer))["app"])
    good = issuer.mint(sub="alice", scope="orders:read")
    answer = client.get("/orders", headers={"Authorization": f"Bearer {good}"})
    assert answer.json() == {"subject": "alice", "scopes": ["orders:read"]}
    assert client.get("/orders", headers={"Authorization": f"Bearer {good}x"}).status_code == 401
    without = client.get("/orders")
    assert (without.status_code, without.json()["code"]) == (401, "missing_token")
    assert "Bearer " in without.headers["WWW-Authenticate"]


def test_a_whole_application(issuer: ServedIssuer) -> None:
    (block,) = (block for block in _blocks("README.md") if "GateMiddleware" in block)

    async def hello(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": scope["state"]["token"].subject.encode()})

    names: dict[str, Any] = {"verifier": issuer.verifier(), "app": hello}
    exec(block, names)
    client = TestClient(names["app"], base_url=API)
    sent = {"Authorization": f"Bearer {issuer.mint(sub='alice', scope='orders:read')}"}
    assert client.get("/orders/7", headers=sent).text == "alice"
    assert client.put("/orders/7", headers=sent).json()["code"] == "dpop_bound_token_required"
    assert client.get("/elsewhere", headers=sent).status_code == 403
