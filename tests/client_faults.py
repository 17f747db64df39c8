"""What servers should not do, and what becomes of it: one table for every client."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

from endpoint import Behaviour, answer, drip, head, raw, reset

MANY = 10 * 1024 * 1024


class Outcome(Enum):
    """What a client makes of a fault."""

    NO_ANSWER = "there is no complete answer; the next attempt may bring one"
    UNUSABLE = "there is an answer that no other attempt would improve"
    INVALID = "a success that is not what the API documents"
    UNAVAILABLE = "a 5xx"
    LIMITED = "a 429"


@dataclass(frozen=True)
class Fault:
    name: str
    outcome: Outcome
    make: Callable[[threading.Event], Behaviour]
    """Takes the event that is set when the server stops."""

    def __str__(self) -> str:
        return self.name

    def attempts(self, *, repeatable: bool, max_retries: int = 2) -> int:
        """How many requests the server gets."""
        if self.outcome is Outcome.LIMITED:
            return 1 + max_retries
        again = repeatable and self.outcome in (Outcome.NO_ANSWER, Outcome.UNAVAILABLE)
        return 1 + max_retries if again else 1


def _endless(connection: object, request: object) -> None:
    send = connection.sendall  # type: ignore[attr-defined]
    send(head(Content_Type="application/json"))
    while True:
        send(b" " * 65536)


def _typed(body: bytes | str, kind: str = "application/json", status: int = 200) -> Behaviour:
    return answer(body, status, Content_Type=kind)


def _now(behaviour: Behaviour) -> Callable[[threading.Event], Behaviour]:
    return lambda stop: behaviour


FAULTS = (
    Fault("the connection is reset", Outcome.NO_ANSWER, _now(reset)),
    Fault("the connection is closed", Outcome.NO_ANSWER, _now(raw(b""))),
    Fault("not HTTP", Outcome.NO_ANSWER, _now(raw(b"SSH-2.0-OpenSSH_9.9\r\n\r\n"))),
    Fault("closed in the body", Outcome.NO_ANSWER, _now(raw(head(Content_Length=100) + b'{"access'))),
    Fault("silence", Outcome.NO_ANSWER, lambda stop: lambda connection, request: stop.wait()),  # type: ignore[misc]
    Fault("a header byte now and then", Outcome.NO_ANSWER, lambda stop: drip(head(), every=0.05, stop=stop)),
    Fault(
        "a body byte now and then",
        Outcome.NO_ANSWER,
        lambda stop: drip(
            head(Content_Type="application/json", Content_Length=1000), b"{" * 999, every=0.05, stop=stop
        ),
    ),
    Fault("10 MiB announced", Outcome.UNUSABLE, _now(raw(head(Content_Length=MANY)))),
    Fault("10 MiB", Outcome.UNUSABLE, _now(answer(b" " * MANY, Content_Length=None, Content_Type="application/json"))),
    Fault("an endless body", Outcome.UNUSABLE, _now(_endless)),
    Fault("compressed", Outcome.UNUSABLE, _now(answer(b"\x1f\x8b", Content_Encoding="gzip"))),
    Fault("HTML for JSON", Outcome.INVALID, _now(_typed("<html>ok</html>", "text/html"))),
    Fault("JSON as text", Outcome.INVALID, _now(_typed("{}", "text/plain"))),
    Fault("HTML as JSON", Outcome.INVALID, _now(_typed("<html>ok</html>"))),
    Fault("a list", Outcome.INVALID, _now(_typed("[]"))),
    Fault("repeated members", Outcome.INVALID, _now(_typed('{"a": 1, "a": 2}'))),
    Fault("no members", Outcome.INVALID, _now(_typed("{}"))),
    Fault("members that are null", Outcome.INVALID, _now(_typed('{"access_token": null}'))),
    Fault("nested too deeply", Outcome.INVALID, _now(_typed('{"a":' * 100_000))),
    Fault("503", Outcome.UNAVAILABLE, _now(_typed('{"error": "busy"}', status=503))),
    Fault("500 with HTML", Outcome.UNAVAILABLE, _now(_typed("<html>", "text/html", 500))),
    Fault("429", Outcome.LIMITED, _now(_typed('{"error": "slow_down"}', status=429))),
    Fault(
        "429 with Retry-After",
        Outcome.LIMITED,
        _now(answer(json.dumps({"error": "slow_down"}), 429, Content_Type="application/json", Retry_After="0")),
    ),
)
