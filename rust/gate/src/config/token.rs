//! The requirements for tokens, as they are configured: for all issuers, and for one.

use watchword_kernel::{Audience, BoundTokens, JwsPolicy, Limits, Policy, PolicyError, ScopeClaims};

use super::section::{Located, Section};

/// What `[token]`, or one of the `[[issuers]]`, says of tokens; `None`: it says nothing.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct TokenConfig {
    /// The accepted audiences.
    pub audience: Option<Vec<String>>,
    /// Whether every audience is accepted.
    pub any_audience: bool,
    /// The accepted algorithms.
    pub algorithms: Option<Vec<String>>,
    /// The accepted values of `typ`; `None` among them: its absence.
    pub types: Option<Vec<Option<String>>>,
    /// The difference of clocks, in seconds, that is tolerated.
    pub leeway: Option<f64>,
    /// The claims that must be present.
    pub required: Option<Vec<String>>,
    /// How to treat a bound token without a proof.
    pub bound_tokens: Option<BoundTokens>,
    /// The claims with scopes.
    pub scope_claims: Option<Vec<String>>,
    /// The longest token, in bytes.
    pub max_token_bytes: Option<usize>,
    /// The longest header of a token, in bytes.
    pub max_header_bytes: Option<usize>,
}

/// In a list of types: a token without `typ`.
const NO_TYPE: &str = "none";

impl TokenConfig {
    /// Reads the keys that `[token]` and `[[issuers]]` have in common.
    pub(super) fn read(section: &mut Section<'_>) -> Self {
        let problems = section.problems();
        let audience = section.text_or_texts("audience");
        let any_audience = section.flag("any_audience").unwrap_or_default();
        if let Some(audience) = &audience {
            if any_audience {
                audience.reject(problems, "contradicts any_audience: remove one of them");
            }
            check(section, audience, Policy::default().with_audience(Audience::OneOf(values(audience))));
        }
        let algorithms = section.texts("algorithms");
        if let Some(algorithms) = &algorithms {
            check_each(section, algorithms, |one| JwsPolicy::default().with_algorithms(&[one]));
            if algorithms.value.is_empty() {
                check(section, algorithms, JwsPolicy::default().with_algorithms(&values(algorithms)));
            }
        }
        let types = section.texts("types");
        if let Some(types) = types.as_ref().filter(|types| types.value.is_empty()) {
            types.reject(problems, "is empty: list what is accepted, \"none\" for a token without typ");
        }
        let leeway = section.number("leeway");
        let required = section.texts("required");
        let bound_tokens = section.one_of("bound_tokens", &["reject", "accept"]);
        let scope_claims = section.texts("scope_claims");
        if let Some(claims) = &scope_claims {
            check_each(section, claims, |one| ScopeClaims::new(vec![one.to_owned()]));
        }
        let mut limit = |key| section.whole(key, 1).and_then(|limit| usize::try_from(limit.value).ok());
        let (max_token_bytes, max_header_bytes) = (limit("max_token_bytes"), limit("max_header_bytes"));
        Self {
            audience: audience.as_ref().map(values),
            any_audience,
            algorithms: algorithms.as_ref().map(values),
            types: types
                .map(|types| types.value.into_iter().map(|typ| Some(typ.value).filter(|typ| typ != NO_TYPE)).collect()),
            leeway: leeway.map(|leeway| leeway.value),
            required: required.as_ref().map(values),
            bound_tokens: bound_tokens.map(|bound| match bound.value {
                "accept" => BoundTokens::Accept,
                _ => BoundTokens::Reject,
            }),
            scope_claims: scope_claims.as_ref().map(values),
            max_token_bytes,
            max_header_bytes,
        }
    }

    /// Whether it says which audience tokens must have.
    pub fn names_audience(&self) -> bool {
        self.audience.is_some() || self.any_audience
    }

    /// The limits of tokens: these, else those of `others`, else the kernel's.
    pub fn limits(&self, others: &Self) -> Limits {
        let default = Limits::default();
        Limits {
            token: self.max_token_bytes.or(others.max_token_bytes).unwrap_or(default.token),
            header: self.max_header_bytes.or(others.max_header_bytes).unwrap_or(default.header),
        }
    }
}

/// The texts of a list.
pub(super) fn values(list: &Located<Vec<Located<String>>>) -> Vec<String> {
    list.value.iter().map(|one| one.value.clone()).collect()
}

/// Reports what the kernel says of a value.
pub(super) fn check<T, U>(section: &Section<'_>, found: &Located<T>, result: Result<U, PolicyError>) {
    if let Err(error) = result {
        found.reject(section.problems(), error.to_string());
    }
}

fn check_each<U>(
    section: &Section<'_>,
    list: &Located<Vec<Located<String>>>,
    make: impl Fn(&str) -> Result<U, PolicyError>,
) {
    for one in &list.value {
        check(section, one, make(&one.value));
    }
}
