//! The issuers that a policy accepts: by name, as tenants of a multi-tenant issuer, or as a SPIFFE trust domain.

use super::expectation::{Expectation, Hint};
use super::{PolicyError, check_names};
use crate::claims::Claims;
use crate::error::Error;
use crate::json::{Object, Value};
use crate::jws::member::must_be;
use crate::spiffe::{SpiffeId, is_segment, is_trust_domain};

/// The issuers that are accepted, and the same in words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct IssuerRule {
    accepted: Accepted,
    expected: Expectation,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Accepted {
    /// Any: `iss` is not checked.
    Any,
    /// Exactly these.
    OneOf(Vec<String>),
    /// Tenants of an issuer, whose `iss` is a template with the name of the tenant in it.
    Tenants { templates: Vec<Template>, exact: Vec<String>, tenants: Tenants },
    /// Workloads of this SPIFFE trust domain, whose tokens have no `iss`.
    TrustDomain(String),
}

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
pub(crate) struct Template {
    prefix: String,
    claim: String,
    suffix: String,
}

impl IssuerRule {
    pub(crate) fn one_of(issuers: Vec<String>) -> Result<Self, PolicyError> {
        check_names("issuer", &issuers)?;
        if let Some(template) = issuers.iter().find(|issuer| issuer.contains(['{', '}'])) {
            return Err(PolicyError::new(&format!(
                "issuer {template:?} has a placeholder: list the tenants, or accept any tenant explicitly"
            )));
        }
        Ok(Self { expected: must_be_one_of(&issuers), accepted: Accepted::OneOf(issuers) })
    }

    pub(crate) fn of_tenants(issuers: Vec<String>, tenants: Tenants) -> Result<Self, PolicyError> {
        check_names("issuer", &issuers)?;
        let expected = must_be_one_of(&issuers);
        let (templates, exact): (Vec<_>, Vec<_>) = issuers.into_iter().partition(|issuer| issuer.contains(['{', '}']));
        if templates.is_empty() {
            return Err(PolicyError::new(
                "tenants require an issuer with a placeholder for them, such as \"https://login.example/{tid}/v2.0\"",
            ));
        }
        let templates = templates.iter().map(|template| Template::parse(template)).collect::<Result<_, _>>()?;
        Ok(Self { expected, accepted: Accepted::Tenants { templates, exact, tenants: tenants.checked()? } })
    }

    pub(crate) fn trust_domain(name: &str) -> Result<Self, PolicyError> {
        if !is_trust_domain(name) {
            return Err(PolicyError::new(
                "trust_domain must be the name of a SPIFFE trust domain, such as \"example.org\": 1 to 255 lower-case \
                 letters, digits, dots, dashes and underscores, without \"spiffe://\" and without a path",
            ));
        }
        let expected = Expectation::any_of("must be a SPIFFE ID of the trust domain", [name], None);
        Ok(Self { expected, accepted: Accepted::TrustDomain(name.to_owned()) })
    }

    pub(crate) fn check(&self, claims: &Claims, members: &Object<'_>) -> Result<(), Error> {
        match &self.accepted {
            Accepted::Any => Ok(()),
            Accepted::OneOf(accepted) => {
                let issuer = claims.issuer().ok_or_else(|| self.missing("iss"))?;
                if accepted.iter().any(|accepted| accepted == issuer) {
                    return Ok(());
                }
                Err(self.wrong("iss", accepted.iter().find_map(|accepted| Hint::between(issuer, accepted))))
            }
            Accepted::Tenants { templates, exact, tenants } => {
                let issuer = claims.issuer().ok_or_else(|| self.missing("iss"))?;
                if exact.iter().any(|accepted| accepted == issuer) {
                    return Ok(());
                }
                let (mut hint, mut missing) = (None, None);
                for template in templates {
                    match template.check(issuer, tenants, members) {
                        Tenancy::Accepted => return Ok(()),
                        Tenancy::Unnamed => missing = missing.or(Some(&template.claim)),
                        Tenancy::Wrong(why) => hint = hint.or(why),
                    }
                }
                Err(match missing {
                    Some(claim) => Error::MissingClaim { name: claim.clone(), expected: None },
                    None => self.wrong(
                        "iss",
                        hint.or_else(|| exact.iter().find_map(|accepted| Hint::between(issuer, accepted))),
                    ),
                })
            }
            Accepted::TrustDomain(trust_domain) => {
                // `sub` is the SPIFFE ID of a workload (JWT-SVID section 3.1).
                let subject = claims.subject().ok_or_else(|| self.missing("sub"))?;
                let id = SpiffeId::parse(subject).ok().filter(SpiffeId::names_workload).ok_or_else(not_a_workload)?;
                if id.trust_domain() == trust_domain { Ok(()) } else { Err(self.wrong("sub", None)) }
            }
        }
    }

    /// The keys of a multi-tenant issuer are those of all its tenants, unless a key names the issuer that it signs for. If
    /// there is one issuer, the operator decides which keys are its own.
    pub(crate) fn check_key(&self, claims: &Claims, key_issuer: Option<&str>) -> Result<(), Error> {
        let (Accepted::Tenants { .. }, Some(key_issuer)) = (&self.accepted, key_issuer) else { return Ok(()) };
        let signs = claims.issuer().is_some_and(|issuer| signs_for(key_issuer, issuer));
        if signs { Ok(()) } else { Err(self.wrong("iss", Some(Hint::AnotherKey))) }
    }

    /// Claims that must be present, whatever else the policy requires (JWT-SVID sections 3.2 and 3.3).
    pub(crate) fn required(&self) -> &'static [&'static str] {
        if matches!(self.accepted, Accepted::TrustDomain(_)) { &["aud", "exp"] } else { &[] }
    }

    fn missing(&self, name: &str) -> Error {
        Error::MissingClaim { name: name.to_owned(), expected: Some(self.expected.clone()) }
    }

    fn wrong(&self, member: &'static str, hint: Option<Hint>) -> Error {
        Error::WrongIssuer(self.expected.missed_by(member, hint))
    }
}

/// Whether a key with this member `issuer` signs for `issuer`: exactly it, or any tenant's if there is a placeholder,
/// whatever that is called.
fn signs_for(key_issuer: &str, issuer: &str) -> bool {
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

impl Default for IssuerRule {
    fn default() -> Self {
        Self { accepted: Accepted::Any, expected: Expectation::new("may be anything") }
    }
}

fn must_be_one_of(issuers: &[String]) -> Expectation {
    Expectation::any_of("must be", issuers.iter().map(String::as_str), None)
}

fn not_a_workload() -> Error {
    Error::MalformedClaims(must_be("sub", "the SPIFFE ID of a workload (spiffe://trust-domain/path)"))
}

/// The result of comparing a token with a template.
enum Tenancy {
    Accepted,
    /// `iss` matches, and the claim that should name the tenant is absent.
    Unnamed,
    Wrong(Option<Hint>),
}

impl Template {
    fn parse(text: &str) -> Result<Self, PolicyError> {
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
    fn check(&self, issuer: &str, tenants: &Tenants, members: &Object<'_>) -> Tenancy {
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
    fn tenant_in<'i>(&self, issuer: &'i str) -> Option<&'i str> {
        tenant_between(&self.prefix, &self.suffix, issuer)
    }
}

impl Tenants {
    /// The same, validated and sorted for searching.
    fn checked(self) -> Result<Self, PolicyError> {
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
