"""A plugin of pytest: the suite of ``authgent`` runs over ``watchword.providers.authgent``."""

from __future__ import annotations

import importlib
import json
import pkgutil
import sys
import urllib.parse
from typing import Any

import httpx2
import pytest

import watchword.providers.authgent as ours

sys.modules["authgent"] = ours
for found in pkgutil.walk_packages(ours.__path__, f"{ours.__name__}."):
    sys.modules[found.name.replace(ours.__name__, "authgent", 1)] = importlib.import_module(found.name)


def _private(*_: object, **__: object) -> None:
    pytest.skip("a private name of the package")


sys.modules["authgent.dpop"]._compute_jkt = _private  # type: ignore[attr-defined]
sys.modules["authgent.models"]._extract_chain = _private  # type: ignore[attr-defined]


def pytest_collection_modifyitems(items: list[Any]) -> None:
    """The suite replaces private members of the client by a fake; ours takes a client over a ``MockTransport``."""
    for module in {item.module for item in items if hasattr(item.module, "_patch_client")}:
        module._patch_client = _patch(module)


def _patch(module: Any) -> Any:
    def patch(_: object, status: int, body: Any) -> tuple[Any, ours.AgentAuthClient]:
        fake = module.FakeHttpxClient(module.FakeResponse(status, json.dumps(body), body))

        def handle(request: httpx2.Request) -> httpx2.Response:
            text, kind = request.content.decode(), request.headers.get("content-type", "")
            sent = {"json": json.loads(text)} if "json" in kind else {"data": dict(urllib.parse.parse_qsl(text))}
            fake.calls.append((request.method, str(request.url), sent))
            return httpx2.Response(status, json=body)

        client = httpx2.AsyncClient(transport=httpx2.MockTransport(handle))
        return fake, ours.AgentAuthClient("http://localhost:8000", http_client=client)

    return patch
