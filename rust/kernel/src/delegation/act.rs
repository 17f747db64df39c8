//! Nested acts: the `act` claim (RFC 8693 section 4.1).

use super::{Actor, DelegationError, must_be};
use crate::json::{Object, Value};

/// The claim.
pub(super) const CLAIM: &str = "act";

/// What says nothing of who somebody is. RFC 8693 sections 4.1 and 4.4 have no use for these here, so whoever wrote one
/// meant a restriction that nobody heeds: refusing the claim is safer than ignoring it.
pub(super) const NOT_IDENTITY: [&str; 4] = ["aud", "exp", "iat", "nbf"];

/// The actors, the nearest first, of which there may be `max`; `issuer` is whose names they have where they don't say.
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
    // Where it is an object, it is the next level.
    if level.contains(CLAIM) {
        return Err(must_be(CLAIM, "an object at every level"));
    }
    if NOT_IDENTITY.iter().any(|name| level.contains(name)) {
        return Err(must_be(CLAIM, "an object without \"aud\", \"exp\", \"iat\" and \"nbf\""));
    }
    let subject = match level.get("sub") {
        Some(Value::String(subject)) if !subject.is_empty() => Some(subject.clone().into_owned()),
        // By which other member an issuer names an actor, RFC 8693 leaves open; that it names one, it does not.
        None if names_somebody(level) => None,
        _ => {
            return Err(must_be(
                CLAIM,
                "an object whose \"sub\" is a string that is not empty, or that names the actor by another member, at \
                 every level",
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

/// Whether there is a member that may be a name, as `client_id`: `iss` says only whose name it is.
fn names_somebody(level: &Object<'_>) -> bool {
    level.iter().any(|(name, value)| name != "iss" && value.as_str().is_some_and(|text| !text.is_empty()))
}
