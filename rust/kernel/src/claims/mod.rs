//! The registered claims (RFC 7519 section 4.1, RFC 7800 section 3.1, RFC 8693 section 4), typed.

mod scope_claims;
mod string_arena;

use std::fmt;
use std::ops::Range;

pub use scope_claims::ScopeClaims;

use crate::delegation;
use crate::error::Malformed;
use crate::heap::vector;
use crate::json::{Object, Value};
use crate::jws::base64url;
use crate::jws::member::{each_string, must_be, numeric_date, string};
use crate::time::NumericDate;
use string_arena::StringArena;

/// The registered claims of a claims set. Every claim that is present has the type that its definition requires.
#[derive(Clone, Default, PartialEq)]
pub struct Claims {
    texts: StringArena,
    issuer: Option<usize>,
    subject: Option<usize>,
    token_id: Option<usize>,
    audience: Option<Range<usize>>,
    scopes: Range<usize>,
    expires_at: Option<NumericDate>,
    not_before: Option<NumericDate>,
    issued_at: Option<NumericDate>,
    confirmation: Option<Confirmation>,
}

/// What a token is bound to: a key, a client certificate (RFC 7800 section 3).
#[derive(Clone, PartialEq, Eq)]
pub struct Confirmation {
    /// `jkt`: the key's RFC 7638 thumbprint (RFC 9449 section 6.1).
    pub jkt: Option<String>,
    /// `jwk`: the key itself, as JSON.
    pub jwk: Option<String>,
    /// `x5t#S256`: the SHA-256 of a client certificate in DER, in base64url (RFC 8705 section 3.1).
    pub certificate: Option<String>,
    /// Whether the claim has any other confirmation method.
    pub has_other: bool,
}

impl fmt::Debug for Claims {
    /// Shows the times, which are not secret, and nothing else of the claims.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Claims")
            .field("expires_at", &self.expires_at)
            .field("not_before", &self.not_before)
            .field("issued_at", &self.issued_at)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Confirmation {
    /// Shows the methods, never the key or the certificate.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Confirmation")
            .field("has_jkt", &self.jkt.is_some())
            .field("has_jwk", &self.jwk.is_some())
            .field("has_certificate", &self.certificate.is_some())
            .field("has_other", &self.has_other)
            .finish()
    }
}

impl Confirmation {
    /// Whether it names a key, of which a DPoP proof shows possession.
    pub(crate) fn names_key(&self) -> bool {
        self.jkt.is_some() || self.jwk.is_some()
    }

    fn texts(&self) -> impl Iterator<Item = &String> {
        let Self { jkt, jwk, certificate, has_other: _ } = self;
        [jkt, jwk, certificate].into_iter().flatten()
    }
}

impl Claims {
    pub(crate) fn read(members: &Object<'_>, scope_claims: &ScopeClaims) -> Result<Self, Malformed> {
        let found = Registered::among(members);
        let mut texts = found.arena();
        let mut text = |name, value: Option<&Value<'_>>| {
            value.map(|value| string(name, value).map(|text| texts.push(text))).transpose()
        };
        let (issuer, subject) = (text("iss", found.issuer)?, text("sub", found.subject)?);
        let audience = found.audience.map(|value| audience(value, &mut texts)).transpose()?.flatten();
        let date = |name, value: Option<&Value<'_>>| value.map(|value| numeric_date(name, value)).transpose();
        let expires_at = date("exp", found.expires_at)?;
        let not_before = date("nbf", found.not_before)?;
        let issued_at = date("iat", found.issued_at)?;
        let token_id = found.token_id.map(|value| string("jti", value).map(|text| texts.push(text))).transpose()?;
        let scopes = found.scopes(members, scope_claims, &mut texts)?;
        let confirmation = found.confirmation.map(confirmation).transpose()?;
        if found.has_actors {
            delegation::check_claims(members)?;
        }
        Ok(Self { texts, issuer, subject, token_id, audience, scopes, expires_at, not_before, issued_at, confirmation })
    }

    /// Drops spare capacity.
    pub(crate) fn shrink(&mut self) {
        self.texts.shrink();
    }

    /// The bytes that they take on the heap.
    pub(crate) fn heap(&self) -> usize {
        let Self {
            texts,
            confirmation,
            issuer: _,
            subject: _,
            token_id: _,
            audience: _,
            scopes: _,
            expires_at: _,
            not_before: _,
            issued_at: _,
        } = self;
        let bound = confirmation.iter().flat_map(Confirmation::texts);
        texts.heap() + bound.map(|text| vector::<u8>(text.capacity())).sum::<usize>()
    }

    /// `iss`
    pub fn issuer(&self) -> Option<&str> {
        self.issuer.map(|index| self.texts.get(index))
    }

    /// `sub`
    pub fn subject(&self) -> Option<&str> {
        self.subject.map(|index| self.texts.get(index))
    }

    /// `aud`: one string or several, in the order of the token. An empty array is no audience, as if `aud` were absent.
    pub fn audience(&self) -> Option<impl ExactSizeIterator<Item = &str>> {
        self.audience.clone().map(|indices| self.texts.all(indices))
    }

    /// `exp`
    pub fn expires_at(&self) -> Option<NumericDate> {
        self.expires_at
    }

    /// `nbf`
    pub fn not_before(&self) -> Option<NumericDate> {
        self.not_before
    }

    /// `iat`
    pub fn issued_at(&self) -> Option<NumericDate> {
        self.issued_at
    }

    /// `jti`
    pub fn token_id(&self) -> Option<&str> {
        self.token_id.map(|index| self.texts.get(index))
    }

    /// The words of the claims that the policy names for scopes, in its order ([`ScopeClaims`]).
    pub fn scopes(&self) -> impl ExactSizeIterator<Item = &str> {
        self.texts.all(self.scopes.clone())
    }

    /// `cnf`
    pub fn confirmation(&self) -> Option<&Confirmation> {
        self.confirmation.as_ref()
    }
}

