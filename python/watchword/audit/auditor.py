"""Auditor: verifies columns of tokens as of the times at which they were used."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Protocol

from watchword import Policy
from watchword._kernel import ArrowBatch, ArrowStream, AuditColumns
from watchword._kernel import Auditor as _KernelAuditor
from watchword.audit.key_histories import KeyHistory, Keys, key_histories
from watchword.audit.policy_history import PolicyHistory
from watchword.dpop import DPOP_ALGORITHMS, ProofPolicy
from watchword.jwks.archive import KeyRules

#: What may be kept of tokens that may occur again, in bytes.
CACHE_BYTES = 64 * 1024 * 1024

#: The starts of policies, the policies, and the scopes that tokens must have.
_Policies = list[tuple[float, Policy, list[str]]]

#: Keys, policies, the requirements for proofs (algorithms, age, leeway), and the bytes of the cache: all of an auditor.
_Arguments = tuple[list[tuple[str | None, KeyHistory]], _Policies, tuple[tuple[str, ...], float, float], int]


class ArrowStreamable(Protocol):
    """A table, a stream or a batch, by Arrow's PyCapsule interface."""

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
        """Return a capsule with a stream of record batches."""
        ...


class ArrowArrayable(Protocol):
    """A record batch, by Arrow's PyCapsule interface."""

    def __arrow_c_array__(self, requested_schema: object | None = None) -> tuple[object, object]:
        """Return capsules with the schema and the data."""
        ...


class Auditor:
    """Verifies columns of tokens, each as of the time at which it was used. Thread-safe and picklable.

    ``keys`` are a :class:`~watchword.KeySet` for all tokens at all times, a
    :class:`~watchword.jwks.archive.KeyArchive`, of which those of the issuer and of the time are used (``rules`` say
    how long a key is accepted), or a mapping of issuers to key sets or timelines. Issuers have the names that they have
    in :class:`~watchword.Issuer`, a template ``https://login.example/{tid}/v2.0`` or a trust domain
    ``spiffe://example.org`` among them. ``policy`` is a :class:`~watchword.Policy` for all times or a
    :class:`PolicyHistory`. Of tokens that may occur again, ``cache_bytes`` bytes are kept. DPoP proofs are verified as
    :class:`watchword.dpop.DpopVerifier` does, with ``proof_max_age`` and ``proof_leeway`` in seconds; that a proof was
    used before is not an error here: the column ``proof_hash`` has equal values then.

    Raises ``TypeError`` or ``ValueError`` if an argument is invalid.
    """

    def __init__(
        self,
        keys: Keys,
        policy: Policy | PolicyHistory,
        *,
        rules: KeyRules | None = None,
        proof_max_age: float = 60,
        proof_leeway: float = 5,
        proof_algorithms: Iterable[str] = DPOP_ALGORITHMS,
        cache_bytes: int = CACHE_BYTES,
    ) -> None:
        if isinstance(cache_bytes, bool) or not isinstance(cache_bytes, int) or cache_bytes < 0:
            raise ValueError("cache_bytes must be a number of bytes, 0 or more")
        proofs = (tuple(proof_algorithms), proof_max_age, proof_leeway)
        self._prepare((key_histories(keys, rules), _policies(policy), proofs, cache_bytes))

    def _prepare(self, arguments: _Arguments) -> None:
        keys, policies, proofs, cache_bytes = self._arguments = arguments
        self._kernel = _KernelAuditor(keys, policies, ProofPolicy(*proofs), cache_bytes)

    @property
    def examined(self) -> int:
        """How many tokens were examined up to their signature: fewer than there were rows if tokens occurred again."""
        return self._kernel.examined

    def verify_column(
        self,
        data: ArrowStreamable,
        *,
        token: str,
        time: str | float,
        method: str | None = None,
        uri: str | None = None,
        proof: str | None = None,
        keep: Iterable[str] = (),
        threads: int | None = None,
    ) -> ArrowStream:
        """Return a stream with the verdict on each row of ``data``, in their order; it audits as it is read.

        ``data`` is a table or a stream of record batches: of pyarrow, polars, DuckDB, or another library with Arrow's
        PyCapsule interface, as which the result is read, too. ``token`` is the name of a column of texts or bytes,
        ``time`` that of a column of timestamps or of numbers of Unix seconds, or one time for all rows. ``proof``,
        ``method`` and ``uri`` are the names of columns with the DPoP proof that was sent with each token, null if there
        was none, and its request. The columns ``keep`` are in the result, too, before those that docs/audit.md lists.
        ``threads`` is the number of threads, ``None`` for one a processor.

        Raises ``TypeError`` or ``ValueError`` if a column is missing or has an unsuitable type. Whatever a row has is a
        verdict.
        """
        if not hasattr(data, "__arrow_c_stream__"):
            raise TypeError(
                "data has no __arrow_c_stream__: give a table or a record batch of pyarrow, polars or the like"
            )
        return self._kernel.stream(data, _columns(token, time, method, uri, proof, keep), threads)

    def verify_batch(
        self,
        batch: ArrowArrayable,
        *,
        token: str,
        time: str | float,
        method: str | None = None,
        uri: str | None = None,
        proof: str | None = None,
        keep: Iterable[str] = (),
    ) -> ArrowBatch:
        """Return the verdict on each row of a record batch, in this thread. As :meth:`verify_column` otherwise."""
        if not hasattr(batch, "__arrow_c_array__"):
            raise TypeError("batch has no __arrow_c_array__: give a record batch, or call verify_column with a table")
        return self._kernel.batch(batch, _columns(token, time, method, uri, proof, keep))

    def __getstate__(self) -> _Arguments:
        """Return the keys and the policies: what is kept of tokens is not pickled."""
        return self._arguments

    def __setstate__(self, state: _Arguments) -> None:
        """Prepare an auditor with these keys and policies."""
        self._prepare(state)

    def __repr__(self) -> str:
        """Name the issuers."""
        issuers = ", ".join("any issuer" if issuer is None else repr(issuer) for issuer, _ in self._arguments[0])
        return f"<Auditor of {issuers}>"


