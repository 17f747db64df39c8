//! Which configured issuer a token is from, by its unverified names.
//!
//! This only selects an issuer: its policy then checks `iss`, or `sub` for a trust domain, against the verified claims.

use std::collections::HashMap;

use super::PolicyError;
use super::issuer_rule::{Accepted, IssuerRule};
use super::issuer_template::{Template, Tenants};
use crate::jws::{Limits, read_unverified_names};
use crate::spiffe::trust_domain_in;

/// All names that the tokens of an issuer may have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IssuerNames {
    /// What the issuer is called in errors.
    pub name: String,
    /// The values of `iss` that it uses, templates among them if it has `tenants`. Unused for a trust domain.
    pub spellings: Vec<String>,
    /// The tenants that are accepted, if a spelling is a template.
    pub tenants: Option<Tenants>,
    /// The SPIFFE trust domain, for an issuer whose tokens need no `iss`.
    pub trust_domain: Option<String>,
}

/// The configured issuers, by all names that their tokens may have.
///
/// An exact spelling, a listed tenant's too, comes before a template that accepts any tenant, and `iss` before `sub`.
/// Issuers are numbered in the order in which they were given.
#[derive(Debug, Clone, Default)]
pub struct IssuerTable {
    exact: HashMap<String, usize>,
    any_tenant: Vec<(Template, usize)>,
    /// All templates, those of listed tenants too.
    templates: Vec<(Template, String)>,
    trust_domains: HashMap<String, usize>,
}

impl IssuerTable {
    /// A table of these issuers.
    ///
    /// # Errors
    /// [`PolicyError`] if two of them claim the same tokens, or if the names of one could not be those of a
    /// [`Policy`](crate::Policy).
    pub fn new(issuers: &[IssuerNames]) -> Result<Self, PolicyError> {
        let mut table = Self::default();
        for (index, names) in issuers.iter().enumerate() {
            table.add(index, names, issuers)?;
        }
        Ok(table)
    }

    /// The issuer of a token with this unverified `iss` and `sub`; `None` if neither names one.
    pub fn find(&self, issuer: Option<&str>, subject: Option<&str>) -> Option<usize> {
        issuer.and_then(|issuer| self.find_issuer(issuer)).or_else(|| {
            let trust_domain = subject.and_then(trust_domain_in)?;
            self.trust_domains.get(trust_domain).copied()
        })
    }

    /// The issuer that an unverified token names; `None` if it names none of them, is malformed, or exceeds the limits.
    pub fn find_in(&self, token: &[u8], limits: &Limits) -> Option<usize> {
        read_unverified_names(token, limits, |issuer, subject| self.find(issuer, subject)).flatten()
    }

    /// The first template that `issuer` matches with any tenant, listed or not: which issuer was meant.
    pub fn template_of(&self, issuer: &str) -> Option<&str> {
        let (_, spelling) = self.templates.iter().find(|(template, _)| template.tenant_in(issuer).is_some())?;
        Some(spelling)
    }

    fn find_issuer(&self, issuer: &str) -> Option<usize> {
        self.exact.get(issuer).copied().or_else(|| {
            let (_, index) = self.any_tenant.iter().find(|(template, _)| template.tenant_in(issuer).is_some())?;
            Some(*index)
        })
    }

    fn add(&mut self, index: usize, names: &IssuerNames, issuers: &[IssuerNames]) -> Result<(), PolicyError> {
        match IssuerRule::of(names)?.accepted {
            Accepted::Any => Ok(()),
            Accepted::OneOf(spellings) => claim(&mut self.exact, spellings, index, names),
            Accepted::TrustDomain(name) => claim(&mut self.trust_domains, [name], index, names),
            Accepted::Tenants { templates, exact, tenants } => {
                claim(&mut self.exact, exact, index, names)?;
                for template in templates {
                    self.templates.push((template.clone(), template.to_string()));
                    match &tenants {
                        Tenants::OneOf(listed) => {
                            let spellings = listed.iter().map(|tenant| template.with_tenant(tenant));
                            claim(&mut self.exact, spellings, index, names)?;
                        }
                        Tenants::Any => self.claim_any_tenant(template, index, issuers)?,
                    }
                }
                Ok(())
            }
        }
    }

    fn claim_any_tenant(
        &mut self,
        template: Template,
        index: usize,
        issuers: &[IssuerNames],
    ) -> Result<(), PolicyError> {
        let mut others = self.any_tenant.iter().filter(|(_, owner)| *owner != index);
        if let Some((_, owner)) = others.find(|(other, _)| template.overlaps(other)) {
            let name = |index: usize| issuers.get(index).map_or("", |names| &names.name);
            return Err(PolicyError::new(&format!(
                "{:?} and {:?} accept any tenant, and one iss could match both: list the tenants of one of them",
                name(index),
                name(*owner),
            )));
        }
        self.any_tenant.push((template, index));
        Ok(())
    }
}

fn claim(
    table: &mut HashMap<String, usize>,
    spellings: impl IntoIterator<Item = String>,
    index: usize,
    names: &IssuerNames,
) -> Result<(), PolicyError> {
    for spelling in spellings {
        if table.get(&spelling).is_some_and(|&owner| owner != index) {
            return Err(PolicyError::new(&format!(
                "{spelling:?} is given twice, as an issuer, an alias or a tenant, once for {:?}: remove one",
                names.name
            )));
        }
        table.insert(spelling, index);
    }
    Ok(())
}
