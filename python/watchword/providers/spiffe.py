"""SPIFFE IDs (SPIFFE ID standard, section 2)."""

from __future__ import annotations

from dataclasses import dataclass

from watchword.spiffe import SPIFFE_SCHEME, parse_spiffe_id


@dataclass(frozen=True)
class SpiffeId:
    """The name of a workload: a trust domain, and the segments of a path in it."""

    trust_domain: str
    path: tuple[str, ...] = ()

    @classmethod
    def parse(cls, text: str) -> SpiffeId:
        """Return the SPIFFE ID that ``spiffe://trust-domain/path`` spells.

        Raises ``ValueError``, which does not quote the text, if it is not a SPIFFE ID: longer than 2048 bytes, of
        another scheme, with a user, a port, a query, a fragment, percent-encoding, upper case in the trust domain, or a
        segment that is empty, a dot or two; ``TypeError`` if it is not ``str``.
        """
        if not isinstance(text, str):
            raise TypeError(f"a SPIFFE ID must be str, not {type(text).__name__}")
        return cls(*parse_spiffe_id(text))

    def __str__(self) -> str:
        return SPIFFE_SCHEME + "/".join((self.trust_domain, *self.path))