def verify_column(
    data: ArrowStreamable,
    *,
    token: str,
    time: str | float,
    keys: Keys,
    policy: Policy | PolicyHistory,
    method: str | None = None,
    uri: str | None = None,
    proof: str | None = None,
    keep: Iterable[str] = (),
    rules: KeyRules | None = None,
    threads: int | None = None,
) -> ArrowStream:
    """Return a stream with the verdict on each row of ``data``.

    It is that of ``Auditor(keys, policy, rules=rules).verify_column(data, ...)``.

    Raises ``TypeError`` or ``ValueError`` as these do.
    """
    return Auditor(keys, policy, rules=rules).verify_column(
        data, token=token, time=time, method=method, uri=uri, proof=proof, keep=keep, threads=threads
    )


def _policies(policy: Policy | PolicyHistory) -> _Policies:
    if isinstance(policy, Policy):
        return [(-math.inf, policy, [])]
    if isinstance(policy, PolicyHistory):
        return [(one.start, one.policy, [*one.scopes]) for one in policy.intervals]
    raise TypeError("policy must be a Policy or a PolicyHistory")


def _columns(
    token: str,
    time: str | float,
    method: str | None,
    uri: str | None,
    proof: str | None,
    keep: Iterable[str],
) -> AuditColumns:
    if isinstance(keep, str):
        raise TypeError("keep must be a list or tuple of names, not a single one")
    if proof is None:
        if method is not None or uri is not None:
            raise ValueError("method and uri are those of a proof: give its column, too")
        return AuditColumns(token, time, None, list(keep))
    if method is None or uri is None:
        raise ValueError("proof needs method and uri: the columns of the request that it was sent with")
    return AuditColumns(token, time, (method, uri, proof), list(keep))


__all__ = ["CACHE_BYTES", "ArrowArrayable", "ArrowStreamable", "Auditor", "verify_column"]
