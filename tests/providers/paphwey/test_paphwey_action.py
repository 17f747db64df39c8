"""The approved action compared with the requested one: nothing is rounded, and nothing is guessed."""

from __future__ import annotations

import dataclasses
import json
import time
from decimal import Decimal
from typing import Any

import hypothesis.strategies as st
import pytest
from hypothesis import given
from paphwey_gateway import ACTION, AUDIENCE, BASE_URL, DELEGATION_ID, Gateway

from watchword.providers.paphwey.errors import PaphweyVerificationError
from watchword.providers.paphwey.models import ActionContext
from watchword.providers.paphwey.verify import ClaimNames

GATEWAY = Gateway(algorithms=("ES256",))
AT_MOST = GATEWAY.offline()
EXACTLY = GATEWAY.offline(amount="exactly")


def approved(amount: str, **changes: str) -> str:
    """An attestation whose approved amount is written like this."""
    members = {"scope": '"purchase"', "currency": '"GBP"', "amount_minor": amount, **changes}
    action = ",".join(f'"{name}":{text}' for name, text in members.items())
    payload = (
        f'{{"iss":"{BASE_URL}","aud":"{AUDIENCE}","exp":{int(time.time()) + 60},"delegation_id":"{DELEGATION_ID}",'
        f'"action_context":{{{action}}}}}'
    )
    return GATEWAY.sign(payload.encode())


def code(token: str, expected: Any, verifier: Any = AT_MOST) -> str | None:
    try:
        outcome = verifier.verify(token, AUDIENCE, DELEGATION_ID, expected)
    except PaphweyVerificationError as error:
        return error.code
    assert outcome.valid
    return None


def spend(amount: int) -> dict[str, Any]:
    return {**ACTION, "amount_minor": amount}


# Beyond 2**53 not every integer is a float.
AMOUNTS = st.integers(0, 3000) | st.integers(2**53, 10**30)


@given(AMOUNTS, st.integers(-3, 3))
def test_at_most_the_approved_amount_to_the_last_unit(amount: int, difference: int) -> None:
    token, asked = approved(str(amount)), max(0, amount + difference)
    assert code(token, spend(asked)) == (None if asked <= amount else "amount_exceeded")
    if asked <= amount:
        assert code(token, spend(asked), EXACTLY) == (None if asked == amount else "wrong_action")
    else:
        assert code(token, spend(asked), EXACTLY) == "amount_exceeded"


@given(st.integers(0, 10**25), st.integers(0, 12), st.booleans())
def test_one_amount_in_all_the_ways_to_write_it(amount: int, zeros: int, capital: bool) -> None:
    written = [f"{amount}.{'0' * max(1, zeros)}", f"{amount}{'E' if capital else 'e'}0", f"{amount}.0e+0"]
    if zeros:
        written.append(f"{Decimal(amount).scaleb(-zeros):f}e{zeros}")
    for text in written:
        assert code(approved(text), spend(amount), EXACTLY) is None, text
        assert code(approved(text), spend(amount + 1)) == "amount_exceeded", text


@given(st.integers(0, 10**20), st.integers(1, 10**6), st.integers(6, 40))
def test_a_part_of_the_smallest_unit_is_no_amount(whole: int, part: int, digits: int) -> None:
    # As a float, 1500.00000000000000001 would be 1500.
    text = f"{whole}.{str(part).rjust(digits, '0').rstrip('0')}"
    assert code(approved(text), spend(0)) == ("malformed_claims" if Decimal(text) % 1 else None)


@pytest.mark.parametrize(
    "text",
    [
        *('"1500"', "true", "null", "[1500]", '{"value":1500}', "-1", "-0.5", "1500.5", "1e-3", '"NaN"', '"Infinity"'),
        *("1e-99999999999999999999", "0e99999999999999999999"),
    ],
)
def test_hostile_amounts(text: str) -> None:
    assert code(approved(text), spend(1)) == ("missing_claim" if text == "null" else "malformed_claims")


@pytest.mark.parametrize("text", ["NaN", "Infinity", "-Infinity", "1e400", "01500", "1500.", "+1500", "0x5dc"])
def test_what_is_no_number_in_json(text: str) -> None:
    assert code(approved(text), None) == "malformed_claims"


def test_a_float_would_have_let_this_pass() -> None:
    for amount in (2**53, 10**17):
        assert float(amount) == float(amount + 1)
        assert code(approved(str(amount)), spend(amount + 1)) == "amount_exceeded"
        assert code(approved(f"{amount}.0"), spend(amount + 1)) == "amount_exceeded"


def test_a_huge_number_is_compared_and_costs_nothing() -> None:
    assert code(approved("1e300"), spend(1500)) is None
    assert code(approved("1500"), spend(10**5000)) == "amount_exceeded"
    assert code(approved("-0"), spend(0)) is None
    assert code(approved("-0.0"), spend(1)) == "amount_exceeded"


