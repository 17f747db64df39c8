"""Apple: https://developer.apple.com/documentation/signinwithapple/authenticating-users-with-sign-in-with-apple."""

from __future__ import annotations

from typing import TYPE_CHECKING

from watchword.issuers._settings import Settings, configured

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from watchword.issuer import Issuer


def apple(**settings: Unpack[Settings]) -> Issuer:
    """Return the issuer of Sign in with Apple's identity tokens.

    ``audience`` is your client ID: the bundle ID of the app, or the services ID. Compare ``nonce`` with the one you
    sent. ``email_verified`` and ``is_private_email`` are booleans or strings.

    Raises ``TypeError`` or ``ValueError`` if an argument is invalid.
    """
    return configured(
        "https://appleid.apple.com",
        settings,
        jwks_uri="https://appleid.apple.com/auth/keys",
        algorithms=("RS256",),
        types=(None, "JWT"),
        required=("exp", "sub", "aud"),
    )
