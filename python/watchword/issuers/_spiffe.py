"""SPIFFE: https://spiffe.io/docs/latest/spiffe-specs/jwt-svid/."""

from __future__ import annotations

from typing import TYPE_CHECKING

from watchword.issuers._settings import Settings, configured
from watchword.spiffe import SPIFFE_SCHEME

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from watchword.issuer import Issuer


def spiffe(trust_domain: str, **settings: Unpack[Settings]) -> Issuer:
    """Return the issuer of a SPIFFE trust domain's JWT-SVIDs, such as those that SPIRE issues to ``"example.org"``.

    The bundle comes from ``jwks_uri`` (the bundle endpoint, profile ``https_web``), ``jwks_file`` or ``jwks``; its keys
    for ``jwt-svid`` are used, those for ``x509-svid`` are rejected and reported. A JWT-SVID has no ``iss``: ``sub``
    must be a SPIFFE ID of the trust domain, and ``aud`` and ``exp`` must be present. ``audience`` is what the caller
    requested from the Workload API.

    Raises ``TypeError`` or ``ValueError`` if an argument is invalid.
    """
    if not isinstance(trust_domain, str):
        raise TypeError("trust_domain must be a string such as 'example.org'")
    return configured(
        SPIFFE_SCHEME + trust_domain.removeprefix(SPIFFE_SCHEME),
        settings,
        # JWT-SVID section 2.1, except for ES512, which is not supported.
        algorithms=("RS256", "RS384", "RS512", "ES256", "ES384", "PS256", "PS384", "PS512"),
        types=("JWT", "JOSE", None),
        required=("exp", "sub", "aud"),
    )
