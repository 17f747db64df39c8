"""The two forms of an ECDSA signature: r and s concatenated (JWS), and ASN.1 (KMS APIs, X.509, OpenSSL)."""

from __future__ import annotations

from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature


def ecdsa_from_der(signature: bytes, *, size: int = 32) -> bytes:
    """Return an ASN.1 signature (``ECDSA-Sig-Value``) in the form of JWS: r and s concatenated.

    The forms are those of RFC 3279 section 2.2.3 and RFC 7518 section 3.4. ``size`` is that of r and of s in bytes: 32
    for P-256. Raises ``ValueError`` if the signature is not strict DER, or is for a larger curve.
    """
    try:
        r, s = decode_dss_signature(signature)
        return r.to_bytes(size, "big") + s.to_bytes(size, "big")
    except (ValueError, OverflowError):
        raise ValueError(f"the signature is not an ECDSA-Sig-Value in DER of a curve of {8 * size} bits") from None


def ecdsa_to_der(signature: bytes) -> bytes:
    """Return a signature in the form of JWS (r and s concatenated) as an ASN.1 ``ECDSA-Sig-Value`` in DER.

    Raises ``ValueError`` if its length is odd, or it is empty.
    """
    half, odd = divmod(len(signature), 2)
    if odd or not half:
        raise ValueError(f"the signature has {len(signature)} bytes: r and s must have the same length")
    return encode_dss_signature(int.from_bytes(signature[:half], "big"), int.from_bytes(signature[half:], "big"))


__all__ = ["ecdsa_from_der", "ecdsa_to_der"]
