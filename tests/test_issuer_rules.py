"""Whose tokens a ``Policy`` accepts: tenants of a multi-tenant issuer, and workloads of a SPIFFE trust domain."""

from __future__ import annotations

import re
from typing import Any

import mint
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from paths import assert_claims_verdict

import watchword as ww
from watchword import ErrorCode

TEMPLATE = "https://login.example/{tid}/v2.0"
KEYS = ww.KeySet.from_json(mint.jwks("ed25519"))
WRONG = ErrorCode.WRONG_ISSUER


def issuer(tenant: str) -> str:
    return TEMPLATE.replace("{tid}", tenant)


@pytest.mark.parametrize(
    ("iss", "tid", "listed", "anybody"),
    [
        (issuer("t-1"), "t-1", None, None),
        (issuer("t_2.x"), "t_2.x", None, None),
        (issuer("t-3"), "t-3", WRONG, None),
        (issuer("t-1"), "t_2.x", WRONG, WRONG),
        (issuer("t-1"), mint.OMIT, ErrorCode.MISSING_CLAIM, ErrorCode.MISSING_CLAIM),
        (issuer("t-1"), None, ErrorCode.MISSING_CLAIM, ErrorCode.MISSING_CLAIM),
        (mint.OMIT, "t-1", ErrorCode.MISSING_CLAIM, ErrorCode.MISSING_CLAIM),
        (issuer("1"), 1, WRONG, WRONG),
        (issuer("t-1"), ["t-1"], WRONG, WRONG),
        (issuer(""), "", WRONG, WRONG),
        (issuer(".."), "..", WRONG, WRONG),
        (issuer("a/b"), "a/b", WRONG, WRONG),
        (issuer("evil.example/t-1/v2.0?"), "evil.example/t-1/v2.0?", WRONG, WRONG),
        (issuer("t-1#"), "t-1#", WRONG, WRONG),
        (issuer("é"), "é", WRONG, WRONG),
        (issuer("t-1\n"), "t-1\n", WRONG, WRONG),
        (TEMPLATE, "{tid}", WRONG, WRONG),
        (issuer("t-1") + "/", "t-1", WRONG, WRONG),
        ("http" + issuer("t-1")[5:], "t-1", WRONG, WRONG),
        (issuer("T-1"), "t-1", WRONG, WRONG),
        ("https://login.example/v2.0", "t-1", WRONG, WRONG),
    ],
)
def test_tenants(iss: Any, tid: Any, listed: ErrorCode | None, anybody: ErrorCode | None) -> None:
    token = mint.token(mint.claims(iss=iss, tid=tid))
    assert_claims_verdict(token, listed, issuer=TEMPLATE, tenants=["t_2.x", "t-1"])
    assert_claims_verdict(token, anybody, issuer=TEMPLATE, tenants=ww.ANY_TENANT)


ANY_TENANT = ww.Policy(issuer=TEMPLATE, audience=mint.AUDIENCE, tenants=ww.ANY_TENANT)
TENANT = st.text("ab-._/%\\?#:@{} é\x00", max_size=4) | st.just("t")


@given(st.text("htps:/login.examv20{}d?#", max_size=40) | TENANT.map(issuer) | TENANT.map("x".__add__), TENANT)
@example(issuer("t"), "t")
def test_no_issuer_but_the_expansion_of_the_template_is_accepted(iss: str, tid: str) -> None:
    [code] = ww.verify_many([mint.token(mint.claims(iss=iss, tid=tid))], KEYS, ANY_TENANT, now=mint.NOW).codes()
    is_plain = re.fullmatch(r"[A-Za-z0-9._-]+", tid) is not None and tid not in (".", "..")
    assert code is (None if iss == issuer(tid) and is_plain else WRONG)


def test_spellings_of_one_issuer_beside_its_tenants() -> None:
    several = {"issuer": [TEMPLATE, "https://sts.example/{tid}/", mint.ISSUER], "tenants": ("t",)}
    for iss in (issuer("t"), "https://sts.example/t/", mint.ISSUER):
        assert_claims_verdict(mint.token(mint.claims(iss=iss, tid="t")), None, **several)
    # The tenants are of the templates: who names an issuer in full has named it.
    assert_claims_verdict(mint.token(mint.claims(tid="other")), None, **several)
    assert_claims_verdict(mint.token(mint.claims(iss=issuer("other"), tid="other")), WRONG, **several)


