"""``KeySet``: the documents it reads, the keys it contains, and those it rejects."""

from __future__ import annotations

import json
from typing import Any

import mint
import pytest
from cryptography.hazmat.primitives import serialization
from paths import BACKENDS, each_backend
from vectors_in_rfcs import RFC_7638_JWK, RFC_7638_THUMBPRINT

import watchword as ww

GOOD = ("ed25519", "p256", "p384", "rsa")


@each_backend
def test_reads_a_jwk_set(backend: Any) -> None:
    jwks = mint.jwks(*GOOD)
    for document in (jwks, json.dumps(jwks), json.dumps(jwks).encode()):
        keys = ww.KeySet.from_json(document, backend=backend)
        assert (len(keys), keys.rejected, keys.backend) == (4, (), backend)
        assert [key.key_id for key in keys] == list(GOOD)
        assert all(name in keys for name in GOOD)


@each_backend
def test_reads_a_single_jwk(backend: Any) -> None:
    for name in GOOD:
        keys = ww.KeySet.from_json(mint.public_jwk(name), backend=backend)
        assert [key.key_id for key in keys] == [name]


def test_a_single_bad_jwk_is_rejected_like_one_of_a_set() -> None:
    keys = ww.KeySet.from_json({"kty": "oct", "k": "AAAA", "kid": "shared"})
    (rejected,) = keys.rejected
    assert (len(keys), rejected.index, rejected.key_id, rejected.reason) == (0, 0, "shared", "symmetric_key")


def test_other_members_of_a_set_are_ignored() -> None:
    keys = ww.KeySet.from_json({**mint.jwks("rsa"), "kty": "oct", "k": "AAAA", "next": "https://elsewhere.example"})
    assert [key.key_id for key in keys] == ["rsa"]


