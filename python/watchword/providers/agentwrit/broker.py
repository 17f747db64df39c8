"""A broker's tokens, verified with its public key and without asking it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from watchword import _kernel
from watchword._kernel import DelegationChain, KeySet, TokenCache, VerifiedToken
from watchword.arguments import as_audience
from watchword.errors import VerificationError
from watchword.providers.agentwrit.models import AgentClaims, DelegationRecord, ValidateResult
from watchword.providers.profiles.agentwrit import ADMIN, AGENT, APP, DELEGATED_AGENT, MAX_DEPTH, Rules, read_pem

if TYPE_CHECKING:
    from watchword import AnyAudience

_KINDS = (AGENT, DELEGATED_AGENT, APP, ADMIN)
_PEM = "-----BEGIN "


class Broker:
    """A broker whose tokens are accepted: its URL, and the key that it signs with.

    A broker publishes its key nowhere. ``public_key`` is what its operator hands out: a public key in PEM, a JWK or a
    JWK Set (JSON or a mapping), or a :class:`~watchword.KeySet`. ``issuer`` is the ``iss`` that its tokens must have,
    and ``audience`` whom they may be for: a token that names an audience is refused where none is given here
    (:data:`watchword.ANY_AUDIENCE` takes all). ``trust_domain`` is that of the agents' SPIFFE IDs. ``accept`` lists the
    kinds of tokens: ``agent_token`` and ``delegated_agent_token``, unless ``app_token`` or ``admin_token`` are named.
    ``max_depth`` is how often authority may have been handed on, ``leeway`` is in seconds, ``token_cache`` remembers
    verified tokens (:class:`watchword.TokenCache`), ``clock`` tells Unix seconds where ``now`` is left out.

    **Nobody asks the broker, so a token that it revoked or that its agent released is valid here until it expires.**

    Raises ``ValueError`` or ``TypeError`` where these cannot be meant.
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
            raise ValueError(f"accept must list some of {', '.join(_KINDS)}")
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
        self._judge = _kernel.verify if token_cache is None else token_cache.verify
        self._clock = clock

    def validate(self, token: str | bytes, *, now: float | None = None) -> ValidateResult:
        """Whether a token is one of this broker's, as of ``now`` in Unix seconds, and what it says.

        Never raises for what the token is; ``TypeError`` where it is neither ``str`` nor ``bytes``.
        """
        at = self._clock() if now is None else now
        try:
            verified = self._judge(token, self._keys, self._policy, at)
            chain = self._rules.check(verified, now=at, keys=self._keys).chain
        except VerificationError as error:
            return ValidateResult(valid=False, error=str(error), code=error.code)
        return ValidateResult(valid=True, claims=_claims(verified, chain), delegation=chain)

    def __repr__(self) -> str:
        """The URL, and how many keys there are."""
        return f"Broker({self.broker_url!r}, {len(self._keys)} key(s))"


def without_slash(broker_url: str) -> str:
    """A broker's URL as it is compared. Raises ``TypeError`` or ``ValueError`` where it is none."""
    if not isinstance(broker_url, str):
        raise TypeError(f"broker_url is str, not {type(broker_url).__name__}")
    url = broker_url.rstrip("/")
    if not url:
        raise ValueError("broker_url must not be empty")
    return url


def _keys(public_key: str | bytes | Mapping[str, Any] | KeySet) -> KeySet:
    keys = public_key if isinstance(public_key, KeySet) else _read(public_key)
    if not any("EdDSA" in key.algorithms for key in keys):
        raise ValueError("public_key must hold an Ed25519 public key: a broker signs by no other")
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
    )


__all__ = ["Broker"]
