"""The client's side: the holder of a token and of a key proves possession of the key."""

from __future__ import annotations

from watchword.holder.dpop_prover import DpopProver

__all__ = ["DpopProver"]
