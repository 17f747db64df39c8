"""SPIFFE IDs, by the rules of the SPIFFE ID standard, section 2."""

from __future__ import annotations

from dataclasses import dataclass

from watchword._kernel import parse_spiffe_id


@dataclass(frozen=True)
class SpiffeId:
    """A workload's name: the trust domain that vouches for it, and the segments of its path in there."""

    trust_domain: str
    path: tuple[str, ...] = ()

    @classmethod
    def parse(cls, text: str) -> SpiffeId:
        """The parts of ``spiffe://trust-domain/path``, which has one spelling only.

        Raises ``ValueError`` if the text is no SPIFFE ID: longer than 2048 bytes, of another scheme, with a user, a
        port, a query, a fragment, percent-encoding, upper case in the trust domain, or a segment that is empty, a dot
        or two. The text is not quoted.
        """
        if not isinstance(text, str):
            raise TypeError(f"a SPIFFE ID is str, not {type(text).__name__}")
        return cls(*parse_spiffe_id(text))

    def __str__(self) -> str:
        return "spiffe://" + "/".join((self.trust_domain, *self.path))
