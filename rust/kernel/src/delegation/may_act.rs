//! The parties that may become actors: the `may_act` claim (RFC 8693 section 4.4).

use std::fmt;

use super::act::NOT_IDENTITY;
use super::{ActorName, DelegationError, must_be};
use crate::json::{Object, Value};
use crate::jws::member::{strings, text};

const CLAIM: &str = "may_act";

/// The parties that may act on behalf of a token's subject.
///
/// `sub` names one party, or is an array that names several, which some issuers write although RFC 8693 does not define
/// it. A `may_act` without a `sub` identifies its party by other claims, which are not supported: it permits nobody.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct MayAct {
    subjects: Vec<String>,
    issuer: Option<String>,
    token_issuer: Option<String>,
}

impl MayAct {
    /// The claim, if it is present.
    ///
    /// # Errors
    /// [`DelegationError::Malformed`]
    pub fn read(claims: &Object<'_>) -> Result<Option<Self>, DelegationError> {
        let claim = match claims.get(CLAIM) {
            None => return Ok(None),
            Some(Value::Object(claim)) => claim.members(),
            Some(_) => return Err(must_be(CLAIM, "an object")),
        };
        if NOT_IDENTITY.iter().any(|name| claim.contains(name)) {
            return Err(must_be(CLAIM, "an object without \"aud\", \"exp\", \"iat\" and \"nbf\""));
        }
        let subjects = match claim.get("sub") {
            None => Vec::new(),
            Some(names) => {
                strings(names).filter(|names| names.iter().all(|name| !name.is_empty())).ok_or_else(|| {
                    must_be(CLAIM, "an object whose \"sub\" is a non-empty string or an array of non-empty strings")
                })?
            }
        };
        let token_issuer = text(claims, "iss")?;
        let issuer = match claim.get("iss") {
            None => token_issuer.clone(),
            Some(Value::String(issuer)) => Some(issuer.clone().into_owned()),
            Some(_) => return Err(must_be(CLAIM, "an object whose \"iss\" is a string")),
        };
        Ok(Some(Self { subjects, issuer, token_issuer }))
    }

    /// The names of the parties.
    pub fn subjects(&self) -> &[String] {
        &self.subjects
    }

    /// The issuer of those names: the `iss` of `may_act`, else that of the token.
    pub fn issuer(&self) -> Option<&str> {
        self.issuer.as_deref()
    }

    /// Whether the party with this name may act. A name without an issuer belongs to the token's issuer.
    pub fn permits(&self, actor: &ActorName) -> bool {
        actor.issuer.as_ref().or(self.token_issuer.as_ref()) == self.issuer.as_ref()
            && self.subjects.contains(&actor.subject)
    }
}

impl fmt::Debug for MayAct {
    /// Writes the number of parties, nothing of the claims.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MayAct").field("subjects", &self.subjects.len()).finish_non_exhaustive()
    }
}
