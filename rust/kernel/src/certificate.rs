//! The client certificate of a TLS connection, which a token may be bound to (RFC 8705 section 3).

use std::fmt;

use data_encoding::BASE64URL_NOPAD;
use sha2::{Digest, Sha256};

use crate::pem;

/// The certificate that the client of a request presented in the TLS handshake.
///
/// Whoever terminates TLS has verified that the client has the certificate's private key, and decides which certificates
/// are accepted. Nothing of that is checked again: the certificate is compared with the one that a token is bound to, by
/// its hash.
#[derive(Clone, Copy)]
pub enum ClientCertificate<'a> {
    /// The certificate in DER.
    Der(&'a [u8]),
    /// The SHA-256 of the certificate in DER.
    Sha256([u8; 32]),
}

impl ClientCertificate<'_> {
    /// The SHA-256 of the certificate in DER, in base64url without padding: what `x5t#S256` is in a token that is bound to
    /// it (RFC 8705 section 3.1).
    pub fn thumbprint(&self) -> String {
        let digest = match self {
            Self::Der(der) => Sha256::digest(der).into(),
            Self::Sha256(digest) => *digest,
        };
        BASE64URL_NOPAD.encode(&digest)
    }

    /// The DER of the one certificate in a PEM text (RFC 7468 section 5).
    ///
    /// # Errors
    /// [`CertificateError`] if the text is not PEM, or has anything but one certificate.
    pub fn der_from_pem(pem: &str) -> Result<Vec<u8>, CertificateError> {
        let mut blocks = pem::blocks(pem);
        let first = blocks.next().ok_or(CertificateError("not PEM: there is no \"-----BEGIN\" line"))?;
        let (label, der) = first.ok_or(CertificateError("the PEM block is malformed (RFC 7468)"))?;
        if label != "CERTIFICATE" || der.is_empty() {
            return Err(CertificateError("the PEM block is not a certificate"));
        }
        if blocks.next().is_some() {
            return Err(CertificateError(
                "the PEM text has several blocks: only the client's own certificate is expected",
            ));
        }
        Ok(der)
    }
}

impl fmt::Debug for ClientCertificate<'_> {
    /// Shows nothing: a certificate names its holder.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientCertificate").finish_non_exhaustive()
    }
}

/// Why a text is not a certificate in PEM.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CertificateError(&'static str);

impl fmt::Display for CertificateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl std::error::Error for CertificateError {}
