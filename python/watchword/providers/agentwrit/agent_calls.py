"""What an agent does with its token, whether in threads or in tasks."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from watchword.client import Answer, CallError, NoAnswerError, Request, Shared, Verb
from watchword.providers.agentwrit.answers import read_delegated, read_token, require_success
from watchword.providers.agentwrit.errors import AgentWritError
from watchword.providers.agentwrit.models import DelegatedToken
from watchword.providers.agentwrit.narrowing import require_narrower, scope_list
from watchword.providers.spiffe import SpiffeId


class _Change(NamedTuple):
    """How a change of the token ended."""

    kind: str
    error: AgentWritError | CallError | None = None


class AgentCalls:
    """An agent: its names, its token, and the calls made with the token.

    Renewal and release change the token, one after another: callers of the same one share it, and a change continues
    if its caller is cancelled.
    """

    def __init__(
        self, agent_id: str, access_token: str, expires_in: int, scope: list[str], task_id: str, orch_id: str
    ) -> None:
        self.agent_id = agent_id
        self.access_token = access_token
        self.expires_in = expires_in
        self.scope = scope
        self.task_id = task_id
        self.orch_id = orch_id
        self._is_released = False
        self._is_changing = False
        # Whether a request to release it was sent, and its answer lost.
        self._may_be_released = False

    @property
    def bearer_header(self) -> dict[str, str]:
        """The header ``Authorization`` for requests to services, as a new dict. It has the token."""
        return {"Authorization": f"Bearer {self.access_token}"}

    @property
    def released(self) -> bool:
        """Whether the agent has been released."""
        return self._is_released

    def __repr__(self) -> str:
        """Return the names, without the token."""
        return f"{type(self).__name__}(agent_id={self.agent_id!r}, orch_id={self.orch_id!r}, task_id={self.task_id!r})"

    def _renewal(self) -> Verb[None]:
        self._require_unreleased("be renewed")
        yield from self._in_turn("renewal", self._renew)

    def _releasing(self) -> Verb[None]:
        if not self._is_released:
            yield from self._in_turn("release", self._release)

    def _delegation(self, delegate_to: str, scope: list[str], ttl: int | None) -> Verb[DelegatedToken]:
        self._require_unreleased("delegate")
        wanted = scope_list(scope, what="scope")
        body: dict[str, object] = {"delegate_to": _agent_id(delegate_to), "scope": wanted}
        if ttl is not None:
            body["ttl"] = _seconds(ttl)
        require_narrower(wanted, self.scope, than="the agent's scope", route="/v1/delegate")
        token = yield from self._settled_token()
        answer: Answer = yield Request("POST", "/v1/delegate", json=body, headers=_bearer(token))
        if answer.status == 401 and (self._is_changing or self.access_token != token):
            # A renewal that began meanwhile has revoked the token. Nothing has been issued for it.
            token = yield from self._settled_token()
            answer = yield Request("POST", "/v1/delegate", json=body, headers=_bearer(token))
        return read_delegated(require_success(answer, secrets=[token]))

    def _settled_token(self) -> Verb[str]:
        if self._is_changing:
            # The token may be revoked at any moment: wait for the next one.
            yield Shared(self, _nothing)
        self._require_unreleased("delegate")
        return self.access_token

    def _in_turn(self, kind: str, make: Callable[[], Verb[None]]) -> Verb[None]:
        """Run a change, or join one of its kind that is under way; another kind is waited for first."""
        while True:
            change: _Change = yield Shared(self, lambda: self._change(kind, make))
            if change.kind == kind:
                if change.error is not None:
                    raise change.error
                return

    def _change(self, kind: str, make: Callable[[], Verb[None]]) -> Verb[_Change]:
        self._is_changing = True
        try:
            yield from make()
        except (AgentWritError, CallError) as error:
            # Not raised: who waits for a change of another kind continues all the same.
            return _Change(kind, error)
        finally:
            self._is_changing = False
        return _Change(kind)

    def _renew(self) -> Verb[None]:
        self._require_unreleased("be renewed")  # since the caller looked
        token = self.access_token
        answer: Answer = yield Request("POST", "/v1/token/renew", headers=_bearer(token))
        members = require_success(answer, secrets=[token]).members()
        # Whatever else is missing: the old token is revoked.
        self.access_token = read_token(members)
        self._may_be_released = False
        self.expires_in = members.integer("expires_in")

    def _release(self) -> Verb[None]:
        if self._is_released:
            return
        attempts = 0

        def count() -> dict[str, str]:
            nonlocal attempts
            attempts += 1
            self._may_be_released = self._may_be_released or attempts > 1
            return {}

        token = self.access_token
        request = Request("POST", "/v1/token/release", headers=_bearer(token), repeatable=True, fresh_headers=count)
        try:
            answer: Answer = yield request
        except NoAnswerError:
            self._may_be_released = True
            raise
        # A token that was released is rejected; what was asked for has been done (as in RFC 7009 section 2.2).
        if not (answer.status == 401 and self._may_be_released):
            require_success(answer, secrets=[token])
        self._is_released = True

    def _require_unreleased(self, what: str) -> None:
        if self._is_released:
            raise AgentWritError(f"the agent has been released: it cannot {what}")


def _nothing() -> Verb[_Change]:
    return _Change("nothing")
    yield


def _bearer(token: str) -> dict[str, str]:
    return {"authorization": f"Bearer {token}"}


def _agent_id(delegate_to: str) -> str:
    try:
        return str(SpiffeId.parse(delegate_to))
    except ValueError:
        pass
    raise ValueError("delegate_to must be the SPIFFE ID of an agent, such as agent.agent_id")


def _seconds(ttl: int) -> int:
    if isinstance(ttl, bool) or not isinstance(ttl, int):
        raise TypeError(f"ttl must be int, not {type(ttl).__name__}")
    if ttl < 1:
        raise ValueError(f"ttl is {ttl}: it must be a number of seconds above 0")
    return ttl


__all__ = ["AgentCalls"]
