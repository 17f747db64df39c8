"""The key and the policy decide the algorithm, never the token."""

from __future__ import annotations

import json

import mint
import pytest
from cryptography.hazmat.primitives import serialization
from paths import PATHS, assert_verdict

from watchword import ErrorCode

NONES = ("none", "None", "NONE", "nOnE", "NoNe", "none ", "", "null")


@pytest.mark.parametrize("name", NONES)
def test_alg_none_any_case(name: str) -> None:
    head = mint.header(algorithm=name)
    assert_verdict(mint.token(head=head, signature=b""), ErrorCode.ALGORITHM_NOT_ALLOWED, "unsigned")
    assert_verdict(mint.token(head=head), ErrorCode.ALGORITHM_NOT_ALLOWED, "signed")


@pytest.mark.parametrize("head", [{"alg": "none"}, {"alg": "none", "typ": "JWT"}])
def test_alg_none_without_a_kid(head: dict[str, str]) -> None:
    assert_verdict(mint.token(head=head, signature=b""), ErrorCode.ALGORITHM_NOT_ALLOWED)


def public_key_forms(key: str) -> dict[str, bytes]:
    """Return every form of a public key that could be used as an HMAC secret."""
    public = mint.private_key(key).public_key()
    encoding, form = serialization.Encoding, serialization.PublicFormat
    pem = public.public_bytes(encoding.PEM, form.SubjectPublicKeyInfo)
    forms = {
        "pem": pem,
        "pem without the last newline": pem.rstrip(),
        "pem after white space": b" \n" + pem,
        "der": public.public_bytes(encoding.DER, form.SubjectPublicKeyInfo),
        "ssh": public.public_bytes(encoding.OpenSSH, form.OpenSSH),
        "jwk": json.dumps(mint.public_jwk(key)).encode(),
        "jwk, compact": mint.encode(mint.public_jwk(key)),
        "jwks": json.dumps(mint.jwks(key)).encode(),
        "empty": b"",
    }
    if key == "rsa":
        forms["pkcs1 pem"] = public.public_bytes(encoding.PEM, form.PKCS1)
        forms["pkcs1 der"] = public.public_bytes(encoding.DER, form.PKCS1)
    return forms


CONFUSIONS = [
    (key, form, secret) for key in ("rsa", "p256", "ed25519") for form, secret in public_key_forms(key).items()
]


@pytest.mark.parametrize(
    ("key", "secret"), [(k, s) for k, _, s in CONFUSIONS], ids=[f"{k}-{f}" for k, f, _ in CONFUSIONS]
)
def test_public_key_as_hmac_secret(key: str, secret: bytes) -> None:
    token = mint.token(head=mint.header(key, "HS256"), key=secret, algorithm="HS256")
    assert_verdict(token, ErrorCode.ALGORITHM_NOT_ALLOWED)


@pytest.mark.parametrize(
    "name", ["HS256", "HS384", "HS512", "ES256K", "ES512", "Ed448", "RS1", "eddsa", "es256", "dir"]
)
def test_algorithm_outside_the_kernel(name: str) -> None:
    token = mint.token(head=mint.header(algorithm=name))
    assert_verdict(token, ErrorCode.ALGORITHM_NOT_ALLOWED)


def test_no_policy_makes_hmac_allowed() -> None:
    token = mint.token(head=mint.header(algorithm="HS256"), key=b"secret", algorithm="HS256")
    for path in PATHS:
        with pytest.raises(ValueError, match="HS256"):
            path.verdict(token, algorithms=("HS256", "EdDSA"))


def test_algorithm_taken_from_the_header() -> None:
    # If the policy has no list, the algorithms are those of the key that the token names.
    for key, own, other in (("rsa", "RS256", "ES256"), ("p256", "ES256", "RS256"), ("p256", "ES256", "ES384"),
                            ("p384", "ES384", "ES256"), ("ed25519", "EdDSA", "ES256")):  # fmt: skip
        assert_verdict(mint.token(key=key, algorithm=own), None)
        token = mint.token(head=mint.header(key, other), key=key, algorithm=own)
        assert_verdict(token, ErrorCode.ALGORITHM_NOT_ALLOWED, (key, other))


def test_allow_list_bypass_through_key_bound_alg() -> None:
    bound = mint.jwks(mint.public_jwk("rsa", alg="RS256"), mint.public_jwk("p256", alg="ES256"))
    rs256, ps256 = mint.token(key="rsa", algorithm="RS256"), mint.token(key="rsa", algorithm="PS256")
    es256 = mint.token(key="p256", algorithm="ES256")
    rejected = ErrorCode.ALGORITHM_NOT_ALLOWED

    assert_verdict(rs256, None, jwks=bound)
    assert_verdict(rs256, None, jwks=bound, algorithms=("RS256", "PS256"))
    # The policy allows it, the key does not.
    assert_verdict(ps256, rejected, jwks=bound)
    assert_verdict(ps256, rejected, jwks=bound, algorithms=("RS256", "PS256"))
    # The key allows it, the policy does not.
    assert_verdict(es256, rejected, jwks=bound, algorithms=("EdDSA",))
    assert_verdict(rs256, rejected, jwks=bound, algorithms=("PS256",))
    assert_verdict(rs256, rejected, algorithms=("PS256", "ES256"))


def test_algorithm_is_rejected_before_any_key_is_looked_up() -> None:
    head = mint.header("nobody", "ES384")
    token = mint.token(head=head, key="p384", algorithm="ES384")
    assert_verdict(token, ErrorCode.UNKNOWN_KEY)
    assert_verdict(token, ErrorCode.ALGORITHM_NOT_ALLOWED, algorithms=("EdDSA",))


@pytest.mark.parametrize(("key", "algorithm"), mint.SIGNERS)
def test_every_algorithm_is_accepted_with_its_own_key(key: str, algorithm: str) -> None:
    assert_verdict(mint.token(key=key, algorithm=algorithm), None)
    assert_verdict(mint.token(key=key, algorithm=algorithm), None, algorithms=(algorithm,))


@pytest.mark.parametrize(("key", "algorithm"), mint.SIGNERS)
def test_signature_of_another_algorithm_of_the_same_key(key: str, algorithm: str) -> None:
    others = [other for name, other in mint.SIGNERS if name == key and other != algorithm and key == "rsa"]
    for other in others:
        token = mint.token(head=mint.header(key, algorithm), key=key, algorithm=other)
        assert_verdict(token, ErrorCode.INVALID_SIGNATURE, other)
