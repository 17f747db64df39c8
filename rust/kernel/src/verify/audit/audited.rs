//! A token of a log, after all that does not depend on the time of one use.

use std::fmt;
use std::mem::size_of;

use super::failure::AuditFailure;
use super::place::Place;
use crate::claims::Claims;
use crate::delegation::DelegationChain;
use crate::error::Error;
use crate::heap::{allocated, vector};
use crate::history::{KeyState, PolicyEpoch};
use crate::json::{Object, Value};
use crate::scope::PlainScopes;
use crate::time::UnixTime;
use crate::token_hash::token_hash;
use crate::verify::examined::ExaminedToken;
use crate::verify::{VerifiedJws, VerifiedToken};

/// What is known of a token of a log, valid or not. It is not a [`VerifiedToken`], and leads to none: it says what an
/// issuer signed, from the moment that the signature is known to be valid.
pub struct AuditedToken {
    pub(super) place: Place,
    hash: String,
    outcome: Outcome,
}

enum Outcome {
    /// Its signature is not known to be valid.
    Unsigned(AuditFailure),
    /// Its signature is valid, its claims are malformed.
    Malformed(KeyState, Box<VerifiedJws>, Error),
    /// Its signature is valid, and its claims can be read.
    Examined(KeyState, Box<Examined>),
}

struct Examined {
    token: ExaminedToken,
    names: Names,
    /// Whether it has the scopes that are required at its place. The compiled scopes are not kept: they can take many times
    /// the bytes of the token.
    has_scopes: bool,
}

/// Names in the claims that are not registered ones of a JWT.
#[derive(Default)]
struct Names {
    client_id: Option<String>,
    actors: Option<Vec<Option<String>>>,
}

impl AuditedToken {
    pub(super) fn unsigned(token: &[u8], place: Place, failure: AuditFailure) -> Self {
        Self { place, hash: token_hash(token), outcome: Outcome::Unsigned(failure) }
    }

    /// Examines what was signed with a key of this state.
    pub(super) fn signed(token: &[u8], place: Place, state: KeyState, jws: VerifiedJws, epoch: &PolicyEpoch) -> Self {
        let outcome = match ExaminedToken::reading(jws, &epoch.policy, Names::among) {
            Ok((token, names)) => {
                let has_scopes = has_scopes(token.claims(), &epoch.scopes);
                Outcome::Examined(state, Box::new(Examined { token, names, has_scopes }))
            }
            Err(rejection) => match rejection.into_parts() {
                (error, Some(jws)) => Outcome::Malformed(state, Box::new(jws), error),
                (error, None) => Outcome::Unsigned(error.into()),
            },
        };
        Self { place, hash: token_hash(token), outcome }
    }

    /// The token, if it was valid at the time `now` in all but its binding and its scopes.
    pub(super) fn valid_at(&self, epoch: &PolicyEpoch, now: UnixTime) -> Result<&VerifiedToken, AuditFailure> {
        match &self.outcome {
            Outcome::Unsigned(failure) => Err(failure.clone()),
            // What a thief signed says nothing: no claim of it is checked.
            Outcome::Malformed(KeyState::Compromised, ..) | Outcome::Examined(KeyState::Compromised, _) => {
                Err(AuditFailure::KeyCompromised)
            }
            Outcome::Malformed(_, _, error) => Err(error.clone().into()),
            Outcome::Examined(_, examined) => Ok(examined.token.valid_at(&epoch.policy, now)?),
        }
    }

    /// Whether the claims have the scopes that are required at its place.
    pub(super) fn has_scopes(&self) -> bool {
        self.examined().is_some_and(|examined| examined.has_scopes)
    }

    /// The token's [hash](token_hash).
    pub fn token_hash(&self) -> &str {
        &self.hash
    }

    /// What is known of the key that signed it; `None` if its signature is not known to be valid.
    pub fn key_state(&self) -> Option<KeyState> {
        match &self.outcome {
            Outcome::Unsigned(_) => None,
            Outcome::Malformed(state, ..) | Outcome::Examined(state, _) => Some(*state),
        }
    }

    /// What was signed; `None` if its signature is not known to be valid.
    pub fn jws(&self) -> Option<&VerifiedJws> {
        match &self.outcome {
            Outcome::Unsigned(_) => None,
            Outcome::Malformed(_, jws, _) => Some(jws),
            Outcome::Examined(_, examined) => Some(examined.token.jws()),
        }
    }

    /// The registered claims; `None` if its signature is not known to be valid, or if they are malformed.
    pub fn claims(&self) -> Option<&Claims> {
        self.examined().map(|examined| examined.token.claims())
    }

    /// `client_id` (RFC 8693 section 4.3), if it is a string.
    pub fn client_id(&self) -> Option<&str> {
        self.examined().and_then(|examined| examined.names.client_id.as_deref())
    }

    /// The names of the actors, the current one first; `None` for one that is not known. There are none if there are no
    /// claims, or if the record of delegation is malformed.
    pub fn actors(&self) -> Option<&[Option<String>]> {
        self.examined().and_then(|examined| examined.names.actors.as_deref())
    }

    /// The bytes that it takes.
    pub(super) fn size(&self) -> usize {
        let inner = match &self.outcome {
            Outcome::Unsigned(_) => 0,
            Outcome::Malformed(_, jws, _) => allocated(size_of::<VerifiedJws>()) + jws.payload().len(),
            Outcome::Examined(_, examined) => {
                let Examined { token, names, has_scopes: _ } = &**examined;
                let texts = names.client_id.iter().chain(names.actors.iter().flatten().flatten());
                token.size() + texts.map(|text| size_of::<String>() + vector::<u8>(text.capacity())).sum::<usize>()
            }
        };
        allocated(2 * size_of::<usize>() + size_of::<Self>()) + vector::<u8>(self.hash.capacity()) + inner
    }

    fn examined(&self) -> Option<&Examined> {
        match &self.outcome {
            Outcome::Examined(_, examined) => Some(examined),
            Outcome::Unsigned(_) | Outcome::Malformed(..) => None,
        }
    }
}

fn has_scopes(claims: &Claims, required: &PlainScopes) -> bool {
    required.scopes().is_empty() || PlainScopes::from_claim(claims.scopes()).covers(required)
}

impl Names {
    fn among(members: &Object<'_>, claims: &Claims) -> Self {
        let scopes = || Ok(claims.scopes().map(str::to_owned).collect());
        let chain = DelegationChain::read(members, &scopes).ok();
        let names = |chain: DelegationChain| chain.into_actors().into_iter().map(|actor| actor.subject).collect();
        Self {
            client_id: members.get("client_id").and_then(Value::as_str).map(str::to_owned),
            actors: chain.map(names),
        }
    }
}

impl fmt::Debug for AuditedToken {
    /// Shows the state of the key, nothing of the token.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AuditedToken").field("key_state", &self.key_state()).finish_non_exhaustive()
    }
}
