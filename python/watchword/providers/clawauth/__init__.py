"""ClawAuth's clients for services and agents, under the names of the package ``clawauth``.

    from watchword.providers.clawauth import ClawAuth, ClawAuthAgent

    auth = ClawAuth(service_id="orders", api_key=key, jwks=jwks)  # verifies offline; without keys, the server does
    result = auth.verify(token)  # never raises for an invalid token: result.valid, result.agent, result.error

    agent = ClawAuthAgent(agent_id="agent_abc123", private_key_path="agent-key.pem")
    tokens = agent.authenticate()  # access_token, refresh_token, expires_in

Each method that calls ClawAuth's server has an asynchronous twin, ``…_async``. :mod:`.types` has the models (pydantic),
:mod:`.exceptions` the exceptions. Install with ``watchword[clawauth]``. ``docs/providers/clawauth.md`` lists what is
checked, and which parts of the API are settings, as they are not public.
"""

from __future__ import annotations

from watchword.providers.clawauth.agent import ClawAuthAgent
from watchword.providers.clawauth.service import ClawAuth
from watchword.providers.clawauth.wire import WireFormat
from watchword.providers.profiles.clawauth import ClaimNames

__all__ = ["ClaimNames", "ClawAuth", "ClawAuthAgent", "WireFormat"]
