"""Google: https://developers.google.com/identity/openid-connect/openid-connect."""

from __future__ import annotations

from typing import TYPE_CHECKING

from watchword.issuers._settings import Settings, configured

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from watchword.issuer import Issuer


def google(**settings: Unpack[Settings]) -> Issuer:
    """Return the issuer of Google's ID tokens: those of users, and those of service accounts for Cloud Run and others.

    ``audience`` is your client ID, or the audience that a service account requested. ``iss`` has two spellings, with
    and without ``https://``; both are accepted. Anyone with a Google account can obtain such a token: compare ``sub``,
    ``email`` with ``email_verified``, and ``hd`` (the organization) yourself. Google's access tokens are opaque; only
    Google can verify them.

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
