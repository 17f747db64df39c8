//! Public keys: parsed from JWK, PEM or DER, and validated once, when loaded.

mod batch;
mod export;
mod jwk;
mod key_cache;
mod members;
mod spki;
mod thumbprint;

use std::fmt;
use std::sync::Arc;

pub use batch::{SignedMessage, verify_signatures};
pub use thumbprint::{thumbprint, thumbprint_of_der, thumbprint_of_pem, thumbprint_uri};

use crate::algorithm::{Algorithm, AlgorithmSet};
use crate::json::Object;
use crate::key_params::{KeyDefect, KeyParams};
use crate::signature::KeyOptions;
pub(crate) use export::without_secrets;
use jwk::Source;
use key_cache::CachedKey;
pub(crate) use key_cache::{CacheLock, lock_cache};
#[cfg(feature = "jsonwebtoken-provider")]
pub(crate) use spki::coordinates;

/// A public key that passed every check, ready to verify with.
#[derive(Clone)]
pub struct PublicKey {
    key_id: Option<String>,
    algorithms: AlgorithmSet,
    issuer: Option<Arc<str>>,
    cached: Arc<CachedKey>,
}

impl PublicKey {
    /// Parses a JWK (RFC 7517) as issuers publish it: an optional member that is null counts as absent, the parameters
    /// of an RSA key may have leading zero bytes, which are dropped, and `use` may be `jwt-svid` (SPIFFE).
    ///
    /// # Errors
    /// The first [`KeyDefect`] found.
    pub fn from_jwk(jwk: &Object<'_>, options: impl Into<KeyOptions>) -> Result<Self, KeyDefect> {
        Self::of_jwk(jwk, Source::KeySet, options.into())
    }

    /// Parses a JWK from a header, whose sender chose every byte: strictly as RFC 7517 and RFC 7518 define it.
    ///
    /// # Errors
    /// The first [`KeyDefect`] found.
    pub(crate) fn from_header_jwk(jwk: &Object<'_>, options: impl Into<KeyOptions>) -> Result<Self, KeyDefect> {
        Self::of_jwk(jwk, Source::Header, options.into())
    }

    fn of_jwk(jwk: &Object<'_>, source: Source, options: KeyOptions) -> Result<Self, KeyDefect> {
        let jwk = jwk::Jwk::parse(jwk, source)?;
        let cached = key_cache::get(jwk.params, options)?;
        Ok(Self { key_id: jwk.key_id, algorithms: jwk.algorithms, issuer: jwk.issuer, cached })
    }

    /// Parses a `SubjectPublicKeyInfo` (RFC 5280 section 4.1.2.7) or a PKCS #1 `RSAPublicKey` in DER. These encodings
    /// contain neither a `kid` nor an `alg`; the arguments can add them.
    ///
    /// # Errors
    /// The first [`KeyDefect`] found.
    pub fn from_der(
        der: &[u8],
        key_id: Option<&str>,
        algorithm: Option<&str>,
        options: impl Into<KeyOptions>,
    ) -> Result<Self, KeyDefect> {
        let params = spki::parse(der)?;
        let algorithms = match algorithm {
            None => params.algorithms(),
            Some(name) => jwk::restricted(params.algorithms(), name)?,
        };
        let cached = key_cache::get(params, options.into())?;
        Ok(Self { key_id: key_id.map(str::to_owned), algorithms, issuer: None, cached })
    }

    /// Parses every `PUBLIC KEY` and `RSA PUBLIC KEY` block of a PEM text (RFC 7468).
    ///
    /// # Errors
    /// The first [`KeyDefect`] found; a text without a block is malformed.
    pub fn from_pem(
        pem: &str,
        algorithm: Option<&str>,
        options: impl Into<KeyOptions>,
    ) -> Result<Vec<Self>, KeyDefect> {
        let options = options.into();
        spki::pem_blocks(pem)?.iter().map(|der| Self::from_der(der, None, algorithm, options)).collect()
    }

