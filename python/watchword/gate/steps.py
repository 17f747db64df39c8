"""The steps from the token of a request to the decision that may have to wait: for keys, and for the replay store."""

from __future__ import annotations

from collections.abc import Collection

from watchword._kernel import Decision, KeySet, SentToken, TokenCache, UnusedProof
from watchword.dpop import DpopVerifier
from watchword.dpop.replay import first_use
from watchword.errors import KeysUnavailableError, ReplayedProofError, VerificationError
from watchword.fetching import unverified_key_id, verify_fetching
from watchword.jwks.source import KeySource
from watchword.waiting import Steps


class RequestToken:
    """The token of a request, to be verified as of ``at`` (Unix seconds) once its issuer's keys are there."""

    def __init__(self, sent: SentToken, at: float, dpop: DpopVerifier, cache: TokenCache | None) -> None:
        self._sent = sent
        self._at = at
        self._nonces = None if dpop.nonces is None else dpop.nonces.valid(now=at)
        self._cache = cache
        #: What is known so far.
        self.found: Decision | UnusedProof | None = None

    def need_keys(self) -> bool:
        """Return whether the token passes the checks that need no key, and names the issuer."""
        self.found = self._sent.check_without_keys(self._at)
        return self.found is None

    def verify(self, keys: KeySet) -> Collection[str | None]:
        """Verify with ``keys``. Return the kid (``None``: a token without one) that they have no key for."""
        self.found = self._sent.verify(keys, self._at, self._nonces, self._cache)
        if isinstance(self.found, UnusedProof) or self.found.code != "unknown_key":
            return ()
        of_another_issuer = self._sent.check_without_keys(self._at)
        if of_another_issuer is not None:
            self.found = of_another_issuer
            return ()
        return (unverified_key_id(self._sent.token),)

    def keys_unavailable(self, error: KeysUnavailableError) -> None:
        """Reject the request: a source may give the same error to all who wait."""
        self.found = self._sent.reject(KeysUnavailableError(error.detail))


def decide(token: RequestToken, source: KeySource, dpop: DpopVerifier, at: float) -> Steps[Decision]:
    """Return the decision on a token, with the cached keys, or with newer ones if they have none that it names."""
    yield from verify_fetching(token, source, source.current())
    found = token.found
    if isinstance(found, UnusedProof):
        return (yield from use_proof(found, dpop, at))
    assert found is not None, "verify_fetching leaves a verdict"  # noqa: S101  # for mypy
    return found


def use_proof(unused: UnusedProof, dpop: DpopVerifier, at: float) -> Steps[Decision]:
    """Use the proof up, the last step of all, so that no other failure uses it up."""
    if dpop.replay is None:
        return unused.first_use()
    try:
        is_first = yield first_use(dpop.replay, unused.proof, at)
    except VerificationError as error:
        return unused.reject(error)
    return unused.first_use() if is_first else unused.reject(ReplayedProofError())
