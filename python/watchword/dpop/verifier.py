"""Verify DPoP proofs: one by itself, or with a replay cache and nonces."""

from __future__ import annotations

import functools
import time
from collections.abc import Callable, Iterable
from typing import Any, Final, Literal, TypeVar

from watchword import _kernel
from watchword._kernel import DpopProof, ProofPolicy, UnverifiedProof
from watchword.dpop.nonces import Nonces
from watchword.dpop.replay import AsyncReplayStore, MemoryReplayStore, ReplayStore, first_use, retain_for
from watchword.errors import (
    DPOP_ALGORITHMS,
    DpopError,
    NonceRequiredError,
    ProofNonceError,
    ReplayedProofError,
    VerificationError,
)
from watchword.waiting import Steps, finish, finish_async

_Error = TypeVar("_Error", bound=VerificationError)

_DEFAULT: Final = "default"


def verify_proof(
    proof: str | bytes,
    *,
    method: str,
    uri: str,
    access_token: str | bytes | None = None,
    expected_jkt: str | None = None,
    nonce: str | Iterable[str] | Nonces | None = None,
    replay: ReplayStore | None = None,
    now: float | None = None,
    max_age: float = _kernel.DPOP_MAX_AGE,
    leeway: float = _kernel.DPOP_LEEWAY,
    algorithms: Iterable[str] = DPOP_ALGORITHMS,
) -> DpopProof:
    """Verify a DPoP proof (RFC 9449 section 4.3) as of ``now`` in Unix seconds (``None``: the clock's).

    ``method`` and ``uri`` are the request's: the method exactly, the URI absolute, its query and fragment ignored.
    ``access_token`` must be given if the request has one: the proof must be made for it. ``expected_jkt`` is the
    thumbprint of the key that the proof must be signed with (the token's ``cnf.jkt``; :func:`watchword.verify` compares
    it too). ``nonce`` is the accepted nonce, a list of them, or ``Nonces``. ``replay`` is the replay cache; it is used
    last, so that a proof that fails another check is not used up. A proof may be ``max_age`` seconds old and ``leeway``
    seconds in the future, and must be signed with one of ``algorithms``.

    Returns a :class:`DpopProof`. Raises :class:`~watchword.dpop.DpopError` if the proof is invalid; ``TypeError`` or
    ``ValueError`` if an argument is.
    """
    at = time.time() if now is None else now
    policy = _policy(tuple(algorithms) if not isinstance(algorithms, str) else (algorithms,), max_age, leeway)
    verified = _kernel.verify_proof(proof, policy, method, uri, at, access_token, expected_jkt, _accepted(nonce, at))
    if replay is not None:
        retain_for(replay, max_age + leeway)
        if not first_use(replay, verified, at).result():
            raise ReplayedProofError
    return verified


