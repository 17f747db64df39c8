"""The calls of a service at ClawAuth's server, each described once."""

from __future__ import annotations

from watchword.client import Verb
from watchword.providers.clawauth import answers
from watchword.providers.clawauth.types import AgentDetails, VerifyTokenResponse
from watchword.providers.clawauth.wire import WireFormat


class ServiceCalls:
    """The calls of one service, whose id and key are headers of every request."""

    def __init__(self, service_id: str, api_key: str, wire: WireFormat) -> None:
        self._service = {"service_id": service_id}
        self._wire = wire
        self._secrets = (api_key,)
        self.headers = {"authorization": f"Bearer {api_key}"}
        if wire.service_id_header is not None:
            self.headers[wire.service_id_header] = service_id

    def verify(self, token: str) -> Verb[VerifyTokenResponse]:
        """Ask for the verdict on a token."""
        request = self._wire.request("verify", {**self._service, "token": token}, repeatable=True)
        secrets = (*self._secrets, token)
        answer = yield from answers.ask(request, self._wire, secrets)
        return answers.verdict(answer, self._wire, secrets)

    def get_agent(self, agent_id: str) -> Verb[AgentDetails]:
        """Ask for the description of an agent."""
        request = self._wire.request("get_agent", {**self._service, "agent_id": agent_id}, repeatable=True)
        answer = yield from answers.ask(request, self._wire, self._secrets)
        return answers.details(answer, self._wire, agent_id)

    def change(self, call: str, **arguments: object) -> Verb[None]:
        """Send a call that changes something and has no result: once, whatever happens to the answer."""
        request = self._wire.request(call, {**self._service, **arguments})
        answers.check_done((yield from answers.ask(request, self._wire, self._secrets)))


__all__ = ["ServiceCalls"]
