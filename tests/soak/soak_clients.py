"""The clients: each sends one request after the other on a connection of its own, and checks every answer."""

from __future__ import annotations

import contextlib
import http.client
import json
import random
import threading
import time
from collections.abc import Callable
from typing import Any

from soak_history import NEVER, History, Key
from soak_tally import Answer, Tally

from watchword.testing import LocalIssuer, ServedIssuer

ORIGIN = "https://api.example"


#: What a run of some seconds must see.
SEEN = (
    ("valid", "200 allowed"),
    ("valid, by a key that was not fetched yet", "200 allowed"),
    ("valid, used before", "200 allowed"),
    ("valid, used before", "401 unknown_key"),
    ("scope of one generation", "200 allowed"),
    ("scope of one generation", "403 insufficient_scope"),
    ("partner that comes and goes", "200 allowed"),
    ("partner that comes and goes", "401 wrong_issuer"),
    ("proof, sent twice at once", "200 allowed"),
    ("proof, sent twice at once", "401 dpop_replayed"),
)


class Client:
    """Sends requests of every kind in random order."""

    def __init__(
        self,
        issuer: ServedIssuer,
        partner: LocalIssuer,
        history: History,
        tally: Tally,
        port: int,
        rng: random.Random,
    ) -> None:
        self._issuer = issuer
        self._partner = partner
        self._history = history
        self._tally = tally
        self._rng = rng
        self._port = port
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        # Sent again and again, as clients do: they come from the token cache.
        self._kept: list[tuple[Key, str]] = []

    def work(self, until: float) -> None:
        kinds: list[tuple[str, Callable[[], None]]] = [
            ("valid", self._valid),
            ("valid, used before", self._again),
            ("scope of one generation", self._scoped),
            ("proof", self._proof),
            ("bad token", self._bad),
            ("partner", self._of_partner),
            ("public", lambda: self._expect("public", {"allowed"}, self._send("GET", "/public", {}))),
            ("no token", lambda: self._expect("no token", {"missing_token"}, self._send("GET", "/any/1", {}))),
            ("no route", self._no_route),
            ("ambiguous path", self._ambiguous),
        ]
        weights = [4, 8, 4, 3, 4, 3, 1, 1, 1, 1]
        while time.monotonic() < until:
            ((kind, send),) = self._rng.choices(kinds, weights)
            try:
                send()
            except Exception as error:
                self._connection.close()
                self._tally.failed(kind, error)
        self._connection.close()

    # The kinds of requests

    def _valid(self) -> None:
        key = self._any_key()
        token = self._issuer.mint(key_id=key.key_id, scope="orders:0 orders:1", expires_in=3600)
        kind = "valid" if key.known.begun < NEVER else "valid, by a key that was not fetched yet"
        if self._by_key(kind, key, token).code == "allowed":
            self._kept = [*self._kept[-7:], (key, token)]

    def _again(self) -> None:
        if self._kept:
            key, token = kept = self._rng.choice(self._kept)
            if self._by_key("valid, used before", key, token).code != "allowed":
                self._kept.remove(kept)

    def _by_key(self, kind: str, key: Key, token: str) -> Answer:
        answer = self._send("GET", "/any/1", _bearer(token))
        self._expect(kind, self._history.key_answers(key, answer.sent, answer.answered), answer)
        return answer

    def _scoped(self) -> None:
        """The routes of one generation accept it, those of the next do not: never a mixture of both."""
        scope = self._rng.randrange(2)
        key = self._any_key()
        token = self._issuer.mint(key_id=key.key_id, scope=f"orders:{scope}")
        answer = self._send("GET", "/orders/1", _bearer(token))
        generations = self._history.generations_between(answer.sent, answer.answered)
        right = self._history.key_answers(key, answer.sent, answer.answered)
        if answer.code == "allowed":
            generation = int((answer.route or "").removeprefix("orders "))
            if generation not in generations or generation % 2 != scope:
                right = set()
        elif any(generation % 2 != scope for generation in generations):
            right = right - {"allowed"} | ({"insufficient_scope"} if "allowed" in right else set())
        self._expect("scope of one generation", right, answer)

    def _proof(self) -> None:
        """A proof is accepted once, however many send it at the same time."""
        key = self._any_key()
        signed = self._issuer.sign_request("GET", f"{ORIGIN}/any/1", dpop=True, key_id=key.key_id)
        headers = dict(signed.headers)
        answers: list[Answer] = []
        other = threading.Thread(target=self._send_elsewhere, args=(headers, answers))
        other.start()
        with contextlib.suppress(OSError):
            answers.append(self._send("GET", "/any/1", headers))
        other.join()
        sent, answered = min(answer.sent for answer in answers), max(answer.answered for answer in answers)
        right = self._history.key_answers(key, sent, answered)
        accepted = sum(answer.code == "allowed" for answer in answers)
        if accepted > 1 or (right == {"allowed"} and accepted != 1) or len(answers) != 2:
            right = set()
        for answer in answers:
            self._expect("proof, sent twice at once", right | ({"dpop_replayed"} if accepted else set()), answer)

    def _of_partner(self) -> None:
        answer = self._send("GET", "/any/1", _bearer(self._partner.mint(scope="orders:0 orders:1")))
        generations = self._history.generations_between(answer.sent, answer.answered)
        right = {"allowed" if self._history.accepts_partner(number) else "wrong_issuer" for number in generations}
        self._expect("partner that comes and goes", right, answer)

    def _send_elsewhere(self, headers: dict[str, str], answers: list[Answer]) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=60)
        try:
            answers.append(_exchange(connection, "GET", "/any/1", headers))
        finally:
            connection.close()

    def _bad(self) -> None:
        defect = self._rng.choice(_BAD)
        answer = self._send("GET", "/any/1", _bearer(self._issuer.mint_bad(defect)))
        right = {_CODES[defect]}
        # Its key is one of the newest, which the gate may not have yet.
        for key in self._history.all_keys()[-4:]:
            right |= self._history.key_answers(key, answer.sent, answer.answered) - {"allowed"}
        if self._history.outages.touch(answer.sent, answer.answered):
            right.add("keys_unavailable")
        self._expect(f"bad token: {defect}", right, answer)

    def _no_route(self) -> None:
        token = self._issuer.mint(key_id=self._any_key().key_id)
        self._expect("no route", {"no_route"}, self._send("DELETE", "/elsewhere", _bearer(token)))

    def _ambiguous(self) -> None:
        token = self._issuer.mint(key_id=self._any_key().key_id)
        self._expect("ambiguous path", {"ambiguous_path"}, self._send("GET", "/any/%2e%2e/public", _bearer(token)))

    # Sending

    def _any_key(self) -> Key:
        """Return a key, mostly one of the latest."""
        return self._rng.choice(self._history.all_keys()[-6:])

    def _expect(self, kind: str, right: set[str], answer: Answer) -> None:
        self._tally.add(kind, answer, right)

    def _send(self, method: str, target: str, headers: dict[str, str]) -> Answer:
        return _exchange(self._connection, method, target, headers)


_CODES = {
    "expired": "expired",
    "wrong audience": "wrong_audience",
    "one bit of the signature flipped": "invalid_signature",
    "unknown kid": "unknown_key",
    "alg none": "algorithm_not_allowed",
    "two parts": "malformed_token",
}
_BAD = tuple(_CODES)


def _bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def _exchange(connection: http.client.HTTPConnection, method: str, target: str, headers: dict[str, str]) -> Answer:
    sent = time.monotonic()
    connection.request(method, target, headers=headers)
    response = connection.getresponse()
    body: Any = json.loads(response.read())
    answered = time.monotonic()
    if response.will_close:
        connection.close()
    return Answer(response.status, body.get("code", "allowed"), body.get("route"), sent, answered)
