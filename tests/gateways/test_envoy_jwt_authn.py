"""What Envoy's own filter for JWTs accepts and the module does not, each shown in both.

``docs/envoy.md`` lists these rows. ``jwt_authn`` is configured with the issuer, the audience and the keys, which is all
that it verifies, besides the times.
"""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import mint
import pytest
from envoy_process import FILTERS, TYPES, RunningEnvoy, envoy, struct, watchword
from gate_routes import ISSUER, ORIGIN, READ
from upstream import recording
from wire import LONG, Wire


def claims(**changes: Any) -> dict[str, Any]:
    now = int(time.time())
    payload = {"iss": ISSUER, "aud": ORIGIN, "sub": "alice", "scope": READ, "iat": now, "exp": now + 600, **changes}
    return {name: value for name, value in payload.items() if value is not mint.OMIT}


def header(**changes: Any) -> dict[str, Any]:
    return {"alg": "EdDSA", "kid": "ed25519", "typ": "at+jwt", **changes}


def bearer(token: str, *more: tuple[str, str], target: str = "/orders/1") -> Wire:
    return Wire("GET", target, (("Authorization", f"Bearer {token}"), *more))


def token(payload: Any = None, head: Any = None, key: str = "ed25519", algorithm: str = "EdDSA") -> str:
    return mint.token(payload or claims(), head or header(), key=key, algorithm=algorithm)


@dataclass(frozen=True)
class Row:
    name: str
    wire: Callable[[], Wire]
    #: What the module answers.
    code: str
    #: What ``jwt_authn`` answers.
    status: int = 200


_JKT = "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I"

ROWS = (
    Row(
        "a token that is bound to a key (DPoP), as a bearer token",
        lambda: bearer(token(claims(cnf={"jkt": _JKT}))),
        "dpop_proof_required",
    ),
    Row(
        "a token that is bound to a client certificate, without one",
        lambda: bearer(token(claims(cnf={"x5t#S256": _JKT}))),
        "certificate_required",
    ),
    Row("any scope", lambda: bearer(token(claims(scope="profile"))), "insufficient_scope"),
    Row(
        "a token in the query",
        lambda: Wire("GET", f"/orders/1?access_token={token()}"),
        "token_in_query",
    ),
    Row("a token without exp", lambda: bearer(token(claims(exp=mint.OMIT))), "missing_claim"),
    Row("an ID token", lambda: bearer(token(claims(nonce="n"), header(typ="id+jwt"))), "wrong_type"),
    Row("a logout token", lambda: bearer(token(head=header(typ="logout+jwt"))), "wrong_type"),
    Row("a proof as a token", lambda: bearer(token(head=header(typ="dpop+jwt"))), "wrong_type"),
    Row(
        "a critical header that nobody knows",
        lambda: bearer(token(head=header(crit=["x-unknown"], **{"x-unknown": 1}))),
        "unsupported_critical_header",
    ),
    Row("a token from the future", lambda: bearer(token(claims(iat=int(time.time()) + 9000))), "issued_in_future"),
    Row("a token that expired a minute ago", lambda: bearer(token(claims(exp=int(time.time()) - 40))), "expired"),
    Row(
        "another scheme before the token",
        lambda: Wire("GET", "/orders/1", (("Authorization", f"Basic eDp5 Bearer {token()}"),)),
        "missing_token",
    ),
    Row(
        "a key that is for encryption",
        lambda: bearer(token(None, header(alg="ES256", kid="p256"), "p256", "ES256")),
        "unknown_key",
    ),
    Row("an ambiguous path", lambda: bearer(token(), target="/public/../orders/1"), "ambiguous_path"),
)


@dataclass(frozen=True)
class Both:
    module: RunningEnvoy
    jwt_authn: RunningEnvoy


@pytest.fixture(name="both", scope="module")
def _both(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Both]:
    jwks = mint.jwks("ed25519", mint.public_jwk("p256", use="enc"))
    provider = {
        "issuer": ISSUER,
        "audiences": [ORIGIN],
        "local_jwks": {"inline_string": json.dumps(jwks)},
        "payload_in_metadata": "jwt_payload",
        "header_in_metadata": "jwt_header",
        "normalize_payload_in_metadata": {"space_delimited_claims": ["scope"]},
    }
    rule = {"match": {"prefix": "/"}, "requires": {"provider_name": "as"}}
    theirs = {
        "name": "jwt_authn",
        "typed_config": {
            "@type": f"{FILTERS}.jwt_authn.v3.JwtAuthentication",
            "providers": {"as": provider},
            "rules": [rule],
        },
    }
    gate = {
        "public_url": ORIGIN,
        "token": {"audience": ORIGIN},
        "issuers": [{"issuer": ISSUER, "jwks": jwks}],
        "routes": [{"path": "/orders/{id}", "scopes": [READ]}, {"path": "/any"}],
    }
    module = {
        "gate": gate,
        "payload_in_metadata": "jwt_payload",
        "header_in_metadata": "jwt_header",
        "space_delimited_claims": ["scope"],
    }
    form = {"json_format": {"metadata": "%DYNAMIC_METADATA(envoy.filters.http.jwt_authn)%"}}
    log = {"@type": f"{TYPES}.access_loggers.file.v3.FileAccessLog", "path": "access.log", "log_format": form}
    more: dict[str, Any] = {"access_log": [{"name": "file", "typed_config": log}]}
    folders = [tmp_path_factory.mktemp(name) for name in ("module", "jwt_authn")]
    with (
        recording() as upstream,
        envoy(folders[0], upstream.port, [watchword(struct(module))], **more) as running,
        envoy(folders[1], upstream.port, [theirs], **more) as jwt_authn,
    ):
        yield Both(running, jwt_authn)


def test_both_accept_a_good_token_and_reject_a_forged_one(both: Both) -> None:
    for running in (both.module, both.jwt_authn):
        assert running.send(bearer(token())).status == 200
        assert running.send(bearer(token()[:-4] + "AAAA")).status == 401
        assert running.send(bearer(token(claims(aud="https://other.example")))).status in {401, 403}


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_what_jwt_authn_accepts_and_the_module_does_not(row: Row, both: Both) -> None:
    assert both.jwt_authn.send(row.wire()).status == row.status
    answer = both.module.send(row.wire())
    assert answer.status != 200
    assert answer.json["code"] == row.code


@pytest.mark.parametrize(
    "more",
    [
        {"scope": READ},
        *({"scope": scope} for scope in ("", " ", f" {READ}  b ", "a\tb", ["a b"])),
        {"n": [1e21, 12345678901234567890, 0.1, -0.0], "e": {}, "l": [], "null": None, "": True, "u": "\x00é😀"},
    ],
    ids=str,
)
def test_the_metadata_is_the_same(more: dict[str, Any], both: Both) -> None:
    jti = uuid.uuid4().hex
    wire = bearer(token(claims(jti=jti, **more)), target="/any")
    found = []
    for running in (both.module, both.jwt_authn):
        assert running.send(wire).status == 200
        deadline = time.monotonic() + LONG
        while not (lines := [line for line in running.access_log() if jti in line]):
            assert time.monotonic() < deadline
            time.sleep(0.02)
        found.append(json.loads(lines[0])["metadata"])
    assert found[0] == found[1]
    assert set(found[0]) == {"jwt_payload", "jwt_header"}
