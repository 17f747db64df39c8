//! Whose keys there are, and which of them may have signed a token.

use super::failure::AuditFailure;
use super::place::Place;
use crate::algorithm::Algorithm;
use crate::error::Error;
use crate::history::{KeyHistory, KeyLayer, KeyState};
use crate::jws::{Decoded, read_names_in};
use crate::key_set::Candidates;
use crate::policy::{IssuerNames, IssuerTable, Policy, PolicyError, Tenants};
use crate::spiffe::SCHEME;

/// Whose keys there are.
#[derive(Debug, Clone)]
pub enum AuditKeys {
    /// The same keys for all tokens: whose they are is for the policy to check.
    OfAnyIssuer(KeyHistory),
    /// The keys of each issuer, by its exact name; by its template, such as `https://login.example/{tid}/v2.0`, if it has
    /// tenants, which are for the policy to check; or by its SPIFFE trust domain, such as `spiffe://example.org`. They verify
    /// no other issuer's tokens.
    ByIssuer(Vec<(String, KeyHistory)>),
}

/// The same, compiled.
pub(super) struct IssuerKeys {
    /// `None`: the keys are for all tokens.
    table: Option<IssuerTable>,
    histories: Vec<KeyHistory>,
    /// The keys of an issuer that is not in the table: none.
    no_keys: KeyHistory,
}

/// The keys that may have signed a token, of the first layer that has any, and the layers after that one.
pub(super) struct Fitting<'k> {
    pub(super) keys: Candidates<'k>,
    pub(super) state: KeyState,
    pub(super) later: &'k [KeyLayer],
    /// Whether there is a record of the issuer's keys.
    pub(super) is_recorded: bool,
}

impl IssuerKeys {
    pub(super) fn new(keys: AuditKeys) -> Result<Self, PolicyError> {
        let no_keys = KeyHistory::unrecorded();
        match keys {
            AuditKeys::OfAnyIssuer(history) => Ok(Self { table: None, histories: vec![history], no_keys }),
            AuditKeys::ByIssuer(issuers) => {
                let (names, histories): (Vec<_>, Vec<_>) = issuers.into_iter().unzip();
                let names: Vec<_> = names.into_iter().map(issuer_names).collect();
                Ok(Self { table: Some(IssuerTable::new(&names)?), histories, no_keys })
            }
        }
    }

    /// The number of the issuer that an unverified token names, in the claim by which the policy knows issuers: otherwise
    /// any issuer could name workloads of a trust domain. The token is verified with the keys of no other.
    pub(super) fn issuer_of(&self, token: &Decoded, policy: &Policy) -> Option<usize> {
        match &self.table {
            None => Some(0),
            Some(table) => read_names_in(token, |issuer, subject| {
                table.find(issuer.filter(|_| !policy.names_trust_domain()), subject)
            }),
        }
    }

    /// The keys of the issuer with this number.
    pub(super) fn of(&self, issuer: Option<usize>) -> &KeyHistory {
        issuer.and_then(|issuer| self.histories.get(issuer)).unwrap_or(&self.no_keys)
    }

    /// The keys at a place that may have signed a token with this header.
    ///
    /// # Errors
    /// The first that says more than that there is no such key.
    pub(super) fn fitting(
        &self,
        place: Place,
        key_id: Option<&str>,
        algorithm: Algorithm,
    ) -> Result<Fitting<'_>, AuditFailure> {
        let layers = self.of(place.issuer).epoch(place.keys).layers();
        // A compromised key is remembered for all times after, also for those of which there is no other record.
        let is_recorded = layers.iter().any(|layer| layer.state != KeyState::Compromised);
        let mut failure = None;
        let mut rest = layers;
        while let Some((layer, later)) = rest.split_first() {
            match layer.keys.candidates(key_id, algorithm) {
                Ok(keys) => return Ok(Fitting { keys, state: layer.state, later, is_recorded }),
                Err(error) if matches!(failure, None | Some(Error::UnknownKey(_))) => failure = Some(error),
                Err(_) => {}
            }
            rest = later;
        }
        Err(match (failure, place.issuer) {
            (_, None) => AuditFailure::UnknownIssuer,
            (Some(error), Some(_)) if is_recorded => error.into(),
            (_, Some(_)) => AuditFailure::KeysNotRecorded,
        })
    }
}

fn issuer_names(name: String) -> IssuerNames {
    let tenants = name.contains(['{', '}']).then_some(Tenants::Any);
    let trust_domain = name.strip_prefix(SCHEME).map(str::to_owned);
    IssuerNames { spellings: vec![name.clone()], name, tenants, trust_domain }
}