    /// A key without `kid`, for all algorithms of its type.
    #[cfg(feature = "jsonwebtoken-provider")]
    pub(crate) fn from_params(params: KeyParams, options: impl Into<KeyOptions>) -> Result<Self, KeyDefect> {
        let algorithms = params.algorithms();
        Ok(Self { key_id: None, algorithms, issuer: None, cached: key_cache::get(params, options.into())? })
    }

    /// The same key with another `kid`.
    #[must_use]
    pub fn named(self, key_id: &str) -> Self {
        Self { key_id: Some(key_id.to_owned()), ..self }
    }

    /// The `kid`, if the key has one.
    pub fn key_id(&self) -> Option<&str> {
        self.key_id.as_deref()
    }

    /// The algorithms that the key may be used with.
    pub fn algorithms(&self) -> AlgorithmSet {
        self.algorithms
    }

    /// The issuer to whose tokens the JWK restricts the key by a member `issuer`; a template with a placeholder for the
    /// tenant is possible. [`Policy::with_tenants`](crate::Policy::with_tenants) applies it.
    pub fn issuer(&self) -> Option<&str> {
        self.issuer.as_deref()
    }

    pub(crate) fn shared_issuer(&self) -> Option<Arc<str>> {
        self.issuer.clone()
    }

    /// `kty`: `"EC"`, `"OKP"` or `"RSA"`.
    pub fn key_type(&self) -> &'static str {
        match self.cached.params {
            KeyParams::Ed25519(_) => "OKP",
            KeyParams::P256(_) | KeyParams::P384(_) => "EC",
            KeyParams::Rsa { .. } => "RSA",
        }
    }

    /// `crv`; `None` for RSA.
    pub fn curve(&self) -> Option<&'static str> {
        match self.cached.params {
            KeyParams::Ed25519(_) => Some("Ed25519"),
            KeyParams::P256(_) => Some("P-256"),
            KeyParams::P384(_) => Some("P-384"),
            KeyParams::Rsa { .. } => None,
        }
    }

    /// The size of the key, in bits.
    pub fn bits(&self) -> usize {
        self.cached.params.bits()
    }

    /// The RFC 7638 thumbprint: SHA-256, base64url.
    pub fn thumbprint(&self) -> &str {
        self.cached.thumbprint()
    }

    /// The members of the key's JWK (RFC 7517): those that identify the key, then `kid` if it has one, and `alg` if the
    /// key is restricted to one of the algorithms of its type. Numbers have no leading zero bytes. `use`, `key_ops` and
    /// [`issuer`](Self::issuer) are not included.
    pub fn to_jwk(&self) -> Vec<(&'static str, String)> {
        let mut members = self.cached.params.members();
        members.extend(self.key_id.clone().map(|key_id| ("kid", key_id)));
        if self.algorithms != self.cached.params.algorithms() {
            members.extend(self.algorithms.iter().map(|algorithm| ("alg", algorithm.name().to_owned())));
        }
        members
    }

    /// Whether `signature` is valid for `message` and `algorithm`, which must be one of the key's.
    pub fn verify(&self, algorithm: Algorithm, message: &[u8], signature: &[u8]) -> bool {
        self.algorithms.contains(algorithm) && self.cached.verifier.verify(algorithm, message, signature)
    }

    /// Builds the key's table now, and keeps it until [`unpin`](Self::unpin). Returns `false` if there was no room for
    /// it.
    pub(crate) fn pin(&self) -> bool {
        self.cached.verifier.pin()
    }

    pub(crate) fn unpin(&self) {
        self.cached.verifier.unpin();
    }
}

impl fmt::Debug for PublicKey {
    /// Shows the key's `kid` and type, never its parameters.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PublicKey")
            .field("key_id", &self.key_id)
            .field("key_type", &self.key_type())
            .field("bits", &self.bits())
            .finish_non_exhaustive()
    }
}
