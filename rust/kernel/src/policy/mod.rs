//! What a caller requires of a token, compiled once.

pub(crate) mod expectation;
mod issuer_rule;

use std::fmt;

pub use self::expectation::{Expectation, Hint, Mismatch};
use self::issuer_rule::IssuerRule;
pub use self::issuer_rule::Tenants;
use crate::claims::Claims;
use crate::claims::ScopeClaims;
use crate::error::Error;
use crate::json::{Object, Value};
use crate::jws::JwsPolicy;
use crate::jws::member::each_string;
use crate::time::UnixTime;

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
    audience: Audience,
    audience_claim: Option<String>,
    expected_audience: Expectation,
    leeway: f64,
    required: Vec<String>,
    scope_claims: ScopeClaims,
    bound_tokens: BoundTokens,
}

/// The audience of the tokens that are accepted.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Audience {
    /// Tokens without an `aud`. One that names an audience is for somebody else.
    #[default]
    Unnamed,
    /// Tokens whose `aud` names one of these.
    OneOf(Vec<String>),
    /// All tokens: `aud` is not checked.
    Any,
}

/// How to treat a token that is bound to a key and is sent without a proof.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum BoundTokens {
    /// Refuse it: sent as a bearer token, it may be stolen (RFC 9449 section 7.1).
    #[default]
    Reject,
    /// Accept it as a bearer token.
    Accept,
}

/// Why a policy is invalid.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicyError(String);

