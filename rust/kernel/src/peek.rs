//! What a token says of itself, unverified: enough to choose among what is configured, and never to be believed.

use std::borrow::Cow;

use crate::compact::{Compact, Decoded, Limits};
use crate::header::Header;
use crate::json::{Object, Value};

/// Names that stand in a token. Nothing of it is verified.
#[derive(Clone, Default)]
pub struct UnverifiedNames {
    issuer: Option<String>,
    subject: Option<String>,
    decoded: Option<Decoded>,
}

/// The names in a token that is within the limits; a name is `None` if it is absent or no string, or if the token is
/// malformed so far.
pub fn unverified_names(token: &[u8], limits: &Limits) -> UnverifiedNames {
    let Ok(Compact { decoded, .. }) = Compact::parse(token, limits) else { return UnverifiedNames::default() };
    let claims = Object::parse(decoded.payload()).ok();
    let text = |name| claims.as_ref()?.get(name).and_then(Value::as_str).map(str::to_owned);
    let (issuer, subject) = (text("iss"), text("sub"));
    UnverifiedNames { issuer, subject, decoded: Some(decoded) }
}

impl UnverifiedNames {
    /// `iss`: who claims to have issued it.
    pub fn issuer(&self) -> Option<&str> {
        self.issuer.as_deref()
    }

    /// `sub`, which is all that names the issuer of a JWT-SVID: its trust domain.
    pub fn subject(&self) -> Option<&str> {
        self.subject.as_deref()
    }

    /// The `kid` of the header, which is parsed now: who chooses among issuers has no use for it.
    pub fn key_id(&self) -> Option<String> {
        Header::parse(self.decoded.as_ref()?.header()).ok()?.key_id.map(Cow::into_owned)
    }
}

impl std::fmt::Debug for UnverifiedNames {
    /// Shows nothing of the token.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("UnverifiedNames").finish_non_exhaustive()
    }
}
