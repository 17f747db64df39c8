"""What the clients for threads and for event loops share: their settings, and the steps of each call."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Literal, NoReturn, TypeVar

from watchword.client import (
    AsyncHttpxClient,
    Caller,
    CallSettings,
    SyncHttpxClient,
    check_base_url,
    default_user_agent,
    is_header_value,
)
from watchword.errors import VerificationError
from watchword.providers.paphwey.errors import PaphweyVerificationError
from watchword.providers.paphwey.gateway_api import GatewayApi
from watchword.providers.paphwey.gateway_calls import GatewayCall, GatewayCalls
from watchword.providers.paphwey.gateway_errors import GatewayErrors, of_call_error
from watchword.providers.paphwey.models import (
    Challenge,
    CreateDelegationRequest,
    Delegation,
    PresentDelegationRequest,
    VerifiedOutcome,
    VerifyOutcomeRequest,
)
from watchword.providers.paphwey.offline import OfflineBase
from watchword.providers.paphwey.outcome_check import as_signed
from watchword.providers.paphwey.spans import CallSpans, TracerProvider
from watchword.providers.profiles import reason_of
from watchword.providers.profiles.paphwey.claim_names import ClaimNames
from watchword.waiting import Call, Steps

T = TypeVar("T")

#: As Paphwey documents them.
TIMEOUT = 10.0
MAX_RETRIES = 3


class ClientBase:
    """What both clients share: their settings, and the steps of each call."""

    def __init__(
        self,
        base_url: str,
        api_key: str,
        timeout: float,
        max_retries: int,
        user_agent: str | None,
        *,
        client: SyncHttpxClient | None = None,
        async_client: AsyncHttpxClient | None = None,
        api: GatewayApi | None,
        claim_names: ClaimNames | None,
        on_invalid: Literal["raise", "return"],
        offline_verifier: OfflineBase | None,
        call_settings: CallSettings | None,
        allow_http_hosts: Iterable[str],
        tracer_provider: TracerProvider | None,
    ) -> None:
        if on_invalid not in ("raise", "return"):
            raise ValueError(f'on_invalid is {on_invalid!r}: it must be "raise" or "return"')
        for name, value, kind in (
            ("api", api, GatewayApi),
            ("claim_names", claim_names, ClaimNames),
            ("call_settings", call_settings, CallSettings),
            ("offline_verifier", offline_verifier, OfflineBase),
        ):
            if value is not None and not isinstance(value, kind):
                what = "OfflineVerifier" if kind is OfflineBase else kind.__name__
                raise TypeError(f"{name} must be a {what}, not {type(value).__name__}")
        if call_settings is None:
            call_settings = CallSettings(timeout=timeout, max_retries=max_retries)
        elif (timeout, max_retries) != (TIMEOUT, MAX_RETRIES):
            raise ValueError("give timeout and max_retries, or call_settings, which has both")
        root = check_base_url(base_url, http_hosts=allow_http_hosts)
        if not _is_header_text(api_key, "api_key") or " " in api_key:
            raise ValueError("api_key must be the key as Paphwey issued it, without spaces and line breaks")
        agent = default_user_agent()
        if user_agent is not None:
            if not _is_header_text(user_agent, "user_agent"):
                raise ValueError("user_agent must be plain ASCII text, without line breaks")
            agent = f"{agent} {user_agent}"
        self._calls = GatewayCalls(
            api or GatewayApi(),
            claim_names or ClaimNames(),
            GatewayErrors(api or GatewayApi(), api_key),
            allow_loopback_http=root.startswith("http:"),
        )
        self._returns_invalid = on_invalid == "return"
        self._offline = offline_verifier
        self._spans = CallSpans(root, tracer_provider)
        self._caller = Caller(
            root,
            user_agent=agent,
            raise_as=of_call_error,
            settings=call_settings,
            headers={"x-api-key": api_key},
            client=client,
            async_client=async_client,
        )

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._caller.base_url!r})"

    def __reduce__(self) -> tuple[object, ...]:
        raise TypeError(f"a {type(self).__name__} cannot be pickled or copied: make one in each process")

    def _create(self, request: CreateDelegationRequest, idempotency_key: str | None) -> Steps[Delegation]:
        return self._run(self._calls.create(request, idempotency_key))

    def _present(
        self,
        delegation_id: str,
        request: PresentDelegationRequest | None,
        members: dict[str, Any],
        idempotency_key: str | None,
    ) -> Steps[Challenge]:
        asked = PresentDelegationRequest.of(request, members)
        return self._run(self._calls.present(delegation_id, asked, idempotency_key))

    def _verify(self, request: VerifyOutcomeRequest | None, members: dict[str, Any]) -> Steps[VerifiedOutcome]:
        asked = VerifyOutcomeRequest.of(request, members)
        return self._check(asked, self._calls.verify(asked))

    def _run(self, call: GatewayCall[T]) -> Steps[T]:
        with self._spans.of(call.name, call.path) as span:
            result: T = yield Call(
                lambda: self._caller.run(call.verb(span.answered)),
                lambda: self._caller.run_async(call.verb(span.answered)),
            )
            return result

    def _check(self, asked: VerifyOutcomeRequest, call: GatewayCall[VerifiedOutcome]) -> Steps[VerifiedOutcome]:
        try:
            if self._offline is None:
                return (yield from self._run(call))
            # First, as it costs no request and consumes nothing.
            verified = yield from self._offline.steps(asked)
            # Its own on_invalid may be "return".
            return _as_signed((yield from self._run(call)), verified) if verified.valid else _reject(verified)
        except PaphweyVerificationError as error:
            if not self._returns_invalid:
                raise
            return VerifiedOutcome(valid=False, code=error.code)


def _reject(verified: VerifiedOutcome) -> NoReturn:
    raise PaphweyVerificationError(code=verified.code)


def _as_signed(found: VerifiedOutcome, verified: VerifiedOutcome) -> VerifiedOutcome:
    try:
        return as_signed(found, verified)
    except VerificationError as error:
        raise PaphweyVerificationError(error.detail, code=reason_of(error)) from error


def _is_header_text(value: str, name: str) -> bool:
    if not isinstance(value, str):
        raise TypeError(f"{name} must be str, not {type(value).__name__}")
    return is_header_value(value)


__all__ = ["MAX_RETRIES", "TIMEOUT", "ClientBase"]
