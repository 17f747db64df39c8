//! Public keys: read from JWK, PEM or DER, and judged once, at import.

mod jwk;
mod known;
mod many;
mod members;
mod spki;
mod thumbprint;

use std::fmt;
use std::sync::Arc;

pub use many::{Signed, verify_each};
pub use thumbprint::{thumbprint, thumbprint_of_der, thumbprint_of_pem, thumbprint_uri};

use crate::algorithm::{Algorithm, AlgorithmSet};
use crate::json::Object;
use crate::material::{Defect, Material};
use crate::signature::KeyOptions;
use jwk::Source;
use known::Known;
pub(crate) use known::{Held, hold};
#[cfg(feature = "jsonwebtoken-provider")]
pub(crate) use spki::coordinates;

/// A public key that passed every check, ready to verify with.
#[derive(Clone)]
pub struct PublicKey {
    key_id: Option<String>,
    algorithms: AlgorithmSet,
    issuer: Option<Arc<str>>,
    known: Arc<Known>,
}

impl PublicKey {
    /// Reads a JWK (RFC 7517) as issuers publish it: an optional member that is null counts as absent, the numbers of
    /// an RSA key may have leading zero bytes, which are dropped, and `use` may be `jwt-svid` (SPIFFE).
    ///
    /// # Errors
    /// The first [`Defect`] found.
    pub fn from_jwk(jwk: &Object<'_>, options: impl Into<KeyOptions>) -> Result<Self, Defect> {
        Self::of_jwk(jwk, Source::KeySet, options.into())
    }

    /// Reads a JWK that came in a header, whose sender chose every byte of it: strictly as RFC 7517 and RFC 7518 have it.
    ///
    /// # Errors
    /// The first [`Defect`] found.
    pub(crate) fn from_header_jwk(jwk: &Object<'_>, options: impl Into<KeyOptions>) -> Result<Self, Defect> {
        Self::of_jwk(jwk, Source::Header, options.into())
    }

    fn of_jwk(jwk: &Object<'_>, source: Source, options: KeyOptions) -> Result<Self, Defect> {
        let jwk = jwk::Jwk::parse(jwk, source)?;
        let known = known::of(jwk.material, options)?;
        Ok(Self { key_id: jwk.key_id, algorithms: jwk.algorithms, issuer: jwk.issuer, known })
    }

    /// Reads a `SubjectPublicKeyInfo` (RFC 5280 section 4.1.2.7) or a PKCS #1 `RSAPublicKey` in DER. These encodings
    /// carry neither a name nor an algorithm: both may be given.
    ///
    /// # Errors
    /// The first [`Defect`] found.
    pub fn from_der(
        der: &[u8],
        key_id: Option<&str>,
        algorithm: Option<&str>,
        options: impl Into<KeyOptions>,
    ) -> Result<Self, Defect> {
        let material = spki::parse(der)?;
        let algorithms = match algorithm {
            None => material.algorithms(),
            Some(name) => jwk::restricted(material.algorithms(), name)?,
        };
        let known = known::of(material, options.into())?;
        Ok(Self { key_id: key_id.map(str::to_owned), algorithms, issuer: None, known })
    }

    /// Reads every `PUBLIC KEY` and `RSA PUBLIC KEY` block of a PEM text (RFC 7468).
    ///
    /// # Errors
    /// The first [`Defect`] found; a text without a block is malformed.
    pub fn from_pem(pem: &str, algorithm: Option<&str>, options: impl Into<KeyOptions>) -> Result<Vec<Self>, Defect> {
        let options = options.into();
        spki::pem_blocks(pem)?.iter().map(|der| Self::from_der(der, None, algorithm, options)).collect()
    }

    /// A key that is known by its numbers alone.
    #[cfg(feature = "jsonwebtoken-provider")]
    pub(crate) fn from_material(material: Material, options: impl Into<KeyOptions>) -> Result<Self, Defect> {
        let algorithms = material.algorithms();
        Ok(Self { key_id: None, algorithms, issuer: None, known: known::of(material, options.into())? })
    }

    /// The same key under another name.
    #[must_use]
    pub fn named(self, key_id: &str) -> Self {
        Self { key_id: Some(key_id.to_owned()), ..self }
    }

    /// The `kid`, where the key has one.
    pub fn key_id(&self) -> Option<&str> {
        self.key_id.as_deref()
    }

    /// The algorithms that the key may be used with.
    pub fn algorithms(&self) -> AlgorithmSet {
        self.algorithms
    }

    /// Whose tokens the key may sign, if its JWK says so by a member `issuer`: an issuer, or a template with a placeholder
    /// for the tenant. [`Policy::with_tenants`](crate::Policy::with_tenants) heeds it.
    pub fn issuer(&self) -> Option<&str> {
        self.issuer.as_deref()
    }

    pub(crate) fn shared_issuer(&self) -> Option<Arc<str>> {
        self.issuer.clone()
    }

    /// `kty`: `"EC"`, `"OKP"` or `"RSA"`.
    pub fn key_type(&self) -> &'static str {
        match self.known.material {
            Material::Ed25519(_) => "OKP",
            Material::P256(_) | Material::P384(_) => "EC",
            Material::Rsa { .. } => "RSA",
        }
    }

    /// `crv`, where the key type has curves.
    pub fn curve(&self) -> Option<&'static str> {
        match self.known.material {
            Material::Ed25519(_) => Some("Ed25519"),
            Material::P256(_) => Some("P-256"),
            Material::P384(_) => Some("P-384"),
            Material::Rsa { .. } => None,
        }
    }

    /// The size of the key, in bits.
    pub fn bits(&self) -> usize {
        self.known.material.bits()
    }

    /// The RFC 7638 thumbprint: SHA-256, base64url.
    pub fn thumbprint(&self) -> &str {
        self.known.thumbprint()
    }

    /// The members of the key's JWK (RFC 7517): those that identify the key, then `kid` if it has one, and `alg` if the
    /// key is restricted to one of the algorithms of its type. Numbers have no leading zero bytes. `use`, `key_ops` and
    /// [`issuer`](Self::issuer) are not included.
    pub fn to_jwk(&self) -> Vec<(&'static str, String)> {
        let mut members = self.known.material.members();
        members.extend(self.key_id.clone().map(|key_id| ("kid", key_id)));
        if self.algorithms != self.known.material.algorithms() {
            members.extend(self.algorithms.iter().map(|algorithm| ("alg", algorithm.name().to_owned())));
        }
        members
    }

    /// Whether `signature` holds over `message` under `algorithm`, which must be one of the key's.
    pub fn verify(&self, algorithm: Algorithm, message: &[u8], signature: &[u8]) -> bool {
        self.algorithms.contains(algorithm) && self.known.verifier.verify(algorithm, message, signature)
    }

    /// Builds the key's table now, and keeps it until [`unpin`](Self::unpin); whether there was room for it.
    pub(crate) fn pin(&self) -> bool {
        self.known.verifier.pin()
    }

    pub(crate) fn unpin(&self) {
        self.known.verifier.unpin();
    }
}

impl fmt::Debug for PublicKey {
    /// Shows the key's name and type, never its numbers.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PublicKey")
            .field("key_id", &self.key_id)
            .field("key_type", &self.key_type())
            .field("bits", &self.bits())
            .finish_non_exhaustive()
    }
}
