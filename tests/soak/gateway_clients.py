"""The clients of the gateway: each sends requests of every kind in random order, and checks every answer."""

from __future__ import annotations

import collections
import random
import threading
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

from gate_routes import ORIGIN
from gateway_exchange import FORGED, Connection, Exchange
from gateway_history import GatewayHistory, instead
from soak_history import NEVER, Key
from soak_tally import Tally

from watchword.testing import LocalIssuer, ServedIssuer
from watchword.testing.request_signing import sign

#: What a run of some seconds must see.
SEEN = (
    ("cached token", "200 allowed"),
    ("cached token", "401 expired"),
    ("cached token", "401 unknown_key"),
    ("cached token", "503 keys_unavailable"),
    ("new token", "200 allowed"),
    ("new token, by a key that may be unknown", "200 allowed"),
    ("expired", "401 expired"),
    ("wrong audience", "401 wrong_audience"),
    ("forged signature", "401 invalid_signature"),
    ("scope of one generation", "200 allowed"),
    ("scope of one generation", "403 insufficient_scope"),
    ("proof", "200 allowed"),
    ("proof", "503 dpop_replay_unavailable"),
    ("proof, replayed", "401 dpop_replayed"),
    ("proof, sent twice at once", "200 allowed"),
    ("proof, sent twice at once", "401 dpop_replayed"),
    ("public", "200 allowed"),
    ("no token", "401 missing_token"),
    ("no route", "403 no_route"),
)

#: Proofs are replayed for so many seconds, before they expire.
_REPLAYED_FOR = 30.0

#: How far the clocks of this process and of the gate's may differ, in seconds: tokens and their expiry have whole ones.
_TOLERANCE = 1.0


@dataclass(frozen=True)
class Site:
    """What the clients need to know."""

    port: int
    issuer: ServedIssuer
    #: It has other keys for the same algorithms.
    forger: LocalIssuer
    history: GatewayHistory
    tally: Tally
    secret: str


class _Token(NamedTuple):
    key: Key
    raw: str
    claims: dict[str, Any]


class _Proof(NamedTuple):
    token: _Token
    headers: dict[str, str]
    made_at: float


