"""Issuers of many tenants: an issuer template, one source of keys, and the tenants that are accepted."""

from __future__ import annotations

from typing import Any

import pytest
from endpoint import Key, Server, answer, jwks
from hypothesis import given
from hypothesis import strategies as st
from verdicts import ELSE, ONE, code, remote

import watchword as ww
from watchword._kernel import IssuerTable
from watchword.configured_issuers import ConfiguredIssuers

A, B = Key("a"), Key("b")
TEMPLATE = "https://login.example/{tid}/v2.0"


def of(tenant: str, **claims: Any) -> str:
    return A.token(f"https://login.example/{tenant}/v2.0", **{"tid": tenant, **claims})


def with_others(*issuers: ww.Issuer) -> list[ww.Verifier]:
    """Alone, and beside other issuers: the verdicts are the same."""
    return [ww.Verifier(issuers), ww.Verifier([*issuers, ww.Issuer(ONE, jwks=jwks(B))])]


def test_listed_tenants(server: Server) -> None:
    server.routes["/jwks"] = answer(jwks(A))
    for verifier in with_others(remote(server, TEMPLATE, tenants=["t-1", "t-2"])):
        with verifier:
            server.requests.clear()
            assert code(verifier, of("t-3")) == "wrong_issuer"
            assert server.count() == 0
            assert [code(verifier, of(tenant)) for tenant in ("t-1", "t-2", "t-3")] == [None, None, "wrong_issuer"]
            # One source of keys for all of them.
            assert server.count() == 1
            assert next(iter(verifier.stats())) == TEMPLATE


def test_any_tenant(server: Server) -> None:
    server.routes["/jwks"] = answer(jwks(A))
    for verifier in with_others(remote(server, TEMPLATE, tenants=ww.ANY_TENANT)):
        with verifier:
            server.requests.clear()
            for foreign in (ELSE, "https://login.example/t/v1.0", "https://login.example//v2.0", TEMPLATE):
                assert code(verifier, A.token(foreign, tid="t")) == "wrong_issuer"
            for delimited in ("a/b", "a?b", "a#b", "a b", "a%2fb", "..", "é"):
                assert code(verifier, of(delimited)) == "wrong_issuer"
            assert server.count() == 0
            assert [code(verifier, of(tenant)) for tenant in ("t-1", "whoever", "A_b.c")] == [None] * 3
            assert server.count() == 1


@pytest.mark.parametrize(
    ("claims", "verdict"),
    [
        ({"tid": "t-2"}, "wrong_issuer"),
        ({"tid": None}, "missing_claim"),
        ({"tid": ["t-1"]}, "wrong_issuer"),
        ({"tid": "t-3", "iss": "https://login.example/t-1/v2.0"}, "wrong_issuer"),
        ({"tid": "T-1"}, "wrong_issuer"),
    ],
)
def test_the_tenant_in_iss_is_that_of_the_claim(claims: dict[str, Any], verdict: str) -> None:
    for tenants in (["t-1", "t-2"], ww.ANY_TENANT):
        for verifier in with_others(ww.Issuer(TEMPLATE, jwks=jwks(A), tenants=tenants)):
            assert code(verifier, of("t-1")) is None
            assert code(verifier, of("t-1", **claims)) == verdict


def test_several_spellings_of_an_issuer_of_many_tenants() -> None:
    """Entra signs both of its token versions with one key set."""
    older = "https://sts.example/{tid}/"
    issuer = ww.Issuer(TEMPLATE, jwks=jwks(A), aliases=[older, "https://fixed.example"], tenants=["t-1"])
    for verifier in with_others(issuer):
        assert code(verifier, of("t-1")) is None
        assert code(verifier, A.token("https://sts.example/t-1/", tid="t-1")) is None
        assert code(verifier, A.token("https://sts.example/t-1/", tid="t-2")) == "wrong_issuer"
        assert code(verifier, A.token("https://sts.example/t-1", tid="t-1")) == "wrong_issuer"
        assert code(verifier, A.token("https://fixed.example")) is None


