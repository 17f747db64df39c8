"""``crit`` (RFC 7515 section 4.1.11) and ``b64`` (RFC 7797): no extension is understood, so each is rejected."""

from __future__ import annotations

from typing import Any

import mint
import pytest
from paths import assert_verdict

from watchword import ErrorCode

REJECTED = ErrorCode.UNSUPPORTED_CRITICAL_HEADER


@pytest.mark.parametrize(
    "crit", [["bork"], ["exp"], ["kid"], ["alg"], ["crit"], ["b64"], ["bork", "bork"], ["http://e/x"]]
)
def test_unknown_crit(crit: list[str]) -> None:
    present: dict[str, Any] = {name: True for name in crit if name not in ("alg", "kid", "crit")}
    for members in ({}, present):
        assert_verdict(mint.token(head=mint.header(**{**members, "crit": crit})), REJECTED, members)


def test_empty_crit() -> None:
    assert_verdict(mint.token(head=mint.header(crit=[])), REJECTED)


@pytest.mark.parametrize("crit", ["bork", "", None, False, True, 0, {}, {"bork": True}, [""], [1], [None], [["bork"]]])
def test_crit_of_the_wrong_type(crit: Any) -> None:
    assert_verdict(mint.token(head=mint.header(crit=crit)), REJECTED)


@pytest.mark.parametrize("b64", [False, True, None, "false", 0])
def test_b64_with_or_without_crit(b64: Any) -> None:
    for crit in (mint.OMIT, ["b64"], []):
        assert_verdict(mint.token(head=mint.header(b64=b64, crit=crit)), REJECTED, crit)


def test_unencoded_payload() -> None:
    # Signed as in RFC 7797 section 3; the payload happens to be base64url too, so that only the header differs.
    head = mint.b64(mint.encode(mint.header(b64=False, crit=["b64"])))
    signing_input = f"{head}.{mint.b64(mint.encode(mint.claims()))}"
    token = f"{signing_input}.{mint.b64(mint.sign('EdDSA', 'ed25519', signing_input.encode()))}"
    assert_verdict(token, REJECTED)
    raw = f"{head}.not+base64/url"
    signed = f"{raw}.{mint.b64(mint.sign('EdDSA', 'ed25519', raw.encode()))}"
    assert_verdict(signed, ErrorCode.MALFORMED_TOKEN)


@pytest.mark.parametrize("member", ["Crit", "CRIT", "critical", "b64url", "zip", "cty", "x5t", "x5t#S256", "nonce"])
def test_other_members_are_ignored(member: str) -> None:
    assert_verdict(mint.token(head=mint.header(**{member: "x"})), None)


def test_member_names_are_compared_after_unescaping() -> None:
    head = mint.with_member(mint.header(), '"\\u0063rit":["bork"]')
    assert_verdict(mint.token(head=head), REJECTED)
