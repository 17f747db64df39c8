"""Keycloak on loopback, its realms and clients made through its administration's REST API."""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2
import live_maven
from live_certificates import CLIENT, TRUST_STORE_PASSWORD, Certificates, certificates
from server_process import answers, serving, tail

import watchword as ww
from watchword.dpop import DpopProver

API = "https://api.example"
SCOPE = "orders:read"
SECRET = "client-secret"
USER, PASSWORD = "alice", "user-password"
ADMIN = "admin"
LIFETIME = 300

TOKEN_EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange"
ACCESS_TOKEN = "urn:ietf:params:oauth:token-type:access_token"
KEY_PROVIDER = "org.keycloak.keys.KeyProvider"

ALGORITHMS = ("EdDSA", "ES256", "ES384", "RS256", "RS384", "RS512", "PS256", "PS384", "PS512")

#: The other algorithms that Keycloak signs with, if a client is configured so.
REJECTED = ("ES512", "HS256", "HS384", "HS512")

#: Seconds: ten on an idle machine, minutes on one that compiles.
START_TIMEOUT = 600.0

_LISTENING = re.compile(r"Listening on: (http://127\.0\.0\.1:\d+) and (https://127\.0\.0\.1:\d+)")


@dataclass(frozen=True)
class Realm:
    """An issuer of its own, with its own keys and clients."""

    server: Keycloak
    name: str

    @property
    def issuer(self) -> str:
        return f"{self.server.base}/realms/{self.name}"

    @property
    def jwks_uri(self) -> str:
        return f"{self.issuer}/protocol/openid-connect/certs"

    @property
    def token_endpoint(self) -> str:
        return f"{self.issuer}/protocol/openid-connect/token"

    def as_issuer(self, **options: Any) -> ww.Issuer:
        return ww.Issuer(self.issuer, allow_loopback_http=True, **options)

    def add_client(self, name: str, attributes: Mapping[str, str] | None = None, **members: Any) -> None:
        """A confidential client with a service account, whose access tokens are for :data:`API`."""
        client = {
            "clientId": name,
            "secret": SECRET,
            "serviceAccountsEnabled": True,
            "directAccessGrantsEnabled": True,
            "attributes": dict(attributes or {}),
            "protocolMappers": [_audience_mapper("included.custom.audience", API)],
        }
        self.server.administer("POST", f"{self.name}/clients", client | members)

    def add_key(self, provider: str, priority: int, **config: str) -> str:
        """The id of a new key provider; the one of the highest priority signs."""
        created = self.server.administer("POST", f"{self.name}/components", key_provider(provider, priority, **config))
        return created.headers["location"].rsplit("/", 1)[1]

    def set_key(self, key: str, **config: bool) -> None:
        """``active=False``: no longer signs, still published. ``enabled=False``: withdrawn."""
        component = self.server.administer("GET", f"{self.name}/components/{key}").json()
        component["config"] |= {name: [str(value).lower()] for name, value in config.items()}
        self.server.administer("PUT", f"{self.name}/components/{key}", component)

    def token(self, client: str, *, scope: str = SCOPE, prover: DpopProver | None = None) -> str:
        """Client credentials, bound to ``prover``'s key if one is given."""
        headers = {"DPoP": prover.proof("POST", self.token_endpoint)} if prover else {}
        form = {"grant_type": "client_credentials"} | ({"scope": scope} if scope else {})
        return self._grant(form, client, headers)["access_token"]

    def login(self, client: str) -> dict[str, str]:
        """The access, ID and refresh tokens of the user who signs in."""
        form = {"grant_type": "password", "username": USER, "password": PASSWORD, "scope": f"openid {SCOPE}"}
        return self._grant(form, client, {})

    def exchange(self, client: str, subject_token: str) -> str:
        """Token exchange (RFC 8693): ``client`` gets a token of its own for the same user."""
        form = {"grant_type": TOKEN_EXCHANGE, "subject_token": subject_token, "subject_token_type": ACCESS_TOKEN}
        return self._grant(form, client, {})["access_token"]

    def userinfo(self, access_token: str) -> str:
        """What is known of the user, signed if the client's settings say so (OpenID Connect Core section 5.3.2)."""
        headers = {"Authorization": f"Bearer {access_token}"}
        answer = self.server.http.get(f"{self.issuer}/protocol/openid-connect/userinfo", headers=headers)
        assert answer.is_success, f"Keycloak answered {answer.status_code}: {answer.text}"
        return answer.text

    def give_roles(self, *names: str) -> None:
        """New roles, all of them the user's."""
        roles = {"roles": {"realm": [{"name": name} for name in names]}, "ifResourceExists": "FAIL"}
        self.server.administer("POST", f"{self.name}/partialImport", roles)
        user = self.server.administer("GET", f"{self.name}/users").json()[0]["id"]
        all_roles = self.server.administer("GET", f"{self.name}/roles?max=10000").json()
        self.server.administer("POST", f"{self.name}/users/{user}/role-mappings/realm", all_roles)

    def logout(self) -> None:
        """Ends the user's sessions; Keycloak tells the clients that have an address for it."""
        users = self.server.administer("GET", f"{self.name}/users").json()
        self.server.administer("POST", f"{self.name}/users/{users[0]['id']}/logout")

    def token_over_mutual_tls(self, client: str) -> str:
        """Client credentials, authenticated by the client certificate and nothing else."""
        with httpx2.Client(verify=self.server.certificates.client_context, timeout=30, trust_env=False) as http:
            uri = self.token_endpoint.replace(self.server.base, self.server.tls)
            answer = http.post(uri, data={"grant_type": "client_credentials", "client_id": client})
        return self._tokens(answer)["access_token"]

    def _grant(self, form: dict[str, str], client: str, headers: dict[str, str]) -> dict[str, str]:
        auth = (client, SECRET)
        return self._tokens(self.server.http.post(self.token_endpoint, data=form, auth=auth, headers=headers))

    def _tokens(self, answer: httpx2.Response) -> dict[str, str]:
        assert answer.is_success, f"Keycloak answered {answer.status_code}: {answer.text}"
        tokens: dict[str, str] = answer.json()
        return tokens


