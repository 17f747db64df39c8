"""Microsoft Entra ID: https://learn.microsoft.com/entra/identity-platform/access-tokens."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Literal

from watchword.issuers._settings import Settings, base_url, configured, guid

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from watchword import AnyTenant
    from watchword.issuer import Issuer

#: The tenant of personal Microsoft accounts.
MICROSOFT_ACCOUNTS = "9188040d-6c67-4c5b-b112-36a304b66dad"

_CLOUD = "https://login.microsoftonline.com"


def entra(
    tenant: str | None = None,
    *,
    tenants: Iterable[str] | AnyTenant | None = None,
    version: Literal[1, 2] = 2,
    authority: str = _CLOUD,
    **settings: Unpack[Settings],
) -> Issuer:
    """Return the issuer of one Entra tenant, or of several.

    ``tenant`` is the ID of one directory, a GUID. ``tenants`` are the IDs of several, whose tokens are signed
    with the keys of the tenant-independent endpoint (``common``), or :data:`watchword.ANY_TENANT`: all, including
    personal Microsoft accounts (:data:`MICROSOFT_ACCOUNTS`). A token's ``tid`` must be the tenant that its ``iss``
    names, and one of ``tenants``.

    ``version`` is that of the tokens, which the API's registration sets (``accessTokenAcceptedVersion``; null means 1),
    not that of the endpoint that the client uses. ``audience`` is the application ID of your API (version 2), or
    its application ID URI (version 1). ``authority`` is another cloud's, for version 2 only.

    ID tokens are rejected, because they have no ``azp`` (version 1: ``appid``). Scopes are those of ``scp``, which
    users delegate; application permissions and users' roles are in ``roles``. ``scope_claims=("scp", "roles")`` reads
    both: use it only if no role has the name of a scope.

    Raises ``TypeError`` or ``ValueError`` if an argument is invalid.
    """
    if (tenant is None) == (tenants is None):
        raise ValueError("give tenant, the ID of one directory, or tenants, a list of them or ANY_TENANT")
    if version not in (1, 2):
        raise ValueError("version must be 1 or 2, the accessTokenAcceptedVersion of the API's registration")
    authority = base_url(authority, what="authority", example=_CLOUD)
    if version == 1 and authority != _CLOUD:
        raise ValueError("authority requires version 2: the issuers of version 1 differ in each cloud")
    known: dict[str, Any] = {}
    if tenant is not None:
        known["jwks_uri"] = _keys(authority, guid(tenant, what="tenant"), version)
        name = tenant.lower()
    else:
        known["jwks_uri"] = _keys(authority, "common", version)
        known["tenants"] = _listed(tenants)
        name = "{tid}"
    return configured(
        f"{authority}/{name}/v2.0" if version == 2 else f"https://sts.windows.net/{name}/",
        settings,
        algorithms=("RS256",),
        types=("JWT",),
        required=("exp", "tid", "azp") if version == 2 else ("exp", "tid", "appid"),
        scope_claims=("scp",),
        **known,
    )


def _keys(authority: str, tenant: str, version: int) -> str:
    return f"{authority}/{tenant}/discovery/v2.0/keys" if version == 2 else f"{authority}/{tenant}/discovery/keys"


def _listed(tenants: Iterable[str] | AnyTenant | None) -> tuple[str, ...] | AnyTenant | None:
    if isinstance(tenants, str):
        raise TypeError(f"tenants must be a list or a tuple, such as ({tenants!r},), or ANY_TENANT")
    return tuple(guid(one, what="each of tenants") for one in tenants) if isinstance(tenants, Iterable) else tenants
