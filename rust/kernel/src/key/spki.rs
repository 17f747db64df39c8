//! Public keys in DER and PEM: `SubjectPublicKeyInfo` (RFC 5280, RFC 5480, RFC 8410) and PKCS #1 (RFC 8017).

use rsa::pkcs1;
use rsa::pkcs8::PrivateKeyInfo;
use spki::der::pem::{PemLabel as _, decode_vec};
use spki::{ObjectIdentifier, SubjectPublicKeyInfoRef};

use super::{Defect, Material};

const EC_PUBLIC_KEY: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.2.1");
const P256: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.3.1.7");
const P384: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.132.0.34");
const RSA_ENCRYPTION: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1");
const ED25519: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.101.112");

const MALFORMED_DER: Defect = Defect::Malformed("not a public key in DER");
const MALFORMED_PEM: Defect = Defect::Malformed("a PEM block is malformed (RFC 7468)");

/// The key in a DER encoding of either kind.
pub(super) fn parse(der: &[u8]) -> Result<Material, Defect> {
    match SubjectPublicKeyInfoRef::try_from(der) {
        Ok(info) => from_info(&info),
        Err(_) => from_pkcs1(der),
    }
}

/// The DER contents of every block of a PEM text, whatever stands around the blocks (RFC 7468 section 2).
pub(super) fn pem_blocks(pem: &str) -> Result<Vec<Vec<u8>>, Defect> {
    let mut blocks = Vec::new();
    let mut rest = pem;
    while let Some(start) = rest.find("-----BEGIN ") {
        let (text, after) = split_block(rest.get(start..).unwrap_or_default()).ok_or(MALFORMED_PEM)?;
        blocks.push(block(text)?);
        rest = after;
    }
    if blocks.is_empty() {
        return Err(Defect::Malformed("not PEM: there is no \"-----BEGIN\" line"));
    }
    Ok(blocks)
}

/// A text that starts with a block: the block up to the end of its last line, and what follows.
fn split_block(text: &str) -> Option<(&str, &str)> {
    const DASHES: &str = "-----";
    let label = text.find("-----END ")? + DASHES.len();
    let end = label + text.get(label..)?.find(DASHES)? + DASHES.len();
    text.split_at_checked(end)
}

fn block(text: &str) -> Result<Vec<u8>, Defect> {
    let (label, der) = decode_vec(text.as_bytes()).map_err(|_| MALFORMED_PEM)?;
    match label {
        SubjectPublicKeyInfoRef::PEM_LABEL | "RSA PUBLIC KEY" => Ok(der),
        "CERTIFICATE" => Err(Defect::Malformed("a certificate is not a key: extract its public key first")),
        _ if label.ends_with("PRIVATE KEY") => Err(Defect::PrivateKey),
        _ => Err(Defect::Malformed("the PEM block is neither PUBLIC KEY nor RSA PUBLIC KEY")),
    }
}

fn from_info(info: &SubjectPublicKeyInfoRef<'_>) -> Result<Material, Defect> {
    let key = info.subject_public_key.as_bytes().ok_or(MALFORMED_DER)?;
    if info.algorithm.oid == RSA_ENCRYPTION {
        // NULL (RFC 8017 appendix A.1); many an encoder leaves it out.
        return if info.algorithm.parameters.is_none_or(|any| any.is_null()) {
            from_pkcs1(key)
        } else {
            Err(MALFORMED_DER)
        };
    }
    if info.algorithm.oid == ED25519 {
        // Absent (RFC 8410 section 3).
        return if info.algorithm.parameters.is_none() { Material::ed25519(key) } else { Err(MALFORMED_DER) };
    }
    if info.algorithm.oid != EC_PUBLIC_KEY {
        return Err(Defect::UnsupportedKeyType);
    }
    let [4, coordinates @ ..] = key else {
        return Err(Defect::Malformed("an elliptic curve point must be uncompressed"));
    };
    let (x, y) = coordinates.split_at(coordinates.len() / 2);
    match info.algorithm.parameters_oid() {
        Ok(P256) => Material::p256(x, y),
        Ok(P384) => Material::p384(x, y),
        _ => Err(Defect::UnsupportedCurve),
    }
}

fn from_pkcs1(der: &[u8]) -> Result<Material, Defect> {
    if PrivateKeyInfo::try_from(der).is_ok() || pkcs1::RsaPrivateKey::try_from(der).is_ok() {
        return Err(Defect::PrivateKey);
    }
    let key = pkcs1::RsaPublicKey::try_from(der).map_err(|_| MALFORMED_DER)?;
    Material::rsa(key.modulus.as_bytes(), key.public_exponent.as_bytes())
}
