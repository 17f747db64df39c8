//! The recorded chain: the claims `delegation_chain` and `chain_hash`.
//!
//! Each record names a party that delegated its authority, the scopes it had, and when; the token's `sub` and its scopes
//! are those of the current actor. The issuer signs each record with Ed25519 over `agent|scope,scope|delegated_at`, and
//! writes the signature in hexadecimal. `chain_hash` is the SHA-256, in hexadecimal, of the records as compact JSON.

use data_encoding::HEXLOWER;
use sha2::{Digest, Sha256};

use super::Form;
use crate::algorithm::Algorithm;
use crate::claims::ScopeClaims;
use crate::delegation::chain::Scopes;
use crate::delegation::{Actor, DelegationChain, DelegationError, MAX_ACTORS, MOST_ACTORS, must_be, name_in};
use crate::json::{Object, Value, write_string};
use crate::key::PublicKey;
use crate::key_set::{KeySet, MAX_TRIED};

const CLAIM: &str = "delegation_chain";

const HASH: &str = "chain_hash";

/// The two names of Ed25519 signatures (RFC 8037, RFC 9864).
const ED25519: [Algorithm; 2] = [Algorithm::EdDsa, Algorithm::Ed25519];

pub(super) const FORM: Form =
    Form { claim: CLAIM, read: |claims, scopes| read_chain(claims, None, MAX_ACTORS, scopes) };

impl DelegationChain {
    /// The recorded chain, `delegation_chain`, of at most `max_actors` ([`MOST_ACTORS`] at most). A chain without actors
    /// if there are no records. The current actor's scopes are those of `scope_claims`.
    ///
    /// If `chain_hash` is present, it must be the hash of the records. With `keys` it must be present, and each record
    /// must have a valid signature by one of them.
    ///
    /// # Errors
    /// [`DelegationError`] if the chain is malformed, longer, or not what was hashed and signed.
    pub fn from_records(
        claims: &Object<'_>,
        keys: Option<&KeySet>,
        scope_claims: &ScopeClaims,
        max_actors: usize,
    ) -> Result<Self, DelegationError> {
        read_chain(claims, keys, max_actors, &|| scope_claims.of(claims))
    }
}

fn read_chain(
    claims: &Object<'_>,
    keys: Option<&KeySet>,
    max_actors: usize,
    scopes: Scopes<'_>,
) -> Result<DelegationChain, DelegationError> {
    let records = read(claims, max_actors.min(MOST_ACTORS))?;
    check_hash(claims, &records, keys.is_some())?;
    if let Some(keys) = keys {
        check_signatures(&records, keys)?;
    }
    chain(DelegationChain::without_actors(claims)?, records, claims, scopes)
}

/// One delegation of authority.
struct Record {
    agent: String,
    scopes: Vec<String>,
    delegated_at: String,
    signature: String,
}

/// The records, the oldest first, at most `max`.
fn read(claims: &Object<'_>, max: usize) -> Result<Vec<Record>, DelegationError> {
    let records = match claims.get(CLAIM) {
        None => return Ok(Vec::new()),
        Some(Value::Array(records)) => records,
        Some(_) => return Err(must_be(CLAIM, "an array")),
    };
    if records.iter().nth(max).is_some() {
        return Err(DelegationError::TooDeep { limit: max });
    }
    records
        .iter()
        .map(|record| match record {
            Value::Object(record) => Record::read(&record.members()),
            _ => Err(must_be(CLAIM, "an array of objects")),
        })
        .collect()
}

/// Checks that `chain_hash` is the hash of the records. It may be absent if it is not `required` or there are no records.
fn check_hash(claims: &Object<'_>, records: &[Record], required: bool) -> Result<(), DelegationError> {
    match claims.get(HASH) {
        None if required && !records.is_empty() => Err(must_be(HASH, "present")),
        None => Ok(()),
        Some(Value::String(_)) if records.is_empty() => Err(must_be(HASH, "absent if there are no records")),
        Some(Value::String(hash)) if *hash == hash_of(records) => Ok(()),
        Some(Value::String(_)) => Err(DelegationError::HashMismatch),
        Some(_) => Err(must_be(HASH, "a string")),
    }
}