def test_the_attributes_of_a_key() -> None:
    keys = ww.KeySet.from_json(mint.jwks(*GOOD))
    attributes = {key.key_id: (key.key_type, key.curve, key.bits, key.algorithms) for key in keys}
    assert attributes == {
        "ed25519": ("OKP", "Ed25519", 256, ("EdDSA", "Ed25519")),
        "p256": ("EC", "P-256", 256, ("ES256",)),
        "p384": ("EC", "P-384", 384, ("ES384",)),
        "rsa": ("RSA", None, 2048, ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512")),
    }
    for key in keys:
        assert key.key_id is not None
        assert key.thumbprint == ww.thumbprint(mint.public_jwk(key.key_id))


def test_get_and_contains() -> None:
    keys = ww.KeySet.from_json(mint.jwks("ed25519", mint.public_jwk("p256", kid=mint.OMIT)))
    found = keys.get("ed25519")
    assert found is not None
    assert found.key_type == "OKP"
    assert keys.get("nobody") is None
    assert keys.get("\ud800") is None
    for absent in ("nobody", "", None, 1, b"ed25519", "\ud800"):
        assert absent not in keys
    assert [key.key_id for key in keys] == ["ed25519", None]


def test_get_of_several_keys_with_one_kid() -> None:
    pinned = [mint.public_jwk("rsa", kid="k", alg=name) for name in ("RS256", "PS256")]
    keys = ww.KeySet.from_json({"keys": [mint.public_jwk("p256", kid="k"), *pinned]})
    assert (len(keys), keys.rejected, "k" in keys) == (3, (), True)

    def found(algorithm: str | None = None) -> tuple[str, ...] | None:
        key = keys.get("k", algorithm)
        return None if key is None else key.algorithms

    assert found() == found("ES256") == ("ES256",)
    assert (found("RS256"), found("PS256")) == (("RS256",), ("PS256",))
    for unused in ("RS512", "EdDSA", "rs256", "none", "", "\ud800"):
        assert found(unused) is None
    assert keys.get("nobody", "ES256") is None


def test_a_kid_twice_for_one_algorithm() -> None:
    every, one = mint.public_jwk("rsa", kid="k"), mint.public_jwk("rsa", kid="k", alg="RS256")
    for listed in ([every, one], [one, every], [every, every], [one, one]):
        keys = ww.KeySet.from_json({"keys": listed})
        assert [(key.index, key.key_id, key.reason) for key in keys.rejected] == [(1, "k", "duplicate_kid")]
        assert [len(key.algorithms) for key in keys] == [6 if listed[0] is every else 1]


def test_a_spiffe_bundle() -> None:
    bundle = {
        "keys": [
            mint.public_jwk("p256", kid=mint.OMIT, use="x509-svid", x5c=["MIIB"]),
            mint.public_jwk("p384", kid="authority", use="jwt-svid"),
            mint.public_jwk("rsa", kid="older", use="jwt-svid"),
        ],
        "spiffe_sequence": 12035488,
        "spiffe_refresh_hint": 2419200,
    }
    keys = ww.KeySet.from_json(bundle)
    assert [key.key_id for key in keys] == ["authority", "older"]
    assert [(key.index, key.reason) for key in keys.rejected] == [(0, "not_for_signatures")]


def test_rejected_keys_are_reported_in_the_order_of_the_document() -> None:
    bad = [{"kty": "oct", "k": "AAAA", "kid": "a"}, mint.public_jwk("rsa", use="enc"), 7, mint.public_jwk("p521")]
    keys = ww.KeySet.from_json({"keys": [bad[0], mint.public_jwk("ed25519"), *bad[1:]]})
    assert [(key.index, key.key_id, key.reason) for key in keys.rejected] == [
        (0, "a", "symmetric_key"),
        (2, "rsa", "not_for_signatures"),
        (3, None, "not_an_object"),
        (4, "p521", "unsupported_curve"),
    ]
    assert isinstance(keys.rejected, tuple)
    assert [key.key_id for key in keys] == ["ed25519"]


NOT_KEY_SETS: dict[str, Any] = {
    "empty": "", "empty bytes": b"", "text": "keys", "number": "7", "null": "null", "array": "[]",
    "array of keys": json.dumps([mint.public_jwk("rsa")]), "string": '"keys"', "empty object": "{}",
    "no keys, no kty": '{"a":1}',
    "keys null": '{"keys":null}', "keys an object": '{"keys":{}}', "keys a string": '{"keys":"x"}',
    "cut off": '{"keys":[',
    "trailing": '{"keys":[]} x', "html": "<html></html>", "BOM": "\ufeff" + '{"keys":[]}',
    "BOM bytes": b'\xef\xbb\xbf{"keys":[]}',
    "not UTF-8": b'{"keys":[],"x":"\xff"}', "UTF-16": '{"keys":[]}'.encode("utf-16"), "NaN": '{"keys":[],"x":NaN}',
    "lone surrogate": '{"keys":[],"x":"\\ud800"}', "lone surrogate in text": '{"keys":[],"x":"\ud800"}',
    "keys twice": '{"keys":[],"keys":[]}', "member of a key twice": '{"keys":[{"kty":"oct","kty":"RSA"}]}',
    "single quotes": "{'keys':[]}", "deep": '{"keys":' + "[" * 40 + "]" * 40 + "}", "very deep": "[" * 500_000,
    "empty mapping": {}, "mapping without keys": {"a": 1}, "mapping, keys null": {"keys": None},
}  # fmt: skip


@pytest.mark.parametrize("name", NOT_KEY_SETS)
def test_documents_that_are_no_key_set(name: str) -> None:
    for backend in BACKENDS:
        with pytest.raises(ww.KeySetError):
            ww.KeySet.from_json(NOT_KEY_SETS[name], backend=backend)


def test_key_set_error_is_a_value_error() -> None:
    assert issubclass(ww.KeySetError, ValueError)
    assert not issubclass(ww.KeySetError, ww.VerificationError)


def test_at_most_256_keys() -> None:
    many = [mint.public_jwk("ed25519", kid=str(index)) for index in range(257)]
    assert len(ww.KeySet.from_json({"keys": many[:256]})) == 256
    with pytest.raises(ww.KeySetError, match="256"):
        ww.KeySet.from_json({"keys": many})
    with pytest.raises(ww.KeySetError, match="256"):
        ww.KeySet.from_json({"keys": [None] * 257})


def test_at_most_1_mib() -> None:
    document = json.dumps(mint.jwks("rsa")).encode()
    assert len(ww.KeySet.from_json(document.ljust(1024 * 1024))) == 1
    with pytest.raises(ww.KeySetError):
        ww.KeySet.from_json(document.ljust(1024 * 1024 + 1))
    with pytest.raises(ww.KeySetError):
        ww.KeySet.from_json({**mint.jwks("rsa"), "pad": "x" * 1024 * 1024})


@pytest.mark.parametrize("document", [None, 7, 1.5, [], [mint.public_jwk("rsa")], object(), bytearray(b"{}")], ids=repr)
def test_a_caller_who_gives_something_else(document: Any) -> None:
    with pytest.raises(TypeError):
        ww.KeySet.from_json(document)


def test_unknown_backend() -> None:
    with pytest.raises(ValueError, match="reference"):
        ww.KeySet.from_json(mint.jwks("rsa"), backend="openssl")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="never"):
        ww.KeySet.from_json(mint.jwks("rsa"), prepare="always")  # type: ignore[arg-type]


