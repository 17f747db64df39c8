//! What a gate checks requests by: an immutable whole, which is replaced as a whole.

use std::sync::Arc;

use watchword_kernel::{
    Error, IssuerTable, KeySet, Limits, Policy, ProofOfPossession, ProofPolicy, UnixTime, VerifiedToken, verify,
};

use crate::answer::AnswerSettings;
use crate::config::{RouteConfig, RouteError};
use crate::failure::Failure;
use crate::origin::PublicOrigin;
use crate::proxy::TrustedProxy;
use crate::requirement::Requirement;
use crate::route_table::RouteTable;
use crate::secrets::Secret;

/// Everything that a decision depends on, but the request, the time, and the keys of the issuers.
pub struct Rules {
    /// The URLs of the service.
    pub origin: PublicOrigin,
    /// What one trusted proxy says of a request.
    pub proxy: TrustedProxy,
    /// The prefix of the identity headers.
    pub identity_prefix: String,
    /// What is sent with the identity headers, so that the application can tell that they are the gate's.
    pub identity_secret: Option<Secret>,
    /// How rejections are written.
    pub answers: AnswerSettings,
    /// The requirements for proofs.
    pub proofs: ProofPolicy,
    /// The issuers, by what their tokens state.
    pub issuers: Arc<IssuerTable>,
    /// The names of the issuers, in the same order.
    pub issuer_names: Vec<Arc<str>>,
    /// The limits within which the issuer of a token is read.
    pub limits: Limits,
    /// For the checks without a key of a token that names none of the issuers.
    pub unknown_issuer_policy: Arc<Policy>,
    /// Which route a request takes.
    pub routes: RouteTable,
    /// The routes, in the same order.
    pub guards: Vec<Arc<Guard>>,
}

/// What is required of a request.
pub struct Guard {
    /// The name of the route.
    pub name: Arc<str>,
    /// Whether a token is needed.
    pub access: Access,
    /// The audience, if the route names its own.
    pub audience: Option<Vec<String>>,
    /// The names of the issuers whose tokens are accepted.
    pub issuers: Vec<Arc<str>>,
    /// The policy for each issuer, in their order; `None`: its tokens are not accepted here.
    pub policies: Vec<Option<Arc<Policy>>>,
    /// What is required of a valid token.
    pub requirement: Requirement,
}

/// Whether a route needs a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// No token is verified.
    Public,
    /// A request without a token passes as anonymous; one with an invalid token is rejected.
    Optional,
    /// A valid token is needed.
    Required,
}

impl Rules {
    /// Makes every check that needs no key: why the token fails one of them.
    pub(crate) fn check_without_keys(&self, token: &[u8], policy: &Policy, now: UnixTime) -> Option<Failure> {
        match verify(token, &KeySet::default(), policy, now, ProofOfPossession::default()) {
            Err(rejection) if !matches!(rejection.error(), Error::UnknownKey(_)) => Some(rejection.into()),
            _ => None,
        }
    }
}

/// The failure of a token that names none of the accepted issuers.
pub(crate) fn wrong_issuer() -> Failure {
    Failure::with_detail("wrong_issuer", "\"iss\" names no issuer that is accepted here".to_owned())
}

impl Guard {
    /// What a route requires. `variables` are those of its path (`None`: they are not known before a request), `policies`
    /// those of the issuers with these names; `None`: the issuer's tokens are not accepted.
    ///
    /// # Errors
    /// [`RouteError`] for the first member of the route that is invalid.
    pub fn compile(
        route: &RouteConfig,
        variables: Option<&[&str]>,
        policies: Vec<Option<Arc<Policy>>>,
        issuer_names: &[Arc<str>],
    ) -> Result<Self, RouteError> {
        let requirement = Requirement::compile(route, variables)?;
        let access = match (route.public, route.optional) {
            (true, _) => Access::Public,
            (false, true) => Access::Optional,
            (false, false) => Access::Required,
        };
        let accepted = issuer_names.iter().zip(&policies).filter(|(_, policy)| policy.is_some());
        Ok(Self {
            name: Arc::from(route.display_name()),
            access,
            audience: route.audience.clone(),
            issuers: accepted.map(|(name, _)| Arc::clone(name)).collect(),
            policies,
            requirement,
        })
    }

    /// The only issuer whose tokens are accepted; `None` if there are none or several.
    pub(crate) fn only_issuer(&self) -> Option<usize> {
        let mut accepted = self.policies.iter().enumerate().filter(|(_, policy)| policy.is_some());
        accepted.next().map(|(index, _)| index).filter(|_| accepted.next().is_none())
    }

    /// Checks a token that was verified for another route: its issuer and its audience must be accepted here, too. The
    /// issuer is known by its name, as the rules of the other route may be older.
    pub(crate) fn check_verified(&self, token: &VerifiedToken, issuer: Option<&str>) -> Result<(), Failure> {
        let mut accepted = self.issuers.iter().zip(self.policies.iter().flatten());
        let Some((_, policy)) = accepted.find(|(name, _)| issuer == Some(&***name)) else {
            return Err(wrong_issuer());
        };
        match &self.audience {
            None => Ok(()),
            Some(_) => {
                token.check_audience(policy).map_err(|error| Failure::with_detail(error.code(), error.to_string()))
            }
        }
    }
}

/// The keys of the issuers, in their order; `None`: they are unavailable.
pub type Keys = Vec<Option<Arc<KeySet>>>;
