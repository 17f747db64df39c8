"""What can be wrong with a key set as a whole."""

from __future__ import annotations


class KeySetError(ValueError):
    """A document is not a JWK Set, a JWK, or a public key in PEM or DER. Single bad keys of a set do not raise:
    they are left out and listed in ``KeySet.rejected``.
    """


__all__ = ["KeySetError"]
