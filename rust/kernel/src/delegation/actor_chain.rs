//! The actor chain: the `actor_chain` claim, an envelope of a principal and an agent.

use super::{Actor, DelegationChain, DelegationError, must_be, name_in};
use crate::json::{Object, Value};

/// The claim.
pub(super) const CLAIM: &str = "actor_chain";

/// The chain of the envelope, made of one without actors.
pub(super) fn read(chain: DelegationChain, claims: &Object<'_>) -> Result<DelegationChain, DelegationError> {
    let envelope = match claims.get(CLAIM) {
        None => return Ok(chain),
        Some(Value::Object(envelope)) => envelope.members(),
        Some(_) => return Err(must_be(CLAIM, "an object")),
    };
    let principal = name_in(&envelope, "principal_id")
        .ok_or_else(|| must_be(CLAIM, "an object whose \"principal_id\" is a string that is not empty"))?;
    let Some(Value::Object(agent)) = envelope.get("agent") else {
        return Err(must_be(CLAIM, "an object whose \"agent\" is an object"));
    };
    let agent = agent.members();
    let subject = name_in(&agent, "agent_id")
        .ok_or_else(|| must_be(CLAIM, "an object whose \"agent\" has an \"agent_id\" that is a string, not empty"))?;
    let issuer = match agent.get("provider") {
        None => chain.issuer.clone(),
        Some(Value::String(provider)) => Some(provider.clone().into_owned()),
        Some(_) => return Err(must_be(CLAIM, "an object whose \"agent\" has a \"provider\" that is a string")),
    };
    let agent = Actor { subject: Some(subject.to_owned()), issuer, scopes: None, delegated_at: None };
    Ok(DelegationChain { subject: Some(principal.to_owned()), actors: vec![agent], ..chain })
}
