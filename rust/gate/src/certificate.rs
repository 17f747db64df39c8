//! The certificate of a client, kept with a request until its token is verified (RFC 8705).

use watchword_kernel::{CertificateError, ClientCertificate};

/// The certificate of a client.
#[derive(Clone, PartialEq, Eq)]
pub enum Certificate {
    /// The certificate in DER.
    Der(Vec<u8>),
    /// The SHA-256 of the certificate in DER.
    Sha256([u8; 32]),
}

impl Certificate {
    /// The one certificate of a PEM text.
    ///
    /// # Errors
    /// [`CertificateError`] if the text is not PEM, or has anything but one certificate.
    pub fn from_pem(pem: &str) -> Result<Self, CertificateError> {
        ClientCertificate::der_from_pem(pem).map(Self::Der)
    }

    /// The same for the kernel.
    pub fn as_kernel(&self) -> ClientCertificate<'_> {
        match self {
            Self::Der(der) => ClientCertificate::Der(der),
            Self::Sha256(digest) => ClientCertificate::Sha256(*digest),
        }
    }
}

impl From<ClientCertificate<'_>> for Certificate {
    fn from(certificate: ClientCertificate<'_>) -> Self {
        match certificate {
            ClientCertificate::Der(der) => Self::Der(der.to_vec()),
            ClientCertificate::Sha256(digest) => Self::Sha256(digest),
        }
    }
}
