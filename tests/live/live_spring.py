"""Spring Authorization Server on loopback (``spring/``): access tokens without ``typ``, their scopes a list."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx2
import live_maven
from live_certificates import Certificates, certificates
from server_process import answers, serving

import watchword as ww
from watchword.dpop import DpopProver

API = "https://api.example"
LIFETIME = 300

ALGORITHMS = ("ES256", "ES384", "RS256", "RS384", "RS512", "PS256", "PS384", "PS512")

#: Seconds: three on an idle machine.
START_TIMEOUT = 300.0


@dataclass(frozen=True)
class Spring:
    """The running server. Under each of its addresses it is an issuer of that name."""

    issuer: str
    tls_issuer: str
    certificates: Certificates
    http: httpx2.Client = field(repr=False)

    @property
    def jwks_uri(self) -> str:
        return f"{self.issuer}/oauth2/jwks"

    @property
    def token_endpoint(self) -> str:
        return f"{self.issuer}/oauth2/token"

    def as_issuer(self) -> ww.Issuer:
        return ww.Issuer(self.issuer, allow_loopback_http=True)

    def token(self, client: str, *, prover: DpopProver | None = None) -> str:
        """Client credentials, bound to ``prover``'s key if one is given."""
        headers = {"DPoP": prover.proof("POST", self.token_endpoint)} if prover else {}
        form = {"grant_type": "client_credentials", "scope": "read write"}
        auth = (client, f"{client}-secret")
        return _access_token(self.http.post(self.token_endpoint, data=form, auth=auth, headers=headers))

    def token_over_mutual_tls(self) -> str:
        """Client credentials, authenticated by the client certificate and nothing else."""
        with httpx2.Client(verify=self.certificates.client_context, timeout=30, trust_env=False) as http:
            form = {"grant_type": "client_credentials", "scope": "read", "client_id": "mtls"}
            answer = http.post(f"{self.tls_issuer}/oauth2/token", data=form)
        return _access_token(answer)

    def add_key(self, algorithm: str) -> str:
        """The id of a new key, which signs from now on; the old ones stay in the set."""
        answer = self.http.post(f"{self.issuer}/test/keys/{algorithm}")
        assert answer.is_success, answer.text
        return answer.text

    def withdraw_old_keys(self, algorithm: str) -> None:
        """Leaves the newest key for ``algorithm``."""
        answer = self.http.delete(f"{self.issuer}/test/keys/{algorithm}")
        assert answer.is_success, answer.text


def _access_token(answer: httpx2.Response) -> str:
    assert answer.is_success, f"Spring answered {answer.status_code}: {answer.text}"
    token: str = answer.json()["access_token"]
    return token


@contextmanager
def spring(folder: Path) -> Iterator[Spring]:
    """Runs the server; it picks its own ports and says which."""
    command = live_maven.spring()
    made = certificates(folder)
    log = live_maven.log_file("spring")
    settings = {
        "server.address": "127.0.0.1",
        "server.port": "0",
        "server.ssl.certificate": made.certificate("server"),
        "server.ssl.certificate-private-key": made.key("server"),
        "server.ssl.trust-certificate": made.authority,
        "server.ssl.client-auth": "want",
        "spring.main.banner-mode": "off",
    }
    options = [f"--{name}={value}" for name, value in settings.items()]

    def ready() -> bool:
        ports = _ports(log)
        return ports is not None and answers(f"http://127.0.0.1:{ports[0]}/.well-known/openid-configuration")

    with serving([*command, *options], log=log, ready=ready, cwd=folder, timeout=START_TIMEOUT):
        ports = _ports(log)
        assert ports is not None
        http, https = (f"{scheme}://127.0.0.1:{port}" for scheme, port in zip(("http", "https"), ports, strict=True))
        with httpx2.Client(timeout=60, trust_env=False) as client:
            yield Spring(http, https, made, client)


def _ports(log: Path) -> tuple[int, int] | None:
    for line in log.read_text(errors="replace").splitlines(keepends=True):
        if line.startswith("{") and line.endswith("\n"):
            said = json.loads(line)
            return said["http"], said["https"]
    return None
