//! The decision on a request.

use std::sync::Arc;

use watchword_kernel::{DpopProof, UnixTime, VerifiedToken};

use crate::answer::{Answer, AnswerContext};
use crate::code::{Scheme, answer_of};
use crate::failure::Failure;
use crate::identity::{self, Known};
use crate::rules::{Access, Guard, Rules};
use crate::template::Variables;
use crate::trace::TraceId;

/// The decision on a request: allowed, with what was verified, or rejected, with the answer.
#[derive(Clone)]
pub struct Decision {
    pub(crate) context: Context,
    pub(crate) outcome: Outcome,
}

/// What is known of a request, whatever the decision is.
#[derive(Clone)]
pub(crate) struct Context {
    pub(crate) rules: Arc<Rules>,
    pub(crate) guard: Option<Arc<Guard>>,
    pub(crate) variables: Variables,
    pub(crate) trace_id: Option<TraceId>,
    pub(crate) has_removed: bool,
    pub(crate) scheme: Option<Scheme>,
    pub(crate) issuer: Option<usize>,
}

/// Allowed or rejected.
#[derive(Clone)]
pub enum Outcome {
    /// The request may pass.
    Allowed(Allowed),
    /// The request must not reach the application.
    Rejected(Box<Rejected>),
}

/// What was verified of a request that is allowed.
#[derive(Clone, Default)]
pub struct Allowed {
    /// The token; `None` if the request is anonymous.
    pub token: Option<Arc<VerifiedToken>>,
    /// The proof of its key.
    pub proof: Option<Box<DpopProof>>,
    /// Whether the token was found in a cache.
    pub cached: bool,
}

/// Why a request is rejected.
#[derive(Clone)]
pub struct Rejected {
    /// The failure.
    pub failure: Failure,
    /// The nonce for the client's next proof.
    pub nonce: Option<String>,
    /// The token, as it was sent, if it was read.
    pub token: Option<Vec<u8>>,
}

impl Decision {
    /// The outcome.
    pub fn outcome(&self) -> &Outcome {
        &self.outcome
    }

    /// Whether the request may pass.
    pub fn is_allowed(&self) -> bool {
        matches!(self.outcome, Outcome::Allowed(_))
    }

    /// The stable name of the error, or `allowed`.
    pub fn code(&self) -> &'static str {
        match &self.outcome {
            Outcome::Allowed(_) => "allowed",
            Outcome::Rejected(rejected) => rejected.failure.code,
        }
    }

    /// The status of the answer, 200 if there is none.
    pub fn status(&self) -> u16 {
        match &self.outcome {
            Outcome::Allowed(_) => 200,
            Outcome::Rejected(rejected) => answer_of(rejected.failure.code).status,
        }
    }

    /// The scheme by which the request was sent, if it had credentials.
    pub fn scheme(&self) -> Option<Scheme> {
        self.context.scheme
    }

    /// The name of the configured issuer that the token is from, if it got so far.
    pub fn issuer(&self) -> Option<&str> {
        self.context.issuer.and_then(|index| self.context.rules.issuer_names.get(index)).map(|name| &**name)
    }

    /// The rules by which it was made.
    pub fn rules(&self) -> &Arc<Rules> {
        &self.context.rules
    }

    /// The name of the route, if one was found.
    pub fn route(&self) -> Option<&str> {
        self.context.guard.as_ref().map(|guard| &*guard.name)
    }

    /// The variables of the route's path.
    pub fn variables(&self) -> &Variables {
        &self.context.variables
    }

    /// The trace id of the request, if it has one.
    pub fn trace_id(&self) -> Option<TraceId> {
        self.context.trace_id
    }

    /// The answer, if the request is rejected. `trace_id` stands for the request's own if it has none.
    pub fn answer(&self, trace_id: TraceId) -> Option<Answer> {
        let Outcome::Rejected(rejected) = &self.outcome else { return None };
        let guard = self.context.guard.as_deref();
        Some(Answer::to(
            &rejected.failure,
            AnswerContext {
                settings: &self.context.rules.answers,
                scheme: self.context.scheme,
                dpop_only: guard.is_some_and(|guard| guard.requirement.dpop),
                nonce: rejected.nonce.as_deref(),
                trace_id: &self.context.trace_id.unwrap_or(trace_id).to_string(),
            },
        ))
    }

    /// The identity headers of a request that is allowed: all of them, empty if unknown, and last the secret, if one is
    /// configured. None if it is rejected.
    pub fn identity_headers(&self, trace_id: TraceId) -> Vec<(String, String)> {
        let Outcome::Allowed(allowed) = &self.outcome else { return Vec::new() };
        let trace_id = self.context.trace_id.unwrap_or(trace_id).to_string();
        let known = Known {
            token: allowed.token.as_deref(),
            proof: allowed.proof.as_deref(),
            route: self.route().unwrap_or_default(),
            trace_id: &trace_id,
        };
        let rules = &self.context.rules;
        identity::headers(&rules.identity_prefix, rules.identity_secret.as_ref(), known)
    }

    /// Whether the decision was made by these rules, and not by others that replaced them.
    pub fn is_by(&self, rules: &Arc<Rules>) -> bool {
        Arc::ptr_eq(&self.context.rules, rules)
    }

    /// Whether the request has headers that must not reach the application.
    pub fn has_removed_headers(&self) -> bool {
        self.context.has_removed
    }

    /// Whether a header with this name must not reach the application: names below the prefix of the identity headers, in
    /// any spelling.
    pub fn is_removed(&self, name: &[u8]) -> bool {
        self.context.rules.removes_header(name)
    }

    /// The decision on this request under further requirements, if it is allowed: its token and proof are not verified
    /// again. `variables` are those of the path. A request that is rejected stays rejected.
    #[must_use]
    pub fn authorize(&self, guard: &Arc<Guard>, variables: Variables, now: UnixTime) -> Self {
        let Outcome::Allowed(allowed) = &self.outcome else { return self.clone() };
        let context = Context { guard: Some(Arc::clone(guard)), variables, ..self.context.clone() };
        let failure = match &allowed.token {
            None if guard.access == Access::Required => Some(Failure::new("missing_token")),
            None => None,
            Some(token) => guard
                .check_verified(token, self.issuer())
                .and_then(|()| guard.requirement.check(token, allowed.proof.is_some(), &context.variables, now))
                .map_err(|failure| failure.of_verified(token))
                .err(),
        };
        match failure {
            None => context.allow(allowed.clone()),
            Some(failure) => context.reject(failure),
        }
    }
}

impl Context {
    pub(crate) fn allow(self, allowed: Allowed) -> Decision {
        Decision { context: self, outcome: Outcome::Allowed(allowed) }
    }

    pub(crate) fn reject(self, failure: Failure) -> Decision {
        self.rejected(Rejected { failure, nonce: None, token: None })
    }

    /// Rejects a request with this token.
    pub(crate) fn reject_token(self, failure: Failure, nonce: Option<String>, token: Vec<u8>) -> Decision {
        self.rejected(Rejected { failure, nonce, token: Some(token) })
    }

    fn rejected(mut self, mut rejected: Rejected) -> Decision {
        if rejected.failure.code == "wrong_issuer" {
            self.issuer = None;
        }
        if rejected.failure.code == "missing_token"
            && let Some(guard) = &self.guard
        {
            rejected.failure.scope = guard.requirement.scopes.required(&self.variables);
        }
        Decision { context: self, outcome: Outcome::Rejected(Box::new(rejected)) }
    }
}
