"""Requests that are rejected: what anybody can send, and what the holder of a valid token can."""

from __future__ import annotations

import base64
import functools
import hashlib
import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

from cryptography.hazmat.primitives.asymmetric import rsa

import watchword as ww
from watchword.jwks.memory import MemorySource
from watchword.testing.signing_key import SigningKey

ISSUER, AUDIENCE = "https://as.example", "https://api.example"
METHOD, URI = "POST", "https://api.example/v1/orders"

#: What a request may cost: no signature check, one by an issuer's key, or one by the key that a valid token names.
Allowed = Literal["parsing", "one check", "a valid token", "16 checks"]

Headers = dict[str, str]


@dataclass(frozen=True, eq=False)
class Request:
    """A request, the Verifier that receives it, and the expected error code."""

    name: str
    allowed: Allowed
    code: str
    verifier: ww.Verifier
    headers: Headers

    def send(self) -> str:
        """Return the code of the verdict."""
        try:
            self.verifier.verify_request(method=METHOD, uri=URI, headers=self.headers)
        except ww.VerificationError as error:
            return error.code.value
        return "accepted"


class Issuer:
    """Signs anything with its own key."""

    def __init__(self, kind: Kind, *, key_id: str | None = "k1") -> None:
        self.algorithm, self.name = kind[0], name_of(kind)
        self.key = new_key(kind, key_id or "")
        self.jwk = {name: value for name, value in self.key.public_jwk().items() if key_id or name != "kid"}

    def token(self, *, header: dict[str, Any] | None = None, **claims: Any) -> str:
        now = int(time.time())
        times = {"exp": now + 86_400, "iat": now}
        whole = {"iss": ISSUER, "sub": "agent-7", "aud": AUDIENCE, "scope": "read write", **times, **claims}
        named = {"alg": self.algorithm, "kid": self.key.key_id, "typ": "at+jwt"}
        return jws(self.key, {**named, **(header or {})}, whole)

    def forged(self, **changes: Any) -> str:
        """Return a token with the signature of another one."""
        head, _, signature = self.token(**changes).rpartition(".")
        other = self.token(jti="another").rpartition(".")[2]
        return f"{head}.{other if len(other) == len(signature) else signature}"

    def verifier(
        self, *jwks: dict[str, str], backend: Any = "default", several: bool = False, **options: Any
    ) -> ww.Verifier:
        keys = ww.KeySet.from_json({"keys": [*(jwks or (self.jwk,))]}, backend=backend)
        issuers = [ww.Issuer(ISSUER, source=MemorySource(keys))]
        if several:
            issuers.append(ww.Issuer("https://other.example", source=MemorySource(keys)))
        return ww.Verifier(issuers, **{"audience": AUDIENCE, **options})


class Client:
    """Makes proofs with its own key."""

    def __init__(self, kind: Kind) -> None:
        self.algorithm, self.name = kind[0], name_of(kind)
        self.key = new_key(kind, "")
        self.jwk = {name: value for name, value in self.key.public_jwk().items() if name not in ("kid", "use", "alg")}
        self.jkt = ww.thumbprint(self.jwk)

    def proof(self, token: str, *, header: dict[str, Any] | None = None, **claims: Any) -> str:
        ath = b64(hashlib.sha256(token.encode()).digest())
        whole = {"jti": "proof-1", "htm": METHOD, "htu": URI, "iat": int(time.time()), "ath": ath}
        head = {"typ": "dpop+jwt", "alg": self.algorithm, "jwk": self.jwk, **(header or {})}
        return jws(self.key, head, {**whole, **claims})


def new_key(kind: Kind, key_id: str) -> SigningKey:
    algorithm, bits = kind
    return SigningKey(
        algorithm, key_id, None if bits == 2048 else functools.partial(rsa.generate_private_key, 65537, bits)
    )


def name_of(kind: Kind) -> str:
    algorithm, bits = kind
    return f"{algorithm} of {bits:,} bits" if algorithm[0] in "RP" else algorithm


def b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def jws(key: SigningKey, header: dict[str, Any], claims: dict[str, Any]) -> str:
    text = ".".join(b64(json.dumps(part, separators=(",", ":")).encode()) for part in (header, claims))
    return f"{text}.{b64(key.sign(text.encode()))}"


def bearer(token: str) -> Headers:
    return {"Authorization": f"Bearer {token}"}


def dpop(token: str, proof: str) -> Headers:
    return {"Authorization": f"DPoP {token}", "DPoP": proof}