def test_a_tenant_with_keys_of_its_own_comes_before_any_tenant() -> None:
    any_tenant = ww.Issuer(TEMPLATE, jwks=jwks(A), tenants=ww.ANY_TENANT)
    own = ww.Issuer("https://login.example/big/v2.0", jwks=jwks(B), audience="big")
    for issuers in ([any_tenant, own], [own, any_tenant]):
        verifier = ww.Verifier(issuers)
        assert code(verifier, of("small")) is None
        assert code(verifier, of("big", aud="big")) == "unknown_key"
        assert code(verifier, B.token("https://login.example/big/v2.0", aud="big")) is None
        assert code(verifier, B.token("https://login.example/small/v2.0", tid="small")) == "unknown_key"


@pytest.mark.parametrize(
    ("issuers", "fine"),
    [
        ([(TEMPLATE, ["a"]), (TEMPLATE, ["b"])], False),  # one name for two issuers
        ([(TEMPLATE, ["a", "b"]), ("https://login.example/{tenant}/v2.0", ["c"])], True),
        ([(TEMPLATE, ["a", "b"]), ("https://login.example/{tenant}/v2.0", ["b"])], False),
        ([(TEMPLATE, ["a"]), ("https://login.example/a/v2.0", None)], False),
        ([(TEMPLATE, ["a"]), ("https://login.example/b/v2.0", None)], True),
        ([(TEMPLATE, ["a"]), ("https://login.example/{tenant}/v2.0", "any")], True),
        ([(TEMPLATE, "any"), ("https://login.example/{tenant}/v2.0", "any")], False),
        ([(TEMPLATE, "any"), ("https://login.example/{tid}", "any")], True),
        ([(TEMPLATE, "any"), ("https://login.example/a{tid}/v2.0", "any")], False),
        ([(TEMPLATE, "any"), ("https://login.example/{tid}a/v2.0", "any")], False),
        ([("https://{tid}.example", "any"), ("https://login.{tid}", "any")], False),
        ([("https://{tid}.example/", "any"), ("https://login.{tid}/", "any")], False),
        ([("https://{tid}.example/a", "any"), ("https://login.example/{tid}", "any")], True),
        ([("https://{tid}.example", "any"), ("https://{tid}.example/", "any")], True),
    ],
)
def test_two_issuers_may_not_claim_one_tenant(issuers: list[tuple[str, Any]], fine: bool) -> None:
    made = [
        ww.Issuer(name, jwks=jwks(A), tenants=ww.ANY_TENANT if tenants == "any" else tenants)
        for name, tenants in issuers
    ]
    for order in (made, made[::-1]):
        if fine:
            ww.Verifier(order)
        else:
            with pytest.raises(ValueError, match=r"given twice|could match both"):
                ww.Verifier(order)


@pytest.mark.parametrize(
    ("issuer", "arguments", "kind", "why"),
    [
        (TEMPLATE, {}, ValueError, "placeholder"),
        (ONE, {"tenants": ["a"]}, ValueError, "placeholder"),
        (ONE, {"tenants": ww.ANY_TENANT}, ValueError, "placeholder"),
        (TEMPLATE, {"tenants": []}, ValueError, "empty"),
        (TEMPLATE, {"tenants": "common"}, TypeError, r"\('common',\)"),
        (TEMPLATE, {"tenants": 5}, TypeError, "tenants"),
        (TEMPLATE, {"tenants": ["a/b"]}, ValueError, "tenants"),
        (TEMPLATE, {"tenants": [5]}, TypeError, "tenants"),
        ("https://{a}.example/{b}", {"tenants": ["a"]}, ValueError, "one placeholder"),
        ("https://login.example/{}", {"tenants": ["a"]}, ValueError, "braces"),
        ("https://login.example/}{", {"tenants": ["a"]}, ValueError, "placeholder"),
    ],
)
def test_tenants_that_cannot_be(issuer: str, arguments: dict[str, Any], kind: type[Exception], why: str) -> None:
    with pytest.raises(kind, match=why):
        ww.Issuer(issuer, jwks=jwks(A), **arguments)


def test_a_template_is_not_discovered() -> None:
    with pytest.raises(ValueError, match="give the URL of the keys that all tenants share as jwks_uri"):
        ww.Issuer(TEMPLATE, tenants=ww.ANY_TENANT)


# The choice, held against a model, and against the kernel's.

TEXTS = st.text(alphabet="ab/.{é-", max_size=4)
PARTS = st.text(alphabet="ab/.", max_size=3)


def of_any_tenant(*templates: str) -> IssuerTable:
    return IssuerTable([(template, [template], ww.ANY_TENANT, None) for template in templates])


