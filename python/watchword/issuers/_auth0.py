"""Auth0: https://auth0.com/docs/secure/tokens/access-tokens/access-token-profiles."""

from __future__ import annotations

from typing import TYPE_CHECKING

from watchword.issuers._settings import Settings, configured, host

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from watchword.issuer import Issuer


def auth0(domain: str, *, rfc9068: bool = False, **settings: Unpack[Settings]) -> Issuer:
    """Return the issuer of an Auth0 tenant, such as ``"example.eu.auth0.com"`` or a custom domain.

    ``audience`` is the identifier of your API. Auth0's ID tokens have the same ``typ`` as access tokens of its own
    profile, and differ only in their audience, a client ID; ``rfc9068=True`` is for APIs with the RFC 9068 profile, and
    accepts nothing else (``typ`` ``at+jwt``, with ``client_id`` and ``jti``). With role-based access control and "Add
    Permissions in the Access Token", ``scope_claims=("permissions",)`` reads those; the default is ``scope``.

    Raises ``TypeError`` or ``ValueError`` if an argument is invalid.
    """
    domain = host(domain, what="domain", example="example.eu.auth0.com")
    return configured(
        f"https://{domain}/",
        settings,
        jwks_uri=f"https://{domain}/.well-known/jwks.json",
        algorithms=("RS256", "PS256"),
        types=("at+jwt",) if rfc9068 else ("at+jwt", "JWT"),
        required=("exp", "sub", "client_id", "jti") if rfc9068 else ("exp", "sub"),
        scope_claims=("scope",),
    )
