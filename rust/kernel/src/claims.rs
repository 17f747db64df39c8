//! The registered claims (RFC 7519 section 4.1, RFC 7800 section 3.1, RFC 8693 section 4), typed.

use std::fmt;

use crate::delegation;
use crate::error::Malformed;
use crate::json::{Object, Value};
use crate::member::{date, must_be, strings, text, words};
use crate::time::NumericDate;

/// The registered claims of a claims set. Every claim that is there has the type that its definition gives it.
#[derive(Clone, Default, PartialEq)]
pub struct Claims {
    /// `iss`
    pub issuer: Option<String>,
    /// `sub`
    pub subject: Option<String>,
    /// `aud`: one string or several, in the order of the token.
    pub audience: Option<Vec<String>>,
    /// `exp`
    pub expires_at: Option<NumericDate>,
    /// `nbf`
    pub not_before: Option<NumericDate>,
    /// `iat`
    pub issued_at: Option<NumericDate>,
    /// `jti`
    pub token_id: Option<String>,
    /// `scope`: its words, in the order of the token.
    pub scopes: Vec<String>,
    /// `cnf`
    pub confirmation: Option<Confirmation>,
}

/// The key to which a token is bound (RFC 7800 section 3).
#[derive(Clone, PartialEq, Eq)]
pub struct Confirmation {
    /// `jkt`: the key's RFC 7638 thumbprint (RFC 9449 section 6.1).
    pub jkt: Option<String>,
    /// `jwk`: the key itself, as JSON.
    pub jwk: Option<String>,
    /// Whether there is any other confirmation method.
    pub has_other: bool,
}

impl fmt::Debug for Claims {
    /// Shows the times, which are nobody's secret, and nothing else of the claims.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Claims")
            .field("expires_at", &self.expires_at)
            .field("not_before", &self.not_before)
            .field("issued_at", &self.issued_at)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Confirmation {
    /// Shows the methods, never the key.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Confirmation")
            .field("has_jkt", &self.jkt.is_some())
            .field("has_jwk", &self.jwk.is_some())
            .field("has_other", &self.has_other)
            .finish()
    }
}

impl Claims {
    pub(crate) fn read(members: &Object<'_>) -> Result<Self, Malformed> {
        let claims = Self {
            issuer: text(members, "iss")?,
            subject: text(members, "sub")?,
            audience: members.get("aud").map(audience).transpose()?,
            expires_at: date(members, "exp")?,
            not_before: date(members, "nbf")?,
            issued_at: date(members, "iat")?,
            token_id: text(members, "jti")?,
            scopes: match members.get("scope") {
                None => Vec::new(),
                Some(scope) => words(scope).ok_or_else(|| must_be("scope", "a string or an array of strings"))?,
            },
            confirmation: members.get("cnf").map(confirmation).transpose()?,
        };
        delegation::judge(members)?;
        Ok(claims)
    }
}

fn audience(value: &Value<'_>) -> Result<Vec<String>, Malformed> {
    strings(value)
        .filter(|audience| !audience.is_empty())
        .ok_or_else(|| must_be("aud", "a string or an array of strings that is not empty"))
}

fn confirmation(value: &Value<'_>) -> Result<Confirmation, Malformed> {
    let Value::Object(raw) = value else { return Err(must_be("cnf", "an object")) };
    let members = raw.members();
    let jkt = match members.get("jkt") {
        None => None,
        Some(Value::String(jkt)) => Some(jkt.clone().into_owned()),
        Some(_) => return Err(must_be("cnf", "an object whose \"jkt\" is a string")),
    };
    let jwk = match members.get("jwk") {
        None => None,
        Some(Value::Object(jwk)) => Some(jwk.as_json().to_owned()),
        Some(_) => return Err(must_be("cnf", "an object whose \"jwk\" is an object")),
    };
    let has_other = members.iter().any(|(name, _)| name != "jkt" && name != "jwk");
    if members.is_empty() {
        // Whoever wrote it meant to bind the token; to what, nobody can say.
        return Err(must_be("cnf", "an object that names a key"));
    }
    Ok(Confirmation { jkt, jwk, has_other })
}
