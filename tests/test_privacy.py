"""No token, key or secret in a repr, an error or a log: a repr shows a kid, an algorithm and lengths, and no more."""

from __future__ import annotations

import logging
import pickle
import traceback
from typing import Any

import mint
import pytest
from hypothesis import given
from hypothesis import strategies as st
from paths import GOOD_KEYS, each_backend

import watchword as ww

WINDOW = 16
POLICY = ww.Policy(issuer=mint.ISSUER, audience=mint.AUDIENCE, bound_tokens="accept")
KEYS = ww.KeySet.from_json(GOOD_KEYS)


def windows(text: str) -> set[str]:
    return {text[start : start + WINDOW] for start in range(len(text) - WINDOW + 1)}


def said_by(error: BaseException) -> str:
    """Everything of an error that may end in a log."""
    chain = [error, error.__cause__, error.__context__]
    shown = [
        text for one in chain if one is not None for text in (str(one), repr(one), repr(one.args), repr(vars(one)))
    ]
    # The lines of source around it are the caller's.
    shown += traceback.format_exception_only(error)
    if isinstance(error, ww.VerificationError):
        shown.append(error.www_authenticate() or "")
        shown += [repr(getattr(error, "_evidence", None)), str(getattr(error, "_evidence", None))]
    return "\n".join(shown)


def assert_silent(shown: str, token: str, secrets: list[str]) -> None:
    for segment in token.split("."):
        assert not windows(segment) & windows(shown)
    for secret in secrets:
        assert secret not in shown


secret_text = st.text(st.characters(codec="utf-8", categories=["L", "N"]), min_size=8, max_size=40).map("§".__add__)


@given(secret_text, secret_text, st.integers(0, 12), st.sampled_from(["EdDSA", "none", "HS256", "ES256"]))
def test_no_error_quotes_the_token(secret: str, other: str, defect: int, algorithm: str) -> None:
    changes: list[dict[str, Any]] = [
        {},
        *({name: secret} for name in ("exp", "iss", "aud", "cnf")),
        {"aud": [secret, other]},
        {"sub": [secret]},
        {"scope": {secret: other}},
        {"cnf": {"jkt": secret, "jwk": secret}},
        {"exp": mint.NOW - 60},
        {"nbf": mint.NOW + 60},
        {"exp": mint.OMIT},
        {"iss": mint.OMIT},
    ]
    payload = mint.claims(**{"secret": secret, other: secret, **changes[defect]})
    tokens = [
        mint.token(payload, mint.header(alg=algorithm, x=other)),
        mint.token(payload, mint.header(crit=[secret])),
        mint.token(payload, mint.header(typ=secret)),
        mint.token(payload, signature=b"\x01" * 64),
        mint.token(mint.encode(payload)[:-1]),
        mint.token(payload, mint.encode(mint.header(x=other)) + other.encode()),
        mint.token(payload) + "." + mint.b64(secret.encode()),
    ]
    for token in tokens:
        for call in (
            lambda token=token: ww.verify(token, KEYS, POLICY, now=mint.NOW),
            lambda token=token: ww.verify_jws(token, KEYS),
        ):
            try:
                result = call()
            except ww.VerificationError as error:
                assert_silent(said_by(error), token, [secret, other])
                # Nor afterwards: accessing it adds it to no other text.
                _ = (error.token_hash, error.token_claims, error.token_header)
                assert_silent(said_by(error), token, [secret, other])
            else:
                assert_silent(repr(result) + str(result), token, [secret, other])


def test_a_pickle_contains_no_token_and_no_other_claims() -> None:
    for changes in ({"exp": 1}, {"aud": "secret audience"}, {"cnf": {"jkt": "secret thumbprint"}}):
        token = mint.token(mint.claims(sub="secret subject", **changes))
        with pytest.raises(ww.VerificationError) as caught:
            ww.verify(token, KEYS, ww.Policy(audience=mint.AUDIENCE), now=mint.NOW)
        pickled = pickle.dumps(caught.value).decode("latin-1") + repr(caught.value.__reduce__())
        assert_silent(pickled, token, ["secret", "Ed25519", mint.ISSUER])
        [error] = ww.verify_many([token], KEYS, ww.Policy(audience=mint.AUDIENCE), now=mint.NOW)
        assert_silent(pickle.dumps(error).decode("latin-1"), token, ["secret", mint.ISSUER])


