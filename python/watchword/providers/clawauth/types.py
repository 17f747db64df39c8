"""ClawAuth's models (pydantic): strict (no coercion) and frozen.

Members of an answer that are not documented are kept, in snake case, as attributes and in ``model_extra``.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Literal

try:
    from pydantic import BaseModel, ConfigDict, Field
except ImportError as error:
    raise ImportError("watchword.providers.clawauth needs pydantic: pip install 'watchword[clawauth]'") from error

__all__ = ["Agent", "AgentDetails", "EmailVerification", "Registration", "Tokens", "VerifyTokenResponse"]


class _Model(BaseModel):
    model_config = ConfigDict(strict=True, extra="allow", frozen=True, hide_input_in_errors=True)

    def __repr_args__(self) -> Iterable[tuple[str | None, Any]]:
        # Whether a member that is not documented is a secret, nobody knows.
        return [(name, value) for name, value in super().__repr_args__() if name in type(self).model_fields]


class Agent(_Model):
    """An agent, as its token or ClawAuth's server describes it.

    Attributes that the token lacks are empty, and the trust score is then 0.0, the lowest. ``agent.model_fields_set``
    names those that the token has.
    """

    id: str
    name: str = ""
    email: str = Field(default="", repr=False)
    trust_score: float = Field(default=0.0, ge=0, le=10, allow_inf_nan=False)
    """From 0.0 to 10.0; a new agent has 5.0."""
    roles: list[str] = Field(default_factory=list)
    scopes: list[str] = Field(default_factory=list)

    @property
    def permissions(self) -> list[str]:
        """``scopes``, by their name in ClawAuth's JavaScript package."""
        return self.scopes


class AgentDetails(Agent):
    """An agent, as ``get_agent`` describes it: with its ``status``."""

    status: str
    last_seen_at: str | None = None
    """When the agent was last seen, as the server writes it; ``None`` if it does not say."""


class VerifyTokenResponse(_Model):
    """The verdict on a token: ``agent`` if it is valid, else ``error`` (``code: sentence``).

    ``source`` says whose verdict it is: ``"offline"``, this process's, or ``"server"``, that of ClawAuth's server,
    whose ``error`` has any form.
    """

    valid: bool
    agent: Agent | None = None
    error: str | None = None
    source: Literal["offline", "server"] = "offline"


class Registration(_Model):
    """The registration of an agent. ``registration_id`` and ``public_key_hash`` are empty if the answer lacks them."""

    agent_id: str
    status: str
    registration_id: str = ""
    public_key_hash: str = ""


class EmailVerification(_Model):
    """The answer to the verification of an e-mail address; attributes that it lacks are empty."""

    agent_id: str = ""
    status: str = ""


class Tokens(dict[str, Any]):
    """The tokens of an agent: ``access_token``, ``refresh_token``, and ``expires_in`` in seconds.

    A dictionary whose ``repr`` shows the names only.
    """

    def __repr__(self) -> str:
        return f"Tokens({', '.join(sorted(self))})"
