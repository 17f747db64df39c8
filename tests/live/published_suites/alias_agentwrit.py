"""A plugin of pytest: the suite of ``agentwrit`` runs over ``watchword.providers.agentwrit``."""

from __future__ import annotations

import functools
import importlib
import sys
import types

import httpx

import watchword.providers.agentwrit as ours
from watchword.client import CallSettings
from watchword.providers.agentwrit.connection import connect

# The suite mocks httpx, whose fork is our default; it is imported when it is first used.
sys.modules["httpx2"] = httpx

#: The suite's brokers, over plain http.
HOSTS = ("broker.test", "unreachable.test", "slow.test")


def _copy(module: types.ModuleType, name: str) -> types.ModuleType:
    copy = types.ModuleType(name)
    copy.__dict__.update({name: value for name, value in vars(module).items() if not name.startswith("__")})
    sys.modules[name] = copy
    return copy


class AgentWritApp(ours.AgentWritApp):
    """An application that may reach the suite's brokers."""

    __init__ = functools.partialmethod(ours.AgentWritApp.__init__, allow_http_hosts=HOSTS)  # type: ignore[assignment]


class AgentWritTransport:
    """A private class of the package: there only so that the modules that import it are collected."""

    def __init__(self, broker_url: str, timeout: float = 10.0, user_agent: str | None = None) -> None:
        settings = CallSettings(timeout=timeout)
        self.caller = connect(broker_url, settings=settings, user_agent=user_agent, allow_http_hosts=HOSTS)


package = _copy(ours, "agentwrit")
package.__path__ = []
for name in ("agent", "app", "crypto", "errors", "models", "scope"):
    setattr(package, name, _copy(importlib.import_module(f"{ours.__name__}.{name}"), f"agentwrit.{name}"))
for module in (package, sys.modules["agentwrit.app"]):
    module.__dict__["AgentWritApp"] = AgentWritApp
for module in (package, sys.modules["agentwrit.scope"]):
    module.__dict__["validate"] = functools.partial(ours.validate, allow_http_hosts=HOSTS)
sys.modules["agentwrit._transport"] = types.ModuleType("agentwrit._transport")
sys.modules["agentwrit._transport"].__dict__["AgentWritTransport"] = AgentWritTransport
