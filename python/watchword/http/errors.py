"""Why there is no complete response within the limits."""

from __future__ import annotations


class ExchangeError(Exception):
    """There is no complete response. The message is for a person and contains nothing of the exchange."""


class DeadlineError(ExchangeError):
    """There was no complete response in time."""

    def __init__(self) -> None:
        super().__init__("no complete answer in time")


class BodyError(ExchangeError):
    """The body is too long, compressed, or not as long as announced."""


def reason(error: Exception, *, is_late: bool = False) -> ExchangeError:
    """Return why a client of httpx's interface failed: by its exception's kind, as the message may quote anything."""
    if is_late or "Timeout" in type(error).__name__:
        return DeadlineError()
    return ExchangeError(f"no answer ({type(error).__name__})")


__all__ = ["BodyError", "DeadlineError", "ExchangeError", "reason"]
