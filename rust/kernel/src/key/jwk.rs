//! JSON Web Keys (RFC 7517): what a member may be, and what the key may be used for.

use data_encoding::BASE64URL_NOPAD;

use crate::algorithm::{Algorithm, AlgorithmSet};
use crate::json::{Object, Value};
use crate::material::{Defect, Material};

/// Members that only a private or a symmetric key has (RFC 7518 sections 6.2.2, 6.3.2 and 6.4.1).
const PRIVATE_MEMBERS: [&str; 8] = ["d", "p", "q", "dp", "dq", "qi", "oth", "k"];

/// What a JWK says: the key's numbers, its name, and the algorithms that it may be used with.
pub(super) struct Jwk {
    pub(super) material: Material,
    pub(super) key_id: Option<String>,
    pub(super) algorithms: AlgorithmSet,
}

impl Jwk {
    pub(super) fn parse(members: &Object<'_>) -> Result<Self, Defect> {
        let key_type = required(members, "kty", "\"kty\" must be a string")?;
        if key_type == "oct" {
            return Err(Defect::SymmetricKey);
        }
        if PRIVATE_MEMBERS.iter().any(|name| members.contains(name)) {
            return Err(Defect::PrivateKey);
        }
        check_purpose(members)?;
        let key_id = optional(members, "kid", "\"kid\" must be a string")?.map(str::to_owned);
        let material = material(key_type, members)?;
        let algorithms = match optional(members, "alg", "\"alg\" must be a string")? {
            None => material.algorithms(),
            Some(name) => restricted(material.algorithms(), name)?,
        };
        Ok(Self { material, key_id, algorithms })
    }
}

/// The algorithms of a key that is pinned to the one of this name.
pub(super) fn restricted(algorithms: AlgorithmSet, name: &str) -> Result<AlgorithmSet, Defect> {
    Algorithm::from_name(name)
        .filter(|&algorithm| algorithms.contains(algorithm))
        .map(AlgorithmSet::of)
        .ok_or(Defect::AlgorithmMismatch)
}

fn material(key_type: &str, members: &Object<'_>) -> Result<Material, Defect> {
    match key_type {
        "OKP" => match required(members, "crv", "\"crv\" must be a string")? {
            "Ed25519" => Material::ed25519(&bytes(members, "x")?),
            _ => Err(Defect::UnsupportedCurve),
        },
        "EC" => match required(members, "crv", "\"crv\" must be a string")? {
            "P-256" => Material::p256(&bytes(members, "x")?, &bytes(members, "y")?),
            "P-384" => Material::p384(&bytes(members, "x")?, &bytes(members, "y")?),
            _ => Err(Defect::UnsupportedCurve),
        },
        "RSA" => Material::rsa(&bytes(members, "n")?, &bytes(members, "e")?),
        _ => Err(Defect::UnsupportedKeyType),
    }
}

/// `use` and `key_ops` (RFC 7517 sections 4.2 and 4.3): where they are there, they must allow verification.
fn check_purpose(members: &Object<'_>) -> Result<(), Defect> {
    if optional(members, "use", "\"use\" must be a string")?.is_some_and(|purpose| purpose != "sig") {
        return Err(Defect::NotForSignatures);
    }
    let Some(operations) = members.get("key_ops") else { return Ok(()) };
    const MALFORMED: Defect = Defect::Malformed("\"key_ops\" must be an array of different strings");
    let Value::Array(operations) = operations else { return Err(MALFORMED) };
    let mut seen = std::collections::BTreeSet::new();
    for operation in operations.iter() {
        let Value::String(operation) = operation else { return Err(MALFORMED) };
        if !seen.insert(operation) {
            return Err(MALFORMED);
        }
    }
    if seen.contains("verify") { Ok(()) } else { Err(Defect::NotForVerification) }
}

fn optional<'m>(members: &'m Object<'_>, name: &str, complaint: &'static str) -> Result<Option<&'m str>, Defect> {
    match members.get(name) {
        None => Ok(None),
        Some(value) => value.as_str().map(Some).ok_or(Defect::Malformed(complaint)),
    }
}

fn required<'m>(members: &'m Object<'_>, name: &str, complaint: &'static str) -> Result<&'m str, Defect> {
    optional(members, name, complaint)?.ok_or(Defect::Malformed(complaint))
}

fn bytes(members: &Object<'_>, name: &str) -> Result<Vec<u8>, Defect> {
    const COMPLAINT: &str = "the key's numbers must be strings in strict base64url (RFC 7518 section 6)";
    let text = required(members, name, COMPLAINT)?;
    BASE64URL_NOPAD.decode(text.as_bytes()).map_err(|_| Defect::Malformed(COMPLAINT))
}
