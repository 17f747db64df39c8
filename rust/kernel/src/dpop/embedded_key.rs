//! The key that a proof brings along, which its sender chose: what it may cost is settled before anything is computed.

use super::error::{Possession, ProofError};
use crate::header::Header;
use crate::json::{Object, Value};
use crate::key::{PublicKey, thumbprint};
use crate::key_params::KeyDefect;
use crate::signature::Backend;

/// The largest RSA modulus of a proof's key, in bits. Unlike an issuer's keys, these are chosen by whoever sends a
/// request, and the time of a verification grows with the square of their size.
pub const MAX_PROOF_MODULUS_BITS: usize = 4096;

/// 65537 and 3, the RSA exponents of proofs' keys: each bit of an exponent costs a squaring, and others cost more than
/// these. In strict base64url, which is all that a key may be written in, a number has one spelling.
const EXPONENTS: [&str; 2] = ["AQAB", "Aw"];

/// The header's public key, judged as an issuer's would be, and the JWK as it came. `expected_jkt` is the thumbprint
/// that it must have.
pub(super) fn embedded_key(header: &Header<'_>, expected_jkt: Option<&str>) -> Result<(String, PublicKey), ProofError> {
    let jwk = match header.members.get("jwk") {
        Some(Value::Object(jwk)) => *jwk,
        Some(_) => return Err(ProofError::InvalidKey(KeyDefect::NotAnObject)),
        None => return Err(ProofError::InvalidKey(KeyDefect::Malformed("it is missing"))),
    };
    let members = jwk.members();
    check_cost(&members).map_err(ProofError::InvalidKey)?;
    let is_expected = |jkt: &str| expected_jkt.is_none_or(|expected| expected == jkt);
    // A key without a thumbprint is malformed, and the import says how.
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

/// Whether a verification by this key is cheap enough for strangers. Only RSA has keys of many sizes.
fn check_cost(jwk: &Object<'_>) -> Result<(), KeyDefect> {
    let text = |name| jwk.get(name).and_then(Value::as_str);
    if text("kty") != Some("RSA") {
        return Ok(());
    }
    if text("n").is_some_and(|modulus| modulus.len() > (MAX_PROOF_MODULUS_BITS / 8 * 4).div_ceil(3)) {
        return Err(KeyDefect::Malformed("an RSA key of a proof has at most 4096 bits here"));
    }
    if text("e").is_some_and(|exponent| !EXPONENTS.contains(&exponent)) {
        return Err(KeyDefect::Malformed("an RSA key of a proof has the exponent 65537 or 3 here"));
    }
    Ok(())
}
