"""``verify`` and ``verify_jws``: their arguments and results."""

from __future__ import annotations

import json
import pickle
from typing import Any

import mint
import pytest
from paths import each_backend
from vectors_in_rfcs import RFC_7515_A3_JWK, RFC_7515_A3_JWS, RFC_7515_A3_PAYLOAD, RFC_8037_JWK, RFC_8037_JWS

import watchword as ww

KEYS = ww.KeySet.from_json(mint.jwks("ed25519", "p256", "p384", "rsa"))
POLICY = ww.Policy(issuer=mint.ISSUER, audience=mint.AUDIENCE)


def verified(payload: dict[str, Any] | bytes | None = None, **policy: Any) -> ww.VerifiedToken:
    requirements = {"issuer": mint.ISSUER, "audience": mint.AUDIENCE, **policy}
    return ww.verify(mint.token(payload), KEYS, ww.Policy(**requirements), now=mint.NOW)


def test_every_part_of_a_token() -> None:
    token = verified()
    assert token.header == {"alg": "EdDSA", "kid": "ed25519", "typ": "JWT"}
    assert token.claims == mint.claims()
    assert token.payload == mint.encode(mint.claims())
    assert (token.issuer, token.subject, token.audience) == (mint.ISSUER, "agent-7", (mint.AUDIENCE,))
    assert (token.expires_at, token.not_before, token.issued_at) == (mint.NOW + 300, mint.NOW - 60, mint.NOW - 60)
    assert (token.token_id, token.scopes) == ("token-1", ("read", "write"))
    assert (token.key_id, token.algorithm, token.confirmation) == ("ed25519", "EdDSA", None)


def test_a_token_with_hardly_any_claims() -> None:
    token = verified(b"{}", issuer=None, audience=None, required=())
    assert (token.issuer, token.subject, token.token_id) == (None, None, None)
    assert (token.expires_at, token.not_before, token.issued_at) == (None, None, None)
    assert (token.audience, token.scopes, token.confirmation) == ((), (), None)
    assert (token.claims, token.payload) == ({}, b"{}")


@pytest.mark.parametrize(
    ("scope", "scopes"),
    [
        ("", ()),
        (" ", ()),
        ("read", ("read",)),
        ("a b  c ", ("a", "b", "c")),
        ("a a", ("a", "a")),
        ("a\tb", ("a\tb",)),
        ("users.*:read agent:write:x", ("users.*:read", "agent:write:x")),
        (["a", "b c"], ("a", "b c")),
        ([], ()),
    ],
)
def test_scopes(scope: Any, scopes: tuple[str, ...]) -> None:
    assert verified(mint.claims(scope=scope)).scopes == scopes


@pytest.mark.parametrize(
    ("aud", "audience"),
    [
        ("https://api.example", ("https://api.example",)),
        (["x", "https://api.example", "x"], ("x", "https://api.example", "x")),
    ],
)
def test_audience_is_a_tuple_in_the_order_of_the_token(aud: Any, audience: tuple[str, ...]) -> None:
    assert verified(mint.claims(aud=aud)).audience == audience


def test_times_keep_their_fraction() -> None:
    token = verified(mint.claims(exp=mint.NOW + 0.75, nbf=mint.NOW - 0.25))
    assert (token.expires_at, token.not_before) == (mint.NOW + 0.75, mint.NOW - 0.25)


def test_confirmation() -> None:
    jwk = mint.public_jwk("p256")
    bound = verified(mint.claims(cnf={"jkt": "thumb", "jwk": jwk}), bound_tokens="accept").confirmation
    assert bound is not None
    assert (bound.jkt, bound.jwk) == ("thumb", jwk)
    assert bound.certificate is None
    thumbprint = mint.b64(bytes(32))
    to_certificate = verified(mint.claims(cnf={"x5t#S256": thumbprint}), bound_tokens="accept").confirmation
    assert to_certificate is not None
    assert (to_certificate.jkt, to_certificate.jwk, to_certificate.certificate) == (None, None, thumbprint)
    other = verified(mint.claims(cnf={"kid": "x"}), bound_tokens="accept").confirmation
    assert other is not None
    assert (other.jkt, other.jwk, other.certificate) == (None, None, None)