def test_the_answer_to_a_client_does_not_say_what_is_expected() -> None:
    for changes in ({"iss": mint.ISSUER + "/"}, {"aud": mint.AUDIENCE + "/"}, {"iss": mint.OMIT}):
        with pytest.raises(ww.VerificationError) as caught:
            ww.verify(mint.token(mint.claims(**changes)), KEYS, POLICY, now=mint.NOW)
        assert "example" in caught.value.detail
        assert "example" not in (caught.value.www_authenticate() or "")


def test_expected_values_may_be_given() -> None:
    # What the policy expects is the operator's own; the token's value is not quoted.
    with pytest.raises(ww.WrongIssuerError) as caught:
        ww.verify(mint.token(mint.claims(iss="https://secret.example")), KEYS, POLICY, now=mint.NOW)
    assert "secret.example" not in said_by(caught.value)


def test_reprs_of_what_was_verified() -> None:
    raw = mint.token(
        mint.claims(cnf={"jkt": "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I", "x5t#S256": mint.b64(b"cert" * 8)})
    )
    token = ww.verify(raw, KEYS, POLICY, now=mint.NOW)
    things = [
        token,
        ww.verify_jws(raw, KEYS),
        token.confirmation,
        ww.verify_many([raw, "x"], KEYS, POLICY, now=mint.NOW),
    ]
    secrets = ["agent-7", "token-1", mint.ISSUER, mint.AUDIENCE, "0ZcOCORZ", mint.b64(b"cert" * 8), "read"]
    for thing in things:
        assert_silent(repr(thing) + str(thing) + f"{thing}", raw, secrets)
    assert "ed25519" in repr(token)
    assert "EdDSA" in repr(token)


@each_backend
def test_reprs_of_keys(backend: Any) -> None:
    bad = [
        mint.private_jwk("ed25519-b"),
        {"kty": "oct", "k": mint.b64(b"shared secret, long")},
        mint.public_jwk("rsa", use="enc"),
    ]
    keys = ww.KeySet.from_json({"keys": [*GOOD_KEYS["keys"], *bad]}, backend=backend)
    assert len(keys.rejected) == 3
    shown = "".join(repr(thing) + str(thing) for thing in (keys, *keys, *keys.rejected))
    shown += "".join(rejected.detail for rejected in keys.rejected)
    for jwk in (*GOOD_KEYS["keys"], *bad):
        for member in ("x", "y", "n", "d", "k"):
            assert not windows(jwk.get(member, "")) & windows(shown)
    assert "ed25519" in shown


@pytest.mark.parametrize(
    "document",
    [
        '{"keys":[{"kty":"oct","k":"c2VjcmV0c2VjcmV0c2VjcmV0"',
        '[{"kty":"oct","k":"c2VjcmV0c2VjcmV0c2VjcmV0"}]',
        '{"kty":"oct","kty":"c2VjcmV0c2VjcmV0c2VjcmV0"}',
        '{"k":"c2VjcmV0c2VjcmV0c2VjcmV0"}',
        "c2VjcmV0c2VjcmV0c2VjcmV0",
    ],
)
def test_errors_about_documents_do_not_quote_them(document: str) -> None:
    for call in (ww.KeySet.from_json, ww.KeySet.from_pem, ww.thumbprint):
        with pytest.raises(ValueError, match=r"\w") as caught:
            call(document)
        assert "c2VjcmV0" not in said_by(caught.value)


def test_type_errors_do_not_quote_their_value() -> None:
    token = mint.token()
    for wrong in ([token], {"token": token}, bytearray(token.encode())):
        with pytest.raises(TypeError) as caught:
            ww.verify(wrong, KEYS, POLICY, now=mint.NOW)  # type: ignore[arg-type]
        assert_silent(said_by(caught.value), token, [])


def test_nothing_is_logged(caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]) -> None:
    with caplog.at_level(logging.NOTSET):
        for token in (mint.token(), mint.token(signature=bytes(64)), "garbage", mint.token(mint.claims(exp=1))):
            ww.verify_many([token], KEYS, POLICY, now=mint.NOW)
    assert caplog.records == []
    assert capfd.readouterr() == ("", "")


def test_policy_repr_shows_no_secret_and_does_not_fail() -> None:
    assert "Policy" in repr(POLICY)
