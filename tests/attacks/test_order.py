"""The first check that fails names the code: every pair, and many a triple, of defects that one token can have."""

from __future__ import annotations

import random

import pytest
from defects import DEFECTS, POLICY, Defect, can_be_together, token_with
from paths import JWS_CODES, Path, every_path

from watchword import ErrorCode

#: The last step of the JWS layer: what comes after it is about claims.
SIGNATURE_STEP = 9


def expected(path: Path, *defects: Defect) -> set[ErrorCode | None]:
    """The codes of the earliest step with a defect; within one step the order is free."""
    seen = [defect for defect in defects if path.reads_claims or defect.step <= SIGNATURE_STEP]
    if not seen:
        return {None}
    first = min(defect.step for defect in seen)
    return {defect.code for defect in seen if defect.step == first}


def test_the_table_is_in_order() -> None:
    assert [defect.step for defect in DEFECTS] == sorted(defect.step for defect in DEFECTS)
    assert all(defect.code in JWS_CODES for defect in DEFECTS if defect.step <= SIGNATURE_STEP)


@every_path
def test_a_draft_without_defects_is_valid(path: Path) -> None:
    assert path.judge(token_with(), **POLICY) is None


@every_path
@pytest.mark.parametrize("defect", DEFECTS, ids=str)
def test_one_defect(path: Path, defect: Defect) -> None:
    assert {path.judge(token_with(defect), **POLICY)} == expected(path, defect)


@every_path
@pytest.mark.parametrize("first", DEFECTS, ids=str)
def test_two_defects(path: Path, first: Defect) -> None:
    for second in DEFECTS:
        if second.step >= first.step and can_be_together(first, second):
            verdict = path.judge(token_with(first, second), **POLICY)
            assert verdict in expected(path, first, second), f"{first}, {second}"


@every_path
def test_many_defects(path: Path) -> None:
    dice = random.Random(7519)
    for _ in range(300):
        chosen = dice.sample(DEFECTS, dice.randint(3, 9))
        defects = [one for index, one in enumerate(chosen) if can_be_together(*chosen[: index + 1])]
        verdict = path.judge(token_with(*defects), **POLICY)
        assert verdict in expected(path, *defects), [str(defect) for defect in defects]
