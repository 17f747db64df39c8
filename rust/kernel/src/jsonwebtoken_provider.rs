//! The kernel as the cryptography provider of the [`jsonwebtoken`] crate: code that calls its `decode` verifies
//! signatures with precomputed tables and the kernel's strict checks, without a change.
//!
//! ```
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode};
//! use watchword_kernel::jsonwebtoken_provider::DEFAULT_PROVIDER;
//!
//! // Once per process, before any other call of the crate.
//! DEFAULT_PROVIDER.install_default().map_err(|_| "another provider is installed already")?;
//!
//! // The existing code.
//! let key = DecodingKey::from_ed_components("11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo")?;
//! # let token = "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc.hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg";
//! let validation = Validation::new(Algorithm::EdDSA);
//! let rejected = decode::<serde_json::Value>(token, &key, &validation).unwrap_err();
//! # // The signature of RFC 8037 appendix A.4 is valid; its payload is a sentence, not claims.
//! # assert!(matches!(rejected.kind(), jsonwebtoken::errors::ErrorKind::Json(_)));
//! # Ok(())
//! # }
//! ```
//!
//! The kernel verifies EdDSA, ES256, RS256 to RS512 and PS256 to PS512. Everything else, including all signing, is left
//! to the crate's own [`rust_crypto`](jsonwebtoken::crypto::rust_crypto). A key is decoded and checked on first use,
//! and then found in the key cache by its parameters; its table is built after a number of uses (see
//! [`tables`](crate::tables)).
//!
//! Only the cryptography is the kernel's: `jsonwebtoken` parses tokens and checks claims.

use jsonwebtoken::crypto::rust_crypto::DEFAULT_PROVIDER as RUST_CRYPTO;
use jsonwebtoken::crypto::{CryptoProvider, JwtVerifier, KeyUtils};
use jsonwebtoken::errors::{Error, ErrorKind, new_error};
use jsonwebtoken::{Algorithm as JwtAlgorithm, AlgorithmFamily, DecodingKey, DecodingKeyKind, signature};

use crate::algorithm::Algorithm;
use crate::key::{PublicKey, coordinates};
use crate::key_params::{KeyDefect, KeyParams};
use crate::signature::KeyOptions;

/// The provider. Install it with `DEFAULT_PROVIDER.install_default()`, which fails if another provider is installed or
/// in use.
///
/// A key that the kernel rejects yields the crate's error for a bad key of that type.
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
        let is_valid = self.key.verify(self.algorithm, message, signature);
        is_valid.then_some(()).ok_or_else(signature::Error::new)
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

fn public_key(key: &DecodingKey) -> Result<PublicKey, KeyDefect> {
    let params = match (key.family(), key.kind()) {
        (AlgorithmFamily::Ed, DecodingKeyKind::SecretOrDer(point)) => KeyParams::ed25519(point),
        (AlgorithmFamily::Ec, DecodingKeyKind::SecretOrDer(point)) => {
            let (x, y) = coordinates(point)?;
            KeyParams::p256(x, y)
        }
        (AlgorithmFamily::Rsa, DecodingKeyKind::RsaModulusExponent { n, e }) => KeyParams::rsa(n, e),
        (AlgorithmFamily::Rsa, DecodingKeyKind::SecretOrDer(der)) => {
            return PublicKey::from_der(der, None, None, KeyOptions::default());
        }
        _ => Err(KeyDefect::UnsupportedKeyType),
    }?;
    PublicKey::from_params(params, KeyOptions::default())
}

/// The crate's error for a bad key; only the one for RSA can contain the reason.
fn bad_key(family: AlgorithmFamily, defect: KeyDefect) -> Error {
    new_error(match family {
        AlgorithmFamily::Ed => ErrorKind::InvalidEddsaKey,
        AlgorithmFamily::Ec => ErrorKind::InvalidEcdsaKey,
        AlgorithmFamily::Rsa => ErrorKind::InvalidRsaKey(defect.to_string()),
        AlgorithmFamily::Hmac => ErrorKind::InvalidKeyFormat,
    })
}
