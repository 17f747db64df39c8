"""The page about authgent: its programs run, and it lists every public name."""

from __future__ import annotations

import ast
import asyncio
import gc
import inspect
import json
import re
from pathlib import Path
from typing import Any

import authgent_calls
import endpoint
import mint
import pytest
from authgent_tokens import act, token

import watchword.providers.authgent as authgent
from watchword.providers.authgent.middleware.gate import AgentGate

PAGE = (Path(__file__).resolve().parents[3] / "docs" / "providers" / "authgent.md").read_text(encoding="utf-8")


def answer_clients(server: endpoint.Server) -> None:
    """Answer every call of a client, and reject the scope ``admin``."""
    for one in authgent_calls.CALLS:
        server.routes[one.route] = authgent_calls.good(one.good, one.status)

    def answer(connection: Any, request: endpoint.Request) -> None:
        asked = authgent_calls.sent(request) or {}
        kind = "N_A" if "requested_token_type" in asked else "DPoP" if "dpop" in request.headers else "Bearer"
        result = {"token_type": kind, "expires_in": 900, "access_token": token(iss=server.url), "refresh_token": "r"}
        rejected = asked.get("scope") == "admin"
        (authgent_calls.good({}, 403) if rejected else authgent_calls.good(result))(connection, request)

    server.routes["/token"] = answer


def test_every_program_of_the_page_runs(capsys: pytest.CaptureFixture[str]) -> None:
    programs = re.findall(r"^```python\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    assert len(programs) > 8
    holder = authgent.DPoPClient()
    with endpoint.running() as server:
        server.routes["/.well-known/jwks.json"] = endpoint.answer(json.dumps(mint.jwks("p256")))
        answer_clients(server)
        ours = {"iss": server.url, "aud": server.url}
        bound_token = token(**ours, cnf={"jkt": holder.jkt})
        chain = authgent.AgentIdentity.from_claims(
            {"sub": "user:ada", "act": act("client:agnt_mailer", "client:agnt_planner")}
        )
        names: dict[str, Any] = {
            "token": token(**ours),
            "token_for_api": token(iss=server.url, aud="https://api.example.com"),
            "bound_token": bound_token,
            "headers": holder.create_proof_headers(bound_token, "POST", "https://api.example.com/data"),
            "delegated": chain,
            "refresh_token": "tok_1",
        }

        async def run() -> None:
            for program in programs:
                if "dpop" in names:
                    names["own_token"] = token(**ours, cnf={"jkt": names["dpop"].jkt})
                source = program.replace("http://localhost:8000", server.url)
                source = source.replace("https://as.partner.example", server.url)
                code = compile(source, "the page", "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
                outcome = eval(code, names)
                if inspect.iscoroutine(outcome):
                    await outcome

        asyncio.run(run())
    # The programs' verifiers refresh keys in the background for as long as they exist.
    names.clear()
    gc.collect()
    assert capsys.readouterr().out == "invalid_token malformed_token\n"


def test_the_page_names_every_option_and_every_error() -> None:
    for option in list(inspect.signature(AgentGate).parameters):
        assert f"| `{option}` |" in PAGE, option
    for name in authgent.__all__:
        assert re.search(rf"\b{name}\b", PAGE), name


def test_the_page_names_every_call_and_its_arguments() -> None:
    for name, method in inspect.getmembers(authgent.AgentAuthClient, inspect.isfunction):
        if name.startswith("_") or name == "aclose":
            continue
        documented = re.search(rf"^\| `{name}\(([^)]*)\)`", PAGE, re.MULTILINE)
        assert documented, name
        ours = {"self", "dpop", "allow_unbound"}
        assert documented[1].split(", ") == [one for one in inspect.signature(method).parameters if one not in ours]


def test_the_table_of_differences_is_a_table() -> None:
    _, _, table = PAGE.partition("## Differences from the published package\n\n")
    rows = table.strip().splitlines()
    assert len(rows) > 30
    for row in rows:
        cells = [cell.strip() for cell in re.split(r"(?<!\\)\|", row)[1:-1]]
        assert len(cells) == 5, row
        assert all(cells[:3]), row
