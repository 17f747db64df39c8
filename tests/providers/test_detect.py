"""``detect``: which provider a token looks like, for any input and without verification."""

from __future__ import annotations

import dataclasses
import subprocess
import sys
from typing import Any

import mint
import pytest
from hypothesis import given
from hypothesis import strategies as st
from provider_samples import SAMPLES, Sample

from watchword.providers import PROVIDERS, Detection, detect
from watchword.testing import LocalIssuer


@pytest.mark.parametrize("sample", SAMPLES, ids=str)
def test_whose_a_token_looks_like(sample: Sample) -> None:
    raw = sample.mint()
    found = detect(raw)
    assert (found.provider, found.kind) == (sample.provider, sample.kind or None)
    assert found.reasons
    assert detect(raw.encode()) == found
    # Its signature, its keys and its times do not matter: they are not checked.
    forged = raw[: raw.rindex(".")] + "."
    assert detect(forged) == found
    assert detect(sample.mint(now=0)) == found


def test_every_provider_has_a_sample() -> None:
    assert {sample.provider for sample in SAMPLES} == {*PROVIDERS, None}


def test_it_says_that_nothing_was_verified() -> None:
    found = detect(SAMPLES[0].mint())
    assert found.verified is False
    assert "UNVERIFIED" in repr(found)
    assert "verified" in (detect.__doc__ or "")
    with pytest.raises(dataclasses.FrozenInstanceError):
        found.provider = None  # type: ignore[misc]


@pytest.mark.parametrize("algorithm", ["none", "HS256", "XX999"])
def test_unsupported_algorithms_are_ignored(algorithm: str) -> None:
    sample = next(one for one in SAMPLES if str(one) == "authpi-id_token")
    assert detect(mint.token(sample.payload(), {"alg": algorithm, "typ": "JWT"}, signature=b"")).provider == "authpi"


@pytest.mark.parametrize("name", ["agentwrit-agent_token", "authgent-access_token", "authpi-id_token"])
@pytest.mark.parametrize("typ", ["at+jwt", "jwt+dpop", "logout+jwt", "application/json"])
def test_another_type_is_another_kind(name: str, typ: str) -> None:
    sample = next(one for one in SAMPLES if str(one) == name)
    assert detect(dataclasses.replace(sample, typ=typ).mint()).provider is None


@pytest.mark.parametrize("sample", SAMPLES, ids=str)
def test_a_type_is_a_media_type(sample: Sample) -> None:
    # RFC 7515 section 4.1.9: of no case, and with "application/" or without.
    typ = sample.typ
    if typ is mint.OMIT:
        return
    expected = detect(sample.mint())
    for same in (typ.lower(), typ.upper(), typ.title(), f"application/{typ}", f"APPLICATION/{typ.upper()}"):
        assert detect(dataclasses.replace(sample, typ=same).mint()) == expected
    # Other letters of the same lower case, another type that ends so, the prefix twice.
    for other in (f"x/{typ}", f"application/x/{typ}", f"application/application/{typ}", f"{typ} ", "txnto\u212aen+jwt"):
        assert detect(dataclasses.replace(sample, typ=other).mint()).provider is None


ONE_MARK: dict[str, tuple[dict[str, Any], str]] = {
    "the prefix of a subject": ({"sub": "usr_1", "aud": "a"}, "authpi"),
    "organizations": ({"sub": "x", "aud": "a", "organizations": {}}, "authpi"),
    "an issuer": ({"iss": "https://idp.authpi.com/iss_1", "sub": "x", "aud": "a"}, "authpi"),
    "an agent's id": ({"sub": "agent_1", "name": "Bot", "email": "bot@example.com"}, "clawauth"),
    "a delegation": ({"sub": "x", "delegation_id": "dlg_1"}, "paphwey"),
    "a principal": ({"sub": "x", "actor_chain": {"principal_id": "p"}}, "paphwey"),
    "the prefix of another subject": ({"sub": "paphwey:x"}, "paphwey"),
    "the type of a credential": ({"sub": "x", "type": ["PaphweyDelegationCredential"]}, "paphwey"),
    "a claim type": ({"sub": "x", "type": "delegation_receipt"}, "authgent"),
}


@pytest.mark.parametrize("mark", ONE_MARK)
def test_one_mark_is_not_enough(mark: str) -> None:
    claims, provider = ONE_MARK[mark]
    found = detect(mint.token({"iss": mint.ISSUER, **claims}, {"alg": "ES256", "typ": "JWT"}, signature=b""))
    assert (found.provider, found.kind, found.problems) == (None, None, ())
    (reason,) = found.reasons
    assert reason.startswith(f"one mark of {provider}'s tokens is not enough: ")


def test_one_mark_of_another_provider_does_not_outweigh_several() -> None:
    claims = {"iss": mint.ISSUER, "sub": "agent_1", "aud": "a", "trust_score": 7, "organizations": []}
    assert detect(mint.token(claims, {"alg": "ES256", "typ": "JWT"}, signature=b"")).provider == "clawauth"


