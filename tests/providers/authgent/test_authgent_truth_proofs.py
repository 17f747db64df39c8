"""Recorded proofs and challenges of the published package, replayed with the same names."""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Any

import mint
import proofs
import pytest
from authgent_rows import Row, compare, read
from authgent_tokens import now

import watchword as ww
import watchword.providers.authgent as authgent
from watchword.providers.authgent.middleware.scope_challenge import ScopeChallengeHandler, parse_scope_challenge


@pytest.fixture(name="rows", scope="module")
def _rows(shared: Path) -> dict[str, dict[str, Row]]:
    return read(shared)


URI = "https://api.example.com/data"


def _proof(head: dict[str, Any] | None = None, **changes: Any) -> str:
    made = {"htm": "POST", "htu": URI, "iat": now(), "jti": f"j-{now()}-{next(_numbers)}"}
    payload = {name: value for name, value in {**made, **changes}.items() if value is not mint.OMIT}
    return proofs.proof(payload, head)


_numbers = iter(range(10_000))
RAW = "a.token"


def proved(proof: Any, uri: str = URI, token: Any = None, access_token: str | None = RAW) -> Any:
    bound = {"cnf": {"jkt": proofs.jkt()}} if token is None else token
    given = {"access_token": access_token} if access_token is not None else {}
    found = authgent.verify_dpop_proof(bound, proof, "POST", uri, **given)
    assert found["jkt"] == proofs.jkt()
    return "ok"


def _p(head: dict[str, Any] | None = None, uri: str = URI, **changes: Any) -> Callable[[], Any]:
    """A proof that names its access token, as every proof for a resource server does."""
    return lambda: proved(_proof(head, **{"ath": proofs.ath(RAW), **changes}), uri)


def _at(**offsets: float) -> Callable[[], Any]:
    """The same, with times relative to now."""
    return lambda: proved(_proof(ath=proofs.ath(RAW), **{name: now() + offset for name, offset in offsets.items()}))


PROOFS: dict[str, Callable[[], Any]] = {
    "valid": _p(),
    "typ=JWT": _p(proofs.header(typ="JWT")),
    "typ=DPOP+JWT (media types are case-insensitive)": _p(proofs.header(typ="DPOP+JWT")),
    "jwk missing": _p(proofs.header(jwk=mint.OMIT)),
    "jwk kty=RSA": _p(proofs.header(jwk=proofs.jwk(kty="RSA"))),
    "jwk kty=OKP": _p(proofs.header(jwk=proofs.jwk(kty="OKP"))),
    "jwk is a string": _p(proofs.header(jwk="key")),
    "jwk crv=P-384 label, P-256 coords (cnf = thumbprint of that)": _p(proofs.header(jwk=proofs.jwk(crv="P-384"))),
    "jwk crv missing (cnf = thumbprint of 3 members)": _p(proofs.header(jwk=proofs.jwk(crv=mint.OMIT))),
    "alg=HS256": lambda: proved(
        proofs.proof(proofs.claims(), proofs.header(alg="HS256"), key=b"secret", algorithm="HS256")
    ),
    "alg=ES384 header": _p(proofs.header(alg="ES384")),
    "signature by another key": lambda: proved(proofs.proof(proofs.claims(), signature=bytes([1] * 64))),
    "crit unknown": _p(proofs.header(crit=["x"], x=1)),
    "htm GET vs POST": _p(htm="GET"),
    "htm 'post' lowercase": _p(htm="post"),
    "htm None": _p(htm=None),
    "htu other host": _p(htu="https://evil.example.com/data"),
    "htu has query, request same query": _p(htu=URI + "?a=1", uri=URI + "?a=1"),
    "scheme/host case differs": _p(htu="HTTPS://API.Example.COM/data"),
    "trailing slash": _p(htu=URI + "/"),
    "percent-encoding case %2f/%2F": _p(htu="https://api.example.com/a%2fb", uri="https://api.example.com/a%2Fb"),
    "dot segments": _p(htu="https://api.example.com/x/../data"),
    "htu missing": _p(htu=mint.OMIT),
    "empty path vs '/'": _p(htu="https://api.example.com", uri="https://api.example.com/"),
    "iat = now-59": _at(iat=-58),
    "iat = now-61": _at(iat=-62),
    "iat = now-1": _at(iat=-1),
    "iat = now+1": _at(iat=1),
    "iat = now+2": _at(iat=2),
    "iat = now+5": _at(iat=5),
    "iat = now+61": _at(iat=61),
    "iat float": _at(iat=-0.5),
    "iat null": _p(iat=None),
    "exp in past in proof": _at(exp=-10),
    "nbf future in proof": _at(nbf=10),
    "ath absent though an access token is presented": _p(ath=mint.OMIT),
    "ath of ANOTHER token": _p(ath=proofs.ath("another")),
    "nonce absent": _p(),
    "nonce arbitrary": _p(nonce="zzz"),
    "token is AgentIdentity": lambda: proved(
        _proof(ath=proofs.ath(RAW)),
        token=authgent.AgentIdentity.from_claims({"cnf": {"jkt": proofs.jkt()}}),
        access_token=None,
    ),
    "token is TokenClaims": lambda: proved(
        _proof(ath=proofs.ath(RAW)), token=authgent.TokenClaims({"cnf": {"jkt": proofs.jkt()}})
    ),
    "None proof": lambda: proved(None),
}

