"""``iss`` and ``aud`` are compared whole and exactly (RFC 7519 sections 4.1.1 and 4.1.3)."""

from __future__ import annotations

import mint
import pytest
from paths import Path, claim_paths

from watchword import ANY_AUDIENCE, ErrorCode

ISSUER_LOOKALIKES = [
    "https://as.exampl", "https://as.example/", "https://as.example.evil.example", "ttps://as.example", "https://as",
    "h", "",
    "https://AS.example", "HTTPS://as.example", " https://as.example", "https://as.example\n", "https://as.example\x00",
    "https://as.example:443", "http://as.example", "https://as.example/.", "https://as.example?", "https://as.example#",
    "https://а\u0455.example", "https://as.example,https://evil.example", "https://as.examp\u006ce\u0301", "*",
    "https://*",
]  # fmt: skip


@claim_paths
@pytest.mark.parametrize("iss", ISSUER_LOOKALIKES)
def test_iss_by_substring_or_prefix(path: Path, iss: str) -> None:
    assert path.judge(mint.token(mint.claims(iss=iss))) is ErrorCode.WRONG_ISSUER


@claim_paths
@pytest.mark.parametrize("iss", ["https://as.example", "https://other.example"])
def test_iss_among_several_issuers(path: Path, iss: str) -> None:
    token = mint.token(mint.claims(iss=iss))
    assert path.judge(token, issuer=("https://as.example", "https://other.example")) is None
    assert path.judge(token, issuer=["https://third.example"]) is ErrorCode.WRONG_ISSUER
    assert path.judge(token, issuer=("https://as.example,https://other.example",)) is ErrorCode.WRONG_ISSUER


@claim_paths
def test_iss_absent(path: Path) -> None:
    token = mint.token(mint.claims(iss=mint.OMIT))
    assert path.judge(token) is ErrorCode.MISSING_CLAIM
    assert path.judge(token, issuer=None) is None


@claim_paths
def test_iss_is_free_where_the_policy_names_none(path: Path) -> None:
    assert path.judge(mint.token(mint.claims(iss="anybody")), issuer=None) is None


AUDIENCE_LOOKALIKES = [
    "https://api.example/",
    "https://api",
    "api.example",
    "https://API.example",
    "",
    "https://api.example ",
    "*",
]


@claim_paths
@pytest.mark.parametrize("aud", AUDIENCE_LOOKALIKES)
def test_aud_is_exact(path: Path, aud: str) -> None:
    assert path.judge(mint.token(mint.claims(aud=aud))) is ErrorCode.WRONG_AUDIENCE
    assert path.judge(mint.token(mint.claims(aud=[aud, "x"]))) is ErrorCode.WRONG_AUDIENCE
    assert path.judge(mint.token(mint.claims(aud=[aud, mint.AUDIENCE]))) is None


@claim_paths
def test_aud_one_of_one_of_several(path: Path) -> None:
    several = ("https://api.example", "https://api-2.example")
    assert path.judge(mint.token(mint.claims(aud="https://api-2.example")), audience=several) is None
    assert path.judge(mint.token(mint.claims(aud=["x", "https://api-2.example"])), audience=several) is None
    assert path.judge(mint.token(mint.claims(aud=["x", "y"])), audience=several) is ErrorCode.WRONG_AUDIENCE
    assert path.judge(mint.token(mint.claims(aud=",".join(several))), audience=several) is ErrorCode.WRONG_AUDIENCE


@claim_paths
def test_aud_absent_though_the_policy_has_one(path: Path) -> None:
    assert path.judge(mint.token(mint.claims(aud=mint.OMIT))) is ErrorCode.MISSING_CLAIM


@claim_paths
def test_aud_present_though_the_policy_has_none(path: Path) -> None:
    assert path.judge(mint.token(), audience=None) is ErrorCode.WRONG_AUDIENCE
    assert path.judge(mint.token(mint.claims(aud=mint.OMIT)), audience=None) is None


@claim_paths
def test_any_audience_says_openly_that_it_is_not_checked(path: Path) -> None:
    for aud in ("x", ["x", "y"], mint.OMIT):
        assert path.judge(mint.token(mint.claims(aud=aud)), audience=ANY_AUDIENCE) is None
    # Not checked is not the same as not read.
    assert path.judge(mint.token(mint.claims(aud=[1])), audience=ANY_AUDIENCE) is ErrorCode.MALFORMED_CLAIMS


@claim_paths
def test_an_empty_aud_is_no_audience(path: Path) -> None:
    empty = mint.token(mint.claims(aud=[]))
    assert path.judge(empty) is ErrorCode.MISSING_CLAIM
    assert path.judge(empty, audience=None) is None
    assert path.judge(empty, audience=None, required=("aud",)) is ErrorCode.MISSING_CLAIM
    assert path.judge(empty, audience=ANY_AUDIENCE, required=("aud",)) is ErrorCode.MISSING_CLAIM


@claim_paths
def test_a_subject_is_no_audience(path: Path) -> None:
    swapped = mint.claims(sub=mint.AUDIENCE, aud="agent-7")
    assert path.judge(mint.token(swapped)) is ErrorCode.WRONG_AUDIENCE
