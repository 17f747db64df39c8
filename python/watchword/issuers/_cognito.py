"""Amazon Cognito user pools:
https://docs.aws.amazon.com/cognito/latest/developerguide/amazon-cognito-user-pools-using-the-access-token.html.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING

from watchword.arguments import as_tuple
from watchword.issuers._settings import Settings, configured

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from watchword.issuer import Issuer


def cognito(region: str, pool_id: str, *, client_ids: Iterable[str], **settings: Unpack[Settings]) -> Issuer:
    """Return the issuer of a user pool's access tokens.

    ``pool_id`` is the pool's ID, such as ``"eu-central-1_EXAMPLE"``; ``client_ids`` are those of the app clients whose
    tokens are accepted. Cognito's access tokens name the client that they were issued to instead of an audience:
    ``client_id`` is checked in place of ``aud``. A token for a resource has an ``aud`` too, which must be one of
    ``audience``. ID tokens are rejected, because they have no ``client_id``.

    Raises ``TypeError`` or ``ValueError`` if an argument is invalid.
    """
    if not isinstance(region, str) or re.fullmatch(r"[a-z]{2,4}(-[a-z]+)+-[0-9]+", region) is None:
        raise ValueError("region must be the name of a region, such as 'eu-central-1'")
    if not isinstance(pool_id, str) or re.fullmatch(rf"{region}_[A-Za-z0-9]+", pool_id) is None:
        raise ValueError(f"pool_id must be the ID of a user pool in that region, such as '{region}_EXAMPLE'")
    clients = as_tuple("client_ids", client_ids) or ()
    if not clients:
        raise ValueError("client_ids is empty: list the app clients whose tokens are accepted")
    domain = "amazonaws.com.cn" if region.startswith("cn-") else "amazonaws.com"
    issuer = f"https://cognito-idp.{region}.{domain}/{pool_id}"
    settings = {**settings, "audience": (*clients, *_names(settings.get("audience")))}
    return configured(
        issuer,
        settings,
        jwks_uri=f"{issuer}/.well-known/jwks.json",
        algorithms=("RS256",),
        types=(None, "JWT"),
        required=("exp", "sub", "client_id", "token_use"),
        audience_claim="client_id",
        scope_claims=("scope",),
    )


def _names(audience: object) -> tuple[str, ...]:
    if audience is None:
        return ()
    if isinstance(audience, str):
        return (audience,)
    if not isinstance(audience, Iterable):
        raise ValueError("audience can't be ANY_AUDIENCE, because client_ids are required: give names, or omit it")  # noqa: TRY004
    return tuple(audience)
