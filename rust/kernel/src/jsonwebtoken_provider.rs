//! The kernel as the cryptography of the [`jsonwebtoken`] crate: code that calls its `decode` verifies with prepared keys
//! and the kernel's strictness, and stays as it is.
//!
//! ```
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode};
//! use watchword_kernel::jsonwebtoken_provider::DEFAULT_PROVIDER;
//!
//! // Once for each process, before anything else is asked of the crate.
//! DEFAULT_PROVIDER.install_default().map_err(|_| "another provider is installed already")?;
//!
//! // What there was before.
//! let key = DecodingKey::from_ed_components("11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo")?;
//! # let token = "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc.hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg";
//! let validation = Validation::new(Algorithm::EdDSA);
//! let refused = decode::<serde_json::Value>(token, &key, &validation).unwrap_err();
//! # // The signature of RFC 8037 appendix A.4 holds; its payload is a sentence, and no claims.
//! # assert!(matches!(refused.kind(), jsonwebtoken::errors::ErrorKind::Json(_)));
//! # Ok(())
//! # }
//! ```
//!
//! EdDSA, ES256, RS256 to RS512 and PS256 to PS512 are verified by the kernel. Everything else, among it all signing, is
//! left to the crate's own [`rust_crypto`](jsonwebtoken::crypto::rust_crypto). A key is decoded and judged when it is met
//! for the first time, and known by its numbers from then on; it earns its table as any other key does (see
//! [`tables`](crate::tables)).
//!
//! Only the cryptography is the kernel's: tokens are parsed and claims judged by `jsonwebtoken`.

use jsonwebtoken::crypto::rust_crypto::DEFAULT_PROVIDER as RUST_CRYPTO;
use jsonwebtoken::crypto::{CryptoProvider, JwtVerifier, KeyUtils};
use jsonwebtoken::errors::{Error, ErrorKind, new_error};
use jsonwebtoken::{Algorithm as JwtAlgorithm, AlgorithmFamily, DecodingKey, DecodingKeyKind, signature};

use crate::algorithm::Algorithm;
use crate::key::{PublicKey, coordinates};
use crate::material::{Defect, Material};
use crate::signature::KeyOptions;

/// What to install: `DEFAULT_PROVIDER.install_default()`, which fails where another provider is installed or in use.
///
/// A key that the kernel does not take is refused with the error that the crate has for a bad key of that type.
pub static DEFAULT_PROVIDER: CryptoProvider = CryptoProvider {
    signer_factory: RUST_CRYPTO.signer_factory,
    verifier_factory: verifier,
    key_utils: KeyUtils {
        rsa_pub_components_from_private_key: RUST_CRYPTO.key_utils.rsa_pub_components_from_private_key,
        rsa_pub_components_from_public_key: RUST_CRYPTO.key_utils.rsa_pub_components_from_public_key,
        ec_pub_components_from_private_key: RUST_CRYPTO.key_utils.ec_pub_components_from_private_key,
        ed_pub_components_from_private_key: RUST_CRYPTO.key_utils.ed_pub_components_from_private_key,
        compute_digest: RUST_CRYPTO.key_utils.compute_digest,
    },
};

struct Verifier {
    key: PublicKey,
    algorithm: Algorithm,
    jwt_algorithm: JwtAlgorithm,
}

impl JwtVerifier for Verifier {
    fn algorithm(&self) -> JwtAlgorithm {
        self.jwt_algorithm
    }
}

impl signature::Verifier<Vec<u8>> for Verifier {
    fn verify(&self, message: &[u8], signature: &Vec<u8>) -> Result<(), signature::Error> {
        let holds = self.key.verify(self.algorithm, message, signature);
        holds.then_some(()).ok_or_else(signature::Error::new)
    }
}

fn verifier(jwt_algorithm: &JwtAlgorithm, key: &DecodingKey) -> Result<Box<dyn JwtVerifier>, Error> {
    let algorithm = match jwt_algorithm {
        JwtAlgorithm::EdDSA => Algorithm::EdDsa,
        JwtAlgorithm::ES256 => Algorithm::Es256,
        JwtAlgorithm::RS256 => Algorithm::Rs256,
        JwtAlgorithm::RS384 => Algorithm::Rs384,
        JwtAlgorithm::RS512 => Algorithm::Rs512,
        JwtAlgorithm::PS256 => Algorithm::Ps256,
        JwtAlgorithm::PS384 => Algorithm::Ps384,
        JwtAlgorithm::PS512 => Algorithm::Ps512,
        _ => return (RUST_CRYPTO.verifier_factory)(jwt_algorithm, key),
    };
    if key.family() != jwt_algorithm.family() {
        return Err(new_error(ErrorKind::InvalidKeyFormat));
    }
    let key = public_key(key).map_err(|defect| bad_key(key.family(), defect))?;
    Ok(Box::new(Verifier { key, algorithm, jwt_algorithm: *jwt_algorithm }))
}

fn public_key(key: &DecodingKey) -> Result<PublicKey, Defect> {
    let material = match (key.family(), key.kind()) {
        (AlgorithmFamily::Ed, DecodingKeyKind::SecretOrDer(point)) => Material::ed25519(point),
        (AlgorithmFamily::Ec, DecodingKeyKind::SecretOrDer(point)) => {
            let (x, y) = coordinates(point)?;
            Material::p256(x, y)
        }
        (AlgorithmFamily::Rsa, DecodingKeyKind::RsaModulusExponent { n, e }) => Material::rsa(n, e),
        (AlgorithmFamily::Rsa, DecodingKeyKind::SecretOrDer(der)) => {
            return PublicKey::from_der(der, None, None, KeyOptions::default());
        }
        _ => Err(Defect::UnsupportedKeyType),
    }?;
    PublicKey::from_material(material, KeyOptions::default())
}

/// The crate's error for a bad key; only that for RSA has a place for the reason.
fn bad_key(family: AlgorithmFamily, defect: Defect) -> Error {
    new_error(match family {
        AlgorithmFamily::Ed => ErrorKind::InvalidEddsaKey,
        AlgorithmFamily::Ec => ErrorKind::InvalidEcdsaKey,
        AlgorithmFamily::Rsa => ErrorKind::InvalidRsaKey(defect.to_string()),
        AlgorithmFamily::Hmac => ErrorKind::InvalidKeyFormat,
    })
}
