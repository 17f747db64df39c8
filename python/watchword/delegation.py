"""Delegation chains: on whose behalf a token is used, by whom, and what is required of that.

    token = watchword.verify(raw, keys, policy)
    token.delegation.check(max_depth=3, require_human_root=True, allowed_actors=["client:planner", "client:mailer"])

:class:`DelegationChain` is one type for the three forms in which tokens record delegation: nested acts (the claim
``act``, RFC 8693 section 4.1), a recorded chain (``delegation_chain`` and ``chain_hash``) and an actor chain
(``actor_chain``). ``token.delegation`` finds the form; each constructor reads one form, and takes the keys that verify
it. All names are also in :mod:`watchword`.
"""

from __future__ import annotations

from watchword._kernel import Actor, DelegationChain, MayAct
from watchword.errors import (
    ActorNotAllowedError,
    DelegationCycleError,
    DelegationError,
    DelegationHashMismatchError,
    DelegationMalformedError,
    DelegationSignatureError,
    DelegationTooDeepError,
    NoHumanRootError,
    ScopeWidenedError,
)

__all__ = [
    "Actor",
    "ActorNotAllowedError",
    "DelegationChain",
    "DelegationCycleError",
    "DelegationError",
    "DelegationHashMismatchError",
    "DelegationMalformedError",
    "DelegationSignatureError",
    "DelegationTooDeepError",
    "MayAct",
    "NoHumanRootError",
    "ScopeWidenedError",
]
