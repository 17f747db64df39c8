//! Identity headers: what an application behind the gate is told about the sender of a request.
//!
//! All of them are always set, empty if unknown: a server that sets only some lets a client set the others. Every byte of
//! a value that is not printable ASCII, and `%` and `,`, is percent-encoded; the elements of a list are separated by one
//! space.

use watchword_kernel::json::{Object, Value};
use watchword_kernel::{DpopProof, VerifiedToken};

use crate::path::push_encoded;

/// The names of the identity headers, without their prefix, in the order in which they are set.
pub const IDENTITY_NAMES: [&str; 10] =
    ["Sub", "Iss", "Client-Id", "Scope", "Actors", "Jti", "Exp", "Jkt", "Route", "Trace-Id"];

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
pub(crate) fn headers(prefix: &str, known: Known<'_>) -> Vec<(String, String)> {
    let claims = known.token.map(VerifiedToken::claims);
    // The payload of a verified token is strict JSON.
    let members = known.token.and_then(|token| Object::parse(token.jws().payload()).ok());
    let client_id = members.as_ref().and_then(|members| members.get("client_id")).and_then(Value::as_str);
    let chain = known.token.and_then(|token| token.delegation().ok());
    let actors = chain.iter().flat_map(|chain| chain.actors()).map(|actor| actor.subject.as_deref().unwrap_or(""));
    let expires_at = claims.and_then(|claims| claims.expires_at()).map(|exp| format!("{:.0}", exp.seconds().floor()));
    let values = [
        one(claims.and_then(|claims| claims.subject())),
        one(claims.and_then(|claims| claims.issuer())),
        one(client_id),
        list(claims.into_iter().flat_map(|claims| claims.scopes())),
        list(actors),
        one(claims.and_then(|claims| claims.token_id())),
        expires_at.unwrap_or_default(),
        one(known.proof.map(DpopProof::jkt)),
        one(Some(known.route)),
        one(Some(known.trace_id)),
    ];
    IDENTITY_NAMES.iter().map(|name| format!("{prefix}{name}")).zip(values).collect()
}

fn one(text: Option<&str>) -> String {
    text.map_or_else(String::new, encoded)
}

fn list<'a>(texts: impl Iterator<Item = &'a str>) -> String {
    texts.map(encoded).collect::<Vec<_>>().join(" ")
}

fn encoded(text: &str) -> String {
    let mut value = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'%' | b',' => push_encoded(&mut value, byte),
            b'!'..=b'~' => value.push(char::from(byte)),
            _ => push_encoded(&mut value, byte),
        }
    }
    value
}
