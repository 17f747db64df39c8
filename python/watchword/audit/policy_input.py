"""The policy of an audit, from options or from a file; and what the manifest says of it, from which it can be made."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

from watchword import ANY_AUDIENCE, Policy
from watchword.audit.errors import AuditError
from watchword.audit.policy_file import intervals_of, of_issuers, read_tables
from watchword.audit.policy_history import PolicyHistory
from watchword.audit.policy_interval import utc

#: What stands for :data:`watchword.ANY_AUDIENCE`, which is no audience that a token could name.
_ANY_AUDIENCE = {"any": True}


def policy_from_file(path: str) -> tuple[PolicyHistory, dict[str, Any]]:
    """Return the policies in a TOML file, and their description. Raises :class:`AuditError`."""
    try:
        with open(path, "rb") as file:
            document = file.read()
        tables = read_tables(document.decode())
        history = PolicyHistory(intervals_of(tables))
    except OSError as error:
        raise AuditError(f"the policies {path!r} can't be read: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise AuditError(f"{path!r} is not UTF-8 (at byte {error.start})") from None
    except ValueError as error:
        raise AuditError(f"{path!r}: {error}") from None
    # Times as they are in TOML have no form in JSON.
    described = [
        {**_plain(table), "from": _time(interval.start), "to": _time(interval.end)}
        for table, interval in zip(tables, history.intervals, strict=True)
    ]
    return history, {"intervals": described, "sha256": hashlib.sha256(document).hexdigest()}


def policy_from_options(options: Mapping[str, Any]) -> tuple[Policy, dict[str, Any]]:
    """Return the policy with these keyword arguments, and its description.

    Raises ``ValueError`` or ``TypeError`` as :class:`watchword.Policy` does.
    """
    policy = _policy(options)
    described = {name: list(value) if isinstance(value, tuple) else value for name, value in options.items()}
    if options.get("audience") is ANY_AUDIENCE:
        described["audience"] = _ANY_AUDIENCE
    return policy, {"intervals": [{"from": None, "to": None, **described}]}


def issuers_in(description: Mapping[str, Any]) -> list[str]:
    """Return the issuers that the policies of a description name, at any time, each once."""
    named: dict[str, None] = {}
    for interval in description["intervals"]:
        issuers = interval.get("issuer", [])
        named |= dict.fromkeys([issuers] if isinstance(issuers, str) else issuers)
    return list(named)


def policy_from_description(description: Mapping[str, Any]) -> Policy:
    """Return the policy of :func:`policy_from_options`. Raises :class:`AuditError` if it is that of a file."""
    if "sha256" in description or len(description["intervals"]) != 1:
        raise AuditError("the audit has the policies of a file: give it with --policy FILE")
    options = {name: value for name, value in description["intervals"][0].items() if name not in {"from", "to"}}
    if options.get("audience") == _ANY_AUDIENCE:
        options["audience"] = ANY_AUDIENCE
    try:
        return _policy(options)
    except (ValueError, TypeError) as error:
        raise AuditError(f"the policy in the manifest is invalid: {error}") from None


def _policy(options: Mapping[str, Any]) -> Policy:
    others = {name: value for name, value in options.items() if name != "issuer"}
    return Policy(**others, **of_issuers(options.get("issuer")))


def _plain(table: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in table.items() if isinstance(value, str | int | float | bool | list)}


def _time(seconds: float) -> str | None:
    return None if seconds in {float("-inf"), float("inf")} else utc(seconds)


__all__ = ["issuers_in", "policy_from_description", "policy_from_file", "policy_from_options"]
