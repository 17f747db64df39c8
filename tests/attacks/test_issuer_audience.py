"""``iss`` and ``aud`` are compared whole and exactly (RFC 7519 sections 4.1.1 and 4.1.3)."""

from __future__ import annotations

import mint
import pytest
from paths import assert_claims_verdict

from watchword import ANY_AUDIENCE, ErrorCode

ISSUER_LOOKALIKES = [
    "https://as.exampl", "https://as.example/", "https://as.example.evil.example", "ttps://as.example", "https://as",
    "h", "",
    "https://AS.example", "HTTPS://as.example", " https://as.example", "https://as.example\n", "https://as.example\x00",
    "https://as.example:443", "http://as.example", "https://as.example/.", "https://as.example?", "https://as.example#",
    "https://а\u0455.example", "https://as.example,https://evil.example", "https://as.examp\u006ce\u0301", "*",
    "https://*",
]  # fmt: skip


@pytest.mark.parametrize("iss", ISSUER_LOOKALIKES)
def test_iss_by_substring_or_prefix(iss: str) -> None:
    assert_claims_verdict(mint.token(mint.claims(iss=iss)), ErrorCode.WRONG_ISSUER)


@pytest.mark.parametrize("iss", ["https://as.example", "https://other.example"])
def test_iss_among_several_issuers(iss: str) -> None:
    token = mint.token(mint.claims(iss=iss))
    assert_claims_verdict(token, None, issuer=("https://as.example", "https://other.example"))
    assert_claims_verdict(token, ErrorCode.WRONG_ISSUER, issuer=["https://third.example"])
    assert_claims_verdict(token, ErrorCode.WRONG_ISSUER, issuer=("https://as.example,https://other.example",))


def test_iss_absent() -> None:
    token = mint.token(mint.claims(iss=mint.OMIT))
    assert_claims_verdict(token, ErrorCode.MISSING_CLAIM)
    assert_claims_verdict(token, None, issuer=None)


def test_iss_is_not_checked_if_the_policy_names_none() -> None:
    assert_claims_verdict(mint.token(mint.claims(iss="anybody")), None, issuer=None)


AUDIENCE_LOOKALIKES = [
    "https://api.example/",
    "https://api",
    "api.example",
    "https://API.example",
    "",
    "https://api.example ",
    "*",
]


@pytest.mark.parametrize("aud", AUDIENCE_LOOKALIKES)
def test_aud_is_exact(aud: str) -> None:
    assert_claims_verdict(mint.token(mint.claims(aud=aud)), ErrorCode.WRONG_AUDIENCE)
    assert_claims_verdict(mint.token(mint.claims(aud=[aud, "x"])), ErrorCode.WRONG_AUDIENCE)
    assert_claims_verdict(mint.token(mint.claims(aud=[aud, mint.AUDIENCE])), None)


def test_aud_one_of_one_of_several() -> None:
    several = ("https://api.example", "https://api-2.example")
    assert_claims_verdict(mint.token(mint.claims(aud="https://api-2.example")), None, audience=several)
    assert_claims_verdict(mint.token(mint.claims(aud=["x", "https://api-2.example"])), None, audience=several)
    assert_claims_verdict(mint.token(mint.claims(aud=["x", "y"])), ErrorCode.WRONG_AUDIENCE, audience=several)
    assert_claims_verdict(mint.token(mint.claims(aud=",".join(several))), ErrorCode.WRONG_AUDIENCE, audience=several)


def test_aud_absent_though_the_policy_has_one() -> None:
    assert_claims_verdict(mint.token(mint.claims(aud=mint.OMIT)), ErrorCode.MISSING_CLAIM)


def test_aud_present_though_the_policy_has_none() -> None:
    assert_claims_verdict(mint.token(), ErrorCode.WRONG_AUDIENCE, audience=None)
    assert_claims_verdict(mint.token(mint.claims(aud=mint.OMIT)), None, audience=None)


def test_any_audience_is_not_checked() -> None:
    for aud in ("x", ["x", "y"], mint.OMIT):
        assert_claims_verdict(mint.token(mint.claims(aud=aud)), None, audience=ANY_AUDIENCE)
    # Not checked is not the same as not read.
    assert_claims_verdict(mint.token(mint.claims(aud=[1])), ErrorCode.MALFORMED_CLAIMS, audience=ANY_AUDIENCE)


def test_an_empty_aud_is_no_audience() -> None:
    empty = mint.token(mint.claims(aud=[]))
    assert_claims_verdict(empty, ErrorCode.MISSING_CLAIM)
    assert_claims_verdict(empty, None, audience=None)
    assert_claims_verdict(empty, ErrorCode.MISSING_CLAIM, audience=None, required=("aud",))
    assert_claims_verdict(empty, ErrorCode.MISSING_CLAIM, audience=ANY_AUDIENCE, required=("aud",))


def test_a_subject_is_no_audience() -> None:
    swapped = mint.claims(sub=mint.AUDIENCE, aud="agent-7")
    assert_claims_verdict(mint.token(swapped), ErrorCode.WRONG_AUDIENCE)
