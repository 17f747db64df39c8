"""What happened around the gateway, and which answers are right in view of that.

An operator notes that a change is complete once it has seen it through the gateway itself: the gate has one set of keys
and one configuration for all connections, so from then on every answer must show it.
"""

from __future__ import annotations

from soak_history import History, Key, Outages


class GatewayHistory(History):
    """Keys, generations of routes, and the outages by which requests are rejected with 503. Thread-safe."""

    def __init__(self) -> None:
        super().__init__()
        #: The keys have expired, as their endpoint was unavailable for too long.
        self.expiries = Outages()
        self.replay_outages = Outages()

    def key_answers(self, key: Key, sent: float, answered: float) -> set[str]:
        """Return the codes that are right for a valid token by this key."""
        if self.expiries.cover(sent, answered):
            return {"keys_unavailable"}
        if key.known.all_through(sent, answered):
            right = {"allowed"}
        elif key.known.ended < sent:
            right = {"unknown_key"}
        else:
            right = {"allowed", "unknown_key"}
        return right | {"keys_unavailable"} if self.expiries.touch(sent, answered) else right

    def proof_answers(self, sent: float, answered: float) -> set[str]:
        """Return the codes that are right for a proof that was not used before."""
        if self.replay_outages.cover(sent, answered):
            return {"dpop_replay_unavailable"}
        touched = self.replay_outages.touch(sent, answered)
        return {"allowed", "dpop_replay_unavailable"} if touched else {"allowed"}


def instead(right: set[str], codes: set[str]) -> set[str]:
    """Return the answers with ``codes`` in place of ``allowed``."""
    return right - {"allowed"} | codes if "allowed" in right else right
