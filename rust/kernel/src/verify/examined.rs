//! A token whose signature is valid, between the checks that do not depend on the time and those that do.

use super::{Rejection, VerifiedJws, VerifiedToken};
use crate::claims::Claims;
use crate::error::Error;
use crate::json::Object;
use crate::policy::Policy;
use crate::time::UnixTime;

/// A token after every check that depends on the token, the keys and the policy alone, except that of its binding. What
/// those checks found is withheld until the times have been checked, which come before them. Only [`at`](Self::at) leads to
/// the [`VerifiedToken`].
pub(super) struct ExaminedToken {
    token: VerifiedToken,
    failure: Option<Error>,
}

impl ExaminedToken {
    /// Examines what is signed: only now is the payload known to be the issuer's.
    ///
    /// # Errors
    /// [`Error::MalformedClaims`], the only check that comes before the times.
    pub(super) fn new(jws: VerifiedJws, policy: &Policy) -> Result<Self, Rejection> {
        match examine(&jws, policy) {
            Ok((claims, checked)) => Ok(Self { token: VerifiedToken::new(jws, claims), failure: checked.err() }),
            Err(error) => Err(Rejection::of_signed(jws, error)),
        }
    }

    /// The token, if it is valid at the time `now`.
    ///
    /// # Errors
    /// The first check that fails: of the times, then of what does not depend on them.
    pub(super) fn at(self, policy: &Policy, now: UnixTime) -> Result<VerifiedToken, Rejection> {
        match self.token.check_times(policy, now).err().or(self.failure) {
            None => Ok(self.token),
            Some(error) => Err(Rejection::of_signed(self.token.into_jws(), error)),
        }
    }
}

fn examine(jws: &VerifiedJws, policy: &Policy) -> Result<(Claims, Result<(), Error>), Error> {
    let members = Object::parse(jws.payload()).map_err(|error| Error::MalformedClaims(error.into()))?;
    let claims = Claims::read(&members, policy.scope_claims()).map_err(Error::MalformedClaims)?;
    let checked = policy.check_except_times(&claims, &members, jws.key_issuer());
    Ok((claims, checked))
}