#: An algorithm, and the bits of its keys.
Kind = tuple[str, int]

DEFAULT: Kind = ("ES256", 2048)
ISSUERS: tuple[Kind, ...] = (
    ("EdDSA", 2048), ("RS256", 2048), ("RS256", 4096), ("PS256", 2048), ("ES384", 2048)
)  # fmt: skip
PROOFS: tuple[Kind, ...] = (
    ("EdDSA", 2048), ("RS256", 2048), ("RS256", 4096), ("PS256", 2048), ("PS256", 4096), ("ES384", 2048)
)  # fmt: skip


def requests(backend: Any = "default") -> Iterator[Request]:
    """Yield the requests whose cost does not depend on the algorithm: all keys are P-256."""
    issuer, client = Issuer(DEFAULT), Client(DEFAULT)
    verifier = issuer.verifier(backend=backend)
    yield from _without_a_signature(issuer, verifier)
    yield from _forged(issuer, verifier)
    yield from _several_issuers(issuer, backend)
    yield from _invalid_token(issuer, verifier, client)
    yield from _invalid_proof(issuer, backend, client)
    yield from _nameless_keys(backend)


def by_algorithm() -> Iterator[Request]:
    """Yield the requests whose cost depends on the algorithm of the issuer, or of the proof, which its sender chose."""
    for kind in ISSUERS:
        issuer = Issuer(kind)
        headers = bearer(issuer.forged())
        yield Request(f"bearer: forged, {issuer.name}", "one check", "invalid_signature", issuer.verifier(), headers)
    issuer = Issuer(DEFAULT)
    for kind in PROOFS:
        client = Client(kind)
        yield from _invalid_token(issuer, issuer.verifier(), client, only=("forged",))
        yield from _invalid_proof(issuer, "default", client, only=("forged",))


def _without_a_signature(issuer: Issuer, verifier: ww.Verifier) -> Iterator[Request]:
    good = issuer.token()
    _, payload, signature = good.split(".")
    cases: dict[str, tuple[str, Headers]] = {
        "no token": ("missing_token", {}),
        "another scheme": ("missing_token", {"Authorization": "Basic dTpw"}),
        "an Authorization header of 60 KiB": ("too_large", bearer("a" * 60_000)),
        "60 KiB of non-ASCII text": ("malformed_request", bearer("ä" * 60_000)),
        "garbage": ("malformed_token", bearer("abc")),
        "16 KiB of base64url": ("malformed_header", bearer(f"aaaa.{'a' * 16_000}.aaaa")),
        "16 KiB of dots": ("malformed_token", bearer("." * 16_000)),
        "a header that is not JSON": ("malformed_header", bearer(f"{b64(b'{')}.{payload}.{signature}")),
        "a header of 4 KiB, 250 members": ("wrong_type", bearer(issuer.token(header=_members(250) | {"typ": "x"}))),
        "a header of 4 KiB, an array": ("wrong_type", bearer(issuer.token(header={"a": [0] * 1400, "typ": "x"}))),
        "alg none": ("algorithm_not_allowed", bearer(issuer.token(header={"alg": "none"}))),
        "unknown kid": ("unknown_key", bearer(issuer.token(header={"kid": "unknown"}))),
    }
    for name, (code, headers) in cases.items():
        yield Request(f"bearer: {name}", "parsing", code, verifier, headers)


def _forged(issuer: Issuer, verifier: ww.Verifier) -> Iterator[Request]:
    large: dict[str, dict[str, Any]] = {
        "forged": {},
        "forged, 1,900 scopes": {"scope": " ".join(f"s{number}" for number in range(1900))},
        "forged, 700 members": _members(700),
        "forged, 30 levels of JSON": {"deep": functools.reduce(lambda inner, _: [inner] * 1, range(28), 0)},
    }
    for name, claims in large.items():
        yield Request(f"bearer: {name}", "one check", "invalid_signature", verifier, bearer(issuer.forged(**claims)))
    expired = bearer(issuer.token(exp=1))
    yield Request("bearer: expired, signed by the issuer", "one check", "expired", verifier, expired)


def _several_issuers(issuer: Issuer, backend: Any) -> Iterator[Request]:
    """With several issuers, the payload must be read first to select one."""
    verifier = issuer.verifier(several=True, backend=backend)
    for what, claims in {"700 members": _members(700), "1,900 scopes": {"scope": "s1234 " * 1900}}.items():
        headers = bearer(issuer.forged(**claims))
        name = f"bearer: forged, {what}, several issuers"
        yield Request(name, "one check", "invalid_signature", verifier, headers)
    foreign = bearer(issuer.token(iss="https://nobody.example", **_members(700)))
    yield Request("bearer: unknown issuer, 700 members", "parsing", "wrong_issuer", verifier, foreign)


