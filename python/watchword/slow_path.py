"""A token whose key is not at hand: what is done before anybody waits for it, and how one waits."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import TypeVar

from watchword import _kernel
from watchword._kernel import DpopProof, KeySet, Policy
from watchword.errors import KeysUnavailableError, UnknownKeyError
from watchword.jwks.source import KeySource
from watchword.waiting import Steps

# With these the kernel goes as far as it can without a key: what it says of a token is what it would say anyway, save
# that a token without any other fault is of an unknown key. So a token that is no good never causes a fetch.
NO_KEYS = KeySet.from_json(b'{"keys":[]}')

Verified = TypeVar("Verified")

#: ``_kernel.verify``, or a cache's; what it returns is whatever was verified.
Judge = Callable[[str | bytes, KeySet, Policy, float, DpopProof | None], Verified]


def check_without_keys(token: str | bytes, policy: Policy, at: float) -> None:
    """Raises what is wrong with a token, as far as that can be said without a key."""
    with contextlib.suppress(UnknownKeyError):
        _kernel.verify(token, NO_KEYS, policy, at)


def unverified_key_id(token: str | bytes) -> str | None:
    """The ``kid`` of a token that the kernel has parsed before, so that it is within the limits of its policy."""
    return _kernel.unverified_names(token, len(token), len(token)).key_id


def verify_slowly(
    source: KeySource,
    judge: Judge[Verified],
    token: str | bytes,
    policy: Policy,
    *,
    at: Callable[[], float],
    proof: DpopProof | None = None,
    check_issuer: Callable[[], object] | None = None,
) -> Steps[Verified]:
    """Verifies a token, waiting for keys where there are none, and once for newer ones where its own is not there.

    ``at`` tells the moment of judgement, which may come after a wait. ``check_issuer`` is called before anything is
    fetched or waited for, and raises if the token names no configured issuer; ``None`` if that is known.
    """
    keys = source.current()
    if keys is None:
        check_without_keys(token, policy, at())
        if check_issuer is not None:
            check_issuer()
        try:
            keys = yield source.request()
        except KeysUnavailableError as error:
            # A source may give one error to all who wait; this one is about this token.
            raise KeysUnavailableError(error.detail)._about(token) from error
    try:
        return judge(token, keys, policy, at(), proof)
    except UnknownKeyError as error:
        unknown = error
    if check_issuer is not None:
        check_issuer()
    newer = yield source.request_newer(keys, (unverified_key_id(token),))
    if newer is None:
        raise unknown
    return judge(token, newer, policy, at(), proof)