PAYLOADS = [
    '{"a":"\\u00e9\\n\\ud83d\\udd11\\u0000","é":"\U0001f511"}',
    '{"n":[0,-1,1.5,1e3,12345678901234567890123,-0.0,1E-7]}',
    '{"deep":{"a":[{"b":[[]]},null,true,false,""]},"":0}',
    ' {\n"spaced" : [ 1 , 2 ] }\r\n',
    '{"long":"' + "x" * 5000 + '"}',
    '{"sub":"é","jti":"\\u0041"}',
    '{"2":1,"1":2,"b":3,"a":4}',
]


@pytest.mark.parametrize("payload", PAYLOADS)
def test_claims_are_what_json_says(payload: str) -> None:
    token = verified(payload.encode(), issuer=None, audience=None, required=())
    expected = json.loads(payload)
    assert token.claims == expected
    assert list(token.claims) == list(expected)
    assert json.dumps(token.claims) == json.dumps(expected)
    assert token.payload == payload.encode()


def test_claims_and_header_are_plain_dictionaries() -> None:
    token = verified(mint.claims(act={"sub": "b"}, list=[1]))
    assert type(token.claims) is dict
    assert type(token.header) is dict
    assert type(token.claims["act"]) is dict
    assert type(token.claims["list"]) is list
    assert type(token.claims["exp"]) is int
    assert token.claims is token.claims


def test_changing_the_claims_changes_no_verdict() -> None:
    token = verified()
    token.claims["sub"] = "root"
    assert token.subject == "agent-7"
    assert token.payload == mint.encode(mint.claims())


class Text(str):
    """What a web framework may hand over."""

    def __str__(self) -> str:
        return "another token"

    def encode(self, *args: Any, **kwargs: Any) -> bytes:
        return b"another token"


class Data(bytes):
    pass


@each_backend
@pytest.mark.parametrize(
    "form", [str, str.encode, Text, lambda token: Data(token.encode())], ids=["str", "bytes", "Text", "Data"]
)
def test_forms_of_a_token(form: Any, backend: Any) -> None:
    keys = ww.KeySet.from_json(mint.jwks("ed25519"), backend=backend)
    token = form(mint.token())
    assert ww.verify(token, keys, POLICY, now=mint.NOW).subject == "agent-7"
    assert ww.verify_jws(token, keys).payload == mint.encode(mint.claims())
    assert ww.verify_many([token], keys, POLICY, now=mint.NOW).valid_count == 1


NOT_TOKENS = [
    None,
    1,
    1.5,
    True,
    [],
    ["a.b.c"],
    {"token": "a.b.c"},
    object(),
    bytearray(b"a.b.c"),
    memoryview(b"a.b.c"),
]


@pytest.mark.parametrize("token", NOT_TOKENS, ids=lambda token: type(token).__name__)
def test_what_is_no_token_at_all_is_the_callers_mistake(token: Any) -> None:
    for call in (
        lambda: ww.verify(token, KEYS, POLICY, now=mint.NOW),
        lambda: ww.verify_jws(token, KEYS),
        lambda: ww.verify_many([mint.token(), token], KEYS, POLICY, now=mint.NOW),
    ):
        with pytest.raises(TypeError, match=r"str.*bytes"):
            call()


@pytest.mark.parametrize("keys", [None, {}, mint.jwks("ed25519"), "keys", [KEYS]], ids=lambda keys: type(keys).__name__)
def test_keys_are_a_key_set(keys: Any) -> None:
    with pytest.raises(TypeError, match="KeySet"):
        ww.verify(mint.token(), keys, POLICY, now=mint.NOW)
    with pytest.raises(TypeError, match="KeySet"):
        ww.verify_jws(mint.token(), keys)


@pytest.mark.parametrize(
    "policy", [None, {}, {"issuer": mint.ISSUER}, ["EdDSA"]], ids=lambda policy: type(policy).__name__
)
def test_policy_is_a_policy(policy: Any) -> None:
    with pytest.raises(TypeError, match="Policy"):
        ww.verify(mint.token(), KEYS, policy, now=mint.NOW)


