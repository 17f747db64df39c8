//! What a caller requires of a token, compiled once.

mod audience_rule;
mod error;
mod expectation;
mod issuer_rule;
mod issuer_table;
mod issuer_template;

pub use audience_rule::Audience;
pub use error::PolicyError;
pub use expectation::{Expectation, Hint, Mismatch};
pub use issuer_table::{IssuerNames, IssuerTable};
pub use issuer_template::Tenants;

use crate::claims::{Claims, ScopeClaims};
use crate::error::Error;
use crate::json::{Object, Value};
use crate::jws::JwsPolicy;
use crate::time::{NumericDate, UnixTime};
use audience_rule::AudienceRule;
use error::check_names;
use issuer_rule::IssuerRule;

/// The requirements for a JWT: a [`JwsPolicy`] and those for its claims.
///
/// The default is the strict policy for access tokens, the same in every language. It accepts
///
/// - the types and the lengths of [`JwsPolicy::default`], signed with an algorithm of the keys;
/// - any issuer: name yours with [`with_issuers`](Self::with_issuers);
/// - tokens without an audience: name yours with [`with_audience`](Self::with_audience);
/// - clocks that differ by [`DEFAULT_LEEWAY`](Self::DEFAULT_LEEWAY) seconds;
/// - tokens with [`DEFAULT_REQUIRED`](Self::DEFAULT_REQUIRED) claims, which are not bound to a key.
#[derive(Debug, Clone, PartialEq)]
pub struct Policy {
    jws: JwsPolicy,
    issuer: IssuerRule,
    audience: AudienceRule,
    leeway: f64,
    required: Vec<String>,
    scope_claims: ScopeClaims,
    bound_tokens: BoundTokens,
}

/// How to treat a token that is bound to a key or a certificate and is sent without it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum BoundTokens {
    /// Reject it: sent as a bearer token, it may be stolen (RFC 8705 section 3, RFC 9449 section 7.1).
    #[default]
    Reject,
    /// Accept it as a bearer token.
    Accept,
}

impl Policy {
    /// The default of [`with_leeway`](Self::with_leeway), in seconds.
    pub const DEFAULT_LEEWAY: f64 = 5.0;

