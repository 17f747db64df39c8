//! The template of a multi-tenant issuer, and the tenants that are accepted.

use std::fmt;

use super::PolicyError;
use super::expectation::Hint;
use crate::json::{Object, Value};
use crate::spiffe::is_segment;

/// The tenants of a multi-tenant issuer that are accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Tenants {
    /// These.
    OneOf(Vec<String>),
    /// All of them: anybody who can open an account at this issuer.
    Any,
}

/// An `iss` with a placeholder for the value of another claim of the same token: `https://login.example/{tid}/v2.0`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Template {
    prefix: String,
    pub(super) claim: String,
    suffix: String,
}

/// The result of comparing a token with a template.
pub(super) enum Tenancy {
    Accepted,
    /// `iss` matches, and the claim that should name the tenant is absent.
    Unnamed,
    Wrong(Option<Hint>),
}

impl fmt::Display for Template {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{{{}}}{}", self.prefix, self.claim, self.suffix)
    }
}

impl Template {
    pub(super) fn parse(text: &str) -> Result<Self, PolicyError> {
        let parts = text
            .split_once('{')
            .and_then(|(prefix, rest)| rest.split_once('}').map(|(claim, suffix)| [prefix, claim, suffix]))
            .filter(|parts| !parts.iter().any(|part| part.contains(['{', '}'])));
        let Some([prefix, claim, suffix]) = parts else {
            return Err(PolicyError::new(&format!(
                "issuer {text:?} must have one placeholder, a claim's name in braces, such as {{tid}}"
            )));
        };
        if claim.is_empty() || claim == "iss" || prefix.is_empty() {
            return Err(PolicyError::new(&format!(
                "issuer {text:?} must have a claim's name in its braces, not \"iss\", and something before them"
            )));
        }
        Ok(Self { prefix: prefix.to_owned(), claim: claim.to_owned(), suffix: suffix.to_owned() })
    }

    /// Whether `issuer` is the template with the value of the claim in place of the placeholder.
    pub(super) fn check(&self, issuer: &str, tenants: &Tenants, members: &Object<'_>) -> Tenancy {
        let named = match members.get(&self.claim) {
            None | Some(Value::Null) => {
                return if self.tenant_in(issuer).is_some() { Tenancy::Unnamed } else { Tenancy::Wrong(None) };
            }
            named => named.and_then(Value::as_str).filter(|tenant| is_segment(tenant)),
        };
        match (self.tenant_in(issuer), named) {
            (Some(tenant), Some(named)) if tenant != named => Tenancy::Wrong(Some(Hint::AnotherTenant)),
            (Some(tenant), Some(_)) if tenants.accept(tenant) => Tenancy::Accepted,
            (Some(_), Some(_)) => Tenancy::Wrong(Some(Hint::UnlistedTenant)),
            (None, Some(named)) => Tenancy::Wrong(Hint::between(issuer, &[&self.prefix, named, &self.suffix].concat())),
            (_, None) => Tenancy::Wrong(None),
        }
    }

    /// The value of the placeholder, if `issuer` matches the template.
    pub(super) fn tenant_in<'i>(&self, issuer: &'i str) -> Option<&'i str> {
        tenant_between(&self.prefix, &self.suffix, issuer)
    }

    /// The `iss` of this tenant.
    pub(super) fn with_tenant(&self, tenant: &str) -> String {
        [&self.prefix, tenant, &self.suffix].concat()
    }

    /// Whether one `iss` could match both templates.
    pub(super) fn overlaps(&self, other: &Self) -> bool {
        let before = longer(&self.prefix, &other.prefix, |long, short| long.strip_prefix(short));
        let after = longer(&self.suffix, &other.suffix, |long, short| long.strip_suffix(short));
        // The text that only one of the templates has must be able to be part of the other's tenant.
        before.zip(after).is_some_and(|(before, after)| is_segment(&[before, "x", after].concat()))
    }
}

impl Tenants {
    /// The same, validated and sorted for searching.
    pub(super) fn checked(self) -> Result<Self, PolicyError> {
        let Self::OneOf(mut names) = self else { return Ok(self) };
        if names.is_empty() {
            return Err(PolicyError::new(
                "tenants is empty: list those that are accepted, or accept any tenant explicitly",
            ));
        }
        if let Some(name) = names.iter().find(|name| !is_segment(name)) {
            return Err(PolicyError::new(&format!(
                "tenants: {name:?} must have letters, digits, dots, dashes and underscores only, and not be one dot or two"
            )));
        }
        names.sort_unstable();
        names.dedup();
        Ok(Self::OneOf(names))
    }

    fn accept(&self, tenant: &str) -> bool {
        match self {
            Self::Any => true,
            Self::OneOf(names) => names.binary_search_by(|name| name.as_str().cmp(tenant)).is_ok(),
        }
    }
}

/// What the longer of two texts has besides the shorter one, by `strip`; `None` if the shorter one is not part of it.
fn longer<'t>(one: &'t str, other: &'t str, strip: impl Fn(&'t str, &'t str) -> Option<&'t str>) -> Option<&'t str> {
    strip(one, other).or_else(|| strip(other, one))
}

/// Whether a key with this member `issuer` signs for `issuer`: exactly it, or any tenant's if there is a placeholder,
/// whatever that is called.
pub(super) fn signs_for(key_issuer: &str, issuer: &str) -> bool {
    let template = key_issuer.split_once('{').and_then(|(prefix, rest)| Some((prefix, rest.split_once('}')?.1)));
    match template {
        None => key_issuer == issuer,
        Some((prefix, suffix)) => tenant_between(prefix, suffix, issuer).is_some(),
    }
}

/// The text between the two, if it is a plain name: a delimiter in it could make one issuer look like another.
fn tenant_between<'i>(prefix: &str, suffix: &str, issuer: &'i str) -> Option<&'i str> {
    issuer.strip_prefix(prefix)?.strip_suffix(suffix).filter(|tenant| is_segment(tenant))
}
