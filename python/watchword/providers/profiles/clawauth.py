"""ClawAuth's tokens: those of agents, by ES256. What it signs by HS256 is for people, and never an agent's."""

from __future__ import annotations

from collections.abc import Collection

from watchword._kernel import KeySet, VerifiedToken
from watchword.errors import WrongTypeError
from watchword.providers.profiles import Kind, Members, Profile

AGENT_TOKEN = "agent_token"  # noqa: S105 - a kind, not a secret

_AGENT_ID = "agent_"


def recognise(header: Members, claims: Members) -> Kind | None:
    """Whether this looks like the token of one of ClawAuth's agents."""
    if header.get("alg") != "ES256" or header.get("typ", "JWT") != "JWT":
        return None
    names = [claims.get(name) for name in ("sub", "agent_id", "agentId")]
    if any(isinstance(name, str) and name.startswith(_AGENT_ID) for name in names):
        return Kind(AGENT_TOKEN, (f'it is about an agent whose id begins with "{_AGENT_ID}"', "it is signed by ES256"))
    return None


def check(token: VerifiedToken, *, audience: Collection[str] = (), keys: KeySet | None = None) -> None:
    """The token is an agent's."""
    del audience, keys
    if recognise(token.header, token.claims) is None:
        raise WrongTypeError("the token is no agent's")


PROFILE = Profile(
    algorithms=("ES256",),
    types=("JWT", None),
    required=("exp",),
    publishes_keys=False,
    check=check,
    recognise=recognise,
)
