"""libwatchword by ctypes: a gate that needs no Python, asked from Python."""

from __future__ import annotations

import ctypes as c
import os
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).parents[2]
#: Where ``cargo build --release -p watchword-capi`` puts the library.
LIBRARY = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")) / "release" / "libwatchword.so"


def require_library() -> None:
    """Skip the test if the library is not built; fail in CI."""
    if not LIBRARY.exists():
        reason = "there is no libwatchword.so: cargo build --release -p watchword-capi"
        pytest.fail(reason) if os.environ.get("CI") else pytest.skip(reason)


REPLAY_MEMORY = 0
_ALLOWED = 1
_TEXT_CODE, _TEXT_BODY, _TEXT_ROUTE, _TEXT_ISSUER = 1, 3, 5, 6
_ERROR_BYTES = 8192


class _Header(c.Structure):
    _fields_ = [("name", c.c_char_p), ("name_length", c.c_size_t), ("value", c.c_void_p), ("value_length", c.c_size_t)]


class _Request(c.Structure):
    _fields_ = [
        ("size", c.c_size_t),
        ("method", c.c_char_p),
        ("method_length", c.c_size_t),
        ("target", c.c_char_p),
        ("target_length", c.c_size_t),
        ("headers", c.POINTER(_Header)),
        ("header_count", c.c_size_t),
        ("certificate", c.c_char_p),
        ("certificate_length", c.c_size_t),
    ]


class Decided(NamedTuple):
    """A decision: ``headers`` are the identity headers, or those of the answer."""

    is_allowed: bool
    code: str
    status: int
    headers: list[tuple[str, str]]
    body: str
    route: str
    issuer: str


class NativeGate:
    """A gate of the configuration in a file. Raises ``ValueError`` if it is refused."""

    def __init__(self, config: Path, keys: Path | None = None) -> None:
        self._library = c.CDLL(str(LIBRARY))
        for name, result, arguments in (
            ("gate_open", c.c_void_p, [c.c_char_p, c.c_char_p, c.c_uint32, c.c_char_p, c.c_size_t]),
            ("gate_close", None, [c.c_void_p]),
            ("gate_next_event", c.c_size_t, [c.c_void_p, c.POINTER(c.c_int32), c.c_char_p, c.c_size_t]),
            ("decision_new", c.c_void_p, []),
            ("decision_free", None, [c.c_void_p]),
            ("check", c.c_int32, [c.c_void_p, c.POINTER(_Request), c.c_void_p]),
            ("decision_status", c.c_uint32, [c.c_void_p]),
            ("decision_headers", c.POINTER(_Header), [c.c_void_p, c.POINTER(c.c_size_t)]),
            ("decision_text", c.c_void_p, [c.c_void_p, c.c_uint32, c.POINTER(c.c_size_t)]),
        ):
            function = getattr(self._library, f"watchword_{name}")
            function.restype, function.argtypes = result, arguments
        error = c.create_string_buffer(_ERROR_BYTES)
        path = None if keys is None else os.fsencode(keys)
        self._gate = self._library.watchword_gate_open(os.fsencode(config), path, REPLAY_MEMORY, error, _ERROR_BYTES)
        if not self._gate:
            raise ValueError(error.value.decode())
        self._decision = self._library.watchword_decision_new()

    def check(self, method: str, target: str, headers: Iterable[tuple[str, str]]) -> Decided:
        sent = [(name.encode(), value.encode("latin-1")) for name, value in headers]
        values = [c.create_string_buffer(value, len(value)) if value else None for _, value in sent]
        fields = (_Header * len(sent))(
            *(
                _Header(name, len(name), c.cast(buffer, c.c_void_p) if buffer else None, len(value))
                for (name, value), buffer in zip(sent, values, strict=True)
            )
        )
        line = method.encode(), target.encode()
        request = _Request(c.sizeof(_Request), line[0], len(line[0]), line[1], len(line[1]), fields, len(sent), None, 0)
        result = self._library.watchword_check(self._gate, request, self._decision)
        count = c.c_size_t()
        found = self._library.watchword_decision_headers(self._decision, count)
        pairs = [
            (c.string_at(one.name, one.name_length).decode(), c.string_at(one.value, one.value_length).decode())
            for one in (found[index] for index in range(count.value))
        ]
        code, body, route, issuer = map(self._text, (_TEXT_CODE, _TEXT_BODY, _TEXT_ROUTE, _TEXT_ISSUER))
        status = self._library.watchword_decision_status(self._decision)
        return Decided(result == _ALLOWED, code, status, pairs, body, route, issuer)

    def events(self) -> list[str]:
        """Return what happened to the files since it was last asked."""
        events, text = [], c.create_string_buffer(_ERROR_BYTES)
        while self._library.watchword_gate_next_event(self._gate, None, text, _ERROR_BYTES):
            events.append(text.value.decode())
        return events

    def close(self) -> None:
        self._library.watchword_decision_free(self._decision)
        self._library.watchword_gate_close(self._gate)

    def _text(self, which: int) -> str:
        length = c.c_size_t()
        text = self._library.watchword_decision_text(self._decision, which, length)
        return c.string_at(text, length.value).decode() if text else ""
