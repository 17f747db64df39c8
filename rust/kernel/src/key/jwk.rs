//! JSON Web Keys (RFC 7517): their members, and what the key may be used for.

use std::sync::Arc;

use data_encoding::BASE64URL_NOPAD;

use crate::algorithm::{Algorithm, AlgorithmSet};
use crate::json::{Object, Value};
use crate::key_params::{KeyDefect, KeyParams};

/// Members that only a private or a symmetric key has (RFC 7518 sections 6.2.2, 6.3.2 and 6.4.1).
pub(super) const PRIVATE_MEMBERS: [&str; 8] = ["d", "p", "q", "dp", "dq", "qi", "oth", "k"];

/// All other members that are read: with those above, they decide which key it is, or why it is rejected.
pub(super) const PUBLIC_MEMBERS: [&str; 11] =
    ["kty", "crv", "x", "y", "n", "e", "kid", "use", "key_ops", "alg", "issuer"];

/// Where a JWK was found, which decides how strictly it is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Source {
    /// A key set, as issuers publish it: an optional member that is null counts as absent, the parameters of an RSA
    /// key may have leading zero bytes, and `use` may be `jwt-svid`. None of this changes which key is meant.
    KeySet,
    /// A header, whose sender chooses every byte: strictly as the RFCs define it.
    Header,
}

/// The content of a JWK: the key's parameters, its `kid`, and the algorithms that it may be used with.
pub(super) struct Jwk {
    pub(super) params: KeyParams,
    pub(super) key_id: Option<String>,
    pub(super) algorithms: AlgorithmSet,
    pub(super) issuer: Option<Arc<str>>,
}

impl Jwk {
    pub(super) fn parse(members: &Object<'_>, source: Source) -> Result<Self, KeyDefect> {
        let optional = |name, complaint| match members.get(name) {
            Some(Value::Null) if source == Source::KeySet => Ok(None),
            _ => optional(members, name, complaint),
        };
        let key_type = required(members, "kty", "\"kty\" must be a string")?;
        if key_type == "oct" {
            return Err(KeyDefect::SymmetricKey);
        }
        if PRIVATE_MEMBERS.iter().any(|name| is_present(members.get(name), source)) {
            return Err(KeyDefect::PrivateKey);
        }
        check_use(optional("use", "\"use\" must be a string")?, source)?;
        if let Some(operations) = members.get("key_ops").filter(|operations| is_present(Some(operations), source)) {
            check_operations(operations)?;
        }
        let key_id = optional("kid", "\"kid\" must be a string")?.map(str::to_owned);
        let params = key_params(key_type, members, source)?;
        let algorithms = match optional("alg", "\"alg\" must be a string")? {
            None => params.algorithms(),
            Some(name) => restricted(params.algorithms(), name)?,
        };
        // This member is not registered: some multi-tenant issuers use it to restrict a key to the tokens of one
        // tenant. If it is not a string it names no issuer, and the key is valid for no tenant.
        let issuer = match members.get("issuer") {
            None | Some(Value::Null) => None,
            Some(issuer) => Some(issuer.as_str().unwrap_or_default().into()),
        };
        Ok(Self { params, key_id, algorithms, issuer })
    }
}

/// The set of the named algorithm, which must be one of `algorithms`.
pub(super) fn restricted(algorithms: AlgorithmSet, name: &str) -> Result<AlgorithmSet, KeyDefect> {
    Algorithm::from_name(name)
        .filter(|&algorithm| algorithms.contains(algorithm))
        .map(AlgorithmSet::of)
        .ok_or(KeyDefect::AlgorithmMismatch)
}

fn key_params(key_type: &str, members: &Object<'_>, source: Source) -> Result<KeyParams, KeyDefect> {
    match key_type {
        "OKP" => match required(members, "crv", "\"crv\" must be a string")? {
            "Ed25519" => KeyParams::ed25519(&bytes(members, "x")?),
            _ => Err(KeyDefect::UnsupportedCurve),
        },
        "EC" => match required(members, "crv", "\"crv\" must be a string")? {
            "P-256" => KeyParams::p256(&bytes(members, "x")?, &bytes(members, "y")?),
            "P-384" => KeyParams::p384(&bytes(members, "x")?, &bytes(members, "y")?),
            _ => Err(KeyDefect::UnsupportedCurve),
        },
        "RSA" => {
            let (modulus, exponent) = (bytes(members, "n")?, bytes(members, "e")?);
            match source {
                Source::KeySet => KeyParams::rsa(without_leading_zeros(&modulus), without_leading_zeros(&exponent)),
                Source::Header => KeyParams::rsa(&modulus, &exponent),
            }
        }
        _ => Err(KeyDefect::UnsupportedKeyType),
    }
}

/// Whether the member is present. In a key set, null counts as absent: some serialisers write it for members that a key
/// does not have, and it is neither a private parameter nor a restriction.
fn is_present(member: Option<&Value<'_>>, source: Source) -> bool {
    match member {
        None => false,
        Some(Value::Null) => source == Source::Header,
        Some(_) => true,
    }
}

/// A number in the minimal form of RFC 7518 section 2 (Base64urlUInt). Encoders of signed numbers put a zero byte in
/// front of a modulus, and others write every exponent in four bytes.
pub(super) fn without_leading_zeros(number: &[u8]) -> &[u8] {
    let zeros = number.iter().take_while(|&&byte| byte == 0).count();
    number.get(zeros..).unwrap_or_default()
}

/// `use` (RFC 7517 section 4.2): if present, it must be `sig`, or `jwt-svid` in a SPIFFE bundle (SPIFFE Trust Domain
/// and Bundle section 4.2.2).
fn check_use(purpose: Option<&str>, source: Source) -> Result<(), KeyDefect> {
    match (purpose, source) {
        (None | Some("sig"), _) | (Some("jwt-svid"), Source::KeySet) => Ok(()),
        _ => Err(KeyDefect::NotForSignatures),
    }
}

/// `key_ops` (RFC 7517 section 4.3): if present, it must contain `verify`.
fn check_operations(operations: &Value<'_>) -> Result<(), KeyDefect> {
    const MALFORMED: KeyDefect = KeyDefect::Malformed("\"key_ops\" must be an array of different strings");
    let Value::Array(operations) = operations else { return Err(MALFORMED) };
    let mut seen = std::collections::BTreeSet::new();
    for operation in operations.iter() {
        let Value::String(operation) = operation else { return Err(MALFORMED) };
        if !seen.insert(operation) {
            return Err(MALFORMED);
        }
    }
    if seen.contains("verify") { Ok(()) } else { Err(KeyDefect::NotForVerification) }
}

fn optional<'m>(members: &'m Object<'_>, name: &str, complaint: &'static str) -> Result<Option<&'m str>, KeyDefect> {
    match members.get(name) {
        None => Ok(None),
        Some(value) => value.as_str().map(Some).ok_or(KeyDefect::Malformed(complaint)),
    }
}

fn required<'m>(members: &'m Object<'_>, name: &str, complaint: &'static str) -> Result<&'m str, KeyDefect> {
    optional(members, name, complaint)?.ok_or(KeyDefect::Malformed(complaint))
}

fn bytes(members: &Object<'_>, name: &str) -> Result<Vec<u8>, KeyDefect> {
    const COMPLAINT: &str = "the key's parameters must be strings in strict base64url (RFC 7518 section 6)";
    let text = required(members, name, COMPLAINT)?;
    BASE64URL_NOPAD.decode(text.as_bytes()).map_err(|_| KeyDefect::Malformed(COMPLAINT))
}
