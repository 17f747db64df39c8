"""Challenges of a server, signed to prove possession of a key; never what passes as a token elsewhere."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable
from typing import Literal

from watchword import base64url
from watchword.holder.signer import Signer

#: The maximum size of a decoded nonce in bytes. A nonce has 16 to 64; little else that is worth signing is that small.
MAX_NONCE_BYTES = 256

_OUTPUTS: dict[str, Callable[[bytes], str]] = {
    "hex": bytes.hex,
    "base64": lambda signature: base64.b64encode(signature).decode(),
    "base64url": base64url.encode,
}
_HEX = re.compile(r"(?:[0-9A-Fa-f]{2})+")
# The beginning of a JSON object. Before it, some parsers allow a byte order mark; some read UTF-16.
_OBJECT = re.compile(rb"[ \t\r\n\x00\xef\xbb\xbf\xff\xfe]*\{[ \t\r\n\x00]*[\"}]")
_NOT_BASE64URL = re.compile(rb"[^A-Za-z0-9_-]")
# The characters of {"alg":"ES256"}, the shortest header in the compact serialization.
_SHORTEST_HEADER = 20


class ChallengeError(ValueError):
    """A nonce was refused: it is malformed, too long, or could be used as something else once it is signed."""


class ChallengeSigner:
    """Signs the nonces of a server's challenges. It may be used from any number of threads at once.

    ``nonce_encoding`` is what of the nonce is signed: the bytes that its hexadecimal digits stand for (``"hex"``), that
    it is in base64url without padding (``"base64url"``), or its characters (``"utf-8"``). ``signature_format`` is
    ``"raw"`` (64 bytes: for ES256, r and s concatenated) or ``"der"`` (ASN.1, ES256 only); ``output`` is how the
    signature is written: ``"hex"`` (lower case), ``"base64"`` (with padding) or ``"base64url"`` (without).

    Whoever chooses a nonce chooses what is signed. A nonce that is the beginning of a JWS signing input is refused, so
    that no server can have a token or a DPoP proof signed; a key of its own for each purpose is better still.

    Raises ``ValueError`` if a setting is unknown, or ``"der"`` is asked of a key for EdDSA; ``TypeError`` or
    :class:`SignerError` if the signer is none or fails.
    """

    def __init__(
        self,
        signer: Signer,
        *,
        nonce_encoding: Literal["hex", "base64url", "utf-8"] = "hex",
        signature_format: Literal["raw", "der"] = "raw",
        output: Literal["hex", "base64", "base64url"] = "hex",
    ) -> None:
        if nonce_encoding not in ("hex", "base64url", "utf-8"):
            raise ValueError(f'nonce_encoding is {nonce_encoding!r}: it must be "hex", "base64url" or "utf-8"')
        if signature_format not in ("raw", "der"):
            raise ValueError(f'signature_format is {signature_format!r}: it must be "raw" or "der"')
        if output not in _OUTPUTS:
            raise ValueError(f'output is {output!r}: it must be "hex", "base64" or "base64url"')
        from watchword.holder.checked_signer import check_signer  # cryptography is slow to import, and only needed here

        self._signer = check_signer(signer)
        if signature_format == "der" and self._signer.algorithm != "ES256":
            raise ValueError('signature_format "der" is for ES256: EdDSA signatures have one form, "raw"')
        self._nonce_encoding = nonce_encoding
        self._signature_format = signature_format
        self._output = output

    def sign(self, nonce: str) -> str:
        """Return the signature over a nonce.

        Raises :class:`ChallengeError` if the nonce is malformed, empty, longer than 256 bytes when decoded, or the
        beginning of a JWS; ``TypeError`` if it is not a string; :class:`SignerError` if the signer fails.
        """
        if not isinstance(nonce, str):
            raise TypeError(f"nonce must be a string, not {type(nonce).__name__}")
        data = _decoded(nonce, self._nonce_encoding)
        if _is_jws(data):
            raise ChallengeError("the nonce is the beginning of a JWS: signed, it could pass as a token or as a proof")
        signature = self._signer.sign(data)
        if self._signature_format == "der":
            from watchword.holder.ecdsa import ecdsa_to_der

            signature = ecdsa_to_der(signature)
        return _OUTPUTS[self._output](signature)

    def __repr__(self) -> str:
        """Return the algorithm and the settings."""
        return (
            f"ChallengeSigner(algorithm={self._signer.algorithm!r}, nonce_encoding={self._nonce_encoding!r}, "
            f"signature_format={self._signature_format!r}, output={self._output!r})"
        )

    def __reduce__(self) -> tuple[object, ...]:
        """Raise ``TypeError``: a private key stays in its process."""
        raise TypeError("a ChallengeSigner stays in the process that made it: it cannot be pickled or copied")


def _decoded(nonce: str, encoding: str) -> bytes:
    if not nonce:
        raise ChallengeError("nonce must not be empty")
    if len(nonce) > 2 * MAX_NONCE_BYTES:  # hexadecimal digits, the longest form
        raise ChallengeError(f"nonce has {len(nonce)} characters: at most {MAX_NONCE_BYTES} bytes are signed")
    data = None
    try:
        if encoding == "utf-8":
            data = nonce.encode()
        elif encoding == "base64url":
            data = base64url.decode(nonce)
        elif _HEX.fullmatch(nonce):
            data = bytes.fromhex(nonce)
    except ValueError:
        pass
    if data is None:
        raise ChallengeError(f"nonce must be {encoding}, as nonce_encoding says")
    if len(data) > MAX_NONCE_BYTES:
        raise ChallengeError(f"nonce has {len(data)} bytes: at most {MAX_NONCE_BYTES} are signed")
    return data


def _is_jws(data: bytes) -> bool:
    """Return whether ``data`` begins as a JWS signing input does (RFC 7515 section 5.1), as lenient decoders read it.

    That is a JOSE header and a dot; what follows is the payload, of any form if the header has ``b64: false`` (RFC
    7797). In the JSON serialization, the header may also be empty, or have no ``alg``: all of it is unprotected then.
    """
    header, dot, payload = data.partition(b".")
    if not dot:
        return False
    if not header:
        return not _NOT_BASE64URL.search(payload)
    kept = _NOT_BASE64URL.sub(b"", header)
    # Of a few random bytes, what is kept may well begin as an object does.
    if kept != header and len(kept) < _SHORTEST_HEADER:
        return False
    whole = kept[:-1] if len(kept) % 4 == 1 else kept
    decoded = base64.urlsafe_b64decode(whole + b"=" * (-len(whole) % 4))
    return bool(_OBJECT.match(decoded))


__all__ = ["MAX_NONCE_BYTES", "ChallengeError", "ChallengeSigner"]
