"""Private keys in PEM (RFC 7468): PKCS#8, plain or encrypted, and SEC 1."""

from __future__ import annotations

import re
from contextlib import suppress

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    KeySerializationEncryption,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from watchword.holder.jwk import PrivateKey

_BEGIN = re.compile(rb"-----BEGIN [A-Z0-9 ]*PRIVATE KEY-----")
_ENCRYPTED = re.compile(rb"BEGIN ENCRYPTED PRIVATE KEY|^Proc-Type: *4, *ENCRYPTED", re.MULTILINE)


def read(text: str | bytes, password: str | bytes | None) -> object:
    """Return the one private key of a PEM text, of any kind.

    Raises ``ValueError``, which quotes nothing of it, if there is none, or several, or the password is wrong, missing
    or needless.
    """
    if not isinstance(text, (str, bytes)):
        raise TypeError(f"a key in PEM must be str or bytes, not {type(text).__name__}")
    # PEM is ASCII; the exception of a strict encoder would contain the key.
    data = text.encode("ascii", "replace") if isinstance(text, str) else text
    found = len(_BEGIN.findall(data))
    if found != 1:
        raise ValueError(f"the PEM text has {found} private keys: it must have exactly one")
    encrypted = bool(_ENCRYPTED.search(data))
    secret = _password(password)
    if encrypted and not secret:
        raise ValueError("the private key is encrypted: give its password")
    if not encrypted and password is not None:
        raise ValueError("the private key is not encrypted, but a password was given")
    key = None
    with suppress(ValueError, UnsupportedAlgorithm):
        key = load_pem_private_key(data, secret)
    if key is None:
        reason = "or its password is wrong" if encrypted else "or of an unknown kind"
        raise ValueError(f"the private key in PEM is malformed, {reason}")
    return key


def write(key: PrivateKey, password: str | bytes | None) -> str:
    """Return the key as PKCS#8 in PEM, encrypted if there is a password.

    Raises ``ValueError`` if the password is empty or longer than 1,023 bytes.
    """
    encryption: KeySerializationEncryption = NoEncryption()
    if password is not None:
        secret = _password(password)
        if not secret or len(secret) > 1023:
            raise ValueError("password must have from 1 to 1,023 bytes")
        encryption = BestAvailableEncryption(secret)
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption).decode()


def _password(password: str | bytes | None) -> bytes | None:
    if password is None or isinstance(password, bytes):
        return password
    if not isinstance(password, str):
        raise TypeError(f"password must be str or bytes, not {type(password).__name__}")
    return password.encode("utf-8", "surrogatepass")


__all__ = ["read", "write"]
