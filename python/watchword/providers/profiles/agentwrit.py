"""AgentWrit's tokens: those of agents, of agents with delegated authority, of applications and of the admin.

The broker signs all of them with one Ed25519 key, and all have one ``typ``. Their claims tell them apart.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, NamedTuple

from watchword import DelegationChain, KeySet, VerifiedToken, thumbprint
from watchword.errors import MalformedClaimsError, WrongTypeError
from watchword.providers import profiles
from watchword.providers.profiles import Kind, Members, Profile, media_type
from watchword.providers.spiffe import SpiffeId

#: The most delegations of a chain, by default.
MAX_DEPTH = 5

AGENT = "agent_token"
DELEGATED_AGENT = "delegated_agent_token"
APP = "app_token"
ADMIN = "admin_token"

_LISTED = 'the claim "scope" is an array'

_AGENT_PATH = ("agent", "orchestration", "task", "instance")


def agent_id(text: object) -> SpiffeId | None:
    """Return the id of an agent (``spiffe://trust-domain/agent/orchestration/task/instance``), else ``None``."""
    if not isinstance(text, str):
        return None
    try:
        found = SpiffeId.parse(text)
    except ValueError:
        return None
    return found if len(found.path) == len(_AGENT_PATH) and found.path[0] == _AGENT_PATH[0] else None


def recognise(header: Members, claims: Members) -> Kind | None:
    """Return the kind of the broker's tokens that this looks like, if any."""
    if header.get("alg") != "EdDSA" or media_type(header) != "jwt":
        return None
    if not _is_text(claims.get("jti")) or not _is_list_of_text(claims.get("scope")):
        return None
    return _agent_kind(claims) or _service_kind(claims)


def _agent_kind(claims: Members) -> Kind | None:
    if agent_id(claims.get("sub")) is None or not (_is_text(claims.get("orch_id")) and _is_text(claims.get("task_id"))):
        return None
    reasons = ('the subject is the SPIFFE ID of an agent, with "orch_id" and "task_id"', _LISTED)
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


class Checked(NamedTuple):
    """A token that meets the rules: its kind, and its delegation chain."""

    kind: str
    chain: DelegationChain


@dataclass(frozen=True, kw_only=True)
class Rules(profiles.Rules):
    """What a verifier requires of a broker's tokens.

    ``accept`` lists the kinds that are accepted, ``trust_domain`` is that of the agents' SPIFFE IDs (``None``: any),
    ``max_depth`` the most delegations of a chain.
    """

    algorithms: tuple[str, ...] | None = ("EdDSA",)
    types: tuple[str | None, ...] = ("JWT",)
    accept: tuple[str, ...] = (AGENT, DELEGATED_AGENT)
    trust_domain: str | None = None
    max_depth: int = MAX_DEPTH

    always_required: ClassVar[tuple[str, ...]] = ("exp", "nbf", "iat", "sub", "jti", "scope")

    def form(self, header: Members, claims: Members) -> str:
        """Return the kind, which is one of the accepted ones. The chain is not read: :meth:`check` does that."""
        kind = recognise(header, claims)
        if kind is None:
            raise WrongTypeError("the token is of no kind that the broker issues")
        if kind.name not in self.accept:
            raise WrongTypeError(f"the token is an {kind.name.replace('_', ' ')}, which is not accepted here")
        agent = agent_id(claims.get("sub"))
        if self.trust_domain is not None and agent is not None and agent.trust_domain != self.trust_domain:
            raise MalformedClaimsError(f'"sub" is not an agent of the trust domain {self.trust_domain}')
        return kind.name

    def check(self, token: VerifiedToken, *, now: float | None = None, keys: KeySet | None = None) -> Checked:
        """Check the kind of the token, and its chain, which is signed by ``keys``: they are required."""
        del now  # the kernel has checked all dates
        if keys is None:
            raise TypeError(
                "keys must be the keys that the token was verified with: they sign the records of the chain too"
            )
        kind = self.form(token.header, token.claims)
        return Checked(kind, check_chain(token, keys=keys, max_depth=self.max_depth))


def check_chain(token: VerifiedToken, *, keys: KeySet, max_depth: int) -> DelegationChain:
    """Check the delegation chain of a token, and return it.

    It must be unbroken, with a valid hash and valid signatures by ``keys``; no delegation may widen the scopes; and all
    actors must be agents of one trust domain, acting for the task of the first. Raises
    :class:`~watchword.DelegationError` or ``MalformedClaimsError``.
    """
    claims = token.claims
    chain = DelegationChain.from_records(token.payload, keys=keys)
    chain.check(max_depth=max_depth)
    if chain.depth == 0 and ("delegation_chain" in claims or "chain_hash" in claims):
        raise MalformedClaimsError(
            '"delegation_chain" and "chain_hash" must be present together, with records, or not at all'
        )
    if agent_id(token.subject) is None:
        return chain
    first, *others = (agent_id(name) for name in (chain.subject, *(actor.subject for actor in chain.actors)))
    if first is None or any(other is None or other.trust_domain != first.trust_domain for other in others):
        raise MalformedClaimsError(
            '"delegation_chain" names an actor that is not an agent of the subject\'s trust domain'
        )
    if first.path[1:3] != (claims["orch_id"], claims["task_id"]):
        raise MalformedClaimsError('"orch_id" and "task_id" are not those of the agent that was given the task')
    return chain


def read_pem(pem: str | bytes) -> KeySet:
    """Return the broker's public key. Its ``kid`` is its thumbprint (RFC 7638), as in the broker's tokens."""
    return KeySet.from_pem(pem, key_id=thumbprint(pem=pem))


def _is_list_of_text(value: object) -> bool:
    """Return whether this is an array of strings, as the broker writes scopes."""
    return isinstance(value, list) and all(isinstance(one, str) for one in value)


def _is_text(value: object) -> bool:
    return isinstance(value, str) and value != ""


def _all_begin(scopes: list[str], prefix: str) -> bool:
    return bool(scopes) and all(scope.startswith(prefix) for scope in scopes)


PROFILE = Profile(
    rules=Rules,
    recognise=recognise,
    accepted=(AGENT, DELEGATED_AGENT),
    publishes_keys=False,
    read_pem=read_pem,
    not_checked=("whether their broker revoked them",),
)
