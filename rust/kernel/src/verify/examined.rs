//! A token whose signature is valid, between the checks that do not depend on the time and those that do.

use super::{Rejection, VerifiedJws, VerifiedToken};
use crate::claims::Claims;
use crate::error::Error;
use crate::json::Object;
use crate::policy::Policy;
use crate::time::UnixTime;

/// A token after every check that depends on the token, the keys and the policy alone, except that of its binding. What
/// those checks found is withheld until the times have been checked, which come before them. Only [`at`](Self::at) and
/// [`valid_at`](Self::valid_at) lead to the [`VerifiedToken`].
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
        Self::reading(jws, policy, |_, _| ()).map(|(examined, ())| examined)
    }

    /// The same, and what `read` returns for the claims, which are parsed once.
    pub(super) fn reading<T>(
        jws: VerifiedJws,
        policy: &Policy,
        read: impl FnOnce(&Object<'_>, &Claims) -> T,
    ) -> Result<(Self, T), Rejection> {
        match examine(&jws, policy, read) {
            Ok((claims, checked, found)) => {
                Ok((Self { token: VerifiedToken::new(jws, claims), failure: checked.err() }, found))
            }
            Err(error) => Err(Rejection::of_signed(jws, error)),
        }
    }

    /// The token, if it is valid at the time `now`.
    ///
    /// # Errors
    /// As [`at`](Self::at).
    pub(super) fn valid_at(&self, policy: &Policy, now: UnixTime) -> Result<&VerifiedToken, Error> {
        match self.token.check_times(policy, now).err().or_else(|| self.failure.clone()) {
            None => Ok(&self.token),
            Some(error) => Err(error),
        }
    }

    /// What the issuer signed, in a token that may not be valid.
    pub(super) fn jws(&self) -> &VerifiedJws {
        self.token.jws()
    }

    /// The registered claims of a token that may not be valid.
    pub(super) fn claims(&self) -> &Claims {
        self.token.claims()
    }

    /// The bytes that it takes.
    pub(super) fn size(&self) -> usize {
        self.token.size()
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

fn examine<T>(
    jws: &VerifiedJws,
    policy: &Policy,
    read: impl FnOnce(&Object<'_>, &Claims) -> T,
) -> Result<(Claims, Result<(), Error>, T), Error> {
    let members = Object::parse(jws.payload()).map_err(|error| Error::MalformedClaims(error.into()))?;
    let claims = Claims::read(&members, policy.scope_claims()).map_err(Error::MalformedClaims)?;
    let checked = policy.check_except_times(&claims, &members, jws.key_issuer());
    let found = read(&members, &claims);
    Ok((claims, checked, found))
}