PROOFS_OTHERWISE: dict[str, tuple[Any, str]] = {
    "typ=DPOP+JWT (media types are case-insensitive)": (
        "ok",
        "RFC 7515 section 4.1.9",
    ),
    "jwk crv=P-384 label, P-256 coords (cnf = thumbprint of that)": (
        "DPoPError dpop_key_mismatch",
        "here the token is bound to the key with its own curve: another key is rejected before it is read",
    ),
    "jwk crv missing (cnf = thumbprint of 3 members)": (
        "DPoPError dpop_invalid_key",
        "RFC 7518 section 6.2.1 requires crv",
    ),
    "htm 'post' lowercase": ("DPoPError dpop_wrong_method", "RFC 9110 section 9.1: methods are case-sensitive"),
    "scheme/host case differs": ("ok", "RFC 9449 section 4.3 asks for RFC 3986 normalisation"),
    "percent-encoding case %2f/%2F": ("ok", "RFC 3986 section 6.2.2.1"),
    "dot segments": ("ok", "RFC 3986 section 6.2.2.3"),
    "empty path vs '/'": ("ok", "RFC 3986 section 6.2.3"),
    "iat = now+1": ("ok", "clocks may differ by 5 seconds"),
    "iat = now+2": ("ok", "clocks may differ by 5 seconds"),
    "iat = now+5": ("ok", "clocks may differ by 5 seconds"),
    "ath absent though an access token is presented": (
        "DPoPError dpop_missing_claim",
        "RFC 9449 section 4.3, check 12",
    ),
    "ath of ANOTHER token": ("DPoPError dpop_wrong_access_token", "RFC 9449 section 4.3, check 12"),
}


def test_recorded_proofs(rows: dict[str, dict[str, Row]]) -> None:
    compare(
        rows["verify_dpop_proof"],
        PROOFS,
        PROOFS_OTHERWISE,
        lambda row: "ok" if row["outcome"] == "ok" else row["message"],
    )


def test_recorded_thumbprints(rows: dict[str, dict[str, Row]]) -> None:
    # The published helper is private; RFC 7638's function is watchword.thumbprint, for every kind of key.
    rsa = [mint.public_jwk(name) for name in ("rsa", "rsa-b")]
    ours = {
        "extra members ignored": ww.thumbprint(proofs.jwk()) == ww.thumbprint(proofs.jwk(use="sig", x5c=["x"])),
        "two different RSA keys give the same thumbprint": ww.thumbprint(rsa[0]) == ww.thumbprint(rsa[1]),
    }
    assert rows["_compute_jkt"].keys() - ours.keys() == {"RFC 7638 RSA example (3.1)"}  # tests/test_thumbprint.py
    assert ours == {"extra members ignored": True, "two different RSA keys give the same thumbprint": False}


# Challenges, and the documented names.

CHALLENGES = {
    "multi scope": ('Bearer error="insufficient_scope", scope="a b c"', "a b c", ""),
    "no spaces after comma": ('Bearer error="insufficient_scope",scope="x"', "x", ""),
    "authgent server's own header": (
        'Bearer realm="authgent", error="insufficient_scope", '
        'error_description="Requested scopes not in client registration: x", scope="x y"',
        "x y",
        "authgent",
    ),
}


def test_recorded_challenges(rows: dict[str, dict[str, Row]]) -> None:
    assert set(CHALLENGES) == set(rows["parse_scope_challenge"])
    for case, (header, scope, realm) in CHALLENGES.items():
        found = parse_scope_challenge(header)
        assert found is not None
        assert dataclasses.asdict(found) == {"required_scope": scope, "error": "insufficient_scope", "realm": realm}
        # RFC 6750 section 3: scopes with spaces, RFC 9110 section 5.6.1: commas without. Each row is wrong about one.
        assert dataclasses.asdict(found) != rows["parse_scope_challenge"][case]["value"]


def test_every_documented_name_exists(rows: dict[str, dict[str, Row]]) -> None:
    import importlib

    assert rows["seed README"]["DPoPClient.create()"]["outcome"] == "raises"
    assert authgent.DPoPClient.create().jkt
    assert rows["seed README"]["ScopeChallengeHandler.handle_scope_challenge exists"]["value"] is False
    assert inspect.iscoroutinefunction(ScopeChallengeHandler.handle_scope_challenge)
    for case in rows["seed README import"]:
        module, _, name = case.replace("authgent.", "watchword.providers.authgent.", 1).rpartition(".")
        assert hasattr(importlib.import_module(module), name)
