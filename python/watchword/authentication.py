"""How, and how long ago, the user of a token authenticated (RFC 9470)."""

from __future__ import annotations

import time
from collections.abc import Iterable

from watchword import _kernel
from watchword._kernel import VerifiedToken


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
    if isinstance(acr_values, str):
        raise TypeError("acr_values must be a list or a tuple of str, not a single one")
    if max_age is not None and (not isinstance(max_age, int) or isinstance(max_age, bool) or max_age < 0):
        raise ValueError(f"max_age is {max_age!r}: it must be a whole number of seconds, 0 or more")
    _kernel.require_authentication(token, list(acr_values), max_age, float(leeway), time.time() if now is None else now)


__all__ = ["require_authentication"]
