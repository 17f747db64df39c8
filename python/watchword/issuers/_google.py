"""Google: https://developers.google.com/identity/openid-connect/openid-connect."""

from __future__ import annotations

from typing import TYPE_CHECKING

from watchword.issuers._settings import Settings, configured

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from watchword.issuer import Issuer


def google(**settings: Unpack[Settings]) -> Issuer:
    """Returns the issuer of Google's ID tokens: those of users, and those that service accounts present to
    Cloud Run and the like.

    ``audience`` is your client ID, or the audience that a service account asked for. ``iss`` has two spellings, with
    and without ``https://``; both are accepted. Anybody with a Google account can have such a token: whose it is, say
    ``sub``, ``email`` with ``email_verified``, and ``hd`` (the organization), which you compare yourself. Google's
    access tokens are opaque, and nothing but Google can verify them.

    Raises ``TypeError`` or ``ValueError`` if an argument is invalid.
    """
    return configured(
        "https://accounts.google.com",
        settings,
        aliases=("accounts.google.com",),
        algorithms=("RS256",),
        types=("JWT",),
        required=("exp", "sub", "aud"),
    )
