"""GitHub Actions: https://docs.github.com/actions/reference/security/oidc."""

from __future__ import annotations

from typing import TYPE_CHECKING

from watchword.issuers._settings import Settings, configured, host, segment

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from watchword.issuer import Issuer


def github_actions(*, enterprise: str | None = None, server: str | None = None, **settings: Unpack[Settings]) -> Issuer:
    """Return the issuer of the tokens of GitHub Actions' workflow runs.

    **Any workflow can obtain a token with your audience**, so a valid token proves only that it comes from GitHub:
    always compare ``repository_owner_id``, ``repository_id``, ``sub`` or ``job_workflow_ref`` of ``token.claims`` with
    those you trust. ``audience`` is what the workflow requests; by default it is the URL of the repository's owner.
    ``enterprise`` is the slug of an enterprise with an issuer of its own; ``server`` the host of a GitHub Enterprise
    Server.

    Raises ``TypeError`` or ``ValueError`` if an argument is invalid.
    """
    if enterprise is not None and server is not None:
        raise ValueError("give enterprise or server, not both: an Enterprise Server has one issuer")
    if server is not None:
        issuer = f"https://{host(server, what='server', example='github.example')}/_services/token"
    else:
        issuer = "https://token.actions.githubusercontent.com"
        if enterprise is not None:
            issuer += f"/{segment(enterprise, what='enterprise', example='octocat-inc')}"
    return configured(
        issuer,
        settings,
        algorithms=("RS256",),
        types=("JWT",),
        required=("exp", "sub", "aud", "repository_owner_id", "repository_id"),
    )
