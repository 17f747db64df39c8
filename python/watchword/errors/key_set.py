"""Errors of a key set as a whole."""

from __future__ import annotations


class KeySetError(ValueError):
    """A document is not a JWK Set, a JWK, or a public key in PEM or DER. An invalid key in a set does not raise it:
    it is skipped and listed in ``KeySet.rejected``.
    """


__all__ = ["KeySetError"]