@given(PARTS, PARTS, PARTS, PARTS, st.text(alphabet="ab/.", max_size=8))
def test_templates_that_overlap(prefix: str, suffix: str, other_prefix: str, other_suffix: str, issuer: str) -> None:
    both = [f"https://{prefix}{{tid}}{suffix}", f"https://{other_prefix}{{tid}}{other_suffix}"]

    def match(issuer: str) -> bool:
        return all(of_any_tenant(one).find_by_names(issuer, None) is not None for one in both)

    try:
        of_any_tenant(*both)
    except ValueError:
        with pytest.raises(ValueError, match="one iss could match both"):
            of_any_tenant(*both[::-1])
        # There is such an iss.
        assert match(f"https://{max(prefix, other_prefix, key=len)}x{max(suffix, other_suffix, key=len)}")
    else:
        of_any_tenant(*both[::-1])
        assert not match(f"https://{issuer}")


@given(PARTS, PARTS, TEXTS, TEXTS)
def test_a_template_matches_what_the_policy_accepts(prefix: str, suffix: str, in_iss: str, in_claim: str) -> None:
    spelling = f"https://{prefix}{{tid}}{suffix}"
    verifier = ww.Verifier([ww.Issuer(spelling, jwks=jwks(A), tenants=ww.ANY_TENANT)])
    issuer = f"https://{prefix}{in_iss}{suffix}"
    matches = of_any_tenant(spelling).find_by_names(issuer, None) == 0
    verdict = code_of(verifier, A.token(issuer, tid=in_claim))
    if verdict is None:
        assert matches
    if matches and in_iss == in_claim:
        assert verdict is None


def code_of(verifier: ww.Verifier, token: str) -> ww.ErrorCode | None:
    try:
        verifier.verify(token)
    except ww.VerificationError as error:
        return error.code
    return None


NAMES = ["https://a.example", "https://b.example", "a.example", "https://t.example/a", "https://t.example/b"]
TEMPLATES = ["https://t.example/{tid}", "https://{tid}.example"]
DOMAINS = ["spiffe://a.example", "spiffe://b"]
SUBJECTS = [None, "alice", "spiffe://a.example/x", "spiffe://b/x/y", "spiffe://b", "spiffe://b.example/x", "spiffe://"]


@given(
    names=st.lists(st.sampled_from(NAMES), unique=True, max_size=3),
    listed=st.sampled_from([None, ("a",), ("b", "c")]),
    anyone=st.sampled_from([None, *TEMPLATES]),
    domains=st.lists(st.sampled_from(DOMAINS), unique=True),
    issuer=st.sampled_from([None, "", *NAMES, "https://t.example/c", "https://c.example", "https://c.example/", "c"]),
    subject=st.sampled_from(SUBJECTS),
)
def test_the_choice_is_that_of_a_model(
    names: list[str],
    listed: tuple[str, ...] | None,
    anyone: str | None,
    domains: list[str],
    issuer: str | None,
    subject: str | None,
) -> None:
    issuers = [ww.Issuer(name, jwks=jwks(A)) for name in (*names, *domains)]
    exact = dict(zip(names, issuers, strict=False))
    if listed is not None:
        issuers.append(ww.Issuer("https://t.example/{tenant}", jwks=jwks(A), tenants=listed))
        for tenant in listed:
            if f"https://t.example/{tenant}" in exact:
                with pytest.raises(ValueError, match="given twice"):
                    ConfiguredIssuers(issuers)
                return
            exact[f"https://t.example/{tenant}"] = issuers[-1]
    if anyone is not None:
        issuers.append(ww.Issuer(anyone, jwks=jwks(A), tenants=ww.ANY_TENANT))
    expected = exact.get(issuer or "")
    if expected is None and issuer is not None and anyone is not None:
        prefix, _, suffix = anyone.replace("{tid}", "|").partition("|")
        tenant = issuer.removeprefix(prefix).removesuffix(suffix)
        if prefix + tenant + suffix == issuer and tenant and "/" not in tenant:
            expected = issuers[-1]
    if expected is None and subject is not None:
        expected = next((one for one in issuers if f"{subject}/".startswith(f"{one.issuer}/")), None)
    table = ConfiguredIssuers(issuers).table
    assert table.find_by_names(issuer, subject) == (None if expected is None else issuers.index(expected))
    # The same from a token.
    token = A.token("", iss=issuer, sub=subject)
    assert table.find(token) == table.find(token.encode()) == table.find_by_names(issuer, subject)
