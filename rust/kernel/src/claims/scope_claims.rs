//! The claims that contain a token's scopes: the only place that reads scopes from claims.

use std::collections::BTreeSet;

use crate::error::Malformed;
use crate::json::{Object, Value};
use crate::jws::member::{each_word, must_be};
use crate::policy::PolicyError;

/// The registered claim (RFC 8693 section 4.2). It is type-checked in every token, whether it is named here or not.
pub(crate) const SCOPE: &str = "scope";

/// Claims whose words are the token's scopes, in the order in which they are read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScopeClaims(Vec<String>);

const MUST_BE: &str = "a string or an array of strings";

/// Registered claims that mean something else.
const TAKEN: [&str; 10] = ["iss", "sub", "aud", "exp", "nbf", "iat", "jti", "cnf", "act", "may_act"];

impl ScopeClaims {
    /// The default: `scope`, and `scp`, which some large issuers use instead.
    pub const DEFAULT: [&'static str; 2] = [SCOPE, "scp"];

    /// These claims. No claim at all means that tokens have no scopes.
    ///
    /// # Errors
    /// [`PolicyError`] if a name is empty, repeated, or that of a registered claim that means something else.
    pub fn new(names: Vec<String>) -> Result<Self, PolicyError> {
        for (index, name) in names.iter().enumerate() {
            if name.is_empty() || TAKEN.contains(&name.as_str()) {
                return Err(PolicyError::new(&format!(
                    "scope_claims: {name:?} is not a claim of scopes: name claims such as \"scope\", \"scp\", \"permissions\""
                )));
            }
            if names.iter().take(index).any(|earlier| earlier == name) {
                return Err(PolicyError::new(&format!("scope_claims: {name:?} is named twice")));
            }
        }
        Ok(Self(names))
    }

    /// Passes each scope to `take`: the words of the claims in their order, without those that an earlier claim had.
    /// `find` finds a claim by its name.
    pub(crate) fn read<'m, 'a: 'm>(
        &self,
        find: impl Fn(&str) -> Option<&'m Value<'a>>,
        mut take: impl FnMut(&str),
    ) -> Result<(), Malformed> {
        let mut present = self.0.iter().filter_map(|name| find(name).map(|value| (name.as_str(), value)));
        let (Some(first), second) = (present.next(), present.next()) else { return Ok(()) };
        let Some(second) = second else { return words(first, take) };
        // An ordered set: the work stays bounded whatever the words are, without a random seed.
        let mut known = BTreeSet::new();
        for claim in [first, second].into_iter().chain(present) {
            let mut own = Vec::new();
            words(claim, |word| own.push(word.to_owned()))?;
            own.iter().filter(|word| !known.contains(*word)).for_each(|word| take(word));
            known.extend(own);
        }
        Ok(())
    }

    /// The scopes of a claims set, owned.
    pub(crate) fn of(&self, claims: &Object<'_>) -> Result<Vec<String>, Malformed> {
        let mut scopes = Vec::new();
        self.read(|name| claims.get(name), |word| scopes.push(word.to_owned()))?;
        Ok(scopes)
    }

    /// Whether this claim is one of them.
    pub(crate) fn contains(&self, name: &str) -> bool {
        self.0.iter().any(|known| known == name)
    }
}

/// Checks the type of `scope` if its words are not read.
pub(crate) fn check_scope(value: &Value<'_>) -> Result<(), Malformed> {
    words((SCOPE, value), |_| ())
}

fn words((name, value): (&str, &Value<'_>), take: impl FnMut(&str)) -> Result<(), Malformed> {
    each_word(value, take).ok_or_else(|| match name {
        SCOPE => must_be(SCOPE, MUST_BE),
        _ => Malformed::NamedClaim { name: name.to_owned(), must_be: MUST_BE },
    })
}

impl Default for ScopeClaims {
    fn default() -> Self {
        Self(Self::DEFAULT.map(str::to_owned).into())
    }
}
