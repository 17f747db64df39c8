"""Client certificates for mutual TLS (RFC 8705), self-signed, for the tests of applications."""

from __future__ import annotations

import datetime
import hashlib
from dataclasses import dataclass, field

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from watchword import base64url


@dataclass(frozen=True)
class ClientCertificate:
    """A self-signed client certificate and its private key (RFC 8705 section 2.2).

    ``der`` is the certificate in DER: ``issuer.mint(certificate=made.der)`` binds a token to it, and
    ``verifier.verify(token, certificate=made.der)`` verifies that token. ``pem`` is the same in PEM, and
    ``private_key_pem`` the key: together they are what a TLS client loads. A server that is to accept the certificate
    loads ``pem`` as a trusted authority.
    """

    der: bytes = field(repr=False)
    private_key_pem: str = field(repr=False)

    @classmethod
    def make(cls, name: str = "client.test") -> ClientCertificate:
        """Return a new certificate for the common name ``name``, valid for a year, with a key of P-256."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
        now = datetime.datetime.now(datetime.UTC)
        certificate = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(subject)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(days=1))
            .not_valid_after(now + datetime.timedelta(days=365))
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            .sign(key, hashes.SHA256())
        )
        private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
        return cls(certificate.public_bytes(Encoding.DER), private)

    @property
    def pem(self) -> str:
        """The certificate in PEM."""
        return x509.load_der_x509_certificate(self.der).public_bytes(Encoding.PEM).decode()

    @property
    def thumbprint(self) -> str:
        """What ``cnf.x5t#S256`` is in a token that is bound to it (RFC 8705 section 3.1)."""
        return thumbprint_of(self.der)


def thumbprint_of(der: bytes) -> str:
    """Return the SHA-256 of a certificate in DER, in base64url without padding (RFC 8705 section 3.1)."""
    return base64url.encode(hashlib.sha256(der).digest())
