"""Check a user's identity and scopes in an organization. Run it: ``python examples/authpi_scopes.py``."""

from __future__ import annotations

import time

from watchword.providers.authpi import IdTokenVerifier, OAuthError, TokenExpiredError, has_access
from watchword.testing import LocalIssuer

# A stand-in for AuthPI: an issuer that signs ID tokens.
issuer = LocalIssuer("https://idp.authpi.example/iss_1", audience="cli_1", algorithms=("ES256",))
nobody = {"scope": None, "client_id": None, "jti": None}
claims = {
    **nobody,
    "sub": "usr_1",
    "email": "ada@example.com",
    "nonce": "n-1",
    "organizations": [{"id": "org_1", "title": "Admin", "scopes": ["admin", "projects:**", "users:read"]}],
}
id_token = issuer.mint(claims, header={"typ": "JWT"})
session = {"access_token": "opaque", "expires_at": int(time.time()) + 3600, "id_token": id_token}

# Your program. In production the issuer's URL and your client ID are enough: the keys are discovered.
idp = IdTokenVerifier("https://idp.authpi.example/iss_1", "cli_1", jwks=issuer.jwks())
agent = idp.create_agent(session, nonce="n-1")

print(agent.id, agent.type.value, agent.email)
print("may delete tasks:", agent.has_access_in("org_1", "delete", "projects.tasks"))
print("may change users:", agent.has_access_in("org_1", "write", "users"))
print("is admin, is owner:", agent.is_admin_of("org_1"), agent.is_owner_of("org_1"))
print("expired:", agent.is_expired())

# A forged session.
forger = LocalIssuer("https://idp.authpi.example/iss_1", audience="cli_1", algorithms=("ES256",))
root = {**claims, "organizations": [{"id": "org_1", "scopes": ["owner", "*:**"]}]}
try:
    idp.create_agent({**session, "id_token": forger.mint(root, header={"typ": "JWT"})})
except OAuthError as error:
    print(error.error, "-", error.error_description)

try:
    idp.create_agent(session, now=time.time() + 7200)
except TokenExpiredError as error:
    print(error.error, "-", error)

# Scopes without an agent.
print(has_access(["users:read", "projects:**"], "write", "projects.tasks"))
