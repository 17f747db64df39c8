"""Calls in either form, and the settings of tests."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable
from typing import Any

from standins.agentwrit import BrokerStandin

from watchword.client import CallSettings

FAST = CallSettings(timeout=10, first_delay=0.0, max_delay=0.0)

TASK = {"orch_id": "my-service", "task_id": "read-customer-data", "requested_scope": ["read:data:customer-7291"]}

#: Makes an application in the form of the test, with options of its own.
MakeApp = Callable[..., Any]


def do(result: Any) -> Any:
    """Return a result, in whatever form: that of a coroutine, too."""
    if not inspect.isawaitable(result):
        return result

    async def wait() -> Any:
        return await result

    return asyncio.run(wait())


def paths(broker: BrokerStandin) -> list[str]:
    """What a broker was asked, in order."""
    return [request.path.removeprefix("/v1/") for request in broker.server.requests]
