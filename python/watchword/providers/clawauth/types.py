"""ClawAuth's shapes: pydantic models, strict (nothing is coerced), closed (no other members) and frozen."""

from __future__ import annotations

try:
    from pydantic import BaseModel, ConfigDict, Field
except ImportError as error:
    raise ImportError("watchword.providers.clawauth needs pydantic: pip install 'watchword[clawauth]'") from error

__all__ = ["Agent", "VerifyTokenResponse"]


class _Model(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid", frozen=True, hide_input_in_errors=True)


class Agent(_Model):
    """An agent, as far as its token describes it.

    What the token does not say is empty, and the trust score then is 0.0, the lowest: a gate that asks for more stays
    closed. ``agent.model_fields_set`` names what the token said.
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
        """``scopes``, under the name that they have in ClawAuth's JavaScript package."""
        return self.scopes


class VerifyTokenResponse(_Model):
    """The verdict on a token: ``agent`` where it is valid, ``error`` (``code: sentence``) where it is not."""

    valid: bool
    agent: Agent | None = None
    error: str | None = None
