//! The issuers that a policy accepts: by name, as tenants of a multi-tenant issuer, or as a SPIFFE trust domain.

use super::expectation::{Expectation, Hint};
use super::issuer_table::IssuerNames;
use super::issuer_template::{Template, Tenancy, Tenants, signs_for};
use super::{PolicyError, check_names};
use crate::claims::Claims;
use crate::error::Error;
use crate::json::Object;
use crate::jws::member::must_be;
use crate::spiffe::{SpiffeId, is_trust_domain};

/// The issuers that are accepted, and the same in words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct IssuerRule {
    pub(super) accepted: Accepted,
    expected: Expectation,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Accepted {
    /// Any: `iss` is not checked.
    Any,
    /// Exactly these.
    OneOf(Vec<String>),
    /// Tenants of an issuer, whose `iss` is a template with the name of the tenant in it.
    Tenants { templates: Vec<Template>, exact: Vec<String>, tenants: Tenants },
    /// Workloads of this SPIFFE trust domain, whose tokens have no `iss`.
    TrustDomain(String),
}

impl IssuerRule {
    /// The rule for an issuer with these names.
    pub(super) fn of(names: &IssuerNames) -> Result<Self, PolicyError> {
        match (&names.trust_domain, &names.tenants) {
            (Some(name), _) => Self::trust_domain(name),
            (None, Some(tenants)) => Self::of_tenants(names.spellings.clone(), tenants.clone()),
            (None, None) => Self::one_of(names.spellings.clone()),
        }
    }

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

    /// Whether issuers are trust domains, which `sub` names and not `iss`.
    pub(crate) fn names_trust_domain(&self) -> bool {
        matches!(self.accepted, Accepted::TrustDomain(_))
    }

    /// Claims that must be present, whatever else the policy requires (JWT-SVID sections 3.2 and 3.3).
    pub(crate) fn required(&self) -> &'static [&'static str] {
        if self.names_trust_domain() { &["aud", "exp"] } else { &[] }
    }

    fn missing(&self, name: &str) -> Error {
        Error::MissingClaim { name: name.to_owned(), expected: Some(self.expected.clone()) }
    }

    fn wrong(&self, member: &'static str, hint: Option<Hint>) -> Error {
        Error::WrongIssuer(self.expected.missed_by(member, hint))
    }
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