def test_prepare_mode() -> None:
    assert ww.KeySet.from_json(mint.jwks("rsa")).prepare_mode == "auto"
    for keys in (
        ww.KeySet.from_json(mint.jwks("rsa"), prepare="never"),
        ww.KeySet.from_pem(pem("rsa"), prepare="never"),
        ww.KeySet.from_der(der("rsa"), prepare="never"),
    ):
        assert keys.prepare_mode == "never"
        assert repr(keys) == "KeySet(keys=1, rejected=0, backend='default', prepare='never')"


def test_more_than_16_keys_are_never_tried_for_one_token() -> None:
    others = [mint.public_jwk("ed25519-b", kid=str(index)) for index in range(15)]
    policy = ww.Policy(audience=mint.AUDIENCE)
    nameless = mint.token(head=mint.header(kid=mint.OMIT))
    sixteen = ww.KeySet.from_json({"keys": [*others, mint.public_jwk("ed25519")]})
    assert ww.verify(nameless, sixteen, policy, now=mint.NOW).key_id == "ed25519"
    seventeen = ww.KeySet.from_json(
        {"keys": [*others, mint.public_jwk("p256"), mint.public_jwk("ed25519-b"), mint.public_jwk("ed25519")]}
    )
    with pytest.raises(ww.UnknownKeyError):
        ww.verify(nameless, seventeen, policy, now=mint.NOW)
    # Named, it is found among any number.
    assert ww.verify(mint.token(), seventeen, policy, now=mint.NOW).key_id == "ed25519"


def pem(name: str) -> bytes:
    key = mint.private_key(name).public_key()
    return bytes(key.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo))


def der(name: str) -> bytes:
    key = mint.private_key(name).public_key()
    return bytes(key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo))


@pytest.mark.parametrize(("name", "algorithm"), mint.SIGNERS)
def test_to_jwk_is_the_same_key(name: str, algorithm: str) -> None:
    public = mint.public_jwk(name)
    nameless = mint.public_jwk(name, kid=mint.OMIT)
    # The P-256 and P-384 keys have one algorithm anyway.
    alg = {} if algorithm in ("ES256", "ES384") else {"alg": algorithm}
    padding = {"n": mint.b64(b"\0" + mint.unb64(public["n"]))} if name == "rsa" else {}
    cases = (
        (ww.KeySet.from_json(public), public),
        (ww.KeySet.from_json({**public, **padding, "use": "sig", "key_ops": ["verify"], "x5t": "unused"}), public),
        (ww.KeySet.from_json({**public, "alg": algorithm}, backend="reference"), {**public, **alg}),
        (ww.KeySet.from_pem(pem(name)), nameless),
        (ww.KeySet.from_pem(pem(name), key_id=name, algorithm=algorithm), {**public, **alg}),
        (ww.KeySet.from_der(der(name), algorithm=algorithm), {**nameless, **alg}),
    )
    for (key,), expected in cases:
        assert key.to_jwk() == expected
        (again,) = ww.KeySet.from_json({"keys": [key.to_jwk()]})
        assert (again.thumbprint, again.key_id, again.algorithms) == (key.thumbprint, key.key_id, key.algorithms)
        assert ww.thumbprint(key.to_jwk()) == key.thumbprint


@pytest.mark.parametrize(("name", "algorithm"), mint.SIGNERS)
def test_pem_and_der_are_the_same_key_as_the_jwk(name: str, algorithm: str) -> None:
    policy = ww.Policy(audience=mint.AUDIENCE)
    for backend in BACKENDS:
        for keys in (
            ww.KeySet.from_pem(pem(name), key_id=name, backend=backend),
            ww.KeySet.from_pem(pem(name).decode(), key_id=name, algorithm=algorithm, backend=backend),
            ww.KeySet.from_der(der(name), backend=backend),
        ):
            (key,) = keys
            assert key.thumbprint == ww.thumbprint(mint.public_jwk(name))
            token = ww.verify(mint.token(key=name, algorithm=algorithm), keys, policy, now=mint.NOW)
            assert (token.algorithm, token.key_id) == (algorithm, key.key_id)


def test_pem_pins_the_algorithm() -> None:
    (key,) = ww.KeySet.from_pem(pem("rsa"), key_id="k", algorithm="PS256")
    assert (key.key_id, key.algorithms) == ("k", ("PS256",))
    with pytest.raises(ww.KeySetError):
        ww.KeySet.from_pem(pem("rsa"), algorithm="ES256")
    with pytest.raises(ww.KeySetError):
        ww.KeySet.from_der(der("p256"), algorithm="HS256")


