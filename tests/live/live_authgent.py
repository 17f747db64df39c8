"""``authgent-server``, an authorization server for agents, on loopback: ES256 tokens with ``typ`` JWT."""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import httpx2
import live_install
from free_port import free_port
from live_dpop import Holder
from server_process import answers, serving, tail

TOKEN_EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange"
ACCESS_TOKEN = "urn:ietf:params:oauth:token-type:access_token"
TRANSACTION_TOKEN = "urn:ietf:params:oauth:token-type:txn_token"

#: Over SQLite all of the server's sessions share one connection: what ends one request can, once in a while, undo the
#: work of the next, which then answers 500. Asked again, it answers.
ATTEMPTS = 5


@dataclass(frozen=True)
class Agent:
    """A registered agent's own credentials."""

    client_id: str
    client_secret: str = field(repr=False)


@dataclass(frozen=True)
class Authgent:
    """The running server, through its own endpoints and its own command line."""

    issuer: str
    command: Path
    folder: Path
    log: Path
    environment: dict[str, str] = field(repr=False)

    @property
    def jwks_uri(self) -> str:
        return f"{self.issuer}/.well-known/jwks.json"

    def register(self, name: str, *scopes: str) -> Agent:
        response = self._post("/agents", json={"name": name, "allowed_scopes": list(scopes)})
        return Agent(response["client_id"], response["client_secret"])

    def token(self, agent: Agent, *, scope: str = "", resource: str = "", holder: Holder | None = None) -> str:
        """Client credentials (RFC 6749 section 4.4), bound to ``holder``'s key if one is given."""
        form = {"grant_type": "client_credentials", "scope": scope, "resource": resource}
        return self._token(agent, form, holder)

    def exchange(
        self, agent: Agent, subject_token: str, *, audience: str, scope: str, requested: str = ACCESS_TOKEN
    ) -> str:
        """Token exchange (RFC 8693): ``agent`` becomes the actor of what it gets."""
        form = {
            "grant_type": TOKEN_EXCHANGE,
            "subject_token": subject_token,
            "subject_token_type": ACCESS_TOKEN,
            "requested_token_type": requested,
            "audience": audience,
            "scope": scope,
        }
        return self._token(agent, form, None)

    def rotate_keys(self) -> None:
        """Signs with a new key from now on; the old one stays in the set."""
        live_install.run([str(self.command), "rotate-keys"], "rotate keys", cwd=self.folder, env=self.environment)

    def _token(self, agent: Agent, form: dict[str, str], holder: Holder | None) -> str:
        headers = {"DPoP": holder.proof("POST", f"{self.issuer}/token")} if holder else {}
        credentials = {"client_id": agent.client_id, "client_secret": agent.client_secret}
        form = {name: value for name, value in form.items() if value} | credentials
        token = self._post("/token", data=form, headers=headers)["access_token"]
        assert isinstance(token, str)
        return token

    def _post(self, path: str, **request: Any) -> dict[str, Any]:
        for _ in range(ATTEMPTS):
            response = httpx2.post(self.issuer + path, timeout=30, trust_env=False, **request)
            if response.status_code != 500:
                break
        assert response.is_success, f"authgent-server answered {response.status_code}: {tail(self.log)}"
        body: dict[str, Any] = response.json()
        return body


@contextmanager
def authgent(folder: Path, **settings: str) -> Iterator[Authgent]:
    """Runs the server with a database in ``folder``. ``settings`` are its own: ``REQUIRE_DPOP="true"``."""
    with _running(folder, free_port(), settings) as server:
        yield server


@contextmanager
def chained(folder: Path) -> Iterator[tuple[Authgent, Authgent]]:
    """Runs two servers, of which the second accepts the first one's grants (identity chaining)."""
    folders = [folder / name for name in "ab"]
    for one in folders:
        one.mkdir()
    ports = [free_port(), free_port()]
    issuers = [f"http://127.0.0.1:{port}" for port in ports]
    target = {"TRUSTED_CHAINING_TARGETS": json.dumps([issuers[1]])}
    trust = {"TRUSTED_CHAINING_ISSUERS": json.dumps([issuers[0]])}
    with _running(folders[0], ports[0], target) as first, _running(folders[1], ports[1], trust) as second:
        yield first, second


@contextmanager
def _running(folder: Path, port: int, settings: dict[str, str]) -> Iterator[Authgent]:
    command = live_install.authgent()
    issuer = f"http://127.0.0.1:{port}"
    own = {
        "SECRET_KEY": secrets.token_hex(32),
        "DATABASE_URL": f"sqlite+aiosqlite:///{folder / 'authgent.db'}",
        "SERVER_URL": issuer,
        "TOKEN_RATE_LIMIT": "100000",
        **settings,
    }
    environment = {name: value for name, value in os.environ.items() if not name.startswith("AUTHGENT_")}
    environment |= {f"AUTHGENT_{name}": value for name, value in own.items()}
    run = [str(command), "run", "--host", "127.0.0.1", "--port", str(port)]
    log = folder / "authgent.log"
    with serving(run, log=log, ready=partial(answers, f"{issuer}/ready"), cwd=folder, env=environment):
        yield Authgent(issuer, command, folder, log, environment)