impl PolicyError {
    pub(crate) fn new(what: &str) -> Self {
        Self(what.to_owned())
    }
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
        if let Audience::OneOf(names) = &audience {
            check_names("audience", names)?;
        }
        Ok(Self { expected_audience: audience.expectation(), audience, ..self })
    }

    /// Reads the audience from this claim, a string or an array of strings, for issuers that name the client that a token
    /// was issued to and no audience. A token that also has an `aud` is accepted only if that names the audience as well.
    ///
    /// # Errors
    /// [`PolicyError`] if it is empty, or a registered claim other than `aud`, which has another meaning.
    pub fn with_audience_claim(self, claim: &str) -> Result<Self, PolicyError> {
        if claim.is_empty() || ["iss", "sub", "exp", "nbf", "iat", "jti"].contains(&claim) {
            return Err(PolicyError(format!(
                "audience_claim must be the name of a claim that names an audience or a client, such as \"client_id\", not \
                 {claim:?}"
            )));
        }
        Ok(Self { audience_claim: (claim != "aud").then(|| claim.to_owned()), ..self })
    }

    /// Allows clocks to differ by this many seconds, both ways, in `exp`, `nbf` and `iat`.
    ///
    /// # Errors
    /// [`PolicyError`] if it is negative or not finite.
    pub fn with_leeway(self, seconds: f64) -> Result<Self, PolicyError> {
        if !seconds.is_finite() || seconds < 0.0 {
            return Err(PolicyError("leeway must be a finite number of seconds, 0 or more".into()));
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

    /// Sets how to treat bound tokens that are sent without a proof.
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

    /// Checks the claims, in the order: times, issuer, audience, required claims. The binding to a key comes after them.
    pub(crate) fn check(&self, claims: &Claims, members: &Object<'_>, now: UnixTime) -> Result<(), Error> {
        self.check_times(claims, now)?;
        self.issuer.check(claims, members)?;
        match &self.audience_claim {
            None => self.check_audience(claims)?,
            Some(claim) => self.check_audience_claim(claim, claims, members)?,
        }
        self.check_required(members)
    }

    /// Checks that the key which signed the token may sign tokens of this issuer, if its JWK names one.
    pub(crate) fn check_key(&self, claims: &Claims, key_issuer: Option<&str>) -> Result<(), Error> {
        self.issuer.check_key(claims, key_issuer)
    }

    /// A token is valid from `nbf` on, and before `exp` (RFC 7519 sections 4.1.4 and 4.1.5).
    pub(crate) fn check_times(&self, claims: &Claims, now: UnixTime) -> Result<(), Error> {
        let now = now.seconds();
        let seconds = crate::time::NumericDate::seconds;
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

    fn check_audience(&self, claims: &Claims) -> Result<(), Error> {
        match (&self.audience, claims.audience()) {
            (Audience::Any, _) | (Audience::Unnamed, None) => Ok(()),
            (Audience::Unnamed, Some(_)) => Err(self.wrong_audience(None)),
            (Audience::OneOf(_), None) => {
                Err(Error::MissingClaim { name: "aud".to_owned(), expected: Some(self.expected_audience.clone()) })
            }
            (Audience::OneOf(accepted), Some(mut named)) => {
                if named.any(|name| accepted.iter().any(|accepted| accepted == name)) {
                    return Ok(());
                }
                // A token may name thousands.
                let mut first = claims.audience().into_iter().flatten().take(16);
                let hint = first.find_map(|name| accepted.iter().find_map(|accepted| Hint::between(name, accepted)));
                Err(self.wrong_audience(hint))
            }
        }
    }

    fn check_audience_claim(&self, claim: &str, claims: &Claims, members: &Object<'_>) -> Result<(), Error> {
        if claims.audience().is_some() {
            self.check_audience(claims)?;
        }
        let mut is_named = false;
        let named = match members.get(claim) {
            None | Some(Value::Null) => None,
            Some(value) => Some(each_string(value, |name| {
                is_named |=
                    matches!(&self.audience, Audience::OneOf(accepted) if accepted.iter().any(|one| one == name));
            })),
        };
        match (&self.audience, named) {
            (Audience::Any, _) | (Audience::Unnamed, None) => Ok(()),
            (Audience::OneOf(_), None) => {
                Err(Error::MissingClaim { name: claim.to_owned(), expected: Some(self.expected_audience.clone()) })
            }
            (_, Some(Some(()))) if is_named => Ok(()),
            (_, Some(_)) => Err(Error::WrongAudience(self.expected_audience.missed_by(claim.to_owned(), None))),
        }
    }

    fn wrong_audience(&self, hint: Option<Hint>) -> Error {
        Error::WrongAudience(self.expected_audience.missed_by("aud", hint))
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

    /// Checks the binding to a key of a token that was sent without a proof.
    pub(crate) fn check_binding(&self, claims: &Claims) -> Result<(), Error> {
        match (claims.confirmation(), self.bound_tokens) {
            (None, _) | (_, BoundTokens::Accept) => Ok(()),
            (Some(bound), _) if bound.jkt.is_some() || bound.jwk.is_some() => Err(Error::ProofRequired),
            (Some(_), _) => {
                Err(Error::Unsupported("the token is bound by a confirmation method that is not supported (RFC 7800)"))
            }
        }
    }
}

pub(crate) fn check_names(what: &str, names: &[String]) -> Result<(), PolicyError> {
    if names.is_empty() || names.iter().any(String::is_empty) {
        return Err(PolicyError(format!("{what} is empty: name one, or leave it out")));
    }
    Ok(())
}

impl Audience {
    fn expectation(&self) -> Expectation {
        match self {
            Self::OneOf(names) => Expectation::any_of("must name", names.iter().map(String::as_str), None),
            Self::Unnamed => Expectation::new(
                "must be absent, because the policy names no audience: name the one that tokens for this service have",
            ),
            Self::Any => Expectation::new("may be anything"),
        }
    }
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            jws: JwsPolicy::default(),
            issuer: IssuerRule::default(),
            audience: Audience::default(),
            audience_claim: None,
            expected_audience: Audience::default().expectation(),
            leeway: Self::DEFAULT_LEEWAY,
            required: Self::DEFAULT_REQUIRED.map(str::to_owned).into(),
            scope_claims: ScopeClaims::default(),
            bound_tokens: BoundTokens::default(),
        }
    }
}

impl fmt::Display for PolicyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for PolicyError {}