/// The registered claims of a claims set, found in one pass over it.
#[derive(Default)]
struct Registered<'m, 'a> {
    issuer: Option<&'m Value<'a>>,
    subject: Option<&'m Value<'a>>,
    audience: Option<&'m Value<'a>>,
    expires_at: Option<&'m Value<'a>>,
    not_before: Option<&'m Value<'a>>,
    issued_at: Option<&'m Value<'a>>,
    token_id: Option<&'m Value<'a>>,
    scope: Option<&'m Value<'a>>,
    scp: Option<&'m Value<'a>>,
    confirmation: Option<&'m Value<'a>>,
    /// Whether `act` or `may_act` is present.
    has_actors: bool,
}

impl<'m, 'a> Registered<'m, 'a> {
    fn among(members: &'m Object<'a>) -> Self {
        let mut found = Self::default();
        for (name, value) in members.iter() {
            // As bytes, because a match of those is decided byte by byte and not name by name.
            let claim = match name.as_bytes() {
                b"iss" => &mut found.issuer,
                b"sub" => &mut found.subject,
                b"aud" => &mut found.audience,
                b"exp" => &mut found.expires_at,
                b"nbf" => &mut found.not_before,
                b"iat" => &mut found.issued_at,
                b"jti" => &mut found.token_id,
                b"scope" => &mut found.scope,
                b"scp" => &mut found.scp,
                b"cnf" => &mut found.confirmation,
                b"act" | b"may_act" => {
                    found.has_actors = true;
                    continue;
                }
                _ => continue,
            };
            *claim = Some(value);
        }
        found
    }

    /// The scopes. The two usual claims were found with the others; those that the policy names are searched for.
    fn scopes(
        &self,
        members: &Object<'a>,
        named: &ScopeClaims,
        texts: &mut StringArena,
    ) -> Result<Range<usize>, Malformed> {
        if let Some(scope) = self.scope.filter(|_| !named.contains(scope_claims::SCOPE)) {
            scope_claims::check_scope(scope)?;
        }
        let find = |name: &str| match name {
            "scope" => self.scope,
            "scp" => self.scp,
            _ => members.get(name),
        };
        let first = texts.len();
        named.read(find, |word| {
            texts.push(word);
        })?;
        Ok(first..texts.len())
    }

    /// An arena with capacity for the strings of a usual claims set, in which `aud` and `scope` are strings.
    fn arena(&self) -> StringArena {
        const USUAL: usize = 8;
        let texts = [self.issuer, self.subject, self.audience, self.token_id, self.scope, self.scp];
        StringArena::with_capacity(USUAL, texts.iter().flatten().filter_map(|value| value.as_str()).map(str::len).sum())
    }
}

/// The audiences, or `None` if the list of them is empty.
fn audience(value: &Value<'_>, texts: &mut StringArena) -> Result<Option<Range<usize>>, Malformed> {
    let first = texts.len();
    each_string(value, |text| {
        texts.push(text);
    })
    .map(|()| Some(first..texts.len()).filter(|audience| !audience.is_empty()))
    .ok_or_else(|| must_be("aud", "a string or an array of strings"))
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
    let certificate = match members.get("x5t#S256") {
        None => None,
        Some(Value::String(thumbprint)) if is_sha256(thumbprint) => Some(thumbprint.clone().into_owned()),
        Some(_) => return Err(must_be("cnf", "an object whose \"x5t#S256\" is a SHA-256 in base64url")),
    };
    let has_other = members.iter().any(|(name, _)| !matches!(name, "jkt" | "jwk" | "x5t#S256"));
    if members.is_empty() {
        // The issuer intended to bind the token, but named no key.
        return Err(must_be("cnf", "an object that names a key"));
    }
    Ok(Confirmation { jkt, jwk, certificate, has_other })
}

/// Whether a text is 32 bytes in strict base64url.
fn is_sha256(text: &str) -> bool {
    let mut bytes = Vec::with_capacity(32);
    text.len() == 43 && base64url::decode_onto(text.as_bytes(), &mut bytes).is_some()
}
