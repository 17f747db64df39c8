//! From a route's configuration to its requirement.

use watchword_kernel::scope::ScopeError;

use super::RouteConfig;
use crate::requirement::{AuthenticationRequirement, DelegationRequirement, Requirement, ScopeRequirement};

/// Why a route cannot be compiled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RouteError {
    /// The member of the configuration that is at fault.
    pub member: &'static str,
    /// What it must be: one sentence.
    pub message: String,
}

impl RouteError {
    pub(crate) fn new(member: &'static str, message: String) -> Self {
        Self { member, message }
    }
}

impl Requirement {
    /// The requirement of a route. `variables` are those of its path; `None`: they are not known before a request.
    ///
    /// # Errors
    /// [`RouteError`] for the first member that is invalid.
    pub fn compile(route: &RouteConfig, variables: Option<&[&str]>) -> Result<Self, RouteError> {
        let scopes =
            ScopeRequirement::new(route.scope_grammar, &route.scopes).map_err(|error| invalid_scope(&error))?;
        if let Some(known) = variables
            && let Some(name) = scopes.variables().find(|name| !known.contains(name))
        {
            return Err(RouteError::new(
                "scopes",
                format!("{{{name}}} is not a variable of the path {:?}", route.path),
            ));
        }
        let authentication = AuthenticationRequirement::new(
            route.acr_values.clone(),
            route.max_age,
            AuthenticationRequirement::DEFAULT_LEEWAY,
        )
        .map_err(|message| RouteError::new("acr_values", message))?;
        let delegation = DelegationRequirement {
            max_depth: route.max_depth,
            human_root: route.require_human_root,
            allowed_actors: route.allowed_actors.clone(),
        };
        if route.public && route.optional {
            return Err(RouteError::new("public", "a route is public or optional, not both".to_owned()));
        }
        let requires = route.dpop_required
            || !route.scopes.is_empty()
            || authentication.is_required()
            || delegation != DelegationRequirement::default();
        if route.public && requires {
            return Err(RouteError::new(
                "public",
                "a public route takes no account of tokens, and can require nothing of them".to_owned(),
            ));
        }
        Ok(Self { dpop: route.dpop_required, scopes, authentication, delegation })
    }
}

fn invalid_scope(error: &ScopeError) -> RouteError {
    RouteError::new("scopes", error.to_string())
}
