"""Okta: https://developer.okta.com/docs/guides/validate-access-tokens/."""

from __future__ import annotations

from typing import TYPE_CHECKING

from watchword.issuers._settings import Settings, configured, host, segment

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from watchword.issuer import Issuer


def okta(domain: str, authorization_server: str = "default", **settings: Unpack[Settings]) -> Issuer:
    """Return the issuer of a custom authorization server of an Okta organization, such as ``"example.okta.com"``.

    ``authorization_server`` is the server's ID; ``audience`` is the one in its settings (``api://default`` unless
    changed). ID tokens are rejected, because they have no ``cid``. Tokens of the organization's own server (``iss``
    ``https://example.okta.com``) are only for Okta's own use, according to Okta, so there is no setting for them.

    Raises ``TypeError`` or ``ValueError`` if an argument is invalid.
    """
    domain = host(domain, what="domain", example="example.okta.com")
    server = segment(authorization_server, what="authorization_server", example="default")
    return configured(
        f"https://{domain}/oauth2/{server}",
        settings,
        algorithms=("RS256",),
        required=("exp", "sub", "cid"),
        scope_claims=("scp",),
    )
