"""Arguments of calls, checked before anything is sent."""

from __future__ import annotations

from watchword import KeySet, KeySetError
from watchword.client import is_header_value


def check_text(what: str, value: object) -> str:
    """Return a string that is not empty. Raises ``TypeError`` or ``ValueError`` if it is none."""
    if not isinstance(value, str):
        raise TypeError(f"{what} must be a string, not {type(value).__name__}")
    if not value:
        raise ValueError(f"{what} must not be empty")
    return value


def check_header_value(what: str, value: object) -> str:
    """Return a string that a header can contain. Raises ``TypeError`` or ``ValueError`` if it cannot."""
    if not is_header_value(check_text(what, value)):
        raise ValueError(f"{what} must have visible ASCII characters only, as it is sent in a header")
    return str(value)


def check_score(value: object) -> float:
    """Return a trust score. Raises ``TypeError`` or ``ValueError`` if it is not a number from 0 to 10."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise TypeError(f"score must be a number from 0 to 10, not {type(value).__name__}")
    # False for NaN, too.
    if not 0 <= value <= 10:
        raise ValueError(f"score is {value!r}: it must be a number from 0 to 10")
    return value


def check_reason(value: object) -> str | None:
    """Return a reason, if there is one. Raises ``TypeError`` if it is not a string."""
    if value is not None and not isinstance(value, str):
        raise TypeError(f"reason must be a string, not {type(value).__name__}")
    return value


def check_public_key(pem: object) -> str:
    """Return the PEM of one P-256 public key.

    Raises ``TypeError`` or ``ValueError``, which does not quote it, if it is anything else, such as the private key.
    """
    text = pem.decode("ascii", "replace") if isinstance(pem, bytes) else check_text("public_key", pem)
    if "PRIVATE KEY" in text:
        raise ValueError("public_key has a private key, which must not be sent: give generate_keypair()['public_key']")
    try:
        algorithms = [key.algorithms for key in KeySet.from_pem(text)]
    except KeySetError:
        algorithms = []
    if algorithms != [("ES256",)]:
        raise ValueError("public_key must be one P-256 key in PEM: agents sign with ES256")
    return text


__all__ = ["check_header_value", "check_public_key", "check_reason", "check_score", "check_text"]
