//! What a caller demands of a token, compiled once.

use std::fmt;

use crate::algorithm::{Algorithm, AlgorithmSet};
use crate::claims::Claims;
use crate::compact::Limits;
use crate::error::Error;
use crate::json::{Object, Value};
use crate::media_type::MediaType;
use crate::time::UnixTime;

/// What is demanded of a token's signature layer: what it may look like, and by which algorithm it may be signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JwsPolicy {
    limits: Limits,
    types: Option<Vec<Option<MediaType>>>,
    algorithms: Option<AlgorithmSet>,
}

/// What is demanded of a JWT: a [`JwsPolicy`] and demands on its claims.
#[derive(Debug, Clone, PartialEq)]
pub struct Policy {
    jws: JwsPolicy,
    issuers: Option<Vec<String>>,
    audience: Audience,
    leeway: f64,
    required: Vec<String>,
    bound_tokens: BoundTokens,
}

/// Whose tokens are meant for this verifier.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Audience {
    /// Tokens without an `aud`. One that names an audience was meant for somebody.
    #[default]
    Unnamed,
    /// Tokens whose `aud` names one of these.
    OneOf(Vec<String>),
    /// All tokens: `aud` is not checked.
    Any,
}

/// What becomes of a token that is bound to a key and comes without a proof of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum BoundTokens {
    /// It is refused: presented as a bearer token, it may be stolen (RFC 9449 section 7.1).
    #[default]
    Reject,
    /// It is accepted as a bearer token.
    Accept,
}

/// A demand that cannot be meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicyError(String);

impl PolicyError {
    pub(crate) fn new(what: &str) -> Self {
        Self(what.to_owned())
    }
}

impl JwsPolicy {
    /// `types` are the values of `typ` that are accepted, `None` standing for its absence; where no list is given, `typ`
    /// is not looked at. `algorithms` are names of algorithms; where no list is given, they are those of the keys.
    ///
    /// # Errors
    /// [`PolicyError`] where a list is empty or an algorithm is unknown.
    pub fn new(
        limits: Limits,
        types: Option<&[Option<String>]>,
        algorithms: Option<&[String]>,
    ) -> Result<Self, PolicyError> {
        if limits.token == 0 || limits.header == 0 {
            return Err(PolicyError("a limit of 0 bytes lets no token through: give a positive one".into()));
        }
        if types.is_some_and(<[_]>::is_empty) {
            return Err(PolicyError(
                "types is empty: list what is accepted, None standing for a token without typ".into(),
            ));
        }
        let types = types.map(|types| types.iter().map(|typ| typ.as_deref().map(MediaType::new)).collect());
        let algorithms = algorithms.map(algorithm_set).transpose()?;
        Ok(Self { limits, types, algorithms })
    }

    pub(crate) fn limits(&self) -> &Limits {
        &self.limits
    }

    pub(crate) fn check_type(&self, typ: Option<&str>) -> Result<(), Error> {
        let Some(accepted) = &self.types else { return Ok(()) };
        let fits = |accepted: &Option<MediaType>| match (accepted, typ) {
            (Some(accepted), Some(typ)) => accepted.is(typ),
            (accepted, typ) => accepted.is_none() && typ.is_none(),
        };
        if accepted.iter().any(fits) { Ok(()) } else { Err(Error::WrongType) }
    }

    /// The algorithm of this name, where it is known and allowed.
    pub(crate) fn algorithm(&self, name: &str) -> Result<Algorithm, Error> {
        let algorithm = Algorithm::from_name(name).ok_or(Error::AlgorithmNotAllowed(
            "the header's \"alg\" is not a signature algorithm that is verified here",
        ))?;
        if self.algorithms.is_some_and(|allowed| !allowed.contains(algorithm)) {
            return Err(Error::AlgorithmNotAllowed("the header's \"alg\" is not one that the policy allows"));
        }
        Ok(algorithm)
    }
}

impl Policy {
    /// A policy that checks no issuer, takes tokens without an audience, demands `exp`, refuses bound tokens and allows
    /// for no difference of clocks; the other methods change one demand each.
    pub fn new(jws: JwsPolicy) -> Self {
        Self {
            jws,
            issuers: None,
            audience: Audience::default(),
            leeway: 0.0,
            required: vec!["exp".into()],
            bound_tokens: BoundTokens::default(),
        }
    }

