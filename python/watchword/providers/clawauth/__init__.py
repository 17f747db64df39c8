"""ClawAuth's agent tokens, verified offline under the names of the package ``clawauth``.

    from watchword.providers.clawauth import ClawAuth

    auth = ClawAuth(service_id="orders", api_key=key, jwks=jwks)
    result = auth.verify(token)  # never raises for an invalid token: result.valid, result.agent, result.error

:mod:`.types` has the models (pydantic), :mod:`.exceptions` the exceptions. Install with ``watchword[clawauth]``.
``docs/providers/clawauth.md`` lists what is checked.
"""

from __future__ import annotations

from watchword.providers.clawauth.agent import ClawAuthAgent
from watchword.providers.clawauth.service import ClawAuth
from watchword.providers.profiles.clawauth import ClaimNames

__all__ = ["ClaimNames", "ClawAuth", "ClawAuthAgent"]
