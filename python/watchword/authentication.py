"""How, and how long ago, the user of a token authenticated (RFC 9470)."""

from __future__ import annotations

import math
import time
from collections.abc import Iterable

from watchword._kernel import VerifiedToken
from watchword.errors import InsufficientUserAuthenticationError


def require_authentication(
    token: VerifiedToken,
    *,
    acr_values: Iterable[str] = (),
    max_age: int | None = None,
    leeway: float = 5,
    now: float | None = None,
) -> None:
    """Require that the user of a verified token authenticated strongly and recently enough (RFC 9470 section 5).

    ``acr_values`` are the accepted authentication contexts, the best first: the token's ``acr`` must be one of them.
    ``max_age`` is the greatest age of the authentication (the token's ``auth_time``) in seconds, as of ``now`` in Unix
    seconds (``None``: the clock's); ``leeway`` is the tolerated difference of clocks in seconds. What is not given is
    not required.

    Raises :class:`InsufficientUserAuthenticationError`, whose ``www_authenticate()`` tells the client what to request;
    ``TypeError`` or ``ValueError`` if an argument is invalid.
    """
    contexts = _contexts(acr_values)
    if max_age is not None and (not isinstance(max_age, int) or isinstance(max_age, bool) or max_age < 0):
        raise ValueError(f"max_age is {max_age!r}: it must be a whole number of seconds, 0 or more")
    if not (math.isfinite(leeway) and leeway >= 0):
        raise ValueError(f"leeway is {leeway!r}: it must be a finite number of seconds, 0 or more")
    claims = token.claims
    if contexts and claims.get("acr") not in contexts:
        raise InsufficientUserAuthenticationError(
            '"acr" is not one of the accepted authentication contexts', contexts, max_age
        )
    if max_age is not None:
        age = _age(claims.get("auth_time"), time.time() if now is None else now)
        if age is None or not -leeway <= age <= max_age + leeway:
            raise InsufficientUserAuthenticationError(
                '"auth_time" is missing, or the user authenticated too long ago', contexts, max_age
            )


def _age(authenticated_at: object, now: float) -> float | None:
    # A bool is an int to Python.
    if isinstance(authenticated_at, (int, float)) and not isinstance(authenticated_at, bool):
        return now - authenticated_at
    return None


def _contexts(acr_values: Iterable[str]) -> tuple[str, ...]:
    if isinstance(acr_values, str):
        raise TypeError("acr_values must be a list or a tuple of str, not a single one")
    contexts = tuple(acr_values)
    for context in contexts:
        # They are joined by spaces, inside quotes.
        if not isinstance(context, str) or not context or any(ch in '"\\ ' or not " " < ch <= "~" for ch in context):
            raise ValueError(
                f"acr_values has {context!r}: it must be printable ASCII without spaces, quotes and backslashes"
            )
    return contexts


__all__ = ["require_authentication"]
