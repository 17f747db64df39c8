"""The package has authgent's names, documented, and imports a framework only if it is used."""

from __future__ import annotations

import ast
import importlib
import inspect
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

import watchword.providers.authgent as authgent

#: module -> the names that the documentation or the published package has there.
NAMES: dict[str, tuple[str, ...]] = {
    "": (
        *("verify_token", "verify_delegation_chain", "verify_dpop_proof", "DPoPClient", "AgentIdentity"),
        *("DelegationChain", "TokenClaims", "AuthgentError", "InvalidTokenError", "DelegationError", "DPoPError"),
        *("ServerError", "AgentAuthClient", "AgentAuthClientSync", "TokenResult", "AgentResult"),
    ),
    ".client": ("AgentAuthClient", "TokenResult", "AgentResult"),
    ".verify": ("verify_token",),
    ".delegation": ("verify_delegation_chain",),
    ".dpop": ("verify_dpop_proof", "DPoPClient"),
    ".models": ("AgentIdentity", "DelegationChain", "TokenClaims"),
    ".jwks": ("JWKSFetcher",),
    ".errors": (
        *("AuthgentError", "InvalidTokenError", "DelegationError", "DPoPError", "ServerError"),
        "InsufficientScopeError",
    ),
    ".middleware.fastapi": ("AgentAuthMiddleware", "get_agent_identity", "require_agent_auth"),
    ".middleware.flask": (
        *("AgentAuthMiddleware", "get_agent_identity", "require_agent_auth"),
        "agent_auth_required",
    ),
    ".middleware.scope_challenge": (
        *("ScopeChallengeHandler", "ScopeChallenge", "StepUpResult", "parse_scope_challenge"),
        *("StepUpDeniedError", "StepUpTimeoutError"),
    ),
    ".adapters.mcp": ("AgentAuthProvider", "MCPAuthProvider"),
    ".adapters.protected_resource": ("ProtectedResourceMetadata",),
    ".adapters.langchain": ("AuthgentToolWrapper", "AuthgentCallbackHandler"),
}


def module(name: str) -> ModuleType:
    return importlib.import_module(f"watchword.providers.authgent{name}")


@pytest.mark.parametrize("name", NAMES)
def test_every_name_is_in_its_published_module(name: str) -> None:
    found = module(name)
    assert set(NAMES[name]) <= set(found.__all__)
    assert found.__doc__
    for public in found.__all__:
        value = getattr(found, public)
        assert not callable(value) or inspect.getdoc(value), public


@pytest.mark.parametrize("name", ["InvalidTokenError", "DelegationError", "DPoPError", "ServerError"])
def test_every_error_is_authgents(name: str) -> None:
    kind = getattr(authgent, name)
    assert issubclass(kind, authgent.AuthgentError)
    error = kind("it is so", error_code="own_code")
    assert (error.message, error.error_code, str(error), error.code) == ("it is so", "own_code", "it is so", None)


def test_a_typed_program_uses_every_name() -> None:
    # tests/typing/test_typing.py has a type checker read it.
    program = Path(__file__).parents[2] / "typing" / "uses_authgent.py"
    used = {name.id for name in ast.walk(ast.parse(program.read_text())) if isinstance(name, ast.Name)}
    assert set(authgent.__all__) <= used


def run(program: str) -> str:
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout


HEAVY = ("fastapi", "flask", "starlette", "werkzeug", "mcp", "langchain_core", "pydantic", "cryptography", "httpx2")


def test_importing_loads_no_framework() -> None:
    modules = ", ".join(f"watchword.providers.authgent{name}" for name in NAMES if "middleware.f" not in name)
    loaded = run(f"import sys, {modules}; print(*{{name.split('.')[0] for name in sys.modules}})").split()
    assert not set(HEAVY) & set(loaded)


@pytest.mark.parametrize(
    ("needs", "program", "says"),
    [
        ("fastapi", "import watchword.providers.authgent.middleware.fastapi", "pip install 'watchword[fastapi]'"),
        ("flask", "import watchword.providers.authgent.middleware.flask", "pip install 'watchword[flask]'"),
        (
            "mcp",
            "import asyncio\n"
            "from watchword.providers.authgent.adapters.mcp import MCPAuthProvider\n"
            "asyncio.run(MCPAuthProvider('http://localhost:1').verify_token('x'))",
            "pip install mcp",
        ),
        (
            "langchain_core",
            "from watchword.providers.authgent.adapters.langchain import AuthgentToolWrapper\n"
            "AuthgentToolWrapper('http://localhost:1', 'a', 'b', client=object()).wrap(object())",
            "pip install langchain-core",
        ),
    ],
)
def test_what_is_missing_is_named(needs: str, program: str, says: str) -> None:
    indented = program.replace("\n", "\n    ")
    without = f"import sys\nsys.modules[{needs!r}] = None\n"
    assert says in run(f"{without}try:\n    {indented}\nexcept ImportError as error:\n    print(error)")
