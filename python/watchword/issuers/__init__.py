"""Settings for widely used issuers: each function returns a :class:`watchword.Issuer`.

    from watchword import Verifier, issuers

    verifier = Verifier([issuers.auth0("example.eu.auth0.com")], audience="https://api.example")

Each function has its vendor's spelling of ``iss``, the URL of the keys, and the form of its access tokens: their
``typ``, their algorithms, the claims that distinguish them from the same vendor's ID tokens, and the claims that
contain scopes. Other settings are the Verifier's. Every setting of Issuer can be given by keyword; ``required`` adds to
the claims that the function requires. docs/issuers.md has a section for each, and lists issuers that need no function.
"""

from __future__ import annotations

from watchword.issuers._apple import apple
from watchword.issuers._auth0 import auth0
from watchword.issuers._cognito import cognito
from watchword.issuers._entra import MICROSOFT_ACCOUNTS, entra
from watchword.issuers._entra_b2c import entra_b2c
from watchword.issuers._github_actions import github_actions
from watchword.issuers._google import google
from watchword.issuers._keycloak import keycloak
from watchword.issuers._kubernetes import kubernetes
from watchword.issuers._okta import okta
from watchword.issuers._settings import Settings
from watchword.issuers._spiffe import spiffe

__all__ = [
    "MICROSOFT_ACCOUNTS",
    "Settings",
    "apple",
    "auth0",
    "cognito",
    "entra",
    "entra_b2c",
    "github_actions",
    "google",
    "keycloak",
    "kubernetes",
    "okta",
    "spiffe",
]
