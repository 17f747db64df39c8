"""``watchword inspect``: decodes as much as it can, and always says that nothing was verified."""

from __future__ import annotations

import base64
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchword.cli.decode import decode
from watchword.cli.terminal import escaped
from watchword.testing import Defect, LocalIssuer

WARNING = "NOTHING WAS VERIFIED"


def test_a_token_is_decoded_and_nothing_is_verified(run, issuer: LocalIssuer) -> None:
    token = issuer.mint({"aud": ["a", "b"], "nested": {"x": [1, None]}}, sub="alice")
    answer = run("inspect", token)
    assert answer.status == 0
    assert answer.out.startswith(WARNING)
    assert answer.out.rstrip().splitlines()[-1].startswith(WARNING)
    for text in ("alg  EdDSA", "kid  eddsa-1", "alice", '["a", "b"]', '{"x": [1, null]}', "64 bytes, not checked"):
        assert text in answer.out


def test_json_says_that_nothing_was_verified(run, issuer: LocalIssuer) -> None:
    (seen,) = run("inspect", "--json", issuer.mint(sub="alice")).objects
    assert seen["verified"] is False
    assert WARNING in seen["warning"]
    assert seen["header"]["kid"] == "eddsa-1"
    assert seen["claims"]["sub"] == "alice"
    assert seen["problems"] == []


def test_a_forged_token_is_shown_like_a_valid_one(run, issuer: LocalIssuer) -> None:
    answer = run("inspect", issuer.mint_bad("claims changed after signing"))
    assert answer.status == 0
    assert "root" in answer.out
    assert WARNING in answer.out


def test_times_are_shown_as_dates_and_durations(run, issuer: LocalIssuer) -> None:
    day = 86_400
    token = issuer.mint(exp=1_000_000_000, nbf=1_000_000_000 - 10 * day, iat=1_000_000_000 - 400 * day)
    out = run("inspect", "--at", "2001-09-12T01:46:41Z", token).out
    assert "2001-09-09 01:46:40 UTC, expired 3 days ago" in out
    assert "2001-08-30 01:46:40 UTC, valid since 13 days" in out
    assert "1 year ago" in out
    out = run("inspect", "--at", str(1_000_000_000 - 500 * day), token).out
    assert "expires in 1 year" in out
    assert "not valid for another 1 year" in out
    assert "100 days AHEAD of this clock" in out


def test_an_impossible_date_does_not_crash(run, issuer: LocalIssuer) -> None:
    for exp in (1e11, 253_402_300_800, -1e11, 10**40, 1e300):
        answer = run("inspect", issuer.mint(exp=exp))
        assert answer.status in (0, 1)
        assert WARNING in answer.out


@pytest.mark.parametrize("defect", list(Defect), ids=str)
def test_bad_tokens_are_shown_as_far_as_possible(run, issuer: LocalIssuer, defect: Defect) -> None:
    token = issuer.mint_bad(defect)
    (seen,) = run("inspect", "--json", token).objects
    assert seen["verified"] is False
    no_header = {Defect.EMPTY_TOKEN, Defect.EMPTY_HEADER, Defect.HEADER_NOT_AN_OBJECT}
    assert (seen["header"] is None) == (defect in no_header)
    no_claims = {
        Defect.EMPTY_TOKEN,
        Defect.FIVE_PARTS,
        Defect.EMPTY_PAYLOAD,
        Defect.PAYLOAD_NOT_AN_OBJECT,
        Defect.PAYLOAD_NOT_JSON,
    }
    assert (seen["claims"] is None) == (defect in no_claims)
    text = run("inspect", token).out
    assert text.count(WARNING) == 2


#: What is invalid only under a policy, a key or a clock.
WELL_FORMED = {
    Defect.DPOP_PROOF,
    Defect.LOGOUT_TOKEN,
    Defect.UNKNOWN_KEY_ID,
    Defect.JKU_WITH_UNKNOWN_KEY_ID,
    Defect.ATTACKERS_KEY,
    Defect.EMBEDDED_JWK,
    Defect.JKU,
    Defect.CLAIMS_CHANGED,
    Defect.SIGNATURE_FLIPPED,
    Defect.SIGNATURE_TRUNCATED,
    Defect.SIGNATURE_LENGTHENED,
    Defect.SIGNATURE_EMPTY,
    Defect.SIGNATURE_ZERO,
    Defect.SIGNATURE_DER,
    Defect.EXPIRED_AND_FORGED,
    Defect.ALG_OF_ANOTHER_KEY,
    Defect.EXPIRED,
    Defect.NOT_YET_VALID,
    Defect.ISSUED_IN_FUTURE,
    Defect.WRONG_ISSUER,
    Defect.ISSUER_WITH_SLASH,
    Defect.MISSING_ISSUER,
    Defect.WRONG_AUDIENCE,
    Defect.AUDIENCE_PREFIX,
    Defect.MISSING_AUDIENCE,
    Defect.MISSING_EXP,
    Defect.BOUND_OTHERWISE,
    Defect.BOUND_TO_KEY,
    Defect.BOUND_TO_CERTIFICATE,
}


