//! A name for a token in places where the token itself must not be shown.

use data_encoding::BASE64URL_NOPAD;
use sha2::{Digest, Sha256};

/// The SHA-256 of a token as it was sent, in base64url without padding: what `ath` is in a DPoP proof (RFC 9449
/// section 4.2).
pub fn token_hash(token: &[u8]) -> String {
    BASE64URL_NOPAD.encode(&Sha256::digest(token))
}
