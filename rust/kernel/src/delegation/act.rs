//! Nested acts: the `act` claim (RFC 8693 section 4.1).

use super::{Actor, DelegationError, must_be};
use crate::json::{Object, Value};

pub(super) const CLAIM: &str = "act";

/// Claims that do not identify a party. RFC 8693 sections 4.1 and 4.4 give them no meaning here, so an issuer that writes
/// one means a restriction that would be ignored: rejecting the token is safer.
pub(super) const NOT_IDENTITY: [&str; 4] = ["aud", "exp", "iat", "nbf"];

/// The actors, the current one first, at most `max`. `issuer` is the issuer of the names that have no `iss`.
pub(super) fn read(claims: &Object<'_>, issuer: Option<&str>, max: usize) -> Result<Vec<Actor>, DelegationError> {
    if !matches!(claims.get(CLAIM), None | Some(Value::Object(_))) {
        return Err(must_be(CLAIM, "an object"));
    }
    let levels = claims.nested(CLAIM);
    if levels.len() > max {
        return Err(DelegationError::TooDeep { limit: max });
    }
    levels.iter().map(|level| actor(level, issuer)).collect()
}

fn actor(level: &Object<'_>, issuer: Option<&str>) -> Result<Actor, DelegationError> {
    // An object would have been the next level.
    if level.contains(CLAIM) {
        return Err(must_be(CLAIM, "an object at every level"));
    }
    if NOT_IDENTITY.iter().any(|name| level.contains(name)) {
        return Err(must_be(CLAIM, "an object without \"aud\", \"exp\", \"iat\" and \"nbf\""));
    }
    let subject = match level.get("sub") {
        Some(Value::String(subject)) if !subject.is_empty() => Some(subject.clone().into_owned()),
        // RFC 8693 requires that an actor is identified, but not by which member.
        None if has_other_name(level) => None,
        _ => {
            return Err(must_be(
                CLAIM,
                "an object whose \"sub\" is a non-empty string, or that names the actor by another member, at every level",
            ));
        }
    };
    let issuer = match level.get("iss") {
        None => issuer,
        Some(Value::String(issuer)) => Some(issuer.as_ref()),
        Some(_) => return Err(must_be(CLAIM, "an object whose \"iss\" is a string")),
    };
    Ok(Actor { subject, issuer: issuer.map(str::to_owned), scopes: None, delegated_at: None })
}

/// Whether another member may be a name, such as `client_id`. `iss` is not one: it qualifies a name.
fn has_other_name(level: &Object<'_>) -> bool {
    level.iter().any(|(name, value)| name != "iss" && value.as_str().is_some_and(|text| !text.is_empty()))
}
