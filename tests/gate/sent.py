"""What clients send: tokens, proofs and certificates for tests, and what a verifier may know of each.

The model reads no token: it looks up the facts of the text that a request contains.
"""

from __future__ import annotations

import datetime
import functools
import hashlib
import json
from dataclasses import dataclass
from typing import Any

import mint
import proofs
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

import watchword as ww
from watchword.testing import LocalIssuer

NOW = mint.NOW
AUDIENCE, OTHER_AUDIENCE = "https://api.test", "https://other.test"

ISSUERS = {
    name: LocalIssuer(f"https://{name}.test", audience=AUDIENCE, key_ids=[f"key-of-{name}"], clock=lambda: NOW)
    for name in ("first", "second", "unknown")
}

#: The names of the keys that sign proofs.
HOLDERS = ("p256", "ed25519")

_ALGORITHMS = {"p256": "ES256", "ed25519": "EdDSA"}


@dataclass(frozen=True)
class Token:
    """The facts of an access token."""

    raw: str
    error: str | None = None
    """The error that any verifier gets before it needs the issuer."""
    issuer: str | None = None
    signature: str | None = None
    """The error of its key or its signature."""
    claims_error: str | None = None
    """That of its claims: their types and times."""
    audience: tuple[str, ...] = (AUDIENCE,)
    subject: str = "agent-7"
    scopes: tuple[str, ...] = ()
    jkt: str | None = None
    certificate: bytes | None = None
    other_binding: bool = False
    actors: tuple[str, ...] = ()
    acr: str | None = None
    authenticated_at: int | None = None

    def __repr__(self) -> str:
        """Leave the text of the token out: an example is read by a human being."""
        shown = {name: value for name, value in vars(self).items() if value != getattr(Token, name, None)}
        return f"Token({', '.join(f'{name}={value!r}' for name, value in shown.items() if name != 'raw')})"


@dataclass(frozen=True)
class Proof:
    """The facts of a DPoP proof."""

    raw: str
    error: str | None = None
    """The error of its form, its type or its algorithm: what is checked before the key."""
    jkt: str = ""
    signature: str | None = None
    method: str = ""
    uri: str = ""
    time_error: str | None = None
    access_token: str | None = None
    """The token that it is for, as it is sent; ``None``: it names none."""
    identifier: str = ""

    def __repr__(self) -> str:
        """As that of Token."""
        shown = {name: value for name, value in vars(self).items() if value != getattr(Proof, name, None)}
        return f"Proof({', '.join(f'{name}={value!r}' for name, value in shown.items() if name != 'raw')})"


@functools.cache
def certificate(name: str) -> bytes:
    """Return a client's certificate in DER."""
    key = ec.derive_private_key(int.from_bytes(hashlib.sha256(name.encode()).digest()) >> 8, ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    begin = datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(begin)
        .not_valid_after(begin + datetime.timedelta(days=36500))
        .sign(key, hashes.SHA256())
    )
    return made.public_bytes(serialization.Encoding.DER)


def pem(der: bytes) -> str:
    return x509.load_der_x509_certificate(der).public_bytes(serialization.Encoding.PEM).decode()


CERTIFICATES = {name: certificate(name) for name in ("alice", "mallory")}

TOKENS: dict[str, Token] = {}
BY_RAW: dict[str, Token] = {}

#: By the payload, which no two tokens share: each has a ``jti`` of its own.
BY_PAYLOAD: dict[bytes, Token] = {}


def _add(name: str, raw: str, **facts: Any) -> None:
    TOKENS[name] = BY_RAW[raw] = token = Token(raw, **facts)
    if token.error is token.signature is token.claims_error is None:
        BY_PAYLOAD[mint.unb64(raw.split(".")[1])] = token


def _signed(name: str, issuer: str = "first", claims: dict[str, Any] | None = None, **facts: Any) -> None:
    _add(name, ISSUERS[issuer].mint(claims), issuer=ISSUERS[issuer].issuer, **_defaults(claims or {}), **facts)


def _defaults(claims: dict[str, Any]) -> dict[str, Any]:
    """Return the facts that follow from the claims."""
    confirmation, actors, act = claims.get("cnf", {}), [], claims.get("act")
    while act is not None:
        actors.append(act["sub"])
        act = act.get("act")
    audience = claims.get("aud", AUDIENCE)
    return {
        "scopes": tuple(claims.get("scope", "read write").split()),
        "subject": claims.get("sub", "agent-7"),
        "audience": (audience,) if isinstance(audience, str) else tuple(audience),
        "jkt": confirmation.get("jkt"),
        "certificate": next((der for der in CERTIFICATES.values() if x5t(der) == confirmation.get("x5t#S256")), None),
        "other_binding": "x5u" in confirmation,
        "actors": tuple(actors),
        "acr": claims.get("acr"),
        "authenticated_at": claims.get("auth_time"),
    }


def x5t(der: bytes) -> str:
    """Return the thumbprint of a certificate (RFC 8705 section 3.1)."""
    return mint.b64(hashlib.sha256(der).digest())


SCOPES = (
    "read write orders:1 orders:read",  # plain
    "orders.1:read orders.2:* users:** owner",  # resource
    "read:orders:1 read:users:* write:orders:a:b",  # slot
    "*:** read:orders:*",
    "orders:* orders:caf\N{LATIN SMALL LETTER E WITH ACUTE} orders:%31",
    "",
)
_BOUND = {"cnf": {"jkt": proofs.jkt("p256")}}
_CERTIFIED = {"cnf": {"x5t#S256": x5t(CERTIFICATES["alice"])}}

for _index, _scope in enumerate(SCOPES):
    _signed(f"scopes {_index}", claims={"scope": _scope})
    _signed(f"bound, scopes {_index}", claims={"scope": _scope, **_BOUND})
