"""ClawAuth's models (pydantic): strict (no coercion), closed (no other members) and frozen."""

from __future__ import annotations

try:
    from pydantic import BaseModel, ConfigDict, Field
except ImportError as error:
    raise ImportError("watchword.providers.clawauth needs pydantic: pip install 'watchword[clawauth]'") from error

__all__ = ["Agent", "VerifyTokenResponse"]


class _Model(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid", frozen=True, hide_input_in_errors=True)


class Agent(_Model):
    """An agent, as its token describes it.

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


class VerifyTokenResponse(_Model):
    """The verdict on a token: ``agent`` if it is valid, else ``error`` (``code: sentence``)."""

    valid: bool
    agent: Agent | None = None
    error: str | None = None