@dataclass(frozen=True)
class Keycloak:
    """The running server."""

    base: str
    tls: str
    certificates: Certificates
    password: str = field(repr=False)
    log: Path
    http: httpx2.Client = field(repr=False)

    def realm(self, name: str, keys: Iterable[dict[str, Any]] = ()) -> Realm:
        """A new realm with a user and no client. ``keys`` are its key providers; without any it gets RSA keys."""
        settings: dict[str, Any] = {
            "realm": name,
            "enabled": True,
            "accessTokenLifespan": LIFETIME,
            # The same whether a token is requested over http or over https.
            "attributes": {"frontendUrl": self.base},
        }
        if keys:
            # In a realm they stand under the type, outside of it they name it.
            kept = [{name: value for name, value in key.items() if name != "providerType"} for key in keys]
            settings["components"] = {KEY_PROVIDER: kept}
        self.administer("POST", "", settings)
        self.administer("POST", f"{name}/users", _user())
        scope = {"name": SCOPE, "protocol": "openid-connect", "attributes": {"include.in.token.scope": "true"}}
        created = self.administer("POST", f"{name}/client-scopes", scope).headers["location"].rsplit("/", 1)[1]
        self.administer("PUT", f"{name}/default-optional-client-scopes/{created}")
        return Realm(self, name)

    def administer(self, method: str, path: str, body: Any = None) -> httpx2.Response:
        """A request to the administration's REST API, under ``/admin/realms``."""
        form = {"grant_type": "password", "client_id": "admin-cli", "username": ADMIN, "password": self.password}
        # Each time a new one: it lives for a minute.
        login = self.http.post(f"{self.base}/realms/master/protocol/openid-connect/token", data=form)
        headers = {"Authorization": f"Bearer {login.json()['access_token']}"}
        uri = f"{self.base}/admin/realms/{path}".rstrip("/")
        answer = self.http.request(method, uri, json=body, headers=headers)
        assert answer.is_success, f"Keycloak answered {answer.status_code}: {answer.text} {tail(self.log)}"
        return answer


