"""An answer of an API, and the members of its JSON object: more members are welcome, a missing one is an error."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from watchword import _kernel
from watchword.client.errors import InvalidAnswerError

T = TypeVar("T")


@dataclass(frozen=True, repr=False)
class Answer:
    """The status, the headers (names in lower case) and the whole body of an answer; ``route`` is the request's."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    route: str

    @property
    def is_success(self) -> bool:
        """Whether the status is 2xx."""
        return 200 <= self.status < 300

    @property
    def is_json(self) -> bool:
        """Whether the media type is ``application/json``, or another with the suffix ``+json`` (RFC 6839)."""
        kind, _, _ = self.headers.get("content-type", "").partition(";")
        kind = kind.strip().lower()
        return kind == "application/json" or (kind.startswith("application/") and kind.endswith("+json"))

    def members(self) -> Members:
        """Return the body, a JSON object. Raises :class:`InvalidAnswerError` if it is none, or repeats a name."""
        if not self.is_json:
            raise InvalidAnswerError(f"the answer of {self.route} ({self.status}) is not JSON", self.status)
        with contextlib.suppress(ValueError):
            return Members(_kernel.decode_json_object(self.body), self.route, self.status)
        # Without the parser's reason, which may quote the body.
        raise InvalidAnswerError(f"the answer of {self.route} ({self.status}) is not a JSON object", self.status)

    def members_if_any(self) -> Members:
        """As :meth:`members`, but no members if the body is no JSON object: for reading an error."""
        try:
            return self.members()
        except InvalidAnswerError:
            return Members({}, self.route, self.status)

    def __repr__(self) -> str:
        """Return the status."""
        return f"Answer({self.status})"


class Members:
    """The members of a JSON object, read by name and type; :class:`InvalidAnswerError` if one is missing or wrong.

    ``raw`` is the whole object.
    """

    def __init__(self, raw: dict[str, Any], route: str, status: int) -> None:
        self.raw = raw
        self._route = route
        self._status = status

    def text(self, name: str) -> str:
        """Return a string that is not empty, or raise :class:`InvalidAnswerError`."""
        value = self._required(name, str)
        if not value:
            raise self.invalid(name)
        return value

    def optional_text(self, name: str) -> str | None:
        """Return a string, ``None`` if it is missing or ``null``, or raise :class:`InvalidAnswerError`."""
        return self._optional(name, str)

    def integer(self, name: str) -> int:
        """Return an integer, or raise :class:`InvalidAnswerError`."""
        return self._required(name, int)

    def optional_integer(self, name: str) -> int | None:
        """Return an integer, ``None`` if it is missing or ``null``, or raise :class:`InvalidAnswerError`."""
        return self._optional(name, int)

    def number(self, name: str) -> float:
        """Return a number, or raise :class:`InvalidAnswerError`."""
        value = self.raw.get(name)
        return float(value) if isinstance(value, int) and not isinstance(value, bool) else self._required(name, float)

    def flag(self, name: str) -> bool:
        """Return a boolean, or raise :class:`InvalidAnswerError`."""
        value = self.raw.get(name)
        if not isinstance(value, bool):
            raise self.invalid(name)
        return value

    def texts(self, name: str) -> list[str]:
        """Return a list of strings, or raise :class:`InvalidAnswerError`."""
        value = self._required(name, list)
        if not all(isinstance(one, str) for one in value):
            raise self.invalid(name)
        return value

    def time(self, name: str) -> float:
        """Return a time of RFC 3339 (section 5.6) in Unix seconds, or raise :class:`InvalidAnswerError`."""
        with contextlib.suppress(ValueError):
            return _kernel.parse_rfc3339(self.text(name))
        raise self.invalid(name)

    def nested(self, name: str) -> Members:
        """Return a JSON object, or raise :class:`InvalidAnswerError`."""
        return Members(self._required(name, dict), self._route, self._status)

    def nested_list(self, name: str) -> list[Members]:
        """Return a list of JSON objects, or raise :class:`InvalidAnswerError`."""
        value = self._required(name, list)
        if not all(isinstance(one, dict) for one in value):
            raise self.invalid(name)
        return [Members(one, self._route, self._status) for one in value]

    def invalid(self, name: str) -> InvalidAnswerError:
        """Return the error for a member whose value is not acceptable."""
        return InvalidAnswerError(f'the answer of {self._route} ({self._status}) has an invalid "{name}"', self._status)

    def __contains__(self, name: str) -> bool:
        return self.raw.get(name) is not None

    def __repr__(self) -> str:
        """Return the number of members: their values may be secrets."""
        return f"Members({len(self.raw)} members)"

    def _required(self, name: str, kind: type[T]) -> T:
        value = self._optional(name, kind)
        if value is None:
            raise InvalidAnswerError(f'the answer of {self._route} ({self._status}) has no "{name}"', self._status)
        return value

    def _optional(self, name: str, kind: type[T]) -> T | None:
        value = self.raw.get(name)
        if value is None:
            return None
        # A boolean is an integer to Python.
        if not isinstance(value, kind) or isinstance(value, bool):
            raise self.invalid(name)
        return value


__all__ = ["Answer", "Members"]