def test_problems_of_form_are_listed(run, issuer: LocalIssuer) -> None:
    silent = {bad.defect for bad in issuer.defects() if not run("inspect", "--json", bad.token).objects[0]["problems"]}
    assert silent == WELL_FORMED


@pytest.mark.parametrize(
    ("defect", "said"),
    [
        (Defect.CLAIM_TWICE, "'sub' more than once"),
        (Defect.FIVE_PARTS, "encrypted (JWE)"),
        (Defect.BEARER_PREFIX, "'Bearer'"),
        (Defect.NON_CANONICAL_SIGNATURE, "unused bits that are not zero"),
        (Defect.PAYLOAD_BOM, "byte order mark"),
        (Defect.EXP_STRING, "'exp' must be a number"),
        (Defect.CRIT_UNKNOWN, "crit"),
        (Defect.ALG_NONE, '"alg"'),
        (Defect.TWO_PARTS, "2 of the three parts"),
    ],
)
def test_problems_are_sentences(run, issuer: LocalIssuer, defect: Defect, said: str) -> None:
    answer = run("inspect", issuer.mint_bad(defect))
    assert answer.status == 1
    assert said in answer.out.replace("\n    ", " ")


def test_a_hostile_token_cannot_control_the_terminal(run, issuer: LocalIssuer) -> None:
    hostile = "\x1b[2J\x1b]0;owned\x07\x9b31m\r\n\u202egnp.exe\x7f"
    token = issuer.mint({hostile: hostile, "list": [hostile]}, header={"kid": hostile})
    for option in ([], ["--json"]):
        out = run("inspect", *option, token).out
        assert all(line.isprintable() for line in out.split("\n"))
        # The warning cannot be displaced, and no claim can look like one of the lines around it.
        assert out.count("NOTHING WAS VERIFIED") == 2 - len(option)


@pytest.mark.parametrize(
    "token",
    [
        ".", "..", "...", "a", "!!!", "{", "{}", '{"protected":1,"payload":2,"signature":3}', "e30.e30.", "e30.e30.e30",
        "Bearer", "Bearer ", " ", "é.é.é", "\udcff.\udcff.\udcff", "W10.W10.W10", "MQ.MQ.MQ", "bnVsbA.bnVsbA.bnVsbA",
        "W1tb" * 20_000, "A" * 2_000_000, "eyJhIjoxMTExMTExMTExMTExMTExMTExMTExMTExMTF9.eyJhIjpOYU59.",
    ],
)  # fmt: skip
def test_any_text_is_decoded_or_reported(run, token: str) -> None:
    answer = run("inspect", "--json", token)
    assert answer.status == 1
    assert answer.objects[0]["problems"]
    assert run("inspect", token).status == 1


def test_standard_input_is_read_line_by_line(run, issuer: LocalIssuer) -> None:
    answer = run("inspect", "--json", text=f"{issuer.mint()}\n\n{issuer.mint()}\n")
    assert [seen["index"] for seen in answer.objects] == [1, 3]
    assert run("inspect").status == 2


def test_the_signature_is_not_escaped(run, issuer: LocalIssuer) -> None:
    token = issuer.mint()
    for option in ([], ["--json"]):
        assert token.rpartition(".")[2] not in run("inspect", *option, token).out


def test_an_invalid_time_is_status_2(run) -> None:
    assert run("inspect", "--at", "noon", "a.b.c").status == 2


def test_json_has_no_infinity(run, issuer: LocalIssuer) -> None:
    for defect in (Defect.EXP_NAN, Defect.EXP_INFINITE):
        out = run("inspect", "--json", issuer.mint_bad(defect)).out
        assert json.loads(out, parse_constant=pytest.fail)["claims"]["exp"] in ("NaN", "1e400")


_SEGMENTS = st.lists(st.binary(max_size=60).map(lambda data: base64.urlsafe_b64encode(data).decode()), max_size=6)
_JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(["exp", "aud", "iss", "cnf", "x"]), inner),
    max_leaves=8,
)
_TOKENS = st.lists(_JSON.map(lambda value: base64.urlsafe_b64encode(json.dumps(value).encode()).decode()), max_size=4)


@given(st.text() | st.binary() | (_SEGMENTS | _TOKENS).map(".".join))
def test_decoding_never_raises_and_yields_what_json_can_express(token: str | bytes) -> None:
    decoded = decode(token)
    for part in (decoded.header, decoded.claims, decoded.problems):
        json.dumps(part, allow_nan=False)
    assert decoded.header is not None or decoded.problems


@given(_JSON, st.text())
def test_escaped_text_cannot_control_a_terminal(value: object, text: str) -> None:
    assert escaped(value).isprintable()
    assert escaped(text).isprintable()
    assert text == escaped(text) or not text.isprintable()
