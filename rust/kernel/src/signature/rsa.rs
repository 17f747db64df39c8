//! RSASSA-PKCS1-v1_5 and RSASSA-PSS (RFC 7518 sections 3.3 and 3.5, RFC 8017 section 8).
//!
//! The salt of a PSS signature is as long as the hash, as RFC 7518 demands.

use rsa::traits::SignatureScheme;
use rsa::{BigUint, Pkcs1v15Sign, Pss, RsaPublicKey};
use sha2::{Digest, Sha256, Sha384, Sha512};

use crate::algorithm::Algorithm;
use crate::material::Defect;

#[derive(Clone)]
pub(crate) struct Key {
    modulus: Vec<u8>,
    key: RsaPublicKey,
}

impl Key {
    /// A modulus of any size that was let in; the `rsa` crate's own limit is lower.
    pub(super) fn new(modulus: &[u8], exponent: &[u8]) -> Result<Self, Defect> {
        let (n, e) = (BigUint::from_bytes_be(modulus), BigUint::from_bytes_be(exponent));
        let key = RsaPublicKey::new_with_max_size(n, e, modulus.len() * 8).map_err(|_| Defect::BadExponent)?;
        Ok(Self { modulus: modulus.to_vec(), key })
    }

    pub(super) fn verify(&self, algorithm: Algorithm, message: &[u8], signature: &[u8]) -> bool {
        if !is_representative(signature, &self.modulus) {
            return false;
        }
        match algorithm {
            Algorithm::Rs256 => self.holds(Pkcs1v15Sign::new::<Sha256>(), &Sha256::digest(message), signature),
            Algorithm::Rs384 => self.holds(Pkcs1v15Sign::new::<Sha384>(), &Sha384::digest(message), signature),
            Algorithm::Rs512 => self.holds(Pkcs1v15Sign::new::<Sha512>(), &Sha512::digest(message), signature),
            Algorithm::Ps256 => self.holds(Pss::new::<Sha256>(), &Sha256::digest(message), signature),
            Algorithm::Ps384 => self.holds(Pss::new::<Sha384>(), &Sha384::digest(message), signature),
            Algorithm::Ps512 => self.holds(Pss::new::<Sha512>(), &Sha512::digest(message), signature),
            Algorithm::EdDsa | Algorithm::Ed25519 | Algorithm::Es256 | Algorithm::Es384 => false,
        }
    }

    fn holds(&self, scheme: impl SignatureScheme, digest: &[u8], signature: &[u8]) -> bool {
        self.key.verify(scheme, digest, signature).is_ok()
    }
}

/// Whether a signature is as long as the modulus and, as a number, below it (RFC 8017 sections 5.2.2 and 8.1.2). The
/// `rsa` crate does not ask the latter of PSS, where s + n would pass for s.
pub(super) fn is_representative(signature: &[u8], modulus: &[u8]) -> bool {
    signature.len() == modulus.len() && signature < modulus
}