class Client:
    """Sends requests on a connection of its own, one after the other."""

    def __init__(self, site: Site, rng: random.Random) -> None:
        self._site = site
        self._rng = rng
        self._connection = Connection(site.port)
        self._other = Connection(site.port)
        self._prover = site.issuer.prover()
        # Sent again and again: they come from the token cache, until they expire or their key is withdrawn.
        self._kept: collections.deque[_Token] = collections.deque(maxlen=8)
        self._used: collections.deque[_Proof] = collections.deque(maxlen=8)

    def work(self, end: threading.Event) -> None:
        kinds: dict[Callable[[], None], int] = {
            self._cached: 10,
            self._new: 4,
            self._scoped: 4,
            self._expired: 1,
            self._wrong_audience: 1,
            self._forged: 1,
            self._proof: 4,
            self._replayed: 2,
            self._twice: 2,
            self._public: 1,
            self._no_token: 1,
            self._no_route: 1,
        }
        try:
            while not end.is_set():
                (send,) = self._rng.choices(list(kinds), list(kinds.values()))
                try:
                    send()
                except Exception as error:
                    self._connection.close()
                    self._other.close()
                    self._site.tally.failed(send.__name__, error)
        finally:
            self._connection.close()
            self._other.close()

    # Bearer tokens

    def _new(self) -> None:
        token = self._token(expires_in=self._rng.randrange(3, 20))
        kind = "new token" if token.key.known.begun < NEVER else "new token, by a key that may be unknown"
        # Few, so that they are used for long enough to expire.
        if self._send_valid(kind, token) and (len(self._kept) < 8 or self._rng.random() < 0.05):
            self._kept.append(token)

    def _cached(self) -> None:
        if self._kept:
            token = self._rng.choice(self._kept)
            # One that is rejected is sent again now and then.
            if not self._send_valid("cached token", token) and self._rng.random() < 0.5:
                self._kept.remove(token)

    def _send_valid(self, kind: str, token: _Token) -> bool:
        exchange = self._send("/any/1", _bearer(token))
        answer = exchange.answer
        codes = _codes_by_expiry(token, answer.sent, answer.answered)
        self._expect(kind, exchange, instead(self._by_key(token, exchange), codes), token)
        return answer.code == "allowed"

    def _scoped(self) -> None:
        """The routes of one generation accept it, those of the next do not: never a mixture of both."""
        scope = self._rng.randrange(2)
        token = self._token(scope=f"orders:{scope}")
        exchange = self._send("/orders/1", _bearer(token))
        answer = exchange.answer
        generations = self._site.history.generations_between(answer.sent, answer.answered)
        codes = {"allowed" if number % 2 == scope else "insufficient_scope" for number in generations}
        self._expect("scope of one generation", exchange, instead(self._by_key(token, exchange), codes), token)
        if answer.code == "insufficient_scope":
            assert f'scope="orders:{1 - scope}"' in str(exchange.raw.all("www-authenticate"))

    def _expired(self) -> None:
        self._send_bad("expired", "expired", self._token(expires_in=-600))

    def _wrong_audience(self) -> None:
        self._send_bad("wrong audience", "wrong_audience", self._token(aud="https://other.example"))

    def _forged(self) -> None:
        key = self._any_key()
        algorithm = next(name for name in self._site.forger.algorithms if key.key_id.startswith(name.lower()))
        claims = self._claims()
        raw = self._site.forger.mint(claims, algorithm=algorithm, header={"kid": key.key_id})
        self._send_bad("forged signature", "invalid_signature", _Token(key, raw, claims))

    def _send_bad(self, kind: str, code: str, token: _Token) -> None:
        exchange = self._send("/any/1", _bearer(token))
        self._expect(kind, exchange, instead(self._by_key(token, exchange), {code}))

    # Tokens with proofs

    def _proof(self) -> None:
        proof = self._new_proof()
        exchange = self._send("/bound/1", proof.headers)
        answer = exchange.answer
        codes = self._site.history.proof_answers(answer.sent, answer.answered)
        self._expect("proof", exchange, instead(self._by_key(proof.token, exchange), codes), proof.token, bound=True)
        if answer.code == "allowed":
            self._used.append(proof)

    def _replayed(self) -> None:
        now = time.monotonic()
        usable = [proof for proof in self._used if now - proof.made_at < _REPLAYED_FOR]
        if not usable:
            return
        proof = self._rng.choice(usable)
        exchange = self._send("/bound/1", proof.headers)
        answer = exchange.answer
        codes = instead(self._site.history.proof_answers(answer.sent, answer.answered), {"dpop_replayed"})
        self._expect("proof, replayed", exchange, instead(self._by_key(proof.token, exchange), codes))

    def _twice(self) -> None:
        """A proof is accepted once, however many send it at the same time."""
        proof = self._new_proof()
        for connection in (self._connection, self._other):
            connection.begin("GET", "/bound/1", proof.headers)
        exchanges = [connection.finish() for connection in (self._connection, self._other)]
        answers = [exchange.answer for exchange in exchanges]
        sent, answered = min(answer.sent for answer in answers), max(answer.answered for answer in answers)
        by_key = self._site.history.key_answers(proof.token.key, sent, answered)
        right = instead(by_key, self._site.history.proof_answers(sent, answered))
        accepted = sum(answer.code == "allowed" for answer in answers)
        if accepted > 1 or (right == {"allowed"} and accepted != 1):
            right = set()
        # While the store is unavailable, the proof may be used up although nobody is told so.
        was_used = accepted or "dpop_replay_unavailable" in right
        for exchange in exchanges:
            codes = right | ({"dpop_replayed"} if was_used else set())
            self._expect("proof, sent twice at once", exchange, codes, proof.token, bound=True)

    def _new_proof(self) -> _Proof:
        token = self._token(cnf={"jkt": self._prover.jkt})
        signed = sign("GET", f"{ORIGIN}/bound/1", token.raw, prover=self._prover)
        return _Proof(token, dict(signed.headers), time.monotonic())

    # Others

    def _public(self) -> None:
        self._expect("public", self._send("/public", {}), {"allowed"}, _Token(self._any_key(), "", {}))

    def _no_token(self) -> None:
        self._expect("no token", self._send("/any/1", {}), {"missing_token"})

    def _no_route(self) -> None:
        self._expect("no route", self._send("/elsewhere", _bearer(self._token())), {"no_route"})

    # Sending

    def _any_key(self) -> Key:
        """Return a key, mostly one of the latest."""
        return self._rng.choice(self._site.history.all_keys()[-6:])

    def _claims(self, **changes: object) -> dict[str, Any]:
        # Of a subject of its own, so that the identity of another request is noticed.
        now = int(time.time())
        own = {"iss": self._site.issuer.issuer, "sub": uuid.uuid4().hex, "aud": ORIGIN, "client_id": "client-1"}
        times = {"iat": now, "exp": now + 300}
        return {**own, "jti": uuid.uuid4().hex, "scope": "orders:0 orders:1", **times, **changes}

    def _token(self, *, expires_in: float = 300, **changes: object) -> _Token:
        key = self._any_key()
        claims = self._claims(exp=int(time.time() + expires_in), **changes)
        return _Token(key, self._site.issuer.mint(claims, key_id=key.key_id), claims)

    def _by_key(self, token: _Token, exchange: Exchange) -> set[str]:
        return self._site.history.key_answers(token.key, exchange.answer.sent, exchange.answer.answered)

    def _send(self, target: str, headers: dict[str, str]) -> Exchange:
        forged = FORGED if self._rng.random() < 0.3 else {}
        return self._connection.exchange("GET", target, {**forged, **headers})

    def _expect(
        self, kind: str, exchange: Exchange, right: set[str], token: _Token | None = None, *, bound: bool = False
    ) -> None:
        """Count and check the answer; ``token`` has the identity that the application must see if it is allowed."""
        answer = exchange.answer
        if not self._site.tally.add(kind, answer, right):
            return
        exchange.check()
        if answer.code == "allowed":
            assert token is not None
            exchange.check_identity(token.claims, self._prover.jkt if bound else None, self._site.secret)
            generations = self._site.history.generations_between(answer.sent, answer.answered)
            names = {generation_name(number) for number in generations}
            assert (answer.route or "").partition("-")[2] in names, (answer.route, names)


def generation_name(number: int) -> str:
    """Return what a generation of routes is called: few names, as each is a label of metrics for ever."""
    return str(number % 16)


def _bearer(token: _Token) -> dict[str, str]:
    return {"Authorization": f"Bearer {token.raw}"}


def _codes_by_expiry(token: _Token, sent: float, answered: float) -> set[str]:
    offset = time.time() - time.monotonic()
    codes = set()
    if sent + offset < token.claims["exp"] + _TOLERANCE:
        codes.add("allowed")
    if answered + offset > token.claims["exp"] - _TOLERANCE:
        codes.add("expired")
    return codes
