"""AgentWrit's tokens: those of agents, of agents that were handed authority, of applications and of the admin.

The broker signs all of them with one Ed25519 key, under one type. What they are shows in their claims.
"""

from __future__ import annotations

from collections.abc import Collection

from watchword._kernel import DelegationChain, KeySet, VerifiedToken
from watchword.errors import MalformedClaimsError, WrongTypeError
from watchword.providers.profiles import Kind, Members, Profile
from watchword.providers.spiffe import SpiffeId

#: How many times authority is handed on at most.
MAX_DEPTH = 5

AGENT = "agent_token"
DELEGATED_AGENT = "delegated_agent_token"
APP = "app_token"
ADMIN = "admin_token"

_LISTED = 'the claim "scope" is an array'

_AGENT_PATH = ("agent", "orchestration", "task", "instance")


def agent_id(text: object) -> SpiffeId | None:
    """The id of an agent, ``spiffe://trust-domain/agent/orchestration/task/instance``; ``None`` for anything else."""
    if not isinstance(text, str):
        return None
    try:
        found = SpiffeId.parse(text)
    except ValueError:
        return None
    return found if len(found.path) == len(_AGENT_PATH) and found.path[0] == _AGENT_PATH[0] else None


def recognise(header: Members, claims: Members) -> Kind | None:
    """Which of the broker's tokens this looks like, if any."""
    if header.get("alg") != "EdDSA" or header.get("typ") != "JWT":
        return None
    if not _is_text(claims.get("jti")) or not _is_list_of_text(claims.get("scope")):
        return None
    return _agent_kind(claims) or _service_kind(claims)


def _agent_kind(claims: Members) -> Kind | None:
    if agent_id(claims.get("sub")) is None or not (_is_text(claims.get("orch_id")) and _is_text(claims.get("task_id"))):
        return None
    reasons = ('the subject is the SPIFFE ID of an agent, with "orch_id" and "task_id" beside it', _LISTED)
    if "delegation_chain" in claims:
        return Kind(DELEGATED_AGENT, (*reasons, 'there is a "delegation_chain"'))
    return Kind(AGENT, reasons)


def _service_kind(claims: Members) -> Kind | None:
    if "orch_id" in claims or "task_id" in claims:
        return None
    subject, scopes = claims.get("sub"), claims["scope"]
    if isinstance(subject, str) and subject.startswith("app:") and _all_begin(scopes, "app:"):
        return Kind(APP, ('the subject begins with "app:"', _LISTED, "its scopes are the broker's own"))
    if subject == "admin" and _all_begin(scopes, "admin:"):
        return Kind(ADMIN, ('the subject is "admin"', _LISTED, "its scopes are the broker's own"))
    return None


def check(token: VerifiedToken, *, audience: Collection[str] = (), keys: KeySet | None = None) -> None:
    """The token is an agent's, and its chain, if it has one, is whole."""
    del audience  # the policy's, and there is no more to it
    check_kind(token, (AGENT, DELEGATED_AGENT))
    check_chain(token, keys=keys, max_depth=MAX_DEPTH)


def check_kind(token: VerifiedToken, accepted: Collection[str]) -> str:
    """Returns the kind, which is one of those that are accepted. Raises ``WrongTypeError`` for any other token."""
    kind = recognise(token.header, token.claims)
    if kind is None:
        raise WrongTypeError("the token is none that the broker makes")
    if kind.name not in accepted:
        raise WrongTypeError(f"the token is an {kind.name.replace('_', ' ')}, which is not accepted here")
    return kind.name


def check_trust_domain(token: VerifiedToken, expected: str | None) -> None:
    """The agent is of the trust domain that is expected, where one is. Raises ``MalformedClaimsError``."""
    agent = agent_id(token.subject)
    if expected is not None and (agent is None or agent.trust_domain != expected):
        raise MalformedClaimsError('"sub" is no agent of the trust domain that is expected')


def check_chain(token: VerifiedToken, *, keys: KeySet | None, max_depth: int) -> DelegationChain:
    """Returns the chain: unbroken, as hashed and, with ``keys``, as signed; never widened; of agents, who all act for
    the task of the first.

    Raises :class:`~watchword.DelegationError` or ``MalformedClaimsError``.
    """
    claims = token.claims
    chain = DelegationChain.from_records(token.payload, keys=keys)
    chain.check(max_depth=max_depth)
    if chain.depth == 0 and ("delegation_chain" in claims or "chain_hash" in claims):
        raise MalformedClaimsError(
            '"delegation_chain" and "chain_hash" are there together, with records, or not at all'
        )
    if agent_id(token.subject) is None:
        return chain
    first, *others = (agent_id(name) for name in (chain.subject, *(actor.subject for actor in chain.actors)))
    if first is None or any(other is None or other.trust_domain != first.trust_domain for other in others):
        raise MalformedClaimsError('"delegation_chain" names somebody who is no agent of this trust domain')
    if first.path[1:3] != (claims["orch_id"], claims["task_id"]):
        raise MalformedClaimsError('"orch_id" and "task_id" are not those of the agent that the task was given to')
    return chain


def _is_list_of_text(value: object) -> bool:
    """Whether this is an array of strings, as the broker writes scopes."""
    return isinstance(value, list) and all(isinstance(one, str) for one in value)


def _is_text(value: object) -> bool:
    return isinstance(value, str) and value != ""


def _all_begin(scopes: list[str], prefix: str) -> bool:
    return bool(scopes) and all(scope.startswith(prefix) for scope in scopes)


PROFILE = Profile(
    algorithms=("EdDSA",),
    types=("JWT",),
    required=("exp", "nbf", "iat", "sub", "jti", "scope"),
    publishes_keys=False,
    check=check,
    recognise=recognise,
    not_checked="whether their broker revoked them",
)
