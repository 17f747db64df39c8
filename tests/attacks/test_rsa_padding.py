"""RSA signatures of a padding that is invalid (RFC 8017 sections 8 and 9.2, RFC 7518 section 3.5)."""

from __future__ import annotations

import hashlib

import mint
import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from paths import assert_verdict

from watchword import ErrorCode

BAD = ErrorCode.INVALID_SIGNATURE
SIZE = 256
SHA256_INFO = bytes.fromhex("3031300d060960864801650304020105000420")
SHA1_INFO = bytes.fromhex("3021300906052b0e03021a05000414")

MESSAGE = mint.token(key="rsa", algorithm="RS256", signature=b"").rpartition(".")[0].encode()
DIGEST = hashlib.sha256(MESSAGE).digest()


def raw(encoded_message: bytes) -> bytes:
    """The private operation, whatever the padding."""
    jwk = mint.private_jwk("rsa")
    return pow(int.from_bytes(encoded_message, "big"), mint.number(jwk["d"]), mint.number(jwk["n"])).to_bytes(
        SIZE, "big"
    )


def padded(info: bytes, *, start: bytes = b"\x00\x01", filler: bytes = b"\xff", tail: bytes = b"") -> bytes:
    rest = b"\x00" + info + tail
    return start + filler * (SIZE - len(start) - len(rest)) + rest


def token_with(signature: bytes, algorithm: str) -> str:
    return mint.token(head=mint.header("rsa", "RS256"), key="rsa", algorithm=algorithm, signature=signature)


def test_the_padding_of_this_test_is_correct() -> None:
    assert_verdict(token_with(raw(padded(SHA256_INFO + DIGEST)), "RS256"), None)


PKCS1: dict[str, bytes] = {
    "garbage after the digest": b"\x00\x01" + b"\xff" * 8 + b"\x00" + SHA256_INFO + DIGEST + b"\x00" * (SIZE - 11 - 51),
    "one byte after the digest": padded(SHA256_INFO + DIGEST, tail=b"\x00"),
    "block type 2": padded(SHA256_INFO + DIGEST, start=b"\x00\x02"),
    "block type 0": padded(SHA256_INFO + DIGEST, start=b"\x00\x00", filler=b"\x00"),
    "filler of zeros": padded(SHA256_INFO + DIGEST, filler=b"\x00"),
    "filler ends early": padded(b"\x00" + SHA256_INFO + DIGEST),
    "no DigestInfo": padded(DIGEST),
    "parameters left out": padded(bytes.fromhex("302f300b0609608648016503040201") + b"\x04\x20" + DIGEST),
    "length in long form": padded(bytes.fromhex("308131300d060960864801650304020105000420") + DIGEST),
    "NULL with contents": padded(bytes.fromhex("3033300f0609608648016503040201050200000420") + DIGEST),
    "longer octet string": padded(bytes.fromhex("3032300d060960864801650304020105000421") + DIGEST + b"\x00"),
    "SHA-1": padded(SHA1_INFO + hashlib.sha1(MESSAGE, usedforsecurity=False).digest()),
    "SHA-256 under SHA-512's name": padded(bytes.fromhex("3031300d060960864801650304020305000420") + DIGEST),
    "another digest": padded(SHA256_INFO + bytes(32)),
    "nothing": bytes(SIZE),
}  # fmt: skip


@pytest.mark.parametrize("name", PKCS1)
def test_pkcs1_padding(name: str) -> None:
    assert len(PKCS1[name]) == SIZE
    assert_verdict(token_with(raw(PKCS1[name]), "RS256"), BAD)


def pss(salt_length: int, digest: hashes.HashAlgorithm, mask: hashes.HashAlgorithm, message: bytes) -> bytes:
    return bytes(mint.private_key("rsa").sign(message, padding.PSS(padding.MGF1(mask), salt_length), digest))


@pytest.mark.parametrize("salt_length", [0, 1, 20, 31, 33, 64, 222])
def test_pss_salt_is_as_long_as_the_hash(salt_length: int) -> None:
    head = mint.header("rsa", "PS256")
    message = mint.token(head=head, signature=b"").rpartition(".")[0].encode()
    good = pss(32, hashes.SHA256(), hashes.SHA256(), message)
    assert_verdict(mint.token(head=head, signature=good), None)
    bad = pss(salt_length, hashes.SHA256(), hashes.SHA256(), message)
    assert_verdict(mint.token(head=head, signature=bad), BAD)


@pytest.mark.parametrize("mask", [hashes.SHA1(), hashes.SHA384(), hashes.SHA512()], ids=lambda mask: mask.name)
def test_pss_mask_has_the_same_hash(mask: hashes.HashAlgorithm) -> None:
    head = mint.header("rsa", "PS256")
    message = mint.token(head=head, signature=b"").rpartition(".")[0].encode()
    assert_verdict(mint.token(head=head, signature=pss(32, hashes.SHA256(), mask, message)), BAD)