def test_a_token_of_several_providers_is_of_none() -> None:
    both = {"iss": "https://idp.authpi.com/i", "sub": "agent_1", "aud": "a", "organizations": [], "trust_score": 1}
    found = detect(mint.token(both, mint.header("p256", "ES256"), key="p256", algorithm="ES256"))
    assert (found.provider, found.kind) == (None, None)
    assert len(found.reasons) == 2
    assert all("could be" in reason for reason in found.reasons)


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        ("", "malformed_token"),
        ("an opaque token", "malformed_token"),
        ("a" * 20_000, "too_large"),
        ("a.b.c.d.e", "unsupported"),
        ("\ud800", "malformed_token"),
        (b"\xff\xfe", "malformed_token"),
        ("W10.e30.", "malformed_header"),
        (mint.token(b"[]"), "not a JSON object"),
        (mint.token(b"\xff"), "not a JSON object"),
        (mint.token(b"[" * 5000), "not a JSON object"),
        (mint.token(b'{"a":' * 2000), "not a JSON object"),
        (mint.token(b'{"exp":' + b"1" * 5000 + b"}"), "not a JSON object"),
        (mint.token(head=mint.header(crit=["exp"])), "unsupported_critical_header"),
    ],
)
def test_what_is_no_token(raw: Any, message: str) -> None:
    found = detect(raw)
    assert (found.provider, found.kind) == (None, None)
    assert message in found.reasons[0]


@pytest.mark.parametrize("depth", [100, 900, *range(940, 1000, 3), 5000])
def test_it_raises_for_no_depth(depth: int) -> None:
    deep = b"[" * depth + b"]" * depth
    for payload in (
        b'{"iss":"a","sub":"usr_1","aud":"x","delegation_id":%s,"delegation":{"delegation_id":"d"}}' % deep,
        b'{"iss":"a","delegation_id":"d","cnf":{"jwk":{"kty":%s}}}' % deep,
        b'{"sub":"agent_1","roles":%s}' % deep,
    ):
        for algorithm in ("ES256", "EdDSA"):
            assert detect(mint.token(payload, {"alg": algorithm, "kid": "x"}, signature=b"")).reasons


def test_what_the_providers_verifier_would_reject_is_a_problem() -> None:
    claims = {"iss": mint.ISSUER, "sub": "agent_1", "trust_score": 99}
    found = detect(mint.token(claims, {"alg": "ES256", "typ": "JWT"}))
    assert (found.provider, found.kind) == ("clawauth", "agent_token")
    assert found.problems == ('malformed_claims: "trust_score" must be a number from 0 to 10',)
    assert "trust_score" in repr(found)
    assert detect(mint.token({**claims, "trust_score": 9}, {"alg": "ES256", "typ": "JWT"})).problems == ()
    # Marks alone are not enough: these claims say that it is another kind of token.
    person = detect(mint.token({**claims, "sub": "usr_1x", "organizations": [], "aud": "a", "trust_score": 1}))
    assert person.provider == "authpi"
    other = detect(mint.token({"iss": "https://authpi.com/iss_1", "sub": "x", "organizations": [], "aud": "a"}))
    assert other.provider is None
    assert "begins with none of" in other.reasons[0]


@given(st.text() | st.binary())
def test_it_raises_for_no_text(raw: Any) -> None:
    assert detect(raw).provider is None


def test_it_raises_for_no_kind_of_bad_token() -> None:
    for bad in LocalIssuer(algorithms=("EdDSA", "ES256")).defects():
        assert isinstance(detect(bad.token), Detection), bad.defect


junk = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=6)
    | st.sampled_from(["agent_1", "app:"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=6,
)
NAMES = sorted(
    {name for sample in SAMPLES if isinstance(sample.claims, dict) for name in sample.claims} | {"iss", "aud"}
)


@given(
    st.dictionaries(st.sampled_from(NAMES), junk, max_size=6),
    st.sampled_from(["EdDSA", "ES256", "RS256", "none"]),
    st.sampled_from(["JWT", "vc+jwt", "txntoken+jwt", "dpop+jwt", "", mint.OMIT]),
)
def test_it_raises_for_no_claims(claims: dict[str, Any], algorithm: str, typ: Any) -> None:
    head = {name: value for name, value in {"alg": algorithm, "typ": typ}.items() if value is not mint.OMIT}
    found = detect(mint.token(claims, head, signature=b""))
    assert found.reasons


@given(st.sampled_from(SAMPLES), st.text("abcdefgh", min_size=8))
def test_it_quotes_nothing(sample: Sample, secret: str) -> None:
    claims = {**sample.payload(), "iss": secret, "aud": [secret], "sub": "agent_" + secret, secret: secret}
    assert secret not in repr(detect(mint.token(claims, {"alg": "ES256"})))


@pytest.mark.parametrize("wrong", [None, 5, ["a.b.c"], bytearray(b"a.b.c")])
def test_what_is_no_text_is_a_mistake(wrong: Any) -> None:
    with pytest.raises(TypeError):
        detect(wrong)


def test_no_published_package_is_imported() -> None:
    program = f"""
import sys
from watchword.providers import detect
assert detect({SAMPLES[0].mint()!r}).provider == "agentwrit"
print(*sorted(name for name in sys.modules if name in ("pydantic", "httpx2", "fastapi", "flask", "cryptography")))
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []
