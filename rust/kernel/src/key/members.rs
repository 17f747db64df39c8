//! The JWK members that identify a public key (RFC 7638 section 3.2), in lexicographic order.

use data_encoding::BASE64URL_NOPAD;

use crate::material::Material;

pub(super) type Members = Vec<(&'static str, String)>;

impl Material {
    pub(super) fn members(&self) -> Members {
        match self {
            Self::Ed25519(point) => okp("Ed25519", point),
            Self::P256(point) => uncompressed("P-256", point),
            Self::P384(point) => uncompressed("P-384", point),
            Self::Rsa { modulus, exponent } => rsa(modulus, exponent),
        }
    }
}

pub(super) fn rsa(modulus: &[u8], exponent: &[u8]) -> Members {
    vec![("e", encode(exponent)), ("kty", "RSA".to_owned()), ("n", encode(modulus))]
}

pub(super) fn okp(curve: &str, point: &[u8]) -> Members {
    vec![("crv", curve.to_owned()), ("kty", "OKP".to_owned()), ("x", encode(point))]
}

pub(super) fn ec(curve: &str, x: &[u8], y: &[u8]) -> Members {
    vec![("crv", curve.to_owned()), ("kty", "EC".to_owned()), ("x", encode(x)), ("y", encode(y))]
}

fn uncompressed(curve: &str, point: &[u8]) -> Members {
    let coordinates = point.get(1..).unwrap_or_default();
    let (x, y) = coordinates.split_at(coordinates.len() / 2);
    ec(curve, x, y)
}

pub(super) fn encode(bytes: &[u8]) -> String {
    BASE64URL_NOPAD.encode(bytes)
}
