//! Identity headers: what an application behind the gate is told about the sender of a request.
//!
//! All of them are always set, empty if unknown: a server that sets only some lets a client set the others. Every byte of
//! a value that is not printable ASCII, and `%` and `,`, is percent-encoded; the elements of a list are separated by one
//! space. A lone `%` stands for an actor whose name is unknown: otherwise the next one would seem to be the current actor.
//!
//! If there is a secret, it is sent last: by it the application can tell these headers from a client's.

use watchword_kernel::json::{Object, Value};
use watchword_kernel::{DpopProof, VerifiedToken};

use crate::path::push_encoded;
use crate::secrets::Secret;

/// The names of the identity headers, without their prefix, in the order in which they are set.
pub const IDENTITY_NAMES: [&str; 10] =
    ["Sub", "Iss", "Client-Id", "Scope", "Actors", "Jti", "Exp", "Jkt", "Route", TRACE_ID_NAME];

/// The name of the header with the trace id, without the prefix: the only one whose value belongs to one request.
pub const TRACE_ID_NAME: &str = "Trace-Id";

/// The name of the header with the secret, without the prefix. It is sent only if a secret is configured.
pub const SECRET_NAME: &str = "Secret";

/// What stands for an actor whose name is unknown.
pub(crate) const UNNAMED: &str = "%";

/// The prefix of identity headers by default.
pub const DEFAULT_PREFIX: &str = "X-Auth-";

/// What is known about a request that is allowed.
#[derive(Default, Clone, Copy)]
pub(crate) struct Known<'a> {
    pub(crate) token: Option<&'a VerifiedToken>,
    pub(crate) proof: Option<&'a DpopProof>,
    pub(crate) route: &'a str,
    pub(crate) trace_id: &'a str,
}

/// The identity headers: names with the prefix, and values.
pub(crate) fn headers(prefix: &str, secret: Option<&Secret>, known: Known<'_>) -> Vec<(String, String)> {
    let claims = known.token.map(VerifiedToken::claims);
    // The payload of a verified token is strict JSON.
    let members = known.token.and_then(|token| Object::parse(token.jws().payload()).ok());
    let client_id = members.as_ref().and_then(|members| members.get("client_id")).and_then(Value::as_str);
    let actors: Vec<String> = match known.token.map(VerifiedToken::delegation) {
        None => Vec::new(),
        Some(Ok(chain)) => chain.actors().iter().map(|actor| named(actor.subject.as_deref())).collect(),
        // Of a route without requirements for it: somebody acts, and it is unknown who.
        Some(Err(_)) => vec![named(None)],
    };
    let expires_at = claims.and_then(|claims| claims.expires_at()).map(|exp| match exp.whole_seconds() {
        Some(seconds) => seconds.to_string(),
        None => format!("{:.0}", exp.seconds().floor()),
    });
    let values = [
        one(claims.and_then(|claims| claims.subject())),
        one(claims.and_then(|claims| claims.issuer())),
        one(client_id),
        list(claims.into_iter().flat_map(|claims| claims.scopes()).map(encoded)),
        list(actors.into_iter()),
        one(claims.and_then(|claims| claims.token_id())),
        expires_at.unwrap_or_default(),
        one(known.proof.map(DpopProof::jkt)),
        one(Some(known.route)),
        one(Some(known.trace_id)),
    ];
    let secret = secret.map(|secret| (SECRET_NAME, secret.text().to_owned()));
    IDENTITY_NAMES.into_iter().zip(values).chain(secret).map(|(name, value)| ([prefix, name].concat(), value)).collect()
}

fn one(text: Option<&str>) -> String {
    text.map_or_else(String::new, encoded)
}

fn named(actor: Option<&str>) -> String {
    actor.filter(|name| !name.is_empty()).map_or_else(|| UNNAMED.to_owned(), encoded)
}

fn list(elements: impl Iterator<Item = String>) -> String {
    elements.collect::<Vec<_>>().join(" ")
}

fn encoded(text: &str) -> String {
    let is_plain = |byte: u8| matches!(byte, b'!'..=b'~') && !matches!(byte, b'%' | b',');
    if text.bytes().all(is_plain) {
        return text.to_owned();
    }
    let mut value = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            byte if is_plain(byte) => value.push(char::from(byte)),
            byte => push_encoded(&mut value, byte),
        }
    }
    value
}
