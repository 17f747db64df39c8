"""The documented calls, for both clients: each test runs once in a thread and once in an event loop."""

from __future__ import annotations

import asyncio
import json
import traceback
from datetime import UTC, datetime, timedelta
from typing import Any

from endpoint import Server, answer
from standins.paphwey import API_KEY

from watchword.client import CallSettings
from watchword.providers.paphwey import AsyncPaphweyClient, PaphweyClient
from watchword.providers.paphwey.models import ActionContext, CreateDelegationRequest, PresentDelegationRequest

AUDIENCE = "merchant.example"
EMAIL = "alice@shop.example"
ACTION = {"scope": "purchase", "amount_minor": 1500, "currency": "GBP"}
FAST = CallSettings(timeout=20, deadline=60, max_retries=3, first_delay=0.0, max_delay=0.0)


class Client:
    """Either client, whose calls return their results."""

    def __init__(self, form: str, base_url: str, api_key: str = API_KEY, **options: Any) -> None:
        self.form = form
        options.setdefault("call_settings", FAST)
        kind = PaphweyClient if form == "thread" else AsyncPaphweyClient
        self.inner: Any = kind(base_url=base_url, api_key=api_key, **options)

    def _call(self, name: str, *arguments: Any, **named: Any) -> Any:
        if self.form == "thread":
            return getattr(self.inner, name)(*arguments, **named)

        async def run() -> Any:
            return await getattr(self.inner, name)(*arguments, **named)

        return asyncio.run(run())

    def create(self, *arguments: Any, **named: Any) -> Any:
        return self._call("create_delegation", *arguments, **named)

    def present(self, *arguments: Any, **named: Any) -> Any:
        return self._call("present_delegation", *arguments, **named)

    def verify(self, *arguments: Any, **named: Any) -> Any:
        return self._call("verify_outcome", *arguments, **named)


def grant(**changes: Any) -> CreateDelegationRequest:
    return CreateDelegationRequest(
        **{
            "principal_email": EMAIL,
            "provider": "openai",
            "agent_id": "shopping-agent",
            "allowed_scopes": ["purchase"],
            "allowed_challenge_types": ["HIGH_VALUE_PURCHASE_REQUIRED"],
            "max_amount_minor": 2500,
            "currency": "GBP",
            "valid_until": datetime.now(UTC) + timedelta(days=14),
            "metadata": {"channel": "web-chat"},
            **changes,
        }
    )


def challenge(**changes: Any) -> PresentDelegationRequest:
    action = ActionContext(**{**ACTION, "merchant": "acme.example", **changes.pop("action", {})})
    return PresentDelegationRequest(
        **{
            "challenge_type": "HIGH_VALUE_PURCHASE_REQUIRED",
            "audience": AUDIENCE,
            "payload": {"action_context": action, "minimum_assurance": 10},
            "callback_url": "https://merchant.example/hooks/paphwey",
            "ttl_seconds": 900,
            **changes,
        }
    )


# Answers of any kind.

CREATE = "/api/v1/agent/delegations"
PRESENT = "/api/v1/agent/delegations/dlg_1/present"
VERIFY = "/api/v1/agent/outcomes/verify"
TOKEN = "s3cret-attestation.s3cret-attestation.s3cret-attestation"
ASKED = {"attestation_token": TOKEN, "audience": AUDIENCE, "expected_delegation_id": "dlg_1"}


def assert_silent(error: BaseException) -> None:
    """No secret, and no exception of a client, which would have the request."""
    assert (error.__cause__, error.__context__) == (None, None)
    shown = "".join(traceback.format_exception(error)) + repr(error) + repr(vars(error))
    for secret in (API_KEY, API_KEY.partition(".")[2], "s3cret", EMAIL):
        assert secret not in shown


def says(server: Server, path: str, body: object, status: int = 200, **headers: Any) -> Client:
    """Return a client of a gateway that gives this answer."""
    text = body if isinstance(body, (str, bytes)) else json.dumps(body)
    server.routes[path] = answer(text, status, Content_Type="application/json", **headers)
    return Client("thread", server.url, call_settings=FAST)
