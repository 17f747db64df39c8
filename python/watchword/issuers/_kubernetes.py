"""Kubernetes: https://kubernetes.io/docs/reference/access-authn-authz/service-accounts-admin/."""

from __future__ import annotations

from typing import TYPE_CHECKING

from watchword.issuers._settings import Settings, configured

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from watchword.issuer import Issuer


def kubernetes(issuer: str, **settings: Unpack[Settings]) -> Issuer:
    """Returns the issuer of a cluster's service account tokens.

    ``issuer`` is what the API server's ``--service-account-issuer`` says, character by character, such as
    ``"https://oidc.eks.eu-central-1.amazonaws.com/id/EXAMPLE"`` or ``"https://kubernetes.default.svc.cluster.local"``.
    The keys are discovered. A cluster that publishes them inside only, to clients with its own authority's certificate,
    takes a ``fetcher`` of the Verifier, or ``jwks=`` with what ``kubectl get --raw /openid/v1/jwks`` prints.

    ``audience`` is one that the token was asked for (a projected volume's ``audience``): never that of the API server
    itself, whose tokens every pod has. The subject is ``system:serviceaccount:NAMESPACE:NAME``; what the token is bound
    to is in the claim ``kubernetes.io``. Tokens out of Secrets, which never expire, are refused. Whether the pod is
    still there is not checked: only the API server's TokenReview knows.

    Raises ``TypeError`` or ``ValueError`` if an argument is invalid.
    """
    return configured(issuer, settings, required=("exp", "sub", "aud", "kubernetes.io"))
