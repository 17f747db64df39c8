"""Azure AD B2C: https://learn.microsoft.com/azure/active-directory-b2c/tokens-overview."""

from __future__ import annotations

from typing import TYPE_CHECKING

from watchword.issuers._settings import Settings, configured, guid, host, segment

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from watchword.issuer import Issuer


def entra_b2c(
    domain: str, tenant: str, user_flow: str, *, tfp_issuer: bool = False, **settings: Unpack[Settings]
) -> Issuer:
    """Return the issuer of a B2C tenant, such as ``"contoso.b2clogin.com"`` or a custom domain.

    ``tenant`` is the ID of the directory, a GUID; ``user_flow`` the user flow or custom policy, such as
    ``"b2c_1_signupsignin1"``, whose keys verify. All user flows of a tenant have the same ``iss``, so tokens of
    another one with the same keys are valid too: compare the claim ``tfp``, or set the tenant's "Issuer (iss) claim" to
    the URL with ``/tfp/`` and pass ``tfp_issuer=True``, so that ``iss`` names the user flow. ``audience`` is the
    application ID of your API. ID tokens are rejected, because they have no ``scp``.

    Raises ``TypeError`` or ``ValueError`` if an argument is invalid.
    """
    domain = host(domain, what="domain", example="contoso.b2clogin.com")
    directory = guid(tenant, what="tenant")
    flow = segment(user_flow, what="user_flow", example="b2c_1_signupsignin1").lower()
    middle = f"tfp/{directory}/{flow}" if tfp_issuer else directory
    return configured(
        f"https://{domain}/{middle}/v2.0/",
        settings,
        jwks_uri=f"https://{domain}/{directory}/{flow}/discovery/v2.0/keys",
        algorithms=("RS256",),
        types=("JWT",),
        required=("exp", "scp"),
        scope_claims=("scp",),
    )
