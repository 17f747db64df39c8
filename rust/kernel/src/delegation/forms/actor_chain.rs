//! The actor chain: the `actor_chain` claim, an envelope of a principal and an agent.

use super::Form;
use crate::delegation::{Actor, DelegationChain, DelegationError, must_be, name_in};
use crate::json::{Object, Value};

const CLAIM: &str = "actor_chain";

pub(super) const FORM: Form = Form { claim: CLAIM, read: |claims, _| DelegationChain::from_actor_chain(claims) };

impl DelegationChain {
    /// The actor chain, `actor_chain`: a principal and an agent. A chain without actors if the claim is absent.
    ///
    /// # Errors
    /// [`DelegationError`] if it is malformed.
    pub fn from_actor_chain(claims: &Object<'_>) -> Result<Self, DelegationError> {
        read(Self::without_actors(claims)?, claims)
    }
}

fn read(chain: DelegationChain, claims: &Object<'_>) -> Result<DelegationChain, DelegationError> {
    let envelope = match claims.get(CLAIM) {
        None => return Ok(chain),
        Some(Value::Object(envelope)) => envelope.members(),
        Some(_) => return Err(must_be(CLAIM, "an object")),
    };
    let principal = name_in(&envelope, "principal_id")
        .ok_or_else(|| must_be(CLAIM, "an object whose \"principal_id\" is a non-empty string"))?;
    let Some(Value::Object(agent)) = envelope.get("agent") else {
        return Err(must_be(CLAIM, "an object whose \"agent\" is an object"));
    };
    let agent = agent.members();
    let subject = name_in(&agent, "agent_id")
        .ok_or_else(|| must_be(CLAIM, "an object whose \"agent\" has an \"agent_id\" that is a non-empty string"))?;
    let issuer = match agent.get("provider") {
        None => chain.issuer.clone(),
        Some(Value::String(provider)) => Some(provider.clone().into_owned()),
        Some(_) => return Err(must_be(CLAIM, "an object whose \"agent\" has a \"provider\" that is a string")),
    };
    let agent = Actor { subject: Some(subject.to_owned()), issuer, scopes: None, delegated_at: None };
    Ok(DelegationChain { subject: Some(principal.to_owned()), actors: vec![agent], ..chain })
}