def test_no_policy_no_verdict() -> None:
    with pytest.raises(TypeError):
        ww.verify(mint.token(), KEYS)  # type: ignore[call-arg]


def test_without_now_the_facade_takes_the_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    import time

    monkeypatch.setattr(time, "time", lambda: float(mint.NOW))
    assert ww.verify(mint.token(), KEYS, POLICY).expires_at == mint.NOW + 300
    assert ww.verify_many([mint.token()], KEYS, POLICY).valid_count == 1
    monkeypatch.setattr(time, "time", lambda: mint.NOW + 305.0)
    with pytest.raises(ww.ExpiredError):
        ww.verify(mint.token(), KEYS, POLICY)


@pytest.mark.parametrize("payload", [b"", b"\x00\xff", b"text", b"[1]", b"{}", bytes(9000)], ids=len)
def test_verify_jws_takes_any_payload(payload: bytes) -> None:
    jws = ww.verify_jws(mint.token(payload), KEYS)
    assert (jws.payload, jws.key_id, jws.algorithm) == (payload, "ed25519", "EdDSA")
    assert jws.header == {"alg": "EdDSA", "kid": "ed25519", "typ": "JWT"}


def test_verify_jws_checks_typ_only_if_types_are_given() -> None:
    token = mint.token(b"x", mint.header(typ="secevent+jwt"))
    assert ww.verify_jws(token, KEYS).header["typ"] == "secevent+jwt"
    assert ww.verify_jws(token, KEYS, types=("secevent+jwt",))
    with pytest.raises(ww.WrongTypeError):
        ww.verify_jws(token, KEYS, types=("JWT",))


def test_requirements_of_verify_jws() -> None:
    with pytest.raises(ww.AlgorithmNotAllowedError):
        ww.verify_jws(mint.token(), KEYS, algorithms=("ES256",))
    for mistake in ((), ("HS256",)):
        with pytest.raises(ValueError, match=r"\w"):
            ww.verify_jws(mint.token(), KEYS, algorithms=mistake)


@each_backend
def test_examples_of_the_rfcs(backend: Any) -> None:
    ed25519 = ww.KeySet.from_json(RFC_8037_JWK, backend=backend)
    assert ww.verify_jws(RFC_8037_JWS, ed25519).payload == b"Example of Ed25519 signing"
    p256 = ww.KeySet.from_json(RFC_7515_A3_JWK, backend=backend)
    jws = ww.verify_jws(RFC_7515_A3_JWS, p256)
    assert (jws.payload, jws.key_id) == (RFC_7515_A3_PAYLOAD, None)
    token = ww.verify(RFC_7515_A3_JWS, p256, ww.Policy(issuer="joe"), now=1300819379)
    assert token.claims == json.loads(RFC_7515_A3_PAYLOAD)


def test_what_was_verified_cannot_be_made_or_changed() -> None:
    token = verified(mint.claims(cnf={"jkt": "x"}), bound_tokens="accept")
    jws = ww.verify_jws(mint.token(), KEYS)
    for thing in (token, jws, token.confirmation):
        for name in ("claims", "subject", "payload", "header", "jkt", "anything"):
            with pytest.raises(AttributeError):
                setattr(thing, name, "x")
            with pytest.raises((AttributeError, TypeError)):
                delattr(thing, name)
    for kind in (ww.VerifiedToken, ww.VerifiedJws, ww.Confirmation, ww.BatchResult):
        with pytest.raises(TypeError):
            kind()
        with pytest.raises(TypeError):
            object.__new__(kind)
        with pytest.raises(TypeError):
            type("Forged", (kind,), {})


def test_what_was_verified_does_not_travel_as_a_pickle() -> None:
    # Anybody can write a pickle: what is loaded from one was not verified.
    for thing in (verified(), ww.verify_jws(mint.token(), KEYS)):
        with pytest.raises(TypeError):
            pickle.dumps(thing)
