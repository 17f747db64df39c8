"""Verify tokens as of the times when they were used, under the policies of those times.

    history = PolicyHistory.from_file("policies.toml")
    policy = history.at(1_767_225_600)

:class:`PolicyHistory` is what was required of tokens in the course of time.
"""

from __future__ import annotations

from watchword.audit.policy_history import PolicyHistory
from watchword.audit.policy_interval import PolicyInterval

__all__ = ["PolicyHistory", "PolicyInterval"]
