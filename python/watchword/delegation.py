"""Who acts on whose behalf: chains of delegation, and what can be demanded of them.

    token = watchword.verify(raw, keys, policy)
    token.delegation.check(max_depth=3, require_human_root=True, allowed_actors=["client:planner", "client:mailer"])

:class:`DelegationChain` is one type for the three forms in which tokens record delegation: nested acts (the claim
``act``, RFC 8693 section 4.1), a recorded chain (``delegation_chain`` and ``chain_hash``) and an actor chain
(``actor_chain``). ``token.delegation`` finds the form; the constructors read one of them, and take what it can be
proved with. The names are those of :mod:`watchword`, gathered.
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
