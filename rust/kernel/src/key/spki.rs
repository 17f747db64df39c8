//! Public keys in DER and PEM: `SubjectPublicKeyInfo` (RFC 5280, RFC 5480, RFC 8410) and PKCS #1 (RFC 8017).

use pkcs8::PrivateKeyInfo;
use spki::der::pem::PemLabel as _;
use spki::{ObjectIdentifier, SubjectPublicKeyInfoRef};

use crate::key_params::{KeyDefect, KeyParams};
use crate::pem;

/// The parameters of a public key as they are encoded, unchecked.
#[derive(Debug, Clone, Copy)]
pub(super) enum RawParams<'a> {
    /// Modulus and exponent, big endian without leading zeros.
    Rsa(&'a [u8], &'a [u8]),
    /// The curve and the encoded point.
    Elliptic(ObjectIdentifier, &'a [u8]),
    /// A curve whose keys have an algorithm of their own (RFC 8410), and the encoded point.
    Octets(ObjectIdentifier, &'a [u8]),
}

const EC_PUBLIC_KEY: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.2.1");
pub(super) const P256: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.3.1.7");
pub(super) const P384: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.132.0.34");
const RSA_ENCRYPTION: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1");
pub(super) const ED25519: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.101.112");
pub(super) const ED448: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.101.113");
pub(super) const X25519: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.101.110");
pub(super) const X448: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.101.111");
const OCTET_CURVES: [ObjectIdentifier; 4] = [ED25519, ED448, X25519, X448];

const MALFORMED_DER: KeyDefect = KeyDefect::Malformed("not a public key in DER");
const MALFORMED_PEM: KeyDefect = KeyDefect::Malformed("a PEM block is malformed (RFC 7468)");

/// Parses a key in either of the DER encodings.
pub(super) fn parse(der: &[u8]) -> Result<KeyParams, KeyDefect> {
    read(der, |params| match params {
        RawParams::Rsa(modulus, exponent) => KeyParams::rsa(modulus, exponent),
        RawParams::Octets(ED25519, point) => KeyParams::ed25519(point),
        RawParams::Octets(..) => Err(KeyDefect::UnsupportedKeyType),
        RawParams::Elliptic(curve, point) => {
            let (x, y) = coordinates(point)?;
            match curve {
                P256 => KeyParams::p256(x, y),
                P384 => KeyParams::p384(x, y),
                _ => Err(KeyDefect::UnsupportedCurve),
            }
        }
    })
}

/// Passes the parameters in either of the DER encodings to `take`.
pub(super) fn read<T>(der: &[u8], take: impl FnOnce(RawParams<'_>) -> Result<T, KeyDefect>) -> Result<T, KeyDefect> {
    match SubjectPublicKeyInfoRef::try_from(der) {
        Ok(info) => from_info(&info, take),
        Err(_) => from_pkcs1(der, take),
    }
}

/// The two halves of an uncompressed point (SEC 1 section 2.3.3).
pub(crate) fn coordinates(point: &[u8]) -> Result<(&[u8], &[u8]), KeyDefect> {
    let [4, coordinates @ ..] = point else {
        return Err(KeyDefect::Malformed("an elliptic curve point must be uncompressed"));
    };
    Ok(coordinates.split_at(coordinates.len() / 2))
}

/// The DER content of every block of a PEM text. Text around the blocks is ignored (RFC 7468 section 2).
pub(super) fn pem_blocks(pem: &str) -> Result<Vec<Vec<u8>>, KeyDefect> {
    let blocks: Vec<_> = pem::blocks(pem).map(block).collect::<Result<_, _>>()?;
    if blocks.is_empty() {
        return Err(KeyDefect::Malformed("not PEM: there is no \"-----BEGIN\" line"));
    }
    Ok(blocks)
}

fn block(block: Option<(&str, Vec<u8>)>) -> Result<Vec<u8>, KeyDefect> {
    let (label, der) = block.ok_or(MALFORMED_PEM)?;
    match label {
        SubjectPublicKeyInfoRef::PEM_LABEL | "RSA PUBLIC KEY" => Ok(der),
        "CERTIFICATE" => Err(KeyDefect::Malformed("a certificate is not a key: extract its public key first")),
        _ if label.ends_with("PRIVATE KEY") => Err(KeyDefect::PrivateKey),
        _ => Err(KeyDefect::Malformed("the PEM block is neither PUBLIC KEY nor RSA PUBLIC KEY")),
    }
}

fn from_info<T>(
    info: &SubjectPublicKeyInfoRef<'_>,
    take: impl FnOnce(RawParams<'_>) -> Result<T, KeyDefect>,
) -> Result<T, KeyDefect> {
    let key = info.subject_public_key.as_bytes().ok_or(MALFORMED_DER)?;
    let parameters = info.algorithm.parameters;
    match info.algorithm.oid {
        // NULL (RFC 8017 appendix A.1); many encoders omit it.
        RSA_ENCRYPTION if parameters.is_none_or(|any| any.is_null()) => from_pkcs1(key, take),
        EC_PUBLIC_KEY => {
            let curve = info.algorithm.parameters_oid().map_err(|_| KeyDefect::UnsupportedCurve)?;
            take(RawParams::Elliptic(curve, key))
        }
        // Absent (RFC 8410 section 3).
        curve if OCTET_CURVES.contains(&curve) && parameters.is_none() => take(RawParams::Octets(curve, key)),
        known if known == RSA_ENCRYPTION || OCTET_CURVES.contains(&known) => Err(MALFORMED_DER),
        _ => Err(KeyDefect::UnsupportedKeyType),
    }
}

fn from_pkcs1<T>(der: &[u8], take: impl FnOnce(RawParams<'_>) -> Result<T, KeyDefect>) -> Result<T, KeyDefect> {
    if PrivateKeyInfo::try_from(der).is_ok() || pkcs1::RsaPrivateKey::try_from(der).is_ok() {
        return Err(KeyDefect::PrivateKey);
    }
    let key = pkcs1::RsaPublicKey::try_from(der).map_err(|_| MALFORMED_DER)?;
    take(RawParams::Rsa(key.modulus.as_bytes(), key.public_exponent.as_bytes()))
}
