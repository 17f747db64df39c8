"""The origin by which clients know a service: scheme, host and port, as its operator configured them.

A DPoP proof is for one URI (RFC 9449 section 4.3, check 9). If the host of that URI were taken from the request's
``Host``, which its sender chooses, a proof made for another service would be valid here. So middlewares that verify
proofs take the origin from their configuration, by :class:`PublicOrigin`.
"""

from watchword._kernel import PublicOrigin

__all__ = ["PublicOrigin"]