def svid(**changes: Any) -> str:
    return mint.token(mint.claims(**{"iss": mint.OMIT, "sub": "spiffe://example.org/web", **changes}))


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({}, None),
        ({"iss": "https://anybody.example"}, None),
        ({"sub": "spiffe://example.org/ns/default/sa/web"}, None),
        ({"sub": "spiffe://example.com/web"}, WRONG),
        ({"sub": "spiffe://example.org.evil/web"}, WRONG),
        ({"sub": "spiffe://xexample.org/web"}, WRONG),
        ({"sub": mint.OMIT}, ErrorCode.MISSING_CLAIM),
        ({"exp": mint.OMIT}, ErrorCode.MISSING_CLAIM),
        ({"aud": mint.OMIT}, ErrorCode.MISSING_CLAIM),
        ({"aud": []}, ErrorCode.MISSING_CLAIM),
        ({"aud": "https://other.example"}, ErrorCode.WRONG_AUDIENCE),
        *(
            ({"sub": sub}, ErrorCode.MALFORMED_CLAIMS)
            for sub in (
                "", "agent-7", "https://example.org/web", "spiffe://example.org", "spiffe://example.org/",
                "spiffe://example.org/web/", "spiffe://example.org//web", "spiffe://example.org/../web",
                "spiffe://example.org/./web", "spiffe://Example.org/web", "SPIFFE://example.org/web",
                "spiffe://example.org:443/web", "spiffe://a@example.org/web", "spiffe://example.org/w%65b",
                "spiffe://example.org/web?x", "spiffe://example.org/web#x", "spiffe://example.org/wéb",
                "spiffe://example.org\\web", " spiffe://example.org/web", "spiffe://example.org/web\n",
                "spiffe://example.org/" + "a" * 2048,
            )
        ),
    ],
)  # fmt: skip
def test_workloads_of_a_trust_domain(changes: dict[str, Any], code: ErrorCode | None) -> None:
    policy: dict[str, Any] = {"issuer": None, "trust_domain": "example.org", "required": ()}
    assert_claims_verdict(svid(**changes), code, **policy)


def test_a_jwt_svid_needs_an_audience() -> None:
    policy: dict[str, Any] = {"issuer": None, "trust_domain": "example.org"}
    assert_claims_verdict(svid(), ErrorCode.WRONG_AUDIENCE, **policy, audience=None)
    for audience in (None, ww.ANY_AUDIENCE):
        assert_claims_verdict(svid(aud=mint.OMIT), ErrorCode.MISSING_CLAIM, **policy, audience=audience)
    assert_claims_verdict(svid(aud="x"), None, **policy, audience=ww.ANY_AUDIENCE)


MISTAKES: dict[str, tuple[dict[str, Any], type[Exception], str]] = {
    "a template without tenants": ({"issuer": TEMPLATE}, ValueError, "tenant"),
    "half a template": ({"issuer": "https://x/{tid"}, ValueError, "placeholder"),
    "tenants without an issuer": ({"tenants": ["t"]}, ValueError, "placeholder"),
    "tenants without a template": ({"issuer": mint.ISSUER, "tenants": ["t"]}, ValueError, "placeholder"),
    "any tenant without a template": ({"issuer": mint.ISSUER, "tenants": ww.ANY_TENANT}, ValueError, "placeholder"),
    "two placeholders": ({"issuer": "https://{a}/{b}", "tenants": ["t"]}, ValueError, "one placeholder"),
    "an empty placeholder": ({"issuer": "https://x/{}", "tenants": ["t"]}, ValueError, "braces"),
    "nothing but a placeholder": ({"issuer": "{tid}", "tenants": ["t"]}, ValueError, "before"),
    "iss in iss": ({"issuer": "https://x/{iss}", "tenants": ["t"]}, ValueError, "iss"),
    "no tenant": ({"issuer": TEMPLATE, "tenants": []}, ValueError, "tenants"),
    "an empty tenant": ({"issuer": TEMPLATE, "tenants": [""]}, ValueError, "tenants"),
    "a tenant with a slash": ({"issuer": TEMPLATE, "tenants": ["a/b"]}, ValueError, "a/b"),
    "tenants one string": ({"issuer": TEMPLATE, "tenants": "t"}, TypeError, "tenants"),
    "tenants a number": ({"issuer": TEMPLATE, "tenants": 1}, TypeError, "tenants"),
    "an issuer and a trust domain": (
        {"issuer": mint.ISSUER, "trust_domain": "example.org"}, ValueError, "trust_domain.*issuer"),
    "tenants and a trust domain": ({"tenants": ["t"], "trust_domain": "example.org"}, ValueError, "trust_domain"),
    "a SPIFFE ID for a trust domain": ({"trust_domain": "spiffe://example.org"}, ValueError, "without"),
    "a trust domain in capitals": ({"trust_domain": "Example.org"}, ValueError, "lower-case"),
    "an empty trust domain": ({"trust_domain": ""}, ValueError, "trust_domain"),
    "a trust domain of bytes": ({"trust_domain": b"example.org"}, TypeError, "trust_domain"),
    "a trust domain that is no text": ({"trust_domain": "\ud800"}, ValueError, "trust_domain"),
}  # fmt: skip


@pytest.mark.parametrize("name", MISTAKES)
def test_rules_that_contradict_themselves(name: str) -> None:
    arguments, kind, message = MISTAKES[name]
    with pytest.raises(kind) as caught:
        ww.Policy(**arguments)
    assert re.search(message, str(caught.value))


def test_what_a_policy_shows() -> None:
    assert repr(ww.ANY_TENANT) == "ANY_TENANT"
    assert "tenants=ANY_TENANT" in repr(ANY_TENANT)
    assert "trust_domain='example.org'" in repr(ww.Policy(trust_domain="example.org"))
    with pytest.raises(TypeError):
        type(ww.ANY_TENANT)()
