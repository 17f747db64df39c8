"""The first check that fails names the code: every pair, and many a triple, of defects that one token can have."""

from __future__ import annotations

import random
import re
from pathlib import Path as File

import pytest
from order_cases import CASES, POLICY, SIGNATURE_STEP, OrderCase, can_be_combined, token_with
from paths import JWS_CODES, PATHS, Path, assert_verdict

from watchword import ErrorCode

#: The table that users read.
DOCUMENT = File(__file__).resolve().parents[2] / "docs" / "verification.md"


def expected(path: Path, *cases: OrderCase) -> set[ErrorCode | None]:
    """Return the codes of the earliest step with a defect; within one step the order is free."""
    visible = [case for case in cases if path.reads_claims or case.step <= SIGNATURE_STEP]
    first = min((case.step for case in visible), default=None)
    return {case.code for case in visible if case.step == first} or {None}


def assert_first_wins(*cases: OrderCase) -> None:
    token = token_with(*cases)
    verdicts = {path: path.verdict(token, **POLICY) for path in PATHS}
    differing = {str(path): verdict for path, verdict in verdicts.items() if verdict not in expected(path, *cases)}
    assert not differing, f"{[case.name for case in cases]}: {differing}"


def test_the_table_is_in_order() -> None:
    assert [case.step for case in CASES] == sorted(case.step for case in CASES)
    assert all(case.code in JWS_CODES for case in CASES if case.step <= SIGNATURE_STEP)


def test_the_table_is_the_documented_one() -> None:
    rows = re.findall(r"^\| (\d+) \|.*\| (.*) \|$", DOCUMENT.read_text(encoding="utf-8"), re.MULTILINE)
    documented = {int(step): set(re.findall(r"`(\w+)`", codes)) for step, codes in rows}
    # The last step is about requests with a proof: tests/dpop.
    assert {case.step for case in CASES} == set(documented) - {max(documented)}
    for case in CASES:
        assert case.code.value in documented[case.step], case.name


def test_a_token_without_defects_is_valid() -> None:
    assert_verdict(token_with(), None, **POLICY)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_one_defect(case: OrderCase) -> None:
    assert_first_wins(case)


@pytest.mark.parametrize("first", CASES, ids=str)
def test_two_defects(first: OrderCase) -> None:
    for second in CASES:
        if second.step >= first.step and can_be_combined(first, second):
            assert_first_wins(first, second)


def test_many_defects() -> None:
    dice = random.Random(7519)
    for _ in range(300):
        chosen = dice.sample(CASES, dice.randint(3, 9))
        assert_first_wins(*(one for index, one in enumerate(chosen) if can_be_combined(*chosen[: index + 1])))
