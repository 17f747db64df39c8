//! The public key in the header of a proof. The sender chooses it, so its cost is checked before anything is computed.

use super::error::{Possession, ProofError};
use crate::json::{Object, Value};
use crate::jws::Header;
use crate::key::{PublicKey, thumbprint};
use crate::key_params::KeyDefect;
use crate::signature::Backend;

/// The maximum size of an RSA modulus in a proof, in bits. Unlike an issuer's keys, these are chosen by the sender of the
/// request, and the time of a verification grows with the square of their size.
pub const MAX_PROOF_MODULUS_BITS: usize = 4096;

/// The accepted RSA exponents of proofs' keys: 65537 and 3. Each bit of an exponent costs a squaring, and others cost more.
/// In strict base64url a number has one spelling.
const EXPONENTS: [&str; 2] = ["AQAB", "Aw"];

/// The header's JWK, unchanged, and its public key, validated like an issuer's. `expected_jkt` is the thumbprint that it
/// must have.
pub(super) fn embedded_key(header: &Header<'_>, expected_jkt: Option<&str>) -> Result<(String, PublicKey), ProofError> {
    let jwk = match header.members.get("jwk") {
        Some(Value::Object(jwk)) => *jwk,
        Some(_) => return Err(ProofError::InvalidKey(KeyDefect::NotAnObject)),
        None => return Err(ProofError::InvalidKey(KeyDefect::Malformed("it is missing"))),
    };
    let members = jwk.members();
    check_cost(&members).map_err(ProofError::InvalidKey)?;
    let is_expected = |jkt: &str| expected_jkt.is_none_or(|expected| expected == jkt);
    // A key without a thumbprint is malformed; the import reports why.
    if expected_jkt.is_some() && thumbprint(&members).is_ok_and(|jkt| !is_expected(&jkt)) {
        return Err(Possession::KeyMismatch.into());
    }
    let key = PublicKey::from_header_jwk(&members, Backend::Default).map_err(|defect| match defect {
        KeyDefect::PrivateKey => ProofError::PrivateKey,
        defect => ProofError::InvalidKey(defect),
    })?;
    if !is_expected(key.thumbprint()) {
        return Err(Possession::KeyMismatch.into());
    }
    Ok((jwk.as_json().to_owned(), key))
}

/// Checks that a verification with this key is cheap enough for unauthenticated senders. Only RSA keys vary in size.
fn check_cost(jwk: &Object<'_>) -> Result<(), KeyDefect> {
    let text = |name| jwk.get(name).and_then(Value::as_str);
    if text("kty") != Some("RSA") {
        return Ok(());
    }
    if text("n").is_some_and(|modulus| modulus.len() > (MAX_PROOF_MODULUS_BITS / 8 * 4).div_ceil(3)) {
        return Err(KeyDefect::Malformed("an RSA key of a proof must have at most 4096 bits"));
    }
    if text("e").is_some_and(|exponent| !EXPONENTS.contains(&exponent)) {
        return Err(KeyDefect::Malformed("an RSA key of a proof must have the exponent 65537 or 3"));
    }
    Ok(())
}
