"""Kubernetes: https://kubernetes.io/docs/reference/access-authn-authz/service-accounts-admin/."""

from __future__ import annotations

from typing import TYPE_CHECKING

from watchword.issuers._settings import Settings, configured

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from watchword.issuer import Issuer


def kubernetes(issuer: str, **settings: Unpack[Settings]) -> Issuer:
    """Return the issuer of a cluster's service account tokens.

    ``issuer`` is exactly the API server's ``--service-account-issuer``, such as
    ``"https://oidc.eks.eu-central-1.amazonaws.com/id/EXAMPLE"`` or ``"https://kubernetes.default.svc.cluster.local"``.
    The keys are discovered. If a cluster publishes them only internally, under a certificate of its own authority, give
    the Verifier a ``fetcher``, or give ``jwks=`` with the output of ``kubectl get --raw /openid/v1/jwks``.

    ``audience`` is one that was requested for the token (a projected volume's ``audience``): never that of the API
    server itself, whose tokens every pod has. The subject is ``system:serviceaccount:NAMESPACE:NAME``; the object that
    the token is bound to is in the claim ``kubernetes.io``. Tokens from Secrets, which never expire, are rejected.
    Whether the pod still exists is not checked: only the API server's TokenReview can check it.

    Raises ``TypeError`` or ``ValueError`` if an argument is invalid.
    """
    return configured(issuer, settings, required=("exp", "sub", "aud", "kubernetes.io"))