def private_pem(name: str, form: serialization.PrivateFormat) -> bytes:
    return bytes(mint.private_key(name).private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption()))


BAD_PEM: dict[str, bytes] = {
    "private, PKCS #8": private_pem("ed25519", serialization.PrivateFormat.PKCS8),
    "private, traditional": private_pem("rsa", serialization.PrivateFormat.TraditionalOpenSSL),
    "1024 bits": pem("rsa-1024"), "ROCA": pem("rsa-roca"), "P-521": pem("p521"), "secp256k1": pem("secp256k1"),
    "empty": b"", "text": b"hello", "cut off": pem("rsa")[:200], "not UTF-8": b"\xff" + pem("rsa"),
    "a bad key after a good one": pem("rsa") + pem("rsa-1024"),
    "base64 broken": pem("rsa").replace(b"M", b"!", 3), "JSON": json.dumps(mint.public_jwk("rsa")).encode(),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD_PEM)
def test_bad_pem(name: str) -> None:
    for backend in BACKENDS:
        with pytest.raises(ww.KeySetError) as caught:
            ww.KeySet.from_pem(BAD_PEM[name], backend=backend)
        assert "MII" not in str(caught.value)


@pytest.mark.parametrize(
    "data", [b"", b"\x30", der("rsa")[:-1], der("rsa") + b"\x00", der("p521"), b"\x30\x80" * 1000, pem("rsa")]
)
def test_bad_der(data: bytes) -> None:
    with pytest.raises(ww.KeySetError):
        ww.KeySet.from_der(data)


def test_several_pem_keys_in_one_text() -> None:
    keys = ww.KeySet.from_pem(pem("rsa") + b"a comment\n" + pem("p256"))
    assert [key.key_type for key in keys] == ["RSA", "EC"]
    with pytest.raises(ww.KeySetError):
        ww.KeySet.from_pem(pem("rsa") + pem("p256"), key_id="one name for two")


def test_thumbprint_of_rfc_7638() -> None:
    assert ww.thumbprint(RFC_7638_JWK) == RFC_7638_THUMBPRINT
    assert ww.thumbprint(json.dumps(RFC_7638_JWK)) == RFC_7638_THUMBPRINT
    assert ww.thumbprint(json.dumps(RFC_7638_JWK).encode()) == RFC_7638_THUMBPRINT
    (key,) = ww.KeySet.from_json(RFC_7638_JWK)
    assert key.thumbprint == RFC_7638_THUMBPRINT


@pytest.mark.parametrize("name", [*GOOD, "p521", "secp256k1", "rsa-1024"])
def test_thumbprint_is_of_the_public_part_only(name: str) -> None:
    assert ww.thumbprint(mint.private_jwk(name)) == ww.thumbprint(
        mint.public_jwk(name, kid="other", use="enc", alg="x")
    )


@pytest.mark.parametrize("jwk", [{}, {"kty": "RSA"}, {"kty": "RSA", "n": "AQ"}, {"kty": 1}, {"kty": "EC",
                                                                                             "crv": "P-256", "x": "AQ"},
                                 "[]", "x", b"\xff", {"kty": "OKP", "crv": "Ed25519", "x": "A=="}])  # fmt: skip
def test_thumbprint_of_what_is_no_jwk(jwk: Any) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        ww.thumbprint(jwk)


@pytest.mark.parametrize("jwk", [None, 7, [], bytearray(b"{}")])
def test_thumbprint_of_the_wrong_type(jwk: Any) -> None:
    with pytest.raises(TypeError):
        ww.thumbprint(jwk)


def test_key_sets_are_frozen() -> None:
    keys = ww.KeySet.from_json({"keys": [mint.public_jwk("rsa"), {"kty": "oct"}]})
    for thing in (keys, next(iter(keys)), keys.rejected[0]):
        for name in ("key_id", "rejected", "reason", "anything"):
            with pytest.raises(AttributeError):
                setattr(thing, name, "x")
    with pytest.raises(TypeError):
        keys["rsa"] = None  # type: ignore[index]
    for kind in (ww.KeySet, ww.PublicKey, ww.RejectedKey):
        with pytest.raises(TypeError):
            kind()


def test_key_sets_are_not_changed_by_changing_the_mapping() -> None:
    document = mint.jwks("ed25519")
    keys = ww.KeySet.from_json(document)
    document["keys"].clear()
    assert "ed25519" in keys
