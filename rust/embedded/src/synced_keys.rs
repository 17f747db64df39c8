//! The file with the keys of several issuers, as `watchword keys sync` writes it.
//!
//! `{"issuers": {"https://as.example": {"jwks": {"keys": […]}, "valid_until": 1763900000}}}`: the keys of an issuer may be
//! used before `valid_until`, in Unix seconds, and not at all if it is not listed.

use std::collections::HashMap;
use std::sync::Arc;

use watchword_kernel::json::{MAX_DEPTH, Object, Value};
use watchword_kernel::{Backend, KeySet};

/// The maximum length of the file, in bytes.
pub(crate) const MAX_SYNCED: usize = 64 * 1024 * 1024;

/// How much deeper than a JWK Set the file is nested.
const ENVELOPE_DEPTH: usize = 3;

/// The keys of an issuer, and until when they may be used.
#[derive(Clone)]
pub(crate) struct SyncedKeys {
    pub(crate) keys: Arc<KeySet>,
    /// The JWK Set, as it stands in the file.
    pub(crate) document: Box<str>,
    /// Unix seconds.
    pub(crate) valid_until: f64,
}

/// The keys of each issuer that is listed.
///
/// # Errors
/// One sentence, if the document is not such a file, or if a JWK Set in it is invalid.
pub(crate) fn parse(document: &[u8]) -> Result<HashMap<String, SyncedKeys>, String> {
    let members = Object::parse_within(document, MAX_DEPTH + ENVELOPE_DEPTH).map_err(|error| error.to_string())?;
    let Some(Value::Object(issuers)) = members.get("issuers") else {
        return Err("it has no object \"issuers\", as `watchword keys sync` writes it".to_owned());
    };
    let mut found = HashMap::new();
    for (issuer, entry) in issuers.members().iter() {
        let entry = match entry {
            Value::Object(entry) => entry.members(),
            _ => return Err(format!("the entry of {issuer:?} is not an object")),
        };
        let (Some(Value::Object(jwks)), Some(Value::Number(valid_until))) =
            (entry.get("jwks"), entry.get("valid_until"))
        else {
            return Err(format!("the entry of {issuer:?} needs \"jwks\", an object, and \"valid_until\", a number"));
        };
        let keys = KeySet::from_json(jwks.as_json().as_bytes(), Backend::Default)
            .map_err(|error| format!("the keys of {issuer:?}: {error}"))?;
        keys.prepare();
        let (keys, document, valid_until) = (Arc::new(keys), jwks.as_json().into(), valid_until.as_f64());
        found.insert(issuer.to_owned(), SyncedKeys { keys, document, valid_until });
    }
    Ok(found)
}