def key_provider(provider: str, priority: int, **config: str) -> dict[str, Any]:
    """A realm's key as its administration describes it, such as ``ecdsa-generated``."""
    members = {"priority": [str(priority)]} | {name: [value] for name, value in config.items()}
    return {
        "name": f"{provider}-{priority}",
        "providerId": provider,
        "providerType": KEY_PROVIDER,
        "config": members,
    }


def add_clients(realm: Realm) -> None:
    """The clients of the tests; each differs from Keycloak's defaults by what its name says."""
    for algorithm in (*ALGORITHMS, *REJECTED):
        realm.add_client(f"machine-{algorithm}", _signing(algorithm))
    realm.add_client("userinfo", {"user.info.response.signature.alg": "ES256"})
    realm.add_client("rfc9068", {"access.token.header.type.rfc9068": "true"})
    # No roles of other clients, whose names Keycloak would make audiences; and no audience of ours.
    realm.add_client("no-audience", fullScopeAllowed=False, protocolMappers=[])
    realm.add_client("roles-only", protocolMappers=[])
    realm.add_client("no-scopes", defaultClientScopes=["basic"])
    realm.add_client("lightweight", {"client.use.lightweight.access.token.enabled": "true"})
    realm.add_client("dpop", {"dpop.bound.access.tokens": "true"})
    realm.add_client(
        "mtls",
        {"tls.client.certificate.bound.access.tokens": "true", "x509.subjectdn": CLIENT},
        clientAuthenticatorType="client-x509",
    )
    realm.add_client("exchanging", {"standard.token.exchange.enabled": "true"})
    # Its tokens may be exchanged by the one before.
    realm.add_client("exchangeable", protocolMappers=[_audience_mapper("included.client.audience", "exchanging")])


def _user() -> dict[str, Any]:
    return {
        "username": USER,
        "enabled": True,
        "email": "alice@example.com",
        "emailVerified": True,
        "firstName": "Alice",
        "lastName": "Example",
        "credentials": [{"type": "password", "value": PASSWORD}],
    }


def _signing(algorithm: str) -> dict[str, str]:
    return {"access.token.signed.response.alg": algorithm, "id.token.signed.response.alg": algorithm}


def _audience_mapper(setting: str, audience: str) -> dict[str, Any]:
    return {
        "name": "audience",
        "protocol": "openid-connect",
        "protocolMapper": "oidc-audience-mapper",
        "config": {setting: audience, "access.token.claim": "true", "id.token.claim": "false"},
    }


@contextmanager
def keycloak(folder: Path) -> Iterator[Keycloak]:
    """Runs the server with everything in memory; it picks its own ports and says which."""
    home = live_maven.keycloak()
    made = certificates(folder)
    log = live_maven.log_file("keycloak")
    password = secrets.token_urlsafe(16)
    settings = {
        "cache": "local",
        "hostname-strict": "false",
        "http-enabled": "true",
        "http-host": "127.0.0.1",
        "http-port": "0",
        "https-port": "0",
        "https-certificate-file": str(made.certificate("server")),
        "https-certificate-key-file": str(made.key("server")),
        # Not truststore-paths, from which Keycloak makes a file in its own folder, whoever else is starting there.
        "https-trust-store-file": str(made.trust_store),
        "https-trust-store-password": TRUST_STORE_PASSWORD,
    }
    options = [f"--{name}={value}" for name, value in settings.items()]
    command = ["sh", "bin/kc.sh", "start", "--optimized", *options]
    environment = live_maven.keycloak_environment() | {
        "KC_BOOTSTRAP_ADMIN_USERNAME": ADMIN,
        "KC_BOOTSTRAP_ADMIN_PASSWORD": password,
    }

    def ready() -> bool:
        addresses = _addresses(log)
        return addresses is not None and answers(f"{addresses[0]}/realms/master/.well-known/openid-configuration")

    with serving(command, log=log, ready=ready, cwd=home, env=environment, timeout=START_TIMEOUT):
        addresses = _addresses(log)
        assert addresses is not None
        base, tls = addresses
        with httpx2.Client(timeout=60, trust_env=False) as http:
            yield Keycloak(base, tls, made, password, log, http)


def _addresses(log: Path) -> tuple[str, str] | None:
    found = _LISTENING.search(log.read_text(errors="replace"))
    return (found[1], found[2]) if found else None
