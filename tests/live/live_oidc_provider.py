"""``oidc-provider``, a certified OpenID provider, on loopback: ``at+jwt`` access tokens in any algorithm, ID tokens."""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx2
import live_install
from live_browser import Browser
from live_dpop import Holder
from server_process import serving

#: The configuration of provider.mjs: clients, and their redirect URIs.
MACHINE = ("machine", "machine-secret")
WEB_SECRET = "web-secret"
REDIRECT_URI = "https://client.example/callback"


def api(algorithm: str) -> str:
    """The resource whose access tokens are signed with ``algorithm``."""
    return f"https://api.example/{algorithm}"


@dataclass(frozen=True)
class OidcProvider:
    """The running server, through its own endpoints."""

    issuer: str

    @property
    def jwks_uri(self) -> str:
        return f"{self.issuer}/jwks"

    def token(self, algorithm: str, *, scope: str = "read", holder: Holder | None = None) -> str:
        """Client credentials for the resource of ``algorithm``: a JWT access token (RFC 9068)."""
        form = {"grant_type": "client_credentials", "resource": api(algorithm), "scope": scope}
        headers = {"DPoP": holder.proof("POST", f"{self.issuer}/token")} if holder else {}
        return self._token(form, MACHINE, headers, "access_token")

    def opaque_token(self) -> str:
        """Client credentials for no resource in particular: not a JWT at all."""
        return self._token({"grant_type": "client_credentials"}, MACHINE, {}, "access_token")

    def id_token(self, algorithm: str, login: str) -> str:
        """Signs ``login`` in as a browser would, through the authorization code flow with PKCE."""
        client_id = f"web-{algorithm}"
        verifier = secrets.token_urlsafe(32)
        challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
        state = secrets.token_urlsafe(8)
        request = {
            "client_id": client_id,
            "response_type": "code",
            "redirect_uri": REDIRECT_URI,
            "scope": "openid",
            "state": state,
            "nonce": "the-nonce",
            "code_challenge": challenge,
            "code_challenge_method": "S256",
        }
        with Browser(login) as browser:
            callback = browser.visit(str(httpx2.URL(f"{self.issuer}/auth", params=request)), until=REDIRECT_URI)
        answer = parse_qs(urlsplit(callback).query)
        assert answer["state"] == [state]
        assert "code" in answer, answer
        form = {
            "grant_type": "authorization_code",
            "code": answer["code"][0],
            "redirect_uri": REDIRECT_URI,
            "code_verifier": verifier,
        }
        return self._token(form, (client_id, WEB_SECRET), {}, "id_token")

    def _token(self, form: dict[str, str], client: tuple[str, str], headers: dict[str, str], which: str) -> str:
        response = httpx2.post(
            f"{self.issuer}/token", data=form, auth=client, headers=headers, timeout=30, trust_env=False
        )
        assert response.is_success, f"oidc-provider answered {response.status_code}: {response.text}"
        token: str = response.json()[which]
        return token


@contextmanager
def oidc_provider(folder: Path) -> Iterator[OidcProvider]:
    """Runs the server of ``provider.mjs``."""
    with serving_provider(folder, "provider.mjs") as issuer:
        yield OidcProvider(issuer)


@contextmanager
def serving_provider(folder: Path, script: str) -> Iterator[str]:
    """Runs a script of this folder with oidc-provider: its issuer. It picks its own port and says which."""
    log = folder / "oidc-provider.log"
    run = ["node", str(Path(__file__).with_name(script)), str(live_install.node_packages())]
    with serving(run, log=log, ready=lambda: _issuer(log) is not None, cwd=folder):
        issuer = _issuer(log)
        assert issuer is not None
        yield issuer


def _issuer(log: Path) -> str | None:
    for line in log.read_text(errors="replace").splitlines(keepends=True):
        if line.startswith("{") and line.endswith("\n"):
            issuer: str = json.loads(line)["issuer"]
            return issuer
    return None
