"""The MCP project's conformance suite against a server of the Python SDK behind the gate, with bearer and DPoP tokens.

The suite has no authorization scenario for servers: those named ``auth/…`` test clients, and ``authorization-…``
authorization servers. What it can show of a gate is that it changes nothing else: a conforming server still conforms
behind it. The suite sends no token; ``WithCredentials`` does, in front of the gate.

Scenarios for clients with DPoP run with a client that signs by ``DpopProver``, and the gate accepts the same client.
"""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import live_install
import mcp_dpop_client
import pytest
from asgi_server import loopback_socket, on_loopback, serving
from live_mcp_server import WithCredentials, mcp_server
from mcp_authorization_server import AuthorizationServer

import watchword as ww
from watchword.dpop import DpopVerifier, Nonces
from watchword.gate import Gate, Route
from watchword.holder import DpopProver
from watchword.integrations.mcp import protect
from watchword.testing import LocalIssuer

# Logging and sampling, which the suite tests, are deprecated in the SDK.
pytestmark = pytest.mark.filterwarnings("ignore::mcp.shared.exceptions.MCPDeprecationWarning")


@pytest.fixture(name="suite", scope="module")
def _suite() -> list[str]:
    return live_install.mcp_conformance()


@contextmanager
def _server(credentials: str | None) -> Iterator[str]:
    """The URL of the suite's server: behind a gate, with such credentials; ``None``: without a gate."""

    def make(origin: str) -> object:
        app = mcp_server().streamable_http_app()
        if credentials is None:
            return app
        url = f"{origin}/mcp"
        issuer, prover = LocalIssuer(audience=url), DpopProver()
        routes = [Route("/mcp", scopes=("mcp",), dpop="required" if credentials == "DPoP" else "allowed")]
        gate = Gate(issuer.verifier(), routes, public_url=origin, resource=url)
        bound = {"cnf": {"jkt": prover.jkt}} if credentials == "DPoP" else {}

        def sign(method: str, path: str) -> dict[str, str]:
            token = issuer.mint(sub="agent-1", scope="mcp", **bound)
            proof = {"DPoP": prover.proof(method, f"{origin}{path}", token)} if bound else {}
            return {"Authorization": f"{credentials} {token}", **proof}

        return WithCredentials(protect(app, gate), sign)

    with on_loopback(make) as origin:
        yield f"{origin}/mcp"


def _run(suite: list[str], folder: Path, *arguments: str) -> tuple[int, str]:
    done = subprocess.run(
        [*suite, *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
        stdin=subprocess.DEVNULL,
    )
    return done.returncode, done.stdout + done.stderr


def _summary(output: str) -> list[str]:
    """The line of each scenario: its mark, its name, how many checks passed and failed."""
    return re.findall(r"^[✓✗] .*: \d+ passed, \d+ failed.*$", output, flags=re.MULTILINE)


@pytest.mark.parametrize("credentials", ["Bearer", "DPoP"])
def test_a_server_behind_the_gate_fulfils_the_requirements_of_2025_11_25(
    credentials: str, suite: list[str], tmp_path: Path
) -> None:
    with _server(credentials) as url:
        status, output = _run(suite, tmp_path, "server", "--url", url, "--requirements", "2025-11-25")
    assert status == 0, "\n".join(_summary(output)) or output
    assert len(_summary(output)) >= 30


def test_the_gate_changes_no_result_of_2026_07_28(suite: list[str], tmp_path: Path) -> None:
    """That revision has features which the tests' server lacks, so some fail: the same ones without a gate."""
    summaries = []
    for credentials in (None, "DPoP"):
        with _server(credentials) as url:
            _, output = _run(suite, tmp_path, "server", "--url", url, "--requirements", "2026-07-28")
        summaries.append(_summary(output))
    without, behind = summaries
    assert behind == without
    assert sum(line.startswith("✓") for line in behind) > 20


@pytest.mark.parametrize("scenario", ["auth/dpop", "auth/dpop-nonce"])
def test_a_client_that_signs_with_dpop_prover_conforms(scenario: str, suite: list[str], tmp_path: Path) -> None:
    command = f"{sys.executable} {mcp_dpop_client.__file__}"
    status, output = _run(suite, tmp_path, "client", "--command", command, "--scenario", scenario)
    assert status == 0, output[-3000:]
    assert re.search(r"Passed: \d+/\d+, 0 failed, 0 warnings", output)


@pytest.mark.parametrize("nonces", [None, Nonces()], ids=["without nonces", "with nonces"])
def test_the_client_that_conforms_is_accepted_by_the_gate(nonces: Nonces | None) -> None:
    with loopback_socket() as (listening_as, origin_as), loopback_socket() as (listening, origin):
        url = f"{origin}/mcp"
        authorization_server = AuthorizationServer(origin_as)
        issuer = ww.Issuer(origin_as, allow_loopback_http=True)
        verifier = ww.Verifier([issuer], audience=url, dpop=DpopVerifier(nonces=nonces))
        routes = [Route("/mcp", scopes=("mcp",), dpop="required")]
        app = protect(mcp_server().streamable_http_app(), Gate(verifier, routes, public_url=origin, resource=url))
        with serving(authorization_server.app, listening_as), serving(app, listening):
            result = mcp_dpop_client.main(url)
    assert [asked["scope"] for asked in authorization_server.authorized] == ["mcp"]
    assert result.content[0].text == "This is a simple text response for testing."


def test_no_scenario_for_servers_is_about_authorization(suite: list[str], tmp_path: Path) -> None:
    """If a new version of the suite has some, they must be run here."""
    status, output = _run(suite, tmp_path, "list")
    assert status == 0, output
    servers, clients = output.split("Client scenarios")
    assert "server-initialize" in servers
    assert "auth" not in servers
    assert "auth/dpop" in clients