@pytest.mark.parametrize(
    ("expected", "changes", "verdict"),
    [
        ({"scope": "purchase"}, {}, None),
        ({"scope": "Purchase"}, {}, "wrong_action"),
        ({"scope": "purchase:all"}, {}, "wrong_action"),
        (spend(1), {"currency": '"gbp"'}, "wrong_action"),
        (spend(1), {"currency": '"EUR"'}, "wrong_action"),
        (spend(1), {"currency": '["GBP"]'}, "wrong_action"),
        (spend(1), {"currency": "null"}, "missing_claim"),
        (spend(1), {"scope": "true"}, "wrong_action"),
        ({**ACTION, "merchant": "acme.example"}, {"merchant": '"acme.example"'}, None),
        ({**ACTION, "merchant": "acme.example"}, {"merchant": '"evil.example"'}, "wrong_action"),
        ({**ACTION, "merchant": "acme.example"}, {}, "missing_claim"),
    ],
)
def test_scope_currency_and_merchant_are_equal_or_not(
    expected: dict[str, Any], changes: dict[str, str], verdict: str | None
) -> None:
    token = approved("1500", **changes)
    assert code(token, expected) == verdict
    assert code(token, ActionContext(**expected)) == verdict


def test_without_an_expectation_the_action_is_not_checked() -> None:
    assert code(approved('"nonsense"'), None) is None


def test_an_attestation_without_an_action() -> None:
    assert code(GATEWAY.attest(action_context=None), ACTION) == "missing_claim"
    assert code(GATEWAY.attest(action_context=[ACTION]), ACTION) == "malformed_claims"
    assert code(GATEWAY.attest(action_context="purchase"), ACTION) == "malformed_claims"


@pytest.mark.parametrize(
    "expected",
    [
        {},
        "purchase",
        1500,
        {"amount_minor": 1500, "currency": "GBP"},
        {"scope": "purchase", "amount_minor": 1500},
        {"scope": "purchase", "currency": "GBP"},
        {"scope": "", **{name: ACTION[name] for name in ("amount_minor", "currency")}},
        {"scope": None},
        {**ACTION, "amount_minor": 1500.0},
        {**ACTION, "amount_minor": "1500"},
        {**ACTION, "amount_minor": True},
        {**ACTION, "amount_minor": -1},
        {**ACTION, "amount_minor": float("nan")},
        {**ACTION, "currency": 826},
        {**ACTION, "amount": 1500},
        {**ACTION, 7: "x"},
    ],
    ids=str,
)
def test_invalid_expectations_are_the_callers_mistake(expected: Any) -> None:
    with pytest.raises((TypeError, ValueError), match="expected_action"):
        AT_MOST.verify(GATEWAY.attest(), AUDIENCE, DELEGATION_ID, expected)


def test_other_names_for_everything() -> None:
    names = ClaimNames(
        delegation_id="did",
        delegation="snapshot",
        actor_chain="who",
        receipt_id="rid",
        action="act_ctx",
        scope="what",
        amount_minor="minor",
        currency="cur",
        merchant="shop",
    )
    verifier = GATEWAY.offline(claim_names=names)
    claims = {
        "iss": BASE_URL,
        "aud": AUDIENCE,
        "exp": int(time.time()) + 60,
        "did": "dlg_1",
        "snapshot": {"agent_did": "did:example:a"},
        "who": {"principal_id": "p"},
        "rid": "r",
        "act_ctx": {"what": "purchase", "minor": 1500, "cur": "GBP", "shop": "acme.example"},
        # Under its usual name it means nothing here.
        "delegation_id": 7,
        "action_context": "nonsense",
    }
    outcome = verifier.verify(
        GATEWAY.sign(json.dumps(claims).encode()), AUDIENCE, "dlg_1", {**ACTION, "merchant": "acme.example"}
    )
    assert (outcome.receipt_id, outcome.actor_chain, outcome.delegation) == ("r", claims["who"], claims["snapshot"])


@given(st.text(min_size=1).filter(lambda name: name.encode("utf-8", "ignore").decode() == name))
def test_any_name_does(name: str) -> None:
    registered = {"iss", "aud", "exp", "nbf", "iat", "sub", "jti", "cnf", "act", "may_act", "scope", "client_id"}
    if name in registered | {"vc", "vp", "@context", "credentialSubject", *dataclasses.asdict(ClaimNames()).values()}:
        return
    verifier = GATEWAY.offline(claim_names=ClaimNames(delegation_id=name))
    token = GATEWAY.mint({"delegation_id": None, "delegation": None, name: "dlg_1"})
    assert verifier.verify(token, AUDIENCE, "dlg_1").delegation == {name: "dlg_1"}


@pytest.mark.parametrize(
    "names",
    [
        {"delegation_id": ""},
        {"action": None},
        {"scope": ("scope",)},
        {"delegation": "delegation_id"},
        {"scope": "currency"},
    ],
)
def test_names_that_are_none(names: dict[str, Any]) -> None:
    with pytest.raises((TypeError, ValueError), match=next(iter(names))):
        ClaimNames(**names)