def _invalid_token(
    issuer: Issuer, verifier: ww.Verifier, client: Client, only: tuple[str, ...] = ()
) -> Iterator[Request]:
    """The token is invalid, so the proof is not read."""
    bound = {"cnf": {"jkt": client.jkt}}
    forged, expired, unbound = issuer.forged(**bound), issuer.token(exp=1, **bound), issuer.token()
    tokens = {
        "garbage": ("abc", "malformed_token"),
        "forged": (forged, "invalid_signature"),
        "expired": (expired, "expired"),
        "not bound": (unbound, "dpop_unbound_token"),
    }
    for name in only or tokens:
        token, code = tokens[name]
        allowed: Allowed = "parsing" if name == "garbage" else "one check"
        headers = dpop(token, client.proof(token))
        yield Request(f"DPoP: {name}, a proof by {client.name}", allowed, code, verifier, headers)
    if only:
        return
    for name, proof in {
        "60 KiB of proof": "a" * 60_000,
        "a proof for 7 KiB of URI": client.proof(forged, htu="https://" + "ü" * 300 + ".example/" + "%61" * 1500),
    }.items():
        yield Request(f"DPoP: forged, {name}", "one check", "invalid_signature", verifier, dpop(forged, proof))


def _invalid_proof(issuer: Issuer, backend: Any, client: Client, only: tuple[str, ...] = ()) -> Iterator[Request]:
    """A valid token came with the proof, bound to a key that its holder chose."""
    algorithms = (*ww.dpop.DPOP_ALGORITHMS, *(("ES384",) if client.algorithm == "ES384" else ()))
    proofs = ww.dpop.DpopVerifier(algorithms=algorithms)
    verifier = issuer.verifier(backend=backend, dpop=proofs, token_cache=ww.TokenCache(max_bytes=1 << 20))
    token = issuer.token(cnf={"jkt": client.jkt})
    by = f"by {client.name}"
    head, payload, signature = client.proof(token).split(".")
    cases: dict[str, tuple[str, str]] = {
        "that cannot be read": ("dpop_malformed_proof", "abc"),
        "of 60 KiB": ("dpop_too_large", "a" * 60_000),
        "by another key": ("dpop_key_mismatch", Client(DEFAULT).proof(token)),
        f"{by}, forged": ("dpop_invalid_signature", f"{head}.{b64(b'{}')}.{signature}"),
        f"{by}, for another URI": ("dpop_wrong_uri", client.proof(token, htu="https://other.example/")),
        f"{by}, for 4 KiB of URI": ("dpop_wrong_uri", client.proof(token, htu=URI + "/%61" * 1000)),
        f"{by}, for a host of 1 KiB": ("dpop_wrong_uri", client.proof(token, htu="https://" + "ü" * 500 + ".example/")),
        f"{by}, old": ("dpop_expired", client.proof(token, iat=1)),
        f"{by}, used before": ("dpop_replayed", ".".join((head, payload, signature))),
    }
    for name, (code, proof) in cases.items():
        if only and not name.endswith(only):
            continue
        headers = dpop(token, proof)
        request = Request(f"DPoP: a valid token, a proof {name}", "a valid token", code, verifier, headers)
        if code == "dpop_replayed":
            request.send()
        yield request
    if only:
        return
    fresh = issuer.verifier(backend=backend)
    yield Request("bearer: bound, without its proof", "one check", "dpop_proof_required", fresh, bearer(token))


def _nameless_keys(backend: Any) -> Iterator[Request]:
    """The one exception: keys without a ``kid`` are tried one after the other, at most 16."""
    several = [Issuer(DEFAULT, key_id=None) for _ in range(17)]
    cases: tuple[tuple[int, Allowed, str], ...] = (
        (16, "16 checks", "invalid_signature"),
        (17, "parsing", "unknown_key"),
    )
    for count, allowed, code in cases:
        verifier = several[0].verifier(*(one.jwk for one in several[:count]), backend=backend)
        token = bearer(Issuer(DEFAULT).token(header={"kid": "x"}))
        yield Request(f"bearer: {count} keys without a kid", allowed, code, verifier, token)


def _members(count: int) -> dict[str, int]:
    return {f"m{number:04}": 0 for number in range(count)}
