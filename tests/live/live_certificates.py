"""Certificates for mutual TLS (RFC 8705): a server's, a client's, and the authority of both, for a day."""

from __future__ import annotations

import datetime
import hashlib
import ipaddress
import ssl
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    pkcs12,
)
from live_dpop import base64url

#: The client's subject: what both servers know it by.
CLIENT = "CN=client"

#: Not a secret: what is in the store is public. The format wants one.
TRUST_STORE_PASSWORD = "trust-store"


@dataclass(frozen=True)
class Certificates:
    """PEM files in a folder: ``authority.pem``, and ``server`` and ``client`` with ``.pem`` and ``.key``.

    The authority is there as a Java trust store, too.
    """

    folder: Path

    @property
    def authority(self) -> Path:
        return self.folder / "authority.pem"

    @property
    def trust_store(self) -> Path:
        return self.folder / "authority.p12"

    def certificate(self, name: str) -> Path:
        return self.folder / f"{name}.pem"

    def key(self, name: str) -> Path:
        return self.folder / f"{name}.key"

    @cached_property
    def client_context(self) -> ssl.SSLContext:
        """TLS that trusts the server's certificate and shows the client's."""
        context = ssl.create_default_context(cafile=str(self.authority))
        context.load_cert_chain(self.certificate("client"), self.key("client"))
        return context

    @property
    def client_der(self) -> bytes:
        """The client's certificate in DER."""
        certificate = x509.load_pem_x509_certificate(self.certificate("client").read_bytes())
        return certificate.public_bytes(Encoding.DER)

    @property
    def client_thumbprint(self) -> str:
        """What ``cnf.x5t#S256`` is in a token that is bound to the client's certificate (RFC 8705 section 3.1)."""
        return base64url(hashlib.sha256(self.client_der).digest())


def certificates(folder: Path) -> Certificates:
    """Makes them in ``folder``."""
    made = Certificates(folder)
    authority_key = ec.generate_private_key(ec.SECP256R1())
    authority = _name("test authority")
    builder = _builder(authority, authority, authority_key)
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
    builder = builder.add_extension(_usage(signs_certificates=True), critical=True)
    own_key_id = x509.SubjectKeyIdentifier.from_public_key(authority_key.public_key())
    builder = builder.add_extension(own_key_id, critical=False)
    root = builder.sign(authority_key, hashes.SHA256())
    _write(made.authority, root)
    trusted = [pkcs12.PKCS12Certificate(root, b"authority")]
    encryption = BestAvailableEncryption(TRUST_STORE_PASSWORD.encode())
    made.trust_store.write_bytes(pkcs12.serialize_java_truststore(trusted, encryption))
    authority_key_id = x509.AuthorityKeyIdentifier.from_issuer_public_key(authority_key.public_key())
    for name in ("server", "client"):
        key = ec.generate_private_key(ec.SECP256R1())
        addresses = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
        builder = _builder(_name(name), authority, key)
        builder = builder.add_extension(addresses, critical=False)
        builder = builder.add_extension(_usage(signs_certificates=False), critical=True)
        builder = builder.add_extension(authority_key_id, critical=False)
        _write(made.certificate(name), builder.sign(authority_key, hashes.SHA256()))
        made.key(name).write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return made


def _name(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, common_name)])


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        key_cert_sign=signs_certificates,
        crl_sign=False,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _builder(subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey) -> x509.CertificateBuilder:
    now = datetime.datetime.now(datetime.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(days=1))
    )


def _write(path: Path, certificate: x509.Certificate) -> None:
    path.write_bytes(certificate.public_bytes(Encoding.PEM))
