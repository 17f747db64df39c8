//! Whose tokens a policy accepts: issuers by name, the tenants of a multi-tenant issuer, or a SPIFFE trust domain.

use crate::claims::Claims;
use crate::error::Error;
use crate::json::{Object, Value};
use crate::member::must_be;
use crate::policy::PolicyError;
use crate::spiffe::{SpiffeId, is_segment, is_trust_domain};

/// Whose tokens are accepted.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) enum IssuerRule {
    /// Anybody's: `iss` is not checked.
    #[default]
    Any,
    /// Those whose `iss` is exactly one of these.
    OneOf(Vec<String>),
    /// Those of tenants of an issuer, whose `iss` is a template with the name of the tenant in it.
    Tenants { templates: Vec<Template>, exact: Vec<String>, tenants: Tenants },
    /// Those of workloads of this SPIFFE trust domain, which have no `iss`.
    TrustDomain(String),
}

/// Which tenants of a multi-tenant issuer are accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Tenants {
    /// These.
    OneOf(Vec<String>),
    /// Whichever has keys at this issuer: anybody who can open an account there.
    Any,
}

/// An `iss` with a place for the value of another claim of the same token: `https://login.example/{tid}/v2.0`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Template {
    prefix: String,
    claim: String,
    suffix: String,
}

impl IssuerRule {
    pub(crate) fn one_of(issuers: Vec<String>) -> Result<Self, PolicyError> {
        crate::policy::check_names("issuer", &issuers)?;
        if let Some(template) = issuers.iter().find(|issuer| issuer.contains(['{', '}'])) {
            return Err(PolicyError::new(&format!(
                "issuer {template:?} has a placeholder: list its tenants, or say openly that any tenant is accepted"
            )));
        }
        Ok(Self::OneOf(issuers))
    }

    pub(crate) fn of_tenants(issuers: Vec<String>, tenants: Tenants) -> Result<Self, PolicyError> {
        crate::policy::check_names("issuer", &issuers)?;
        let (templates, exact): (Vec<_>, Vec<_>) = issuers.into_iter().partition(|issuer| issuer.contains(['{', '}']));
        if templates.is_empty() {
            return Err(PolicyError::new(
                "tenants are of an issuer with a placeholder for them, such as \"https://login.example/{tid}/v2.0\"",
            ));
        }
        let templates = templates.iter().map(|template| Template::parse(template)).collect::<Result<_, _>>()?;
        Ok(Self::Tenants { templates, exact, tenants: tenants.checked()? })
    }

    pub(crate) fn trust_domain(name: &str) -> Result<Self, PolicyError> {
        if !is_trust_domain(name) {
            return Err(PolicyError::new(
                "trust_domain must be the name of a SPIFFE trust domain, such as \"example.org\": 1 to 255 lower-case \
                 letters, digits, dots, dashes and underscores, without \"spiffe://\" and without a path",
            ));
        }
        Ok(Self::TrustDomain(name.to_owned()))
    }

    pub(crate) fn check(&self, claims: &Claims, members: &Object<'_>) -> Result<(), Error> {
        match self {
            Self::Any => Ok(()),
            Self::OneOf(accepted) => {
                let issuer = issuer_of(claims)?;
                if accepted.iter().any(|accepted| accepted == issuer) { Ok(()) } else { Err(Error::WrongIssuer) }
            }
            Self::Tenants { templates, exact, tenants } => {
                let issuer = issuer_of(claims)?;
                if exact.iter().any(|accepted| accepted == issuer) {
                    return Ok(());
                }
                let mut missing = None;
                for template in templates {
                    let Some(tenant) = template.place(issuer) else { continue };
                    match members.get(&template.claim) {
                        None | Some(Value::Null) => missing = missing.or(Some(&template.claim)),
                        Some(Value::String(named)) if *named == tenant && tenants.accept(tenant) => return Ok(()),
                        Some(_) => {}
                    }
                }
                Err(missing.map_or(Error::WrongIssuer, |claim| Error::MissingClaim(claim.clone())))
            }
            Self::TrustDomain(trust_domain) => check_workload(claims, trust_domain),
        }
    }

    /// The keys of a multi-tenant issuer are those of all its tenants, unless a key names the issuer that it signs for. If
    /// there is one issuer, its keys are what the operator says they are.
    pub(crate) fn check_key(&self, claims: &Claims, key_issuer: Option<&str>) -> Result<(), Error> {
        let (Self::Tenants { .. }, Some(key_issuer)) = (self, key_issuer) else { return Ok(()) };
        if signs_for(key_issuer, issuer_of(claims)?) { Ok(()) } else { Err(Error::WrongIssuer) }
    }

    /// Claims that must be there, whatever else the policy requires (JWT-SVID sections 3.2 and 3.3).
    pub(crate) fn required(&self) -> &'static [&'static str] {
        if matches!(self, Self::TrustDomain(_)) { &["aud", "exp"] } else { &[] }
    }
}

/// Whether a key with this member `issuer` signs for `issuer`: exactly it, or any tenant's if there is a placeholder,
/// whatever that is called.
fn signs_for(key_issuer: &str, issuer: &str) -> bool {
    let template = key_issuer.split_once('{').and_then(|(prefix, rest)| Some((prefix, rest.split_once('}')?.1)));
    match template {
        None => key_issuer == issuer,
        Some((prefix, suffix)) => {
            issuer.strip_prefix(prefix).and_then(|rest| rest.strip_suffix(suffix)).is_some_and(is_segment)
        }
    }
}

fn issuer_of(claims: &Claims) -> Result<&str, Error> {
    claims.issuer().ok_or_else(|| Error::MissingClaim("iss".into()))
}

/// `sub` must be the SPIFFE ID of a workload of the trust domain (JWT-SVID section 3.1).
fn check_workload(claims: &Claims, trust_domain: &str) -> Result<(), Error> {
    let subject = claims.subject().ok_or_else(|| Error::MissingClaim("sub".into()))?;
    let id = SpiffeId::parse(subject).ok().filter(SpiffeId::names_workload).ok_or_else(not_a_workload)?;
    if id.trust_domain() == trust_domain { Ok(()) } else { Err(Error::WrongIssuer) }
}

fn not_a_workload() -> Error {
    Error::MalformedClaims(must_be("sub", "the SPIFFE ID of a workload (spiffe://trust-domain/path)"))
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

    /// What stands in the place of the claim, if `issuer` has the form of the template and that is a plain name: a
    /// delimiter inside it could make one issuer look like another.
    fn place<'i>(&self, issuer: &'i str) -> Option<&'i str> {
        issuer.strip_prefix(&*self.prefix)?.strip_suffix(&*self.suffix).filter(|tenant| is_segment(tenant))
    }
}

impl Tenants {
    /// The same, ready to be searched.
    fn checked(self) -> Result<Self, PolicyError> {
        let Self::OneOf(mut names) = self else { return Ok(self) };
        if names.is_empty() {
            return Err(PolicyError::new("tenants is empty: list those that are accepted, or accept any openly"));
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
