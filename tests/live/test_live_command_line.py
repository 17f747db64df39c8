"""The same tokens through the command line, as a person or a script would."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import httpx2
import pytest
from live_authgent import Agent, Authgent
from live_oidc_provider import OidcProvider, api
from live_verdicts import with_flipped_signature_bit

API = api("ES256")


@pytest.fixture(scope="module", name="agent")
def _agent(authgent: Authgent) -> Agent:
    return authgent.register("an agent", "read")


@pytest.fixture(scope="module", name="tokens")
def _tokens(authgent: Authgent, oidc_provider: OidcProvider, agent: Agent) -> list[str]:
    return [authgent.token(agent, scope="read", resource=API), oidc_provider.token("ES256")]


def _watchword(*arguments: str, text: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "watchword.cli", *arguments],
        input=text,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def _objects(done: subprocess.CompletedProcess[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in done.stdout.splitlines()]


def _discovering(authgent: Authgent, oidc_provider: OidcProvider) -> list[str]:
    issuers = [argument for server in (authgent, oidc_provider) for argument in ("--issuer", server.issuer)]
    return ["verify", *issuers, "--audience", API, "--allow-loopback-http"]


def test_good_tokens_of_two_issuers_exit_with_0(
    authgent: Authgent, oidc_provider: OidcProvider, agent: Agent, tokens: list[str]
) -> None:
    done = _watchword(*_discovering(authgent, oidc_provider), *tokens)
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"client:{agent.client_id}" in done.stdout
    assert "machine" in done.stdout
    assert "2 tokens: all valid." in done.stdout


def test_lines_of_standard_input_become_lines_of_json(
    authgent: Authgent, oidc_provider: OidcProvider, agent: Agent, tokens: list[str]
) -> None:
    lines = [tokens[0], with_flipped_signature_bit(tokens[0]), oidc_provider.token("RS256"), tokens[1]]
    done = _watchword(*_discovering(authgent, oidc_provider), "--json", text="\n".join(lines) + "\n")
    assert done.returncode == 1, done.stdout + done.stderr
    objects = _objects(done)
    assert [answer["code"] for answer in objects] == [None, "invalid_signature", "wrong_audience", None]
    assert objects[0]["claims"]["sub"] == f"client:{agent.client_id}"
    assert objects[3]["claims"]["iss"] == oidc_provider.issuer
    assert not any(token in done.stdout for token in lines)


def test_the_address_of_the_keys_does(authgent: Authgent, tokens: list[str]) -> None:
    arguments = ["--jwks", authgent.jwks_uri, "--allow-loopback-http", "--audience", API, "--json"]
    for issuer, verdict in ((authgent.issuer, None), (authgent.issuer + "/", "wrong_issuer")):
        done = _watchword("verify", *arguments, "--issuer", issuer, tokens[0])
        assert [answer["code"] for answer in _objects(done)] == [verdict]


def test_loopback_http_is_rejected_unless_it_is_asked_for(authgent: Authgent, tokens: list[str]) -> None:
    done = _watchword("verify", "--issuer", authgent.issuer, "--audience", API, tokens[0])
    assert done.returncode == 2
    assert "https" in done.stderr
    assert not done.stdout


def test_the_keys_of_a_server_are_listed_with_those_left_out(oidc_provider: OidcProvider) -> None:
    jwks = httpx2.get(oidc_provider.jwks_uri, trust_env=False).text
    done = _watchword("keys", "-", text=jwks)
    assert done.returncode == 1, done.stdout + done.stderr
    for key in json.loads(jwks)["keys"]:
        assert key["kid"][:8] in done.stdout
    for reason in ("unsupported curve", "not for signatures"):
        assert reason in done.stdout