class DpopVerifier:
    """Verifies proofs, accepts each once, and requires nonces if it is given any.

    Make one for the life of the process. ``replay`` is the replay cache: by default one of this process; several
    processes need a shared store (:class:`watchword.dpop.redis.RedisReplayStore`), or a proof can be used once with
    each; ``None``: proofs may be replayed. ``nonces`` are required of every proof; an error then has the nonce to send.
    ``max_age`` and ``leeway`` are seconds, ``clock`` returns Unix seconds; both and ``algorithms`` are as in
    :func:`verify_proof`.

    Raises ``TypeError`` or ``ValueError`` if an argument is invalid.
    """

    def __init__(
        self,
        *,
        replay: ReplayStore | AsyncReplayStore | Literal["default"] | None = _DEFAULT,
        nonces: Nonces | None = None,
        max_age: float = _kernel.DPOP_MAX_AGE,
        leeway: float = _kernel.DPOP_LEEWAY,
        algorithms: Iterable[str] = DPOP_ALGORITHMS,
        clock: Callable[[], float] = time.time,
    ) -> None:
        store = MemoryReplayStore() if isinstance(replay, str) and replay == _DEFAULT else replay
        if store is not None and not isinstance(store, (ReplayStore, AsyncReplayStore)):
            raise TypeError("replay must have a method consume or consume_async: see watchword.dpop.ReplayStore")
        if nonces is not None and not isinstance(nonces, Nonces):
            raise TypeError("nonces must be a watchword.dpop.Nonces")
        self.replay = store
        self.nonces = nonces
        self.algorithms = (algorithms,) if isinstance(algorithms, str) else tuple(algorithms)
        self.policy = ProofPolicy(self.algorithms, max_age, leeway)
        if store is not None:
            retain_for(store, max_age + leeway)
        self._clock = clock

    def verify(
        self,
        proof: str | bytes,
        *,
        method: str,
        uri: str,
        access_token: str | bytes | None = None,
        expected_jkt: str | None = None,
        now: float | None = None,
    ) -> DpopProof:
        """Verify a proof as :func:`verify_proof` does, and use it up.

        Returns a :class:`DpopProof`; raises :class:`~watchword.dpop.DpopError`.
        """
        return finish(
            self._verify(proof, now, method=method, uri=uri, access_token=access_token, expected_jkt=expected_jkt)
        )

    async def verify_async(
        self,
        proof: str | bytes,
        *,
        method: str,
        uri: str,
        access_token: str | bytes | None = None,
        expected_jkt: str | None = None,
        now: float | None = None,
    ) -> DpopProof:
        """As :meth:`verify`, waiting for the store without blocking the event loop."""
        return await finish_async(
            self._verify(proof, now, method=method, uri=uri, access_token=access_token, expected_jkt=expected_jkt)
        )

    def check(
        self,
        proof: str | bytes,
        *,
        method: str,
        uri: str,
        access_token: str | bytes | None = None,
        expected_jkt: str | None = None,
        now: float | None = None,
    ) -> DpopProof:
        """Verify a proof as of ``now`` in Unix seconds (``None``: the clock's) without using it up.

        It is for callers that make further checks before :meth:`consume`. Returns a :class:`DpopProof`; raises
        :class:`~watchword.dpop.DpopError`.
        """
        at = self._at(now)
        nonces = None if self.nonces is None else self.nonces.valid(now=at)
        try:
            return _kernel.verify_proof(proof, self.policy, method, uri, at, access_token, expected_jkt, nonces)
        except DpopError as error:
            raise self.complete(error, now=at) from None

    def unverified(self, proof: str | bytes, *, method: str, uri: str, now: float | None = None) -> UnverifiedProof:
        """Return a proof and what it must be made for, to be verified after its token.

        ``now``, in Unix seconds (``None``: the clock's), decides which nonces are valid. Raises ``ValueError`` if
        ``method`` is empty or ``uri`` is not an absolute ``http`` or ``https`` URI.
        """
        nonces = None if self.nonces is None else self.nonces.valid(now=self._at(now))
        return UnverifiedProof(proof, self.policy, method, uri, nonces)

    def consume(self, proof: DpopProof, *, now: float | None = None) -> None:
        """Use a proof up, as of ``now`` in Unix seconds (``None``: the clock's).

        Raises :class:`~watchword.dpop.ReplayedProofError` if it was used before.
        """
        finish(self.consume_steps(proof, now=now))

    async def consume_async(self, proof: DpopProof, *, now: float | None = None) -> None:
        """As :meth:`consume`. A store without ``consume_async`` is asked in another thread."""
        await finish_async(self.consume_steps(proof, now=now))

    def consume_steps(self, proof: DpopProof, *, now: float | None = None) -> Steps[None]:
        """As :meth:`consume`, as steps for :func:`watchword.waiting.finish` or ``finish_async``."""
        if self.replay is None:
            return
        at = self._at(now)
        if not (yield first_use(self.replay, proof, at)):
            raise self.complete(ReplayedProofError(), now=at)

    def complete(
        self, error: _Error, *, scheme: Literal["Bearer", "DPoP"] | None = None, now: float | None = None
    ) -> _Error:
        """Set what the answer to a request needs, and return the error.

        That is the algorithms that this verifier accepts, a nonce if the proof needs one, and the scheme of the
        challenge if the request was sent by ``DPoP``. ``now`` is in Unix seconds (``None``: the clock's).
        """
        error.algorithms = self.algorithms
        if scheme == "DPoP":
            error.scheme = scheme
        if self.nonces is None or not isinstance(error, (NonceRequiredError, ProofNonceError)):
            return error
        if error.nonce is None:
            error.nonce = self.nonces.issue(now=self._at(now))
        return error

    def __repr__(self) -> str:
        """Return the store and the nonces."""
        return f"DpopVerifier(replay={self.replay!r}, nonces={self.nonces!r})"

    def _verify(self, proof: str | bytes, now: float | None, **terms: Any) -> Steps[DpopProof]:  # noqa: ANN401 - check's
        at = self._at(now)
        verified = self.check(proof, now=at, **terms)
        # Last, so that a proof that fails another check is not used up.
        yield from self.consume_steps(verified, now=at)
        return verified

    def _at(self, now: float | None) -> float:
        return self._clock() if now is None else now


@functools.lru_cache(maxsize=64)
def _policy(algorithms: tuple[str, ...], max_age: float, leeway: float) -> ProofPolicy:
    return ProofPolicy(algorithms, max_age, leeway)


def _accepted(nonce: str | Iterable[str] | Nonces | None, now: float) -> Iterable[str] | None:
    if nonce is None:
        return None
    if isinstance(nonce, Nonces):
        return nonce.valid(now=now)
    return (nonce,) if isinstance(nonce, str) else tuple(nonce)