    /// The default of [`with_required`](Self::with_required).
    pub const DEFAULT_REQUIRED: [&'static str; 1] = ["exp"];

    /// Replaces the requirements for the signature layer: sizes, types, algorithms.
    #[must_use]
    pub fn with_jws(self, jws: JwsPolicy) -> Self {
        Self { jws, ..self }
    }

    /// Requires `iss` to be exactly one of these. This replaces every other rule for the issuer.
    ///
    /// # Errors
    /// [`PolicyError`] if the list is empty, or if one of them is empty or has a placeholder.
    pub fn with_issuers(self, issuers: Vec<String>) -> Result<Self, PolicyError> {
        Ok(Self { issuer: IssuerRule::one_of(issuers)?, ..self })
    }

    /// Requires `iss` to be one of a multi-tenant issuer's. In a template such as `https://login.example/{tid}/v2.0` the
    /// placeholder stands for the value of the claim of that name in the same token: letters, digits, dots, dashes and
    /// underscores, of a tenant that is accepted. Issuers without a placeholder are compared exactly. This replaces every
    /// other rule for the issuer.
    ///
    /// # Errors
    /// [`PolicyError`] if no issuer is a template, a template does not have one placeholder, or a tenant's name is
    /// not allowed in one.
    pub fn with_tenants(self, issuers: Vec<String>, tenants: Tenants) -> Result<Self, PolicyError> {
        Ok(Self { issuer: IssuerRule::of_tenants(issuers, tenants)?, ..self })
    }

    /// Requires a JWT-SVID of this SPIFFE trust domain: `sub` must be the SPIFFE ID of a workload in it, `aud` and `exp`
    /// must be present, whatever else is required; `iss` is not checked. This replaces every other rule for the issuer.
    ///
    /// # Errors
    /// [`PolicyError`] if `trust_domain` is not the name of a trust domain, without `spiffe://`.
    pub fn with_trust_domain(self, trust_domain: &str) -> Result<Self, PolicyError> {
        Ok(Self { issuer: IssuerRule::trust_domain(trust_domain)?, ..self })
    }

    /// Requires this audience in `aud`.
    ///
    /// # Errors
    /// [`PolicyError`] if the list or one of its elements is empty.
    pub fn with_audience(self, audience: Audience) -> Result<Self, PolicyError> {
        Ok(Self { audience: self.audience.with_audience(audience)?, ..self })
    }

    /// Reads the audience from this claim, a string or an array of strings, for issuers that name the client that a token
    /// was issued to and no audience. A token that also has an `aud` is accepted only if that names the audience as well.
    ///
    /// # Errors
    /// [`PolicyError`] if it is empty, or a registered claim other than `aud`, which has another meaning.
    pub fn with_audience_claim(self, claim: &str) -> Result<Self, PolicyError> {
        Ok(Self { audience: self.audience.with_claim(claim)?, ..self })
    }

    /// Allows clocks to differ by this many seconds, both ways, in `exp`, `nbf` and `iat`.
    ///
    /// # Errors
    /// [`PolicyError`] if it is negative or not finite.
    pub fn with_leeway(self, seconds: f64) -> Result<Self, PolicyError> {
        if !seconds.is_finite() || seconds < 0.0 {
            return Err(PolicyError::new("leeway must be a finite number of seconds, 0 or more"));
        }
        Ok(Self { leeway: seconds, ..self })
    }

    /// Requires these claims to be present and not null.
    #[must_use]
    pub fn with_required(self, claims: Vec<String>) -> Self {
        Self { required: claims, ..self }
    }

    /// Reads the token's scopes from these claims.
    #[must_use]
    pub fn with_scope_claims(self, claims: ScopeClaims) -> Self {
        Self { scope_claims: claims, ..self }
    }

    /// Sets how to treat bound tokens that are sent without what they are bound to. A proof or a certificate that is sent
    /// with a token, and not the one that it is bound to, is rejected whatever this is.
    #[must_use]
    pub fn with_bound_tokens(self, bound_tokens: BoundTokens) -> Self {
        Self { bound_tokens, ..self }
    }

    pub(crate) fn jws(&self) -> &JwsPolicy {
        &self.jws
    }

    pub(crate) fn scope_claims(&self) -> &ScopeClaims {
        &self.scope_claims
    }

    /// Whether issuers are trust domains, which `sub` names and not `iss`.
    pub(crate) fn names_trust_domain(&self) -> bool {
        self.issuer.names_trust_domain()
    }

    /// Checks the claims, except for the times, in the order: issuer, audience, required claims; then that the key which
    /// signed the token may sign tokens of this issuer, if its JWK names one. The binding comes after them.
    pub(crate) fn check_except_times(
        &self,
        claims: &Claims,
        members: &Object<'_>,
        key_issuer: Option<&str>,
    ) -> Result<(), Error> {
        self.issuer.check(claims, members)?;
        self.check_audience(claims, members)?;
        self.check_required(members)?;
        self.issuer.check_key(claims, key_issuer)
    }

    pub(crate) fn check_audience(&self, claims: &Claims, members: &Object<'_>) -> Result<(), Error> {
        self.audience.check(claims, members)
    }

    /// A token is valid from `nbf` on, and before `exp` (RFC 7519 sections 4.1.4 and 4.1.5).
    pub(crate) fn check_times(&self, claims: &Claims, now: UnixTime) -> Result<(), Error> {
        let now = now.seconds();
        let seconds = NumericDate::seconds;
        if let Some(expires_at) = claims.expires_at().map(seconds).filter(|exp| now >= exp + self.leeway) {
            return Err(Error::Expired { expires_at, now });
        }
        if let Some(not_before) = claims.not_before().map(seconds).filter(|nbf| now < nbf - self.leeway) {
            return Err(Error::NotYetValid { not_before, now });
        }
        if let Some(issued_at) = claims.issued_at().map(seconds).filter(|iat| now < iat - self.leeway) {
            return Err(Error::IssuedInFuture { issued_at, now });
        }
        Ok(())
    }

    fn check_required(&self, members: &Object<'_>) -> Result<(), Error> {
        let required = self.issuer.required().iter().copied().chain(self.required.iter().map(String::as_str));
        for name in required {
            let is_present = match members.get(name) {
                None | Some(Value::Null) => false,
                // An empty list of audiences is no audience.
                Some(Value::Array(names)) if name == "aud" => names.iter().next().is_some(),
                Some(_) => true,
            };
            if !is_present {
                return Err(Error::MissingClaim { name: name.to_owned(), expected: None });
            }
        }
        Ok(())
    }

    /// Whether bound tokens are accepted as bearer tokens.
    pub(crate) fn accepts_bound_tokens(&self) -> bool {
        self.bound_tokens == BoundTokens::Accept
    }
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            jws: JwsPolicy::default(),
            issuer: IssuerRule::default(),
            audience: AudienceRule::default(),
            leeway: Self::DEFAULT_LEEWAY,
            required: Self::DEFAULT_REQUIRED.map(str::to_owned).into(),
            scope_claims: ScopeClaims::default(),
            bound_tokens: BoundTokens::default(),
        }
    }
}
