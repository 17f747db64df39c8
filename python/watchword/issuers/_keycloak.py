"""Keycloak: https://www.keycloak.org/securing-apps/oidc-layers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from watchword.issuers._settings import Settings, base_url, configured, segment

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from watchword.issuer import Issuer


def keycloak(base: str, realm: str, **settings: Unpack[Settings]) -> Issuer:
    """Return the issuer of a Keycloak realm.

    ``base`` is the server's URL, such as ``"https://sso.example"``; that of a server before version 17, or with
    ``http-relative-path=/auth``, ends in ``/auth``.

    ``audience`` is what an audience mapper adds to ``aud``: without one, Keycloak's access tokens name ``account``, or
    nothing. ID tokens are rejected, because they have no ``scope``. Realm and client roles are in ``realm_access`` and
    ``resource_access``, which are not lists of scopes: read them from ``token.claims``.

    Raises ``TypeError`` or ``ValueError`` if an argument is invalid.
    """
    base = base_url(base, what="base", example="https://sso.example")
    return configured(
        f"{base}/realms/{segment(realm, what='realm', example='example')}",
        settings,
        types=("JWT", "at+jwt"),
        required=("exp", "scope"),
        scope_claims=("scope",),
    )
