"""A broker's tokens, verified offline with its public key."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

import watchword
from watchword import DelegationChain, KeySet, TokenCache, VerifiedToken
from watchword.arguments import as_audience
from watchword.errors import VerificationError
from watchword.providers.agentwrit.models import AgentClaims, DelegationRecord, ValidateResult
from watchword.providers.profiles.agentwrit import ADMIN, AGENT, APP, DELEGATED_AGENT, MAX_DEPTH, Rules, read_pem

if TYPE_CHECKING:
    from watchword import AnyAudience

_KINDS = (AGENT, DELEGATED_AGENT, APP, ADMIN)
_PEM = "-----BEGIN "
_KNOWN = {field.name for field in dataclasses.fields(AgentClaims)} - {"extra"}


class Broker:
    """A broker whose tokens are accepted: its URL, and the key that it signs with.

    A broker does not publish its key. ``public_key`` is what its operator hands out: a public key in PEM, a JWK or a
    JWK Set (JSON or a mapping), or a :class:`~watchword.KeySet`. ``issuer`` is the ``iss`` that its tokens must have,
    and ``audience`` an audience that they must name, or several: without it, a token that names one is rejected
    (:data:`watchword.ANY_AUDIENCE` accepts any). ``trust_domain`` is that of the agents' SPIFFE IDs. ``accept`` lists
    the kinds of tokens that are accepted, of ``agent_token``, ``delegated_agent_token``, ``app_token`` and
    ``admin_token``. ``max_depth`` is the most delegations of a chain, ``leeway`` is in seconds, ``token_cache`` caches
    verified tokens (:class:`watchword.TokenCache`), ``clock`` returns Unix seconds, used if ``now`` is ``None``.

    **The broker is not asked, so a token that it revoked, or that its agent released, is valid here until it expires.**

    Raises ``ValueError`` or ``TypeError`` if the arguments are invalid.
    """

    def __init__(
        self,
        broker_url: str,
        public_key: str | bytes | Mapping[str, Any] | KeySet,
        *,
        issuer: str | None = None,
        audience: str | Iterable[str] | AnyAudience | None = None,
        trust_domain: str | None = None,
        accept: Iterable[str] = (AGENT, DELEGATED_AGENT),
        max_depth: int = MAX_DEPTH,
        leeway: float = 5,
        token_cache: TokenCache | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.broker_url = without_slash(broker_url)
        self._keys = _keys(public_key)
        accepted = tuple(accept)
        if isinstance(accept, str) or not accepted or not set(accepted) <= set(_KINDS):
            raise ValueError(f"accept must be a list of kinds of tokens, one or more of {', '.join(_KINDS)}")
        self._rules = Rules(
            issuers=() if issuer is None else (issuer,),
            audience=as_audience(audience),
            accept=accepted,
            trust_domain=trust_domain,
            max_depth=max_depth,
            leeway=leeway,
        )
        self._policy = self._rules.policy()
        if token_cache is not None and not isinstance(token_cache, TokenCache):
            raise TypeError("token_cache must be a watchword.TokenCache")
        self._verify = watchword.verify if token_cache is None else token_cache.verify
        self._clock = clock

    def validate(self, token: str | bytes, *, now: float | None = None) -> ValidateResult:
        """Verify a token of this broker as of ``now`` in Unix seconds (``None``: the clock's).

        Returns the verdict, and never raises for an invalid token. Raises ``TypeError`` if the token is neither ``str``
        nor ``bytes``.
        """
        at = self._clock() if now is None else now
        try:
            verified = self._verify(token, self._keys, self._policy, now=at)
            chain = self._rules.check(verified, now=at, keys=self._keys).chain
        except VerificationError as error:
            return ValidateResult(valid=False, error=str(error), code=error.code, checked_by="key")
        return ValidateResult(valid=True, claims=_claims(verified, chain), delegation=chain, checked_by="key")

    def __repr__(self) -> str:
        """Return the URL and the number of keys."""
        return f"Broker({self.broker_url!r}, {len(self._keys)} key(s))"


def without_slash(broker_url: str) -> str:
    """Return a broker's URL without final slashes, as URLs are compared.

    Raises ``TypeError`` if it is not ``str``, ``ValueError`` if it is empty.
    """
    if not isinstance(broker_url, str):
        raise TypeError(f"broker_url must be str, not {type(broker_url).__name__}")
    url = broker_url.rstrip("/")
    if not url:
        raise ValueError(f"broker_url is {broker_url!r}, which must not be empty")
    return url


def _keys(public_key: str | bytes | Mapping[str, Any] | KeySet) -> KeySet:
    keys = public_key if isinstance(public_key, KeySet) else _read(public_key)
    if not any("EdDSA" in key.algorithms for key in keys):
        raise ValueError(
            "public_key has no Ed25519 key: give the broker's Ed25519 public key, which is the only kind it signs with"
        )
    return keys


def _read(public_key: str | bytes | Mapping[str, Any]) -> KeySet:
    if isinstance(public_key, Mapping):
        return KeySet.from_json(public_key)
    text = public_key.decode("utf-8", "replace") if isinstance(public_key, bytes) else public_key
    if not isinstance(text, str) or not text.lstrip().startswith(_PEM):
        return KeySet.from_json(text)
    return read_pem(text)


def _claims(token: VerifiedToken, chain: DelegationChain) -> AgentClaims:
    claims = token.claims
    records = [
        DelegationRecord(record["agent"], record["scope"], record["delegated_at"], record.get("signature", ""))
        for record in (claims["delegation_chain"] if chain.depth else ())
    ]
    sid = claims.get("sid")
    return AgentClaims(
        iss=token.issuer or "",
        sub=claims["sub"],
        aud=list(token.audience),
        exp=int(claims["exp"]),
        nbf=int(claims["nbf"]),
        iat=int(claims["iat"]),
        jti=claims["jti"],
        scope=claims["scope"],
        task_id=claims.get("task_id", ""),
        orch_id=claims.get("orch_id", ""),
        sid=sid if isinstance(sid, str) else None,
        delegation_chain=records or None,
        chain_hash=claims.get("chain_hash"),
        extra={name: value for name, value in claims.items() if name not in _KNOWN},
    )


__all__ = ["Broker"]
