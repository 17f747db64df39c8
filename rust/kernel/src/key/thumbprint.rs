//! JWK thumbprints (RFC 7638, and RFC 8037 section 2 for OKP), and their URIs (RFC 9278).

use data_encoding::BASE64URL_NOPAD;
use sha2::{Digest, Sha256};
use spki::ObjectIdentifier;

use super::jwk::without_leading_zeros;
use super::members::{self, Members, encode};
use super::spki::{self as encoding, Numbers};
use crate::json::{Object, Value};
use crate::material::{Defect, Material};

/// The SHA-256 thumbprint of a JWK, in base64url without padding: 43 characters.
///
/// Only the members that RFC 7638 section 3.2 requires take part, so a private key has the thumbprint of its public
/// part. The key is not judged: a thumbprint names a key, it does not vouch for it. A key has one thumbprint: leading zero
/// bytes of an RSA key's numbers, which RFC 7518 section 2 forbids and some issuers write, take no part.
///
/// # Errors
/// [`Defect::UnsupportedKeyType`] for a `kty` other than `EC`, `OKP`, `RSA` and `oct`; [`Defect::Malformed`] where a
/// required member is missing or not strict base64url.
pub fn thumbprint(jwk: &Object<'_>) -> Result<String, Defect> {
    let key_type = jwk.get("kty").and_then(Value::as_str).ok_or(Defect::Malformed("\"kty\" must be a string"))?;
    let required: &[&'static str] = match key_type {
        "EC" => &["crv", "kty", "x", "y"],
        "OKP" => &["crv", "kty", "x"],
        "RSA" => &["e", "kty", "n"],
        "oct" => &["k", "kty"],
        _ => return Err(Defect::UnsupportedKeyType),
    };
    const COMPLAINT: Defect =
        Defect::Malformed("a member that the thumbprint needs is missing or malformed (RFC 7638 section 3.2)");
    let mut members: Members = Vec::with_capacity(required.len());
    for &name in required {
        let value = jwk.get(name).and_then(Value::as_str).unwrap_or_default();
        let canonical = match name {
            // A curve's name is registered by IANA: letters, digits, hyphens. Nothing here needs escaping.
            "crv" | "kty" if value.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-') => value.to_owned(),
            "crv" | "kty" => return Err(COMPLAINT),
            _ => {
                let bytes = BASE64URL_NOPAD.decode(value.as_bytes()).map_err(|_| COMPLAINT)?;
                encode(if matches!(name, "n" | "e") { without_leading_zeros(&bytes) } else { &bytes })
            }
        };
        if canonical.is_empty() {
            return Err(COMPLAINT);
        }
        members.push((name, canonical));
    }
    Ok(digest(&members))
}

/// The SHA-256 thumbprint of the public key in a `SubjectPublicKeyInfo` or a PKCS #1 `RSAPublicKey`, in DER: that of the
/// same key as JWK. The key is not judged.
///
/// # Errors
/// [`Defect::Malformed`] where it is not such an encoding; [`Defect::UnsupportedKeyType`] or
/// [`Defect::UnsupportedCurve`] where JWK has no name for the key; [`Defect::PrivateKey`].
pub fn thumbprint_of_der(der: &[u8]) -> Result<String, Defect> {
    encoding::read(der, |numbers| match numbers {
        Numbers::Rsa(modulus, exponent) => Ok(digest(&members::rsa(modulus, exponent))),
        Numbers::Octets(curve, point) => {
            let (name, _, length) = registered(&OCTET_CURVES, curve).ok_or(Defect::UnsupportedKeyType)?;
            if point.len() != length {
                return Err(Defect::Malformed("the point does not have the length of its curve (RFC 8410 section 4)"));
            }
            Ok(digest(&members::okp(name, point)))
        }
        Numbers::Elliptic(curve, point) => {
            let (name, _, length) = registered(&ELLIPTIC_CURVES, curve).ok_or(Defect::UnsupportedCurve)?;
            let (x, y) = encoding::coordinates(point)?;
            if x.len() != length || y.len() != length {
                return Err(Defect::Malformed(
                    "the point does not have the length of its curve (RFC 5480 section 2.2)",
                ));
            }
            Ok(digest(&members::ec(name, x, y)))
        }
    })
}

/// The SHA-256 thumbprint of the one public key in a PEM text (RFC 7468).
///
/// # Errors
/// As [`thumbprint_of_der`]; [`Defect::Malformed`] where there is not exactly one key.
pub fn thumbprint_of_pem(pem: &str) -> Result<String, Defect> {
    match encoding::pem_blocks(pem)?.as_slice() {
        [der] => thumbprint_of_der(der),
        _ => Err(Defect::Malformed("a thumbprint is of one key, and the PEM text has several")),
    }
}

/// The URI of a SHA-256 thumbprint (RFC 9278 section 3).
pub fn thumbprint_uri(thumbprint: &str) -> String {
    format!("urn:ietf:params:oauth:jwk-thumbprint:sha-256:{thumbprint}")
}

/// A curve's name in JWK, its object identifier, and the length of a coordinate or an encoded point in bytes.
type Curve = (&'static str, ObjectIdentifier, usize);

/// RFC 7518 section 6.2.1.1, RFC 8812 section 3.1.
const ELLIPTIC_CURVES: [Curve; 4] = [
    ("P-256", encoding::P256, 32),
    ("P-384", encoding::P384, 48),
    ("P-521", ObjectIdentifier::new_unwrap("1.3.132.0.35"), 66),
    ("secp256k1", ObjectIdentifier::new_unwrap("1.3.132.0.10"), 32),
];

/// RFC 8037 section 2, RFC 8410 section 3.
const OCTET_CURVES: [Curve; 4] = [
    ("Ed25519", encoding::ED25519, 32),
    ("Ed448", encoding::ED448, 57),
    ("X25519", encoding::X25519, 32),
    ("X448", encoding::X448, 56),
];

fn registered(curves: &[Curve], identifier: ObjectIdentifier) -> Option<Curve> {
    curves.iter().copied().find(|(_, own, _)| *own == identifier)
}

impl Material {
    pub(crate) fn thumbprint(&self) -> String {
        digest(&self.members())
    }
}

/// The digest of the canonical JSON object with these members, which are in lexicographic order.
fn digest(members: &[(&str, String)]) -> String {
    let mut hash = Sha256::new();
    let mut before = "{\"";
    for (name, value) in members {
        for part in [before, name, "\":\"", value, "\""] {
            hash.update(part);
        }
        before = ",\"";
    }
    BASE64URL_NOPAD.encode(&hash.chain_update("}").finalize())
}
