"""Why a call failed, whatever the API. Each provider raises its own exception for it."""

from __future__ import annotations

from watchword.http.errors import DeadlineError


class CallError(Exception):
    """A call failed. ``detail`` is a sentence for a person that quotes neither request nor response."""

    def __init__(self, detail: str) -> None:
        super().__init__(detail)
        self.detail = detail


class NoAnswerError(CallError):
    """There is no complete answer within the limits. The server may have acted on the request all the same.

    ``is_timeout``: because the time was over. ``is_transient``: the next attempt may succeed; not if the answer is too
    long, compressed, or truncated by its own account, or if the request cannot be sent.
    """

    def __init__(self, detail: str, *, is_timeout: bool = False, is_transient: bool = True) -> None:
        super().__init__(detail)
        self.is_timeout = is_timeout
        self.is_transient = is_transient

    @classmethod
    def of_timeout(cls) -> NoAnswerError:
        """Return the error for a time that is over."""
        return cls(str(DeadlineError()), is_timeout=True)


class InvalidAnswerError(CallError):
    """The answer is not what the API documents: it is no JSON object, or a member is missing or has another type.

    ``status`` is its HTTP status.
    """

    def __init__(self, detail: str, status: int) -> None:
        super().__init__(detail)
        self.status = status


__all__ = ["CallError", "InvalidAnswerError", "NoAnswerError"]
