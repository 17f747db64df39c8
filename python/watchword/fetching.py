"""Verify tokens with one issuer's keys, fetching the keys if needed: the same steps for one token and for a batch.

A token that is invalid whatever the key never causes a fetch; neither does one that names another issuer.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Collection
from typing import Generic, Protocol, TypeVar

from watchword import _kernel
from watchword._kernel import KeySet, Policy
from watchword.errors import KeysUnavailableError, UnknownKeyError
from watchword.jwks.source import KeySource
from watchword.waiting import Steps

#: A set without keys. With it the kernel makes every check that needs no key; a token that passes them is rejected as
#: ``unknown_key``.
NO_KEYS = KeySet.from_json(b'{"keys":[]}')

Verified = TypeVar("Verified")


def check_without_keys(token: str | bytes, policy: Policy, at: float) -> None:
    """Make every check that needs no key, as of ``at`` in Unix seconds.

    Raises :class:`~watchword.VerificationError` if one of them fails.
    """
    with contextlib.suppress(UnknownKeyError):
        _kernel.verify(token, NO_KEYS, policy, at)


class Tokens(Protocol):
    """One or more tokens of one issuer, to be verified."""

    def need_keys(self) -> bool:
        """Return whether any token passes the checks that need no key, and names the issuer."""
        ...

    def verify(self, keys: KeySet) -> Collection[str | None]:
        """Verify with ``keys``. Return the kids (``None``: a token without one) that they have no key for."""
        ...

    def keys_unavailable(self, error: KeysUnavailableError) -> None:
        """Reject the tokens that need keys."""
        ...


def verify_fetching(tokens: Tokens, source: KeySource, keys: KeySet | None) -> Steps[None]:
    """Verify tokens with ``keys``, as ``source.current()`` returned them.

    Waits for keys if there are none, and once for newer ones if those of the tokens are unknown. Raises what ``tokens``
    raises.
    """
    if keys is None:
        if not tokens.need_keys():
            return
        try:
            keys = yield source.request()
        except KeysUnavailableError as error:
            tokens.keys_unavailable(error)
            return
    unknown = tokens.verify(keys)
    if unknown:
        newer = yield source.request_newer(keys, unknown)
        if newer is not None:
            tokens.verify(newer)


class SingleToken(Generic[Verified]):
    """One token, whose verdict is returned or raised.

    ``verify`` verifies it with keys, as of a moment in Unix seconds; ``at`` returns that moment, which may come after a
    wait. ``check_issuer`` raises if the token names another issuer; it is called before anything is fetched.
    """

    def __init__(
        self,
        token: str | bytes,
        policy: Policy,
        verify: Callable[[KeySet, float], Verified],
        at: Callable[[], float],
        check_issuer: Callable[[], object],
    ) -> None:
        self._token = token
        self._policy = policy
        self._verify = verify
        self._at = at
        self._check_issuer = check_issuer
        self._verdict: Verified | UnknownKeyError

    def need_keys(self) -> bool:
        """Return ``True``, or raise what is wrong with the token."""
        check_without_keys(self._token, self._policy, self._at())
        self._check_issuer()
        return True

    def verify(self, keys: KeySet) -> Collection[str | None]:
        """See :meth:`Tokens.verify`. Raises any error but an unknown key, which newer keys may resolve."""
        try:
            self._verdict = self._verify(keys, self._at())
        except UnknownKeyError as error:
            self._verdict = error
            self._check_issuer()
            return (unverified_key_id(self._token),)
        return ()

    def keys_unavailable(self, error: KeysUnavailableError) -> None:
        """Raise the error for this token: a source may give the same one to all who wait."""
        raise KeysUnavailableError(error.detail).about(self._token) from error

    def verify_fetching(self, source: KeySource) -> Steps[Verified]:
        """Verify the token with the keys of ``source``: return what ``verify`` returns, or raise what it raises."""
        yield from verify_fetching(self, source, source.current())
        if isinstance(self._verdict, UnknownKeyError):
            raise self._verdict
        return self._verdict


def unverified_key_id(token: str | bytes) -> str | None:
    """Return the ``kid`` of a token that the kernel has parsed before, so that it is within its policy's limits."""
    return _kernel.unverified_names(token, len(token), len(token)).key_id


__all__ = ["NO_KEYS", "check_without_keys"]
