"""Wrap a function, ``async`` or not, in a check that runs before each call."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Any, TypeVar, cast

Function = TypeVar("Function", bound=Callable[..., Any])

#: Takes the arguments of a call, which it may change. What it returns, unless ``None``, is returned instead of the
#: result.
Check = Callable[[tuple[object, ...], dict[str, object]], object]


def guard(function: Function, check: Check) -> Function:
    """Return the function, which is called only if ``check`` returns ``None``."""
    if inspect.iscoroutinefunction(function):

        @functools.wraps(function)
        async def guarded(*args: object, **kwargs: object) -> object:
            rejection = check(args, kwargs)
            return await function(*args, **kwargs) if rejection is None else rejection
    else:

        @functools.wraps(function)
        def guarded(*args: object, **kwargs: object) -> object:
            rejection = check(args, kwargs)
            return function(*args, **kwargs) if rejection is None else rejection

    return cast("Function", guarded)


__all__ = ["Check", "Function", "guard"]
