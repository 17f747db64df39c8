"""What a ``Policy`` requires: times to the second, required claims, binding to a key; and invalid policies."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from typing import Any

import mint
import pytest
from paths import CLAIM_PATHS, assert_claims_verdict

import watchword as ww
from watchword import ErrorCode, _kernel

NOW = mint.NOW

#: Claim, its value relative to now, leeway, the verdict.
#: Valid is: now < exp + leeway, now >= nbf - leeway, now >= iat - leeway.
BOUNDARIES: list[tuple[str, float, float, ErrorCode | None]] = [
    ("exp", 1, 0, None),
    ("exp", 0.001, 0, None),
    ("exp", 0, 0, ErrorCode.EXPIRED),
    ("exp", -0.001, 0, ErrorCode.EXPIRED),
    ("exp", -4, 5, None),
    ("exp", -4.999, 5, None),
    ("exp", -5, 5, ErrorCode.EXPIRED),
    ("exp", -6, 5, ErrorCode.EXPIRED),
    ("exp", -0.25, 0.5, None),
    ("exp", -0.5, 0.5, ErrorCode.EXPIRED),
    ("exp", -3599, 3600, None),
    ("exp", -3600, 3600, ErrorCode.EXPIRED),
    ("nbf", 0, 0, None),
    ("nbf", 0.001, 0, ErrorCode.NOT_YET_VALID),
    ("nbf", 5, 5, None),
    ("nbf", 5.001, 5, ErrorCode.NOT_YET_VALID),
    ("nbf", 6, 5, ErrorCode.NOT_YET_VALID),
    ("nbf", 0.5, 0.5, None),
    ("iat", 0, 0, None),
    ("iat", 0.001, 0, ErrorCode.ISSUED_IN_FUTURE),
    ("iat", 5, 5, None),
    ("iat", 5.001, 5, ErrorCode.ISSUED_IN_FUTURE),
    ("iat", 6, 5, ErrorCode.ISSUED_IN_FUTURE),
]


@pytest.mark.parametrize(("claim", "offset", "leeway", "code"), BOUNDARIES)
def test_boundaries_of_time(claim: str, offset: float, leeway: float, code: ErrorCode | None) -> None:
    token = mint.token(mint.claims(**{claim: NOW + offset}))
    assert_claims_verdict(token, code, leeway=leeway)


@pytest.mark.parametrize(
    ("claim", "offset", "code"),
    [
        ("exp", -4, None),
        ("exp", -5, ErrorCode.EXPIRED),
        ("nbf", 5, None),
        ("nbf", 6, ErrorCode.NOT_YET_VALID),
        ("iat", 5, None),
        ("iat", 6, ErrorCode.ISSUED_IN_FUTURE),
    ],
)
def test_leeway_is_five_seconds_by_default(claim: str, offset: int, code: ErrorCode | None) -> None:
    assert_claims_verdict(mint.token(mint.claims(**{claim: NOW + offset})), code)


def test_now_with_a_fraction() -> None:
    token = mint.token(mint.claims(exp=NOW + 10))
    assert_claims_verdict(token, None, now=NOW + 9.999, leeway=0)
    assert_claims_verdict(token, ErrorCode.EXPIRED, now=NOW + 10.0, leeway=0)
    assert_claims_verdict(token, None, now=float(NOW), leeway=0)


@pytest.mark.parametrize("exp", [253402300799, 253402300798.5, 4294967296, 2147483648])
def test_far_future(exp: float) -> None:
    token = mint.token(mint.claims(exp=exp))
    assert_claims_verdict(token, None, now=exp - 1, leeway=0)
    assert_claims_verdict(token, ErrorCode.EXPIRED, now=exp, leeway=0)


@pytest.mark.parametrize("now", [0, -1, -1e9, 1e15, 0.5])
def test_any_finite_time_is_accepted(now: float) -> None:
    token = mint.token(mint.claims(nbf=mint.OMIT, iat=mint.OMIT))
    assert_claims_verdict(token, None if now < NOW + 305 else ErrorCode.EXPIRED, now=now)


@pytest.mark.parametrize("now", [math.nan, math.inf, -math.inf, 10**400])
def test_invalid_times(now: float) -> None:
    for path in CLAIM_PATHS:
        with pytest.raises(ValueError, match="now"):
            path.verdict(mint.token(), now=now)


# A list is for a batch, and has a time for each token.
@pytest.mark.parametrize("now", ["1900000000", [[1]], object()])
def test_now_of_the_wrong_type(now: Any) -> None:
    for path in CLAIM_PATHS:
        with pytest.raises(TypeError):
            path.verdict(mint.token(), now=now)


def test_exp_is_required_by_default() -> None:
    token = mint.token(mint.claims(exp=mint.OMIT))
    assert_claims_verdict(token, ErrorCode.MISSING_CLAIM)
    assert_claims_verdict(token, None, required=())
    assert_claims_verdict(token, None, required=["jti"])


@pytest.mark.parametrize(
    "claim", ["exp", "nbf", "iat", "sub", "jti", "iss", "aud", "scope", "tenant", "http://claims.example/x"]
)
def test_required_claims(claim: str) -> None:
    anything: dict[str, Any] = {"issuer": None, "audience": ww.ANY_AUDIENCE, "required": (claim,)}
    present = mint.claims(**{"tenant": 0, "http://claims.example/x": False})
    assert_claims_verdict(mint.token(present), None, **anything)
    absent = {name: value for name, value in present.items() if name != claim}
    assert_claims_verdict(mint.token(absent), ErrorCode.MISSING_CLAIM, **anything)


def test_required_claim_that_is_null_is_missing() -> None:
    assert_claims_verdict(mint.token(mint.claims(tenant=None)), ErrorCode.MISSING_CLAIM, required=("tenant",))
    values: tuple[Any, ...] = (0, False, "", [], {})
    for value in values:
        assert_claims_verdict(mint.token(mint.claims(tenant=value)), None, required=("tenant",))


BOUND = ErrorCode.DPOP_PROOF_REQUIRED
CONFIRMATIONS: list[tuple[dict[str, Any], ErrorCode | None]] = [
    ({"jkt": "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I"}, BOUND),
    ({"jwk": mint.public_jwk("p256")}, BOUND),
    ({"jkt": "x", "x5t#S256": mint.b64(bytes(32))}, ErrorCode.CERTIFICATE_REQUIRED),
    ({"jkt": "x", "kid": "y"}, ErrorCode.UNSUPPORTED),
    ({"jkt": ""}, BOUND),
    ({"x5t#S256": mint.b64(bytes(32))}, ErrorCode.CERTIFICATE_REQUIRED),
    ({"x5t": "x"}, ErrorCode.UNSUPPORTED),
    ({"kid": "k"}, ErrorCode.UNSUPPORTED),
    ({"unheard-of": True}, ErrorCode.UNSUPPORTED),
]


@pytest.mark.parametrize(("cnf", "code"), CONFIRMATIONS)
def test_bound_tokens_need_a_proof(cnf: dict[str, Any], code: ErrorCode | None) -> None:
    token = mint.token(mint.claims(cnf=cnf))
    assert_claims_verdict(token, code)
    assert_claims_verdict(token, code, bound_tokens="reject")
    assert_claims_verdict(token, None, bound_tokens="accept")


def test_limits_of_the_policy() -> None:
    token = mint.token()
    length, header = len(token), len(token.partition(".")[0])
    assert_claims_verdict(token, None, max_token_bytes=length + 500)
    assert_claims_verdict(mint.token(mint.claims(x="y")), ErrorCode.TOO_LARGE, max_token_bytes=length)
    assert_claims_verdict(token, None, max_header_bytes=header)
    assert_claims_verdict(token, ErrorCode.TOO_LARGE, max_header_bytes=header - 1)
    assert_claims_verdict(mint.token(mint.claims(pad="x" * 60_000)), None, max_token_bytes=100_000)
    assert_claims_verdict(mint.token(head=mint.header(pad="x" * 6_000)), None, max_header_bytes=10_000)


MISTAKES: dict[str, tuple[dict[str, Any], type[Exception], str]] = {
    "no algorithm": ({"algorithms": ()}, ValueError, "algorithms"),
    "unknown algorithm": ({"algorithms": ("EdDSA", "ES257")}, ValueError, "ES257.*ES256"),
    "none": ({"algorithms": ("none",)}, ValueError, "none"),
    "HMAC": ({"algorithms": ("HS256",)}, ValueError, "HS256"),
    "algorithm in lower case": ({"algorithms": ("es256",)}, ValueError, "es256.*ES256"),
    "algorithms one string": ({"algorithms": "ES256"}, TypeError, "algorithms"),
    "algorithms of numbers": ({"algorithms": (1,)}, TypeError, "algorithms"),
    "no type": ({"types": ()}, ValueError, "types"),
    "types one string": ({"types": "JWT"}, TypeError, "types"),
    "types of numbers": ({"types": (1,)}, TypeError, "types"),
    "no issuer": ({"issuer": ()}, ValueError, "issuer"),
    "empty issuer": ({"issuer": ""}, ValueError, "issuer"),
    "issuer no text": ({"issuer": "\ud800"}, ValueError, ""),
    "audience no text": ({"audience": ["\ud800"]}, ValueError, ""),
    "issuer a number": ({"issuer": 1}, TypeError, "issuer"),
    "issuer bytes": ({"issuer": b"https://as.example"}, TypeError, "issuer"),
    "no audience": ({"audience": []}, ValueError, "audience"),
    "empty audience": ({"audience": ""}, ValueError, "audience"),
    "audience a number": ({"audience": 1}, TypeError, "audience"),
    "negative leeway": ({"leeway": -1}, ValueError, "leeway"),
    "leeway NaN": ({"leeway": math.nan}, ValueError, "leeway"),
    "leeway infinite": ({"leeway": math.inf}, ValueError, "leeway"),
    "leeway a string": ({"leeway": "5"}, TypeError, "leeway"),
    "required one string": ({"required": "exp"}, TypeError, "required"),
    "required of numbers": ({"required": (1,)}, TypeError, "required"),
    "bound_tokens unknown": ({"bound_tokens": "maybe"}, ValueError, "bound_tokens.*accept"),
    "no bytes": ({"max_token_bytes": 0}, ValueError, "max_token_bytes"),
    "no header bytes": ({"max_header_bytes": 0}, ValueError, "max_header_bytes"),
    "negative bytes": ({"max_token_bytes": -1}, ValueError, "max_token_bytes"),
    "unknown requirement": ({"isuer": "x"}, TypeError, "isuer"),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_invalid_policies(name: str) -> None:
    arguments, kind, message = MISTAKES[name]
    with pytest.raises(kind) as caught:
        ww.Policy(**arguments)
    # Notes, which pytest's match= would read too, are not shown by str() and do not exist before Python 3.11.
    assert re.search(message, str(caught.value))


def test_the_defaults_have_one_source() -> None:
    """Those who pass the defaults on ask the kernel for them; a policy that names them is the policy without them."""
    defaults = {
        "types": _kernel.DEFAULT_TYPES,
        "leeway": _kernel.DEFAULT_LEEWAY,
        "required": _kernel.DEFAULT_REQUIRED,
        "scope_claims": _kernel.DEFAULT_SCOPE_CLAIMS,
        "max_token_bytes": _kernel.MAX_TOKEN_BYTES,
        "max_header_bytes": _kernel.MAX_HEADER_BYTES,
    }
    assert repr(ww.Policy(**defaults)) == repr(ww.Policy())
    signature = ww.Policy.__text_signature__
    assert signature is not None
    assert all(f"{name}={value}" in signature for name, value in defaults.items() if name != "leeway")
    assert f"leeway={_kernel.DEFAULT_LEEWAY:g}," in signature


def test_policy_takes_keywords_only() -> None:
    with pytest.raises(TypeError):
        ww.Policy("https://as.example")  # type: ignore[call-arg]


@pytest.mark.parametrize("make", [tuple, list, set, frozenset, iter, lambda one: (x for x in one), dict.fromkeys])
def test_any_iterable_names_several(make: Callable[[list[str]], Any]) -> None:
    policy = ww.Policy(
        issuer=make([mint.ISSUER]),
        audience=make([mint.AUDIENCE]),
        algorithms=make(["EdDSA"]),
        types=make(["JWT"]),
        required=make(["exp"]),
    )
    keys = ww.KeySet.from_json(mint.jwks("ed25519"))
    for _ in range(2):
        assert ww.verify(mint.token(), keys, policy, now=NOW)


def test_policies_are_frozen_and_can_be_shared() -> None:
    policy = ww.Policy(audience=mint.AUDIENCE)
    for name in ("leeway", "issuer", "anything"):
        with pytest.raises(AttributeError):
            setattr(policy, name, 10)


def test_any_audience_is_one_thing() -> None:
    assert repr(ww.ANY_AUDIENCE)
    with pytest.raises(TypeError):
        type(ww.ANY_AUDIENCE)()