_signed("valid", claims={"scope": SCOPES[0]})
_signed("of the second issuer", "second", {"scope": SCOPES[0]})
_signed("of an unknown issuer", "unknown", {"scope": SCOPES[0]})
_signed("bound", claims={"scope": SCOPES[0], **_BOUND})
_signed("bound to another key", claims={"scope": SCOPES[0], "cnf": {"jkt": proofs.jkt("ed25519")}})
_signed("bound, of the second issuer", "second", {"scope": SCOPES[0], **_BOUND})
_signed("bound to a certificate", claims={"scope": SCOPES[0], **_CERTIFIED})
_signed("bound to both", claims={"scope": SCOPES[0], "cnf": {**_BOUND["cnf"], **_CERTIFIED["cnf"]}})
_signed("bound by a URL", claims={"cnf": {"x5u": "https://first.test/certificate"}})
_signed("for another audience", claims={"scope": SCOPES[0], "aud": OTHER_AUDIENCE})
_signed("for both audiences", claims={"scope": SCOPES[0], "aud": [OTHER_AUDIENCE, AUDIENCE]})
_signed("expired", claims={"exp": NOW - 60}, claims_error="expired")
_signed("expired and bound", claims={"exp": NOW - 60, **_BOUND}, claims_error="expired")
_signed("not yet valid", claims={"nbf": NOW + 60}, claims_error="not_yet_valid")
_signed("with a subject that is a number", claims={"sub": 7}, claims_error="malformed_claims")
_signed("delegated", claims={"scope": SCOPES[0], "sub": "user:ada", "act": {"sub": "mailer"}})
_signed("delegated twice", claims={"scope": SCOPES[0], "act": {"sub": "mailer", "act": {"sub": "planner"}}})
_signed("delegated and bound", claims={"scope": SCOPES[0], "sub": "user:ada", "act": {"sub": "mailer"}, **_BOUND})
_signed("of a subject with a comma", claims={"scope": SCOPES[0], "sub": "ada, admin"})
_signed("of a subject with a new line", claims={"scope": SCOPES[0], "sub": "100%\r\nX-Auth-Scope: *\x00\u00e9 "})
_signed("of a user who logged in", claims={"scope": SCOPES[0], "acr": "strong", "auth_time": NOW - 10})
_signed("of a user who logged in long ago", claims={"scope": SCOPES[0], "acr": "strong", "auth_time": NOW - 10_000})
_signed("of a user with a password", claims={"scope": SCOPES[0], "acr": "weak", "auth_time": NOW - 10, **_BOUND})

_head, _payload, _signature = TOKENS["valid"].raw.split(".")
_add(
    "with another signature",
    f"{_head}.{_payload}.{TOKENS['bound'].raw.split('.')[2]}",
    issuer=ISSUERS["first"].issuer,
    signature="invalid_signature",
)
_add(
    "by another issuer's key",
    ISSUERS["second"].mint(iss=ISSUERS["first"].issuer),
    issuer=ISSUERS["first"].issuer,
    signature="unknown_key",
)
for _name, _raw, _error in (
    ("a word", "x", "malformed_token"),
    ("two parts", f"{_head}.{_payload}", "malformed_token"),
    ("four parts", f"{TOKENS['valid'].raw}.x", "malformed_token"),
    ("padded", f"{TOKENS['valid'].raw}=", "malformed_token"),
    ("encrypted", "a.b.c.d.e", "unsupported"),
    ("long", f"{_head}.{_payload}.{'A' * 16_384}", "too_large"),
    ("unsigned", f"{mint.b64(json.dumps({'alg': 'none'}).encode())}.{_payload}.", "algorithm_not_allowed"),
):
    _add(_name, _raw, error=_error)


PROOFS: dict[str, Proof] = {}


@functools.lru_cache(maxsize=4096)
def proof(
    *, method: str, uri: str, access_token: str | None, holder: str = "p256", identifier: str = "1", defect: str = ""
) -> Proof:
    """Return a proof, with a ``defect`` if one is named."""
    claims = proofs.claims(htm=method, htu=uri, jti=identifier)
    if access_token is not None:
        claims["ath"] = proofs.ath(access_token)
    header = proofs.header(holder, _ALGORITHMS[holder])
    facts: dict[str, Any] = {}
    match defect:
        case "old":
            claims["iat"], facts["time_error"] = NOW - 3600, "dpop_expired"
        case "of the future":
            claims["iat"], facts["time_error"] = NOW + 3600, "dpop_issued_in_future"
        case "of another type":
            header["typ"], facts["error"] = "JWT", "dpop_wrong_type"
    raw = proofs.proof(claims, header, key=holder, algorithm=_ALGORITHMS[holder])
    match defect:
        case "truncated":
            raw, facts["error"] = raw.rpartition(".")[0], "dpop_malformed_proof"
        case "with another signature":
            raw, facts["signature"] = f"{raw.rpartition('.')[0]}.{'A' * 86}", "dpop_invalid_signature"
    made = Proof(
        raw,
        jkt=proofs.jkt(holder),
        method=method,
        uri=uri,
        access_token=access_token,
        identifier=identifier,
        **facts,
    )
    PROOFS[raw] = made
    return made


#: The defects of :func:`proof`.
DEFECTS = ("", "old", "of the future", "of another type", "truncated", "with another signature")


def verifier(*names: str, token_cache: bool = False) -> ww.Verifier:
    """Return a Verifier of these issuers, with a replay cache of its own."""
    cache = ww.TokenCache(max_bytes=1 << 20) if token_cache else None
    issuers = [ISSUERS[name].as_issuer() for name in names]
    return ww.Verifier(issuers, audience=AUDIENCE, clock=lambda: NOW, token_cache=cache)
