"""The short form of ``python tests/soak/gate.py``."""

from __future__ import annotations

import gate


def test_every_answer_is_right_while_everything_changes() -> None:
    tally, done = gate.run(seconds=3, seed=20261121)
    assert tally.wrong == []
    assert tally.total
    assert set(done) == {"rotate", "withdraw", "refresh", "reload", "configure", "outage"}
