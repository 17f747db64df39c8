//! What a token says of itself, unverified: enough to choose among what is configured, and never to be believed.

use std::borrow::Cow;

use crate::compact::{Compact, Limits};
use crate::header::Header;
use crate::json::{Object, Value};

/// Names that stand in a token. Nothing of it is verified.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct UnverifiedNames {
    /// `iss`: who claims to have issued it.
    pub issuer: Option<String>,
    /// `sub`, which is all that names the issuer of a JWT-SVID: its trust domain.
    pub subject: Option<String>,
    /// The `kid` of the header.
    pub key_id: Option<String>,
}

/// The `iss` of a token that is within the limits, which is all that most choices need, at half the cost; `None` if it is
/// absent or no string, or if the token is malformed so far.
pub fn unverified_issuer(token: &[u8], limits: &Limits) -> Option<String> {
    let parts = Compact::parse(token, limits).ok()?;
    Object::parse(parts.decoded.payload()).ok()?.get("iss").and_then(Value::as_str).map(str::to_owned)
}

/// The names in a token that is within the limits; a name is `None` if it is absent or no string, or if the token is
/// malformed so far.
pub fn unverified_names(token: &[u8], limits: &Limits) -> UnverifiedNames {
    let Ok(parts) = Compact::parse(token, limits) else { return UnverifiedNames::default() };
    let key_id = Header::parse(parts.decoded.header()).ok().and_then(|header| header.key_id.map(Cow::into_owned));
    let claims = Object::parse(parts.decoded.payload()).ok();
    let text = |name| claims.as_ref()?.get(name).and_then(Value::as_str).map(str::to_owned);
    UnverifiedNames { issuer: text("iss"), subject: text("sub"), key_id }
}

impl std::fmt::Debug for UnverifiedNames {
    /// Shows nothing of the token.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("UnverifiedNames").finish_non_exhaustive()
    }
}
