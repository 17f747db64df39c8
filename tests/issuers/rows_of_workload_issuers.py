"""GitHub Actions, Kubernetes and SPIRE: tokens of workloads."""

from __future__ import annotations

import mint
from issuer_row import OMIT, Change, Row, discovered, rsa_key, times

from watchword import ErrorCode, issuers

C = ErrorCode

ROWS: dict[str, Row] = {}

# https://docs.github.com/actions/reference/security/oidc
_GITHUB = "https://token.actions.githubusercontent.com"
_GITHUB_CLAIMS = {
    "jti": "example-id",
    "sub": "repo:octo-org/octo-repo:environment:prod",
    "environment": "prod",
    "aud": "https://github.com/octo-org",
    "ref": "refs/heads/main",
    "sha": "example-sha",
    "repository": "octo-org/octo-repo",
    "repository_owner": "octo-org",
    "actor_id": "12",
    "repository_visibility": "private",
    "repository_id": "74",
    "repository_owner_id": "65",
    "run_id": "example-run-id",
    "run_number": "10",
    "run_attempt": "2",
    "runner_environment": "github-hosted",
    "actor": "octocat",
    "workflow": "example-workflow",
    "head_ref": "",
    "base_ref": "",
    "event_name": "workflow_dispatch",
    "ref_type": "branch",
    "job_workflow_ref": "octo-org/octo-automation/.github/workflows/oidc.yml@refs/heads/main",
    "iss": _GITHUB,
    **times(nbf=mint.NOW - 120),
}
ROWS["github actions"] = Row(
    issuers.github_actions(),
    discovered(
        _GITHUB, f"{_GITHUB}/.well-known/jwks", rsa_key("example-thumbprint", x5t="example-thumbprint", x5c=["MIID"])
    ),
    {"typ": "JWT", "alg": "RS256", "x5t": "example-thumbprint", "kid": "example-thumbprint"},
    _GITHUB_CLAIMS,
    audience="https://github.com/octo-org",
    rejected={
        "for another audience": Change(C.WRONG_AUDIENCE, {"aud": "sts.amazonaws.com"}),
        "an enterprise's issuer": Change(C.WRONG_ISSUER, {"iss": f"{_GITHUB}/octocat-inc"}),
        "no repository": Change(C.MISSING_CLAIM, {"repository_id": OMIT}),
    },
)

# https://kubernetes.io/docs/reference/access-authn-authz/service-accounts-admin/
_CLUSTER = "https://my-cluster.example.com"
ROWS["kubernetes"] = Row(
    issuers.kubernetes(_CLUSTER),
    discovered(_CLUSTER, f"{_CLUSTER}/openid/v1/jwks", rsa_key("6Xn1MEXAMPLE")),
    {"alg": "RS256", "kid": "6Xn1MEXAMPLE"},
    {
        "aud": ["https://my-audience.example.com"],
        **times(nbf=mint.NOW - 60),
        "iss": _CLUSTER,
        "jti": "aed34954-b33a-4142-b1ec-389d6bbb4936",
        "kubernetes.io": {
            "namespace": "my-namespace",
            "node": {"name": "my-node", "uid": "646e7c5e-32d6-4d42-9dbd-e504e6cbe6b1"},
            "pod": {"name": "my-pod", "uid": "5e0bd49b-f040-43b0-99b7-22765a53f7f3"},
            "serviceaccount": {"name": "my-serviceaccount", "uid": "14ee3fa4-a7e2-420f-9f9a-dbc4507c3798"},
            "warnafter": mint.NOW + 3000,
        },
        "sub": "system:serviceaccount:my-namespace:my-serviceaccount",
    },
    audience="https://my-audience.example.com",
    rejected={
        "the API server's audience": Change(
            C.WRONG_AUDIENCE, {"aud": ["https://kubernetes.default.svc.cluster.local"]}
        ),
        "another cluster": Change(C.WRONG_ISSUER, {"iss": "https://kubernetes.default.svc.cluster.local"}),
        "out of a Secret": Change(
            C.WRONG_ISSUER, {"exp": OMIT, "aud": OMIT, "iss": "kubernetes/serviceaccount", "kubernetes.io": OMIT}
        ),
        "for ever": Change(C.MISSING_CLAIM, {"exp": OMIT}),
        "of another service with this issuer": Change(C.MISSING_CLAIM, {"kubernetes.io": OMIT}),
    },
)

# https://spiffe.io/docs/latest/spiffe-specs/jwt-svid/, /spiffe-trust-domain-and-bundle/
_BUNDLE = "https://spire.example.org/bundle"
_SVID = {"sub": "spiffe://example.org/ns/prod/sa/orders", "aud": ["spiffe://example.org/api"], **times()}
ROWS["spire"] = Row(
    issuers.spiffe("example.org", jwks_uri=_BUNDLE),
    {
        _BUNDLE: {
            "keys": [
                mint.public_jwk("p256-b", kid=OMIT, use="x509-svid", x5c=["MIIB"]),
                mint.public_jwk("p256", kid="C6vs25welZOx6WksNYfbMfiw9l96pMnD", use="jwt-svid"),
            ],
            "spiffe_sequence": 12,
            "spiffe_refresh_hint": 300,
        }
    },
    {"alg": "ES256", "kid": "C6vs25welZOx6WksNYfbMfiw9l96pMnD", "typ": "JWT"},
    _SVID,
    key="p256",
    audience="spiffe://example.org/api",
    left_out=((0, "not_for_signatures"),),
    rejected={
        "another trust domain": Change(C.WRONG_ISSUER, {"sub": "spiffe://other.org/ns/prod/sa/orders"}),
        "a domain that begins alike": Change(C.WRONG_ISSUER, {"sub": "spiffe://example.org.attacker.example/orders"}),
        "the key for X.509-SVIDs": Change(C.INVALID_SIGNATURE, key="p256-b"),
        "without an audience": Change(C.MISSING_CLAIM, {"aud": OMIT}),
        "an audience that is empty": Change(C.MISSING_CLAIM, {"aud": []}),
        "for another workload": Change(C.WRONG_AUDIENCE, {"aud": ["spiffe://example.org/other"]}),
        "without exp": Change(C.MISSING_CLAIM, {"exp": OMIT}),
        "another type": Change(C.WRONG_TYPE, header={"typ": "at+jwt"}),
    },
)
