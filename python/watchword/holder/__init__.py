"""The other side of the wire: what whoever holds a token and a key sends."""

from __future__ import annotations

from watchword.holder.dpop_prover import DpopProver

__all__ = ["DpopProver"]
