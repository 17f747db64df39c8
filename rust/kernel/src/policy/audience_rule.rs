//! The audience that a policy accepts, in `aud` or in another claim.

use super::expectation::{Expectation, Hint};
use super::{PolicyError, check_names};
use crate::claims::Claims;
use crate::error::Error;
use crate::json::{Object, Value};
use crate::jws::member::each_string;

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

/// The audience that is accepted, the same in words, and the claim that names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct AudienceRule {
    accepted: Audience,
    expected: Expectation,
    /// `None` for `aud`.
    claim: Option<String>,
}

impl AudienceRule {
    pub(super) fn with_audience(self, accepted: Audience) -> Result<Self, PolicyError> {
        if let Audience::OneOf(names) = &accepted {
            check_names("audience", names)?;
        }
        Ok(Self { expected: accepted.expectation(), accepted, ..self })
    }

    pub(super) fn with_claim(self, claim: &str) -> Result<Self, PolicyError> {
        if claim.is_empty() || ["iss", "sub", "exp", "nbf", "iat", "jti"].contains(&claim) {
            return Err(PolicyError::new(&format!(
                "audience_claim must be the name of a claim that names an audience or a client, such as \"client_id\", not \
                 {claim:?}"
            )));
        }
        Ok(Self { claim: (claim != "aud").then(|| claim.to_owned()), ..self })
    }

    pub(super) fn check(&self, claims: &Claims, members: &Object<'_>) -> Result<(), Error> {
        match &self.claim {
            None => self.check_aud(claims),
            Some(claim) => self.check_claim(claim, claims, members),
        }
    }

    fn check_aud(&self, claims: &Claims) -> Result<(), Error> {
        match (&self.accepted, claims.audience()) {
            (Audience::Any, _) | (Audience::Unnamed, None) => Ok(()),
            (Audience::Unnamed, Some(_)) => Err(Error::WrongAudience(self.expected.missed_by("aud", None))),
            (Audience::OneOf(_), None) => Err(self.missing("aud")),
            (Audience::OneOf(accepted), Some(mut named)) => {
                if named.any(|name| accepted.iter().any(|accepted| accepted == name)) {
                    return Ok(());
                }
                // A token may name thousands.
                let mut first = claims.audience().into_iter().flatten().take(16);
                let hint = first.find_map(|name| accepted.iter().find_map(|accepted| Hint::between(name, accepted)));
                Err(Error::WrongAudience(self.expected.missed_by("aud", hint)))
            }
        }
    }

    fn check_claim(&self, claim: &str, claims: &Claims, members: &Object<'_>) -> Result<(), Error> {
        if claims.audience().is_some() {
            self.check_aud(claims)?;
        }
        let mut is_named = false;
        let named = match members.get(claim) {
            None | Some(Value::Null) => None,
            Some(value) => Some(each_string(value, |name| {
                is_named |=
                    matches!(&self.accepted, Audience::OneOf(accepted) if accepted.iter().any(|one| one == name));
            })),
        };
        match (&self.accepted, named) {
            (Audience::Any, _) | (Audience::Unnamed, None) => Ok(()),
            (Audience::OneOf(_), None) => Err(self.missing(claim)),
            (_, Some(Some(()))) if is_named => Ok(()),
            (_, Some(_)) => Err(Error::WrongAudience(self.expected.missed_by(claim.to_owned(), None))),
        }
    }

    fn missing(&self, name: &str) -> Error {
        Error::MissingClaim { name: name.to_owned(), expected: Some(self.expected.clone()) }
    }
}

impl Default for AudienceRule {
    fn default() -> Self {
        let accepted = Audience::default();
        Self { expected: accepted.expectation(), accepted, claim: None }
    }
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