/// Checks that each record has a valid signature by one of the keys.
fn check_signatures(records: &[Record], keys: &KeySet) -> Result<(), DelegationError> {
    let keys: Vec<(&PublicKey, Algorithm)> = keys
        .keys()
        .iter()
        .filter_map(|key| Some((key, ED25519.into_iter().find(|name| key.algorithms().contains(*name))?)))
        .collect();
    if records.is_empty() {
        return Ok(());
    }
    if !(1..=MAX_TRIED).contains(&keys.len()) {
        return Err(DelegationError::InvalidSignature(
            "the key set has no Ed25519 key to verify the records with, or too many to try each",
        ));
    }
    records.iter().try_for_each(|record| record.check_signature(&keys))
}

/// The chain of the records and of the current actor, built from a chain without actors.
fn chain(
    current: DelegationChain,
    records: Vec<Record>,
    claims: &Object<'_>,
    scopes: Scopes<'_>,
) -> Result<DelegationChain, DelegationError> {
    let mut records = records.into_iter();
    let Some(first) = records.next() else { return Ok(current) };
    let last = name_in(claims, "sub").ok_or_else(|| must_be("sub", "a non-empty string"))?;
    let scopes = scopes().map_err(DelegationError::Malformed)?;
    let mut actors = Vec::new();
    let mut delegated_at = first.delegated_at;
    let mut push = |subject: String, scopes: Vec<String>, at: String| {
        let issuer = current.issuer.clone();
        actors.push(Actor { subject: Some(subject), issuer, scopes: Some(scopes), delegated_at: Some(at) });
    };
    for record in records {
        push(record.agent, record.scopes, std::mem::replace(&mut delegated_at, record.delegated_at));
    }
    push(last.to_owned(), scopes, delegated_at);
    actors.reverse();
    Ok(DelegationChain { subject: Some(first.agent), scopes: Some(first.scopes), actors, ..current })
}

impl Record {
    fn read(members: &Object<'_>) -> Result<Self, DelegationError> {
        let named = |name| name_in(members, name).map(str::to_owned);
        let scopes = match members.get("scope") {
            Some(Value::Array(scopes)) => {
                scopes.iter().map(|scope| scope.as_str().filter(|scope| !scope.is_empty()).map(str::to_owned)).collect()
            }
            _ => None,
        };
        let signature = match members.get("signature") {
            None => Some(String::new()),
            Some(signature) => signature.as_str().map(str::to_owned),
        };
        Ok(Self {
            agent: named("agent").ok_or_else(|| must_be(CLAIM, "records whose \"agent\" is a non-empty string"))?,
            scopes: scopes.ok_or_else(|| must_be(CLAIM, "records whose \"scope\" is an array of non-empty strings"))?,
            delegated_at: named("delegated_at")
                .ok_or_else(|| must_be(CLAIM, "records whose \"delegated_at\" is a non-empty string"))?,
            signature: signature.ok_or_else(|| must_be(CLAIM, "records whose \"signature\" is a string"))?,
        })
    }

    fn check_signature(&self, keys: &[(&PublicKey, Algorithm)]) -> Result<(), DelegationError> {
        // The signed text has no quotes: with a separator inside a name, one signature would be valid for several records.
        if self.agent.contains('|')
            || self.delegated_at.contains('|')
            || self.scopes.iter().any(|one| one.contains(','))
        {
            return Err(DelegationError::InvalidSignature(
                "a record has a separator inside a name, so its signature may be that of another record",
            ));
        }
        let signed = [self.agent.as_str(), &self.scopes.join(","), &self.delegated_at].join("|");
        let is_valid = HEXLOWER.decode(self.signature.as_bytes()).is_ok_and(|signature| {
            keys.iter().any(|(key, algorithm)| key.verify(*algorithm, signed.as_bytes(), &signature))
        });
        if is_valid { Ok(()) } else { Err(DelegationError::InvalidSignature("the signature of a record is invalid")) }
    }

    fn write(&self, json: &mut String) {
        json.push_str("{\"agent\":");
        write_string(&self.agent, json);
        json.push_str(",\"scope\":[");
        for (index, scope) in self.scopes.iter().enumerate() {
            if index > 0 {
                json.push(',');
            }
            write_string(scope, json);
        }
        json.push_str("],\"delegated_at\":");
        write_string(&self.delegated_at, json);
        json.push_str(",\"signature\":");
        write_string(&self.signature, json);
        json.push('}');
    }
}

fn hash_of(records: &[Record]) -> String {
    let mut json = String::from("[");
    for (index, record) in records.iter().enumerate() {
        if index > 0 {
            json.push(',');
        }
        record.write(&mut json);
    }
    json.push(']');
    HEXLOWER.encode(&Sha256::digest(json))
}
