"""SPIFFE IDs, by the rules of the SPIFFE ID standard, section 2."""

from __future__ import annotations

import re
from dataclasses import dataclass

_LONGEST = 2048
_LONGEST_TRUST_DOMAIN = 255
_SCHEME = "spiffe://"
_TRUST_DOMAIN = re.compile(r"[a-z0-9._-]+")
_SEGMENT = re.compile(r"[A-Za-z0-9._-]+")


@dataclass(frozen=True)
class SpiffeId:
    """A workload's name: the trust domain that vouches for it, and the segments of its path in there."""

    trust_domain: str
    path: tuple[str, ...] = ()

    @classmethod
    def parse(cls, text: str) -> SpiffeId:
        """The parts of ``spiffe://trust-domain/path``, which has one spelling only.

        Raises ``ValueError`` where the text is no SPIFFE ID: longer than 2048 bytes, of another scheme, with a user, a
        port, a query, a fragment, percent-encoding, upper case in the trust domain, or a segment that is empty, a dot
        or two. The text is not quoted.
        """
        if not isinstance(text, str):
            raise TypeError(f"a SPIFFE ID is str, not {type(text).__name__}")
        if len(text) > _LONGEST:
            raise ValueError(f"a SPIFFE ID has at most {_LONGEST} bytes")
        if not text.startswith(_SCHEME):
            raise ValueError(f"a SPIFFE ID begins with {_SCHEME}")
        trust_domain, *path = text[len(_SCHEME) :].split("/")
        if len(trust_domain) > _LONGEST_TRUST_DOMAIN or not _TRUST_DOMAIN.fullmatch(trust_domain):
            raise ValueError(
                "the trust domain of a SPIFFE ID has 1 to 255 lower-case letters, digits, dots, dashes and underscores"
            )
        if not all(_SEGMENT.fullmatch(segment) and segment not in (".", "..") for segment in path):
            raise ValueError(
                "a segment of a SPIFFE ID has letters, digits, dots, dashes and underscores, and is not one dot or two"
            )
        return cls(trust_domain, tuple(path))

    def __str__(self) -> str:
        return _SCHEME + "/".join((self.trust_domain, *self.path))
