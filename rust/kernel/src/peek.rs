//! What a token says of itself, unverified: enough to choose among what is configured, and never to be believed.

use std::borrow::Cow;

use crate::compact::{Compact, Limits};
use crate::header::Header;
use crate::json::{Object, Value};

/// The `iss` that the payload claims, or `None` where there is none or the token is malformed anywhere up to it.
pub fn unverified_issuer(token: &[u8], limits: &Limits) -> Option<String> {
    let parts = Compact::parse(token, limits).ok()?;
    let members = Object::parse(parts.decoded.payload()).ok()?;
    members.get("iss").and_then(Value::as_str).map(str::to_owned)
}

/// The `kid` that the header names, or `None` where there is none or the token is malformed.
pub fn unverified_key_id(token: &[u8], limits: &Limits) -> Option<String> {
    let parts = Compact::parse(token, limits).ok()?;
    Header::parse(parts.decoded.header()).ok()?.key_id.map(Cow::into_owned)
}
