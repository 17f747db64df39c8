//! What a caller requires of a token's wire form, type and algorithm.

use super::{Limits, MediaType};
use crate::algorithm::{Algorithm, AlgorithmSet};
use crate::error::Error;
use crate::policy::{Expectation, PolicyError};

/// The lengths, types and signature algorithms of the tokens that are accepted.
///
/// The default accepts the lengths of [`Limits::default`], the types of [`DEFAULT_TYPES`](Self::DEFAULT_TYPES), and the
/// algorithms of the keys. Other kinds of JWT that an issuer signs with the same keys (DPoP proofs, logout tokens, ID
/// tokens with a `typ` of their own) are rejected by their type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JwsPolicy {
    limits: Limits,
    types: Option<Types>,
    algorithms: Option<AlgorithmSet>,
}

/// The values of `typ` that are accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Types {
    types: Vec<Option<MediaType>>,
    expected: Expectation,
}

impl JwsPolicy {
    /// The default of [`with_types`](Self::with_types); `None` is for a token without `typ`.
    pub const DEFAULT_TYPES: [Option<&'static str>; 3] = [Some("JWT"), Some("at+jwt"), None];

    /// Accepts tokens and headers up to these lengths.
    ///
    /// # Errors
    /// [`PolicyError`] if a limit is 0.
    pub fn with_limits(self, limits: Limits) -> Result<Self, PolicyError> {
        if limits.token == 0 || limits.header == 0 {
            return Err(PolicyError::new("a limit of 0 bytes rejects every token: give a positive one"));
        }
        Ok(Self { limits, ..self })
    }

    /// Accepts these values of `typ`, compared as media types; `None` is for a token without `typ`.
    ///
    /// # Errors
    /// [`PolicyError`] if the list is empty.
    pub fn with_types<T: AsRef<str>>(self, types: &[Option<T>]) -> Result<Self, PolicyError> {
        if types.is_empty() {
            return Err(PolicyError::new("types is empty: list what is accepted, None for a token without typ"));
        }
        Ok(Self { types: Some(Types::new(types)), ..self })
    }

    /// Does not check `typ`. Every kind of object that the issuer's keys sign is then accepted: use it only if other means
    /// distinguish them.
    #[must_use]
    pub fn with_any_type(self) -> Self {
        Self { types: None, ..self }
    }

    /// Accepts these algorithms, by their names, among those of the keys.
    ///
    /// # Errors
    /// [`PolicyError`] if the list is empty or an algorithm is unknown.
    pub fn with_algorithms<T: AsRef<str>>(self, algorithms: &[T]) -> Result<Self, PolicyError> {
        Ok(Self { algorithms: Some(algorithm_set(algorithms)?), ..self })
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
        if accepted.types.iter().any(fits) {
            return Ok(());
        }
        Err(Error::WrongType(accepted.expected.missed_by("typ", None)))
    }

    /// The algorithm of this name, if it is known and allowed.
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

impl Default for JwsPolicy {
    fn default() -> Self {
        Self { limits: Limits::default(), types: Some(Types::new(&Self::DEFAULT_TYPES)), algorithms: None }
    }
}

impl Types {
    fn new<T: AsRef<str>>(types: &[Option<T>]) -> Self {
        let named = || types.iter().flatten().map(AsRef::as_ref);
        let absent = types.iter().any(Option::is_none).then_some("absent");
        Self {
            types: types.iter().map(|typ| typ.as_ref().map(|typ| MediaType::new(typ.as_ref()))).collect(),
            expected: Expectation::any_of("must be", named(), absent),
        }
    }
}

fn algorithm_set<T: AsRef<str>>(names: &[T]) -> Result<AlgorithmSet, PolicyError> {
    if names.is_empty() {
        return Err(PolicyError::new(
            "algorithms is empty: list what is allowed, or leave it out for those of the keys",
        ));
    }
    names
        .iter()
        .map(|name| {
            Algorithm::from_name(name.as_ref()).ok_or_else(|| {
                let known: Vec<&str> = Algorithm::ALL.iter().map(|algorithm| algorithm.name()).collect();
                PolicyError::new(&format!(
                    "{:?} is not a known algorithm: choose from {}",
                    name.as_ref(),
                    known.join(", ")
                ))
            })
        })
        .collect()
}
