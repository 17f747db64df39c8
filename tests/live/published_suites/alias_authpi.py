"""A plugin of pytest: the suite of ``authpi-idp`` runs over ``watchword.providers.authpi``."""

from __future__ import annotations

import sys
import types
from typing import NoReturn

import httpx

import watchword.providers.authpi as ours
from watchword.providers.authpi import agent, client, errors, scopes, token_sets
from watchword.providers.authpi import types as models

# The suite mocks httpx, whose fork is our default; it is imported when it is first used.
sys.modules["httpx2"] = httpx


def _private(*_: object) -> NoReturn:
    raise NotImplementedError("a private name of the package")


def _module(name: str, **members: object) -> types.ModuleType:
    module = types.ModuleType(f"authpi_idp.{name}")
    module.__dict__.update(members)
    return module


VERSION = "1.1.2"
ours.__dict__.update(__version__=VERSION, SDK_VERSION=VERSION)
sys.modules["authpi_idp"] = ours
sys.modules |= {
    f"authpi_idp.{name}": module
    for name, module in {
        "agent": agent,
        "client": client,
        "errors": errors,
        "scopes": scopes,
        "types": models,
        "_version": _module("_version", SDK_VERSION=VERSION),
        "base": _module(
            "base",
            _coerce_token_set=token_sets.token_set,
            _get_agent_type=agent.PrincipalType.of,
            _parse_organizations=models.organizations_of,
            _parse_jwt_payload=_private,
            _format_invalid_state_description=_private,
            _verify_nonce=_private,
            _require_id_token=_private,
        ),
    }.items()
}
