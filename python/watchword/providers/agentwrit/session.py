"""The application's own token at the broker, with which it requests launch tokens."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from watchword.client import Answer, Request, Shared, Verb
from watchword.providers.agentwrit.answers import read_token, require_success

#: A token is not used in its last minute: it could expire on the way.
_MARGIN = 60


class _Kept(NamedTuple):
    token: str
    expires_at: float


class AppSession:
    """Authenticates an application when that is needed, once for all concurrent callers.

    ``clock`` returns Unix seconds.
    """

    def __init__(self, client_id: str, client_secret: str, clock: Callable[[], float]) -> None:
        for name, value in (("client_id", client_id), ("client_secret", client_secret)):
            if not isinstance(value, str):
                raise TypeError(f"{name} must be str, not {type(value).__name__}")
            if not value:
                raise ValueError(f"{name} must not be empty")
        self.client_id = client_id
        self.client_secret = client_secret
        self._clock = clock
        self._kept: _Kept | None = None

    @property
    def kept(self) -> str | None:
        """The token, if there is one that does not expire within a minute."""
        kept = self._kept
        return kept.token if kept is not None and kept.expires_at - self._clock() >= _MARGIN else None

    def token(self) -> Verb[str]:
        """Return the token, of a new session if there is none."""
        return self.kept or (yield Shared("app session", self._authenticate))

    def forget(self, token: str | None = None) -> None:
        """End the session here, if it still has this token (``None``: any)."""
        if self._kept is not None and token in (None, self._kept.token):
            self._kept = None

    def _authenticate(self) -> Verb[str]:
        if self.kept is not None:  # since the caller looked
            return self.kept
        asked_at = self._clock()
        credentials = {"client_id": self.client_id, "client_secret": self.client_secret}
        answer: Answer = yield Request("POST", "/v1/app/auth", json=credentials, repeatable=True)
        members = require_success(answer, secrets=[self.client_secret]).members()
        token = read_token(members)
        if (members.optional_text("token_type") or "Bearer").lower() != "bearer":
            raise members.invalid("token_type")
        self._kept = _Kept(token, asked_at + members.integer("expires_in"))
        return token


__all__ = ["AppSession"]
