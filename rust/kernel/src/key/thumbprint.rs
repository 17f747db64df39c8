//! JWK thumbprints (RFC 7638, and RFC 8037 section 2 for OKP).

use data_encoding::BASE64URL_NOPAD;
use sha2::{Digest, Sha256};

use super::{Defect, Material};
use crate::json::{Object, Value};

/// The SHA-256 thumbprint of a JWK, in base64url without padding: 43 characters.
///
/// Only the members that RFC 7638 section 3.2 requires take part, so a private key has the thumbprint of its public
/// part. The key is not judged: a thumbprint names a key, it does not vouch for it.
///
/// # Errors
/// [`Defect::UnsupportedKeyType`] for a `kty` other than `EC`, `OKP`, `RSA` and `oct`; [`Defect::Malformed`] where a
/// required member is missing or not strict base64url.
pub fn thumbprint(jwk: &Object<'_>) -> Result<String, Defect> {
    let key_type = jwk.get("kty").and_then(Value::as_str).ok_or(Defect::Malformed("\"kty\" must be a string"))?;
    let required: &[&str] = match key_type {
        "EC" => &["crv", "kty", "x", "y"],
        "OKP" => &["crv", "kty", "x"],
        "RSA" => &["e", "kty", "n"],
        "oct" => &["k", "kty"],
        _ => return Err(Defect::UnsupportedKeyType),
    };
    let mut members = Vec::with_capacity(required.len());
    for &name in required {
        let value = jwk.get(name).and_then(Value::as_str).unwrap_or_default();
        let is_plain = match name {
            // A curve's name is registered by IANA: letters, digits, hyphens. Nothing here needs escaping.
            "crv" | "kty" => value.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-'),
            _ => BASE64URL_NOPAD.decode(value.as_bytes()).is_ok(),
        };
        if value.is_empty() || !is_plain {
            return Err(Defect::Malformed(
                "a member that the thumbprint needs is missing or malformed (RFC 7638 section 3.2)",
            ));
        }
        members.push((name, value));
    }
    Ok(digest(&members))
}

impl Material {
    pub(crate) fn thumbprint(&self) -> String {
        let encode = |bytes: &[u8]| BASE64URL_NOPAD.encode(bytes);
        match self {
            Self::Ed25519(point) => digest(&[("crv", "Ed25519"), ("kty", "OKP"), ("x", &encode(point))]),
            Self::P256(point) => elliptic("P-256", point),
            Self::P384(point) => elliptic("P-384", point),
            Self::Rsa { modulus, exponent } => {
                digest(&[("e", &encode(exponent)), ("kty", "RSA"), ("n", &encode(modulus))])
            }
        }
    }
}

fn elliptic(curve: &str, point: &[u8]) -> String {
    let coordinates = point.get(1..).unwrap_or_default();
    let (x, y) = coordinates.split_at(coordinates.len() / 2);
    digest(&[("crv", curve), ("kty", "EC"), ("x", &BASE64URL_NOPAD.encode(x)), ("y", &BASE64URL_NOPAD.encode(y))])
}

/// The digest of the canonical JSON object with these members, which are in lexicographic order.
fn digest(members: &[(&str, &str)]) -> String {
    let fields: Vec<String> = members.iter().map(|(name, value)| format!("\"{name}\":\"{value}\"")).collect();
    BASE64URL_NOPAD.encode(&Sha256::digest(format!("{{{}}}", fields.join(","))))
}
