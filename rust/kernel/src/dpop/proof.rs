//! A verified proof.

use std::fmt;

use data_encoding::BASE64URL_NOPAD;
use sha2::{Digest, Sha256};

use crate::algorithm::Algorithm;
use crate::replay::{HOLDER_BYTES, ReplayId};
use crate::time::NumericDate;

/// A verified proof. Only [`verify_proof`](super::verify_proof) makes one.
#[derive(Clone)]
pub struct DpopProof {
    pub(super) jkt: String,
    pub(super) jwk: String,
    pub(super) algorithm: Algorithm,
    pub(super) token_id: String,
    pub(super) method: String,
    pub(super) uri: String,
    pub(super) issued_at: NumericDate,
    pub(super) nonce: Option<String>,
    pub(super) access_token_hash: Option<String>,
    pub(super) expires_at: f64,
}

impl DpopProof {
    /// The RFC 7638 thumbprint of the key that signed the proof.
    pub fn jkt(&self) -> &str {
        &self.jkt
    }

    /// The public key that signed the proof: the JWK of the header, unchanged.
    pub fn jwk(&self) -> &str {
        &self.jwk
    }

    /// The algorithm of the signature.
    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// The claim `jti`.
    pub fn token_id(&self) -> &str {
        &self.token_id
    }

    /// The claim `htm`: the method of the request.
    pub fn method(&self) -> &str {
        &self.method
    }

    /// The claim `htu`, unchanged: the URI of the request.
    pub fn uri(&self) -> &str {
        &self.uri
    }

    /// The claim `iat`.
    pub fn issued_at(&self) -> NumericDate {
        self.issued_at
    }

    /// The claim `nonce`, if it is present.
    pub fn nonce(&self) -> Option<&str> {
        self.nonce.as_deref()
    }

    /// The claim `ath`, the hash of the access token, if it is present.
    pub fn access_token_hash(&self) -> Option<&str> {
        self.access_token_hash.as_deref()
    }

    /// The id of the proof in a replay cache: the first half of the key's thumbprint, and of a hash of the thumbprint and
    /// `jti`. A `jti` is unique for one key only, no key can use up the ids of another, and a cache can tell the keys
    /// apart.
    pub fn replay_id(&self) -> ReplayId {
        // The thumbprint always has 43 characters, so the concatenation is unambiguous.
        let proof = Sha256::new().chain_update(&self.jkt).chain_update(&self.token_id).finalize();
        let key = BASE64URL_NOPAD.decode(self.jkt.as_bytes()).unwrap_or_default();
        let mut id = ReplayId::default();
        for (byte, of) in id.iter_mut().zip(key.iter().take(HOLDER_BYTES).chain(&proof)) {
            *byte = *of;
        }
        id
    }

    /// When a replay cache may forget the proof, in Unix seconds: no verifier whose clock is at most the leeway behind
    /// accepts it after that.
    pub fn expires_at(&self) -> f64 {
        self.expires_at
    }
}

impl fmt::Debug for DpopProof {
    /// Writes the algorithm, nothing of what is signed.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DpopProof").field("algorithm", &self.algorithm).finish_non_exhaustive()
    }
}