    /// Demands that `iss` is exactly one of these.
    ///
    /// # Errors
    /// [`PolicyError`] where there is none, or an empty one.
    pub fn with_issuers(self, issuers: Vec<String>) -> Result<Self, PolicyError> {
        check_names("issuer", &issuers)?;
        Ok(Self { issuers: Some(issuers), ..self })
    }

    /// Demands this of `aud`.
    ///
    /// # Errors
    /// [`PolicyError`] where a list is empty, or one of its elements.
    pub fn with_audience(self, audience: Audience) -> Result<Self, PolicyError> {
        if let Audience::OneOf(names) = &audience {
            check_names("audience", names)?;
        }
        Ok(Self { audience, ..self })
    }

    /// Allows clocks to differ by this many seconds, both ways, in `exp`, `nbf` and `iat`.
    ///
    /// # Errors
    /// [`PolicyError`] where it is negative or not finite.
    pub fn with_leeway(self, seconds: f64) -> Result<Self, PolicyError> {
        if !seconds.is_finite() || seconds < 0.0 {
            return Err(PolicyError("leeway must be a finite number of seconds, 0 or more".into()));
        }
        Ok(Self { leeway: seconds, ..self })
    }

    /// Demands that these claims are there, and not null.
    #[must_use]
    pub fn with_required(self, claims: Vec<String>) -> Self {
        Self { required: claims, ..self }
    }

    /// Says what becomes of bound tokens.
    #[must_use]
    pub fn with_bound_tokens(self, bound_tokens: BoundTokens) -> Self {
        Self { bound_tokens, ..self }
    }

    pub(crate) fn jws(&self) -> &JwsPolicy {
        &self.jws
    }

    /// Judges the claims, in the order: times, issuer, audience, required claims. The binding to a key comes after them.
    pub(crate) fn check(&self, claims: &Claims, members: &Object<'_>, now: UnixTime) -> Result<(), Error> {
        self.check_times(claims, now)?;
        self.check_issuer(claims)?;
        self.check_audience(claims)?;
        self.check_required(members)
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

    fn check_issuer(&self, claims: &Claims) -> Result<(), Error> {
        let Some(accepted) = &self.issuers else { return Ok(()) };
        let issuer = claims.issuer().ok_or_else(|| Error::MissingClaim("iss".into()))?;
        if accepted.iter().any(|accepted| accepted == issuer) { Ok(()) } else { Err(Error::WrongIssuer) }
    }

    fn check_audience(&self, claims: &Claims) -> Result<(), Error> {
        match (&self.audience, claims.audience()) {
            (Audience::Any, _) | (Audience::Unnamed, None) => Ok(()),
            (Audience::Unnamed, Some(_)) => {
                Err(Error::WrongAudience("the token names an audience, and the policy names none"))
            }
            (Audience::OneOf(_), None) => Err(Error::MissingClaim("aud".into())),
            (Audience::OneOf(accepted), Some(mut named)) => {
                if named.any(|name| accepted.iter().any(|accepted| accepted == name)) {
                    Ok(())
                } else {
                    Err(Error::WrongAudience("\"aud\" names no audience that the policy names"))
                }
            }
        }
    }

    fn check_required(&self, members: &Object<'_>) -> Result<(), Error> {
        for name in &self.required {
            if matches!(members.get(name), None | Some(Value::Null)) {
                return Err(Error::MissingClaim(name.clone()));
            }
        }
        Ok(())
    }

    /// Judges the binding to a key of a token that came without a proof.
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

fn algorithm_set(names: &[String]) -> Result<AlgorithmSet, PolicyError> {
    if names.is_empty() {
        return Err(PolicyError(
            "algorithms is empty: list what is allowed, or leave it out for those of the keys".into(),
        ));
    }
    names
        .iter()
        .map(|name| {
            Algorithm::from_name(name).ok_or_else(|| {
                let known: Vec<&str> = Algorithm::ALL.iter().map(|algorithm| algorithm.name()).collect();
                PolicyError(format!("{name:?} is not a known algorithm: choose from {}", known.join(", ")))
            })
        })
        .collect()
}

fn check_names(what: &str, names: &[String]) -> Result<(), PolicyError> {
    if names.is_empty() || names.iter().any(String::is_empty) {
        return Err(PolicyError(format!("{what} is empty: name one, or leave it out")));
    }
    Ok(())
}

impl fmt::Display for PolicyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for PolicyError {}
