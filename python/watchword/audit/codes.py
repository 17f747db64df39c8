"""The codes that only an audit has."""

from __future__ import annotations

import enum


class AuditCode(enum.StrEnum):
    """Why a use of a token in a log was not valid, if it is for a reason that only a log of the past can have.

    All other values of the column ``code`` are those of :class:`~watchword.ErrorCode`; a row without a token has
    ``missing_token``. The values are stable.
    """

    INVALID_TIME = "invalid_time"
    """The row has no time, or one before 1970 or after the year 9999."""
    KEYS_NOT_RECORDED = "keys_not_recorded"
    """There is no record of the issuer's keys at that time."""
    KEY_COMPROMISED = "key_compromised"
    """The key that signed the token may have been in other hands than the issuer's at that time."""


__all__ = ["AuditCode"]
