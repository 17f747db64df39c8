"""One request of an API, and the type of a call."""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import quote, urlencode

if TYPE_CHECKING:
    from watchword.client.shared import Shared
    from watchword.waiting import Pending

T = TypeVar("T")

# RFC 9110 section 5.5.
_HEADER_VALUE = re.compile(r"[!-~](?:[ -~]*[!-~])?")

#: A call: it yields requests, calls that concurrent callers share, and other things to wait for; it is sent their
#: answers or values, and returns its result.
Verb = Generator["Request | Shared[Any] | Pending[Any]", Any, T]


@dataclass(frozen=True, repr=False)
class Request:
    """A request, relative to the base URL of its :class:`~watchword.client.Caller`.

    ``path`` begins with ``/`` and is already escaped (:func:`path_segment`). The body is ``form``
    (``application/x-www-form-urlencoded``; a list is a repeated parameter) or ``json``, a JSON object, or there is
    none. ``repeatable`` says that the request may be sent again after a time-out or a 5xx, because its effect is the
    same once or twice. ``fresh_headers`` returns the headers that must differ in each attempt, such as ``DPoP``
    (RFC 9449 section 4.2: ``jti`` is unique); it may block, as an event loop calls it in another thread. ``base_url``,
    which has been checked too, takes the place of the caller's, for an endpoint elsewhere. ``template`` is the path
    with names in place of values, such as ``/stepup/{id}``, if a value must be in no message.
    """

    method: str
    path: str
    form: Mapping[str, str | Sequence[str]] | None = None
    json: Mapping[str, Any] | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    repeatable: bool = False
    fresh_headers: Callable[[], Mapping[str, str]] | None = None
    base_url: str | None = None
    template: str | None = None

    def __repr__(self) -> str:
        """Return the method and the route."""
        return f"Request({self.method} {self.route})"

    @property
    def content(self) -> bytes | None:
        """The body. Raises ``ValueError`` if it cannot be encoded; ``TypeError`` if it is no JSON."""
        if self.form is not None:
            with contextlib.suppress(UnicodeEncodeError):
                return urlencode(self.form, doseq=True).encode()
            # Not the encoder's exception, which has the value, a secret perhaps, as an attribute and in its repr.
            raise ValueError("a value of the form has a surrogate: it cannot be encoded as UTF-8")
        return None if self.json is None else json.dumps(dict(self.json), allow_nan=False).encode()

    @property
    def content_type(self) -> dict[str, str]:
        """The header ``Content-Type``, if there is a body."""
        if self.form is not None:
            return {"content-type": "application/x-www-form-urlencoded"}
        return {} if self.json is None else {"content-type": "application/json"}

    @property
    def route(self) -> str:
        """What an error may name: the template, else the path without its query."""
        return self.template or self.path.partition("?")[0]


def is_header_value(text: str) -> bool:
    """Return whether a text can be sent as the value of a header: visible ASCII, with spaces in between (RFC 9110)."""
    return _HEADER_VALUE.fullmatch(text) is not None


def path_segment(value: str, *, what: str) -> str:
    """Return ``value`` escaped, as one segment of a path (RFC 3986 section 3.3).

    Raises ``TypeError`` or ``ValueError``, naming the argument by ``what``, if it is not text, has a surrogate, or is
    empty, ``.`` or ``..``, which would be another path.
    """
    if not isinstance(value, str):
        raise TypeError(f"{what} must be str, not {type(value).__name__}")
    if value in ("", ".", ".."):
        raise ValueError(f"{what} is {value!r}, which is not one segment of a path")
    with contextlib.suppress(UnicodeEncodeError):
        return quote(value, safe="")
    raise ValueError(f"{what} has a surrogate: it cannot be encoded as UTF-8")


__all__ = ["Request", "Verb", "is_header_value", "path_segment"]
