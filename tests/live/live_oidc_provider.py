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
from live_dpop import Holder
from live_process import serving

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
        answer = self._browse(str(httpx2.URL(f"{self.issuer}/auth", params=request)), login)
        assert answer["state"] == [state]
        assert "code" in answer, answer
        form = {
            "grant_type": "authorization_code",
            "code": answer["code"][0],
            "redirect_uri": REDIRECT_URI,
            "code_verifier": verifier,
        }
        return self._token(form, (client_id, WEB_SECRET), {}, "id_token")

    def _browse(self, url: str, login: str) -> dict[str, list[str]]:
        """Follows redirects from ``url`` to the client's own, and fills in the two forms on the way."""
        forms = iter([{"prompt": "login", "login": login, "password": "any"}, {"prompt": "consent"}])
        with httpx2.Client(timeout=30, trust_env=False) as browser:
            for _ in range(12):
                response = browser.get(url)
                if response.status_code == 200:
                    response = browser.post(url, data=next(forms))
                assert response.status_code in {302, 303}, response.text
                url = str(response.url.join(response.headers["location"]))
                if url.startswith(REDIRECT_URI):
                    return parse_qs(urlsplit(url).query)
        raise AssertionError("the provider redirects without end")

    def _token(self, form: dict[str, str], client: tuple[str, str], headers: dict[str, str], which: str) -> str:
        response = httpx2.post(
            f"{self.issuer}/token", data=form, auth=client, headers=headers, timeout=30, trust_env=False
        )
        assert response.is_success, f"oidc-provider answered {response.status_code}: {response.text}"
        token: str = response.json()[which]
        return token


@contextmanager
def oidc_provider(folder: Path) -> Iterator[OidcProvider]:
    """Runs the server; it picks its own port and says which."""
    log = folder / "oidc-provider.log"
    script = Path(__file__).with_name("provider.mjs")
    run = ["node", str(script), str(live_install.node_packages())]
    with serving(run, log=log, ready=lambda: _issuer(log) is not None, cwd=folder):
        issuer = _issuer(log)
        assert issuer is not None
        yield OidcProvider(issuer)


def _issuer(log: Path) -> str | None:
    for line in log.read_text(errors="replace").splitlines(keepends=True):
        if line.startswith("{") and line.endswith("\n"):
            issuer: str = json.loads(line)["issuer"]
            return issuer
    return None
