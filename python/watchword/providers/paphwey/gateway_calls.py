"""The calls of the gateway: each one request, and how its answer is read."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC
from typing import Any, Generic, TypeVar

from watchword.client import Answer, Members, Request, Verb, path_segment
from watchword.errors import VerificationError
from watchword.jwks.urls import check_url
from watchword.providers.paphwey.errors import PaphweyError, PaphweyVerificationError
from watchword.providers.paphwey.gateway_api import CREATE_PATH, ID, GatewayApi
from watchword.providers.paphwey.gateway_errors import GatewayErrors
from watchword.providers.paphwey.models import (
    Challenge,
    CreateDelegationRequest,
    Delegation,
    PresentDelegationRequest,
    VerifiedOutcome,
    VerifyOutcomeRequest,
)
from watchword.providers.paphwey.outcome_check import check_outcome
from watchword.providers.profiles import reason_of
from watchword.providers.profiles.paphwey.action import Action
from watchword.providers.profiles.paphwey.claim_names import ClaimNames
from watchword.providers.profiles.paphwey.exact_json import load_exactly

T = TypeVar("T")

_MAX_KEY = 255
_MAX_URL = 2048


@dataclass(frozen=True, repr=False)
class GatewayCall(Generic[T]):
    """A call: its name, its path with ``{delegation_id}``, its request, and what is made of the answer."""

    name: str
    path: str
    request: Request
    error_of: Callable[[Answer], PaphweyError]
    read: Callable[[Answer], T]

    def verb(self, on_status: Callable[[int], None]) -> Verb[T]:
        """Return the call for a :class:`watchword.client.Caller`; ``on_status`` gets the status of the answer."""
        answer: Answer = yield self.request
        on_status(answer.status)
        if not answer.is_success:
            raise self.error_of(answer)
        return self.read(answer)


class GatewayCalls:
    """Makes the calls of one client, whose arguments are checked before anything is sent."""

    def __init__(self, api: GatewayApi, names: ClaimNames, errors: GatewayErrors, *, allow_loopback_http: bool) -> None:
        self._api = api
        self._names = names
        self._errors = errors
        self._allow_loopback_http = allow_loopback_http

    def create(self, request: CreateDelegationRequest, idempotency_key: str | None) -> GatewayCall[Delegation]:
        """Return the call that creates a delegation."""
        if not isinstance(request, CreateDelegationRequest):
            raise TypeError(f"request must be a CreateDelegationRequest, not {type(request).__name__}")
        body = request.model_dump(exclude_none=True)
        # Without fractions of a second, as documented: the authority then ends up to a second earlier, never later.
        body["valid_until"] = request.valid_until.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        if not request.metadata:
            del body["metadata"]
        return self._write("create_delegation", CREATE_PATH, CREATE_PATH, body, idempotency_key, self._delegation)

    def present(
        self, delegation_id: str, request: PresentDelegationRequest, idempotency_key: str | None
    ) -> GatewayCall[Challenge]:
        """Return the call that opens a challenge."""
        segment = path_segment(delegation_id, what="delegation_id")
        body, template = request.model_dump(exclude_none=True), self._api.present_path
        if ID not in template:
            body["delegation_id"] = delegation_id
        path = template.replace(ID, segment)
        return self._write("present_delegation", template, path, body, idempotency_key, self._challenge)

    def verify(self, asked: VerifyOutcomeRequest) -> GatewayCall[VerifiedOutcome]:
        """Return the call that verifies an attestation."""
        for name in ("attestation_token", "audience", "expected_delegation_id"):
            if not getattr(asked, name):
                raise ValueError(f"{name} must not be empty")
        body = asked.model_dump(exclude_none=True)
        action = None if asked.expected_action is None else Action.of(body["expected_action"])
        # Not repeatable: it may be what consumes the attestation.
        return GatewayCall(
            "verify_outcome",
            self._api.verify_path,
            Request("POST", self._api.verify_path, json=body),
            lambda answer: self._errors.of_answer(answer, asked.attestation_token),
            lambda answer: self._outcome(answer, asked, action),
        )

    def _write(
        self,
        name: str,
        template: str,
        path: str,
        body: Mapping[str, Any],
        key: str | None,
        read: Callable[[Answer], T],
    ) -> GatewayCall[T]:
        # Whatever is not JSON is the caller's mistake, to be raised here.
        json.dumps(body, allow_nan=False)
        # One key for all attempts: the gateway does once what arrives twice.
        headers = {"idempotency-key": str(uuid.uuid4()) if key is None else _checked_key(key)}
        request = Request("POST", path, json=body, headers=headers, repeatable=True)
        return GatewayCall(name, template, request, self._errors.of_answer, read)

    def _delegation(self, answer: Answer) -> Delegation:
        api, members = self._api, answer.members()
        known = {"delegation_id": members.text(api.delegation_id), "status": members.text(api.status)}
        return Delegation.model_validate(_open(members, known, api.delegation_id, api.status))

    def _challenge(self, answer: Answer) -> Challenge:
        api, members = self._api, answer.members()
        url = members.text(api.approval_url)
        if not _is_approval_url(url, allow_loopback_http=self._allow_loopback_http):
            raise members.invalid(api.approval_url)
        known = {"approval_url": url, "challenge_id": members.optional_text(api.challenge_id)}
        return Challenge.model_validate(_open(members, known, api.approval_url, api.challenge_id))

    def _outcome(self, answer: Answer, asked: VerifyOutcomeRequest, action: Action | None) -> VerifiedOutcome:
        api, members = self._api, answer.members()
        if not members.flag(api.valid):
            raise self._errors.of_invalid_attestation(members.raw, answer.status, asked.attestation_token)
        claims = members.nested(api.claims).raw
        known = {
            "valid": True,
            "claims": claims,
            "delegation": _object(members, api.delegation) or {},
            "actor_chain": _object(members, api.actor_chain) or {},
            "receipt_id": members.optional_text(api.receipt_id),
            "cnf_jwk": _object(members, api.cnf_jwk) or _confirmed(claims),
            "code": None,
        }
        names = (api.valid, api.claims, api.delegation, api.actor_chain, api.receipt_id, api.cnf_jwk)
        found = VerifiedOutcome.model_validate(_open(members, known, *names))
        exact = load_exactly(answer.body)[api.claims]
        failure: VerificationError
        try:
            check_outcome(found, asked, action, self._names, exact)
        except VerificationError as error:
            failure = error
        else:
            return found
        # Outside of the block, so that the exception has no context.
        trace_id = self._errors.names(members.raw, asked.attestation_token)["trace_id"]
        raise PaphweyVerificationError(failure.detail, code=reason_of(failure), trace_id=trace_id, status=answer.status)


def _checked_key(key: str) -> str:
    if not isinstance(key, str):
        raise TypeError(f"idempotency_key must be str, not {type(key).__name__}")
    if not 0 < len(key) <= _MAX_KEY or not all("!" <= one <= "~" for one in key):
        raise ValueError(f"idempotency_key must be 1 to {_MAX_KEY} visible ASCII characters, such as a UUID")
    return key


def _open(members: Members, known: dict[str, Any], *names: str) -> dict[str, Any]:
    """Return the known members of an answer under the names of the model, and all others as they are."""
    return {name: value for name, value in members.raw.items() if name not in names} | known


def _object(members: Members, name: str) -> dict[str, Any] | None:
    return members.nested(name).raw if name in members else None


def _confirmed(claims: Mapping[str, Any]) -> dict[str, Any] | None:
    confirmation = claims.get("cnf")
    jwk = confirmation.get("jwk") if isinstance(confirmation, dict) else None
    return jwk if isinstance(jwk, dict) else None


def _is_approval_url(url: str, *, allow_loopback_http: bool) -> bool:
    """Return whether a URL can be sent to a person: https, in plain ASCII, of a length that fits in a QR code."""
    page, _, fragment = url.partition("#")
    if len(url) > _MAX_URL or not all("!" <= one <= "~" and one not in '"#<>\\^`{|}' for one in fragment):
        return False
    try:
        check_url(page, allow_loopback_http=allow_loopback_http, what="approval_url")
    except ValueError:
        return False
    return True


__all__ = ["GatewayCall", "GatewayCalls"]
