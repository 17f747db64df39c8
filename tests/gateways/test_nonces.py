"""A client gets the nonce for its next proof through every gateway (RFC 9449 section 9)."""

from __future__ import annotations

import functools
import secrets
from pathlib import Path

import pytest
from gate_answers import check_rejection
from gate_cases import ORDER, Expected, Requests
from gate_routes import ISSUER, ORIGIN
from gateways import GATEWAYS, Gateway, running
from upstream import recording

from watchword.testing import LocalIssuer


@pytest.mark.parametrize("gateway", GATEWAYS, ids=lambda gateway: gateway.name)
def test_a_proof_with_the_nonce_of_the_rejection_is_accepted(gateway: Gateway, tmp_path: Path) -> None:
    requests = Requests(LocalIssuer(ISSUER, audience=ORIGIN, algorithms=("EdDSA", "ES256")))
    # The workers of nginx with Lua must share the keys of nonces.
    keys = tmp_path / "nonce.keys"
    keys.write_text(secrets.token_urlsafe(32))
    settings = {"dpop": {"nonce_lifetime": 300, "nonce_keys_file": str(keys)}}
    with (
        recording() as application,
        running(gateway, tmp_path, requests.issuer.jwks(), application.port, **settings) as ran,
        ran.showing_logs(),
    ):
        rejected = ran.send(requests.proven(requests.proof))
        assert rejected.status == 401
        check_rejection(rejected, Expected(401, "dpop_nonce_required", ("DPoP", "use_dpop_nonce")))
        (nonce,) = rejected.all("dpop-nonce")
        accepted = ran.send(requests.proven(functools.partial(requests.prover.proof, "GET", ORDER, nonce=nonce)))
        assert accepted.status == 200
