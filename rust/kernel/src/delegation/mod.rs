//! Who acts for whom: the chain of delegation that a token records, in whichever form, as one type.
//!
//! A chain begins with a *subject*, on whose behalf everything happens, and has an *actor* for each time that authority
//! was handed on. The actor who presents the token is the nearest; the one to whom the subject itself handed its
//! authority is the farthest. A token without delegation is a chain without actors.
//!
//! | form | claims | the subject is | the actors are |
//! |---|---|---|---|
//! | nested acts (RFC 8693 section 4.1) | `act`: an object with `sub` (or another name), perhaps `iss`, perhaps an `act` in it | `sub` | the `sub` of each level, outermost first |
//! | recorded chain | `delegation_chain`: records of who handed on, oldest first; `chain_hash` | the first record's `agent` | `sub`, then the other records' agents, newest first |
//! | actor chain | `actor_chain`: an object with `principal_id` and `agent` | `principal_id` | the `agent` |
//!
//! `act` and `may_act` are registered claims, so [`verify`](crate::verify) refuses a token in which they are malformed.
//! The other two names are private (RFC 7519 section 4.3) and may mean anything in another issuer's tokens: they are
//! judged when the chain is asked for.
//!
//! ```
//! use watchword_kernel::delegation::{ActorName, DelegationChain, Requirements, MAX_ACTORS};
//!
//! // In practice `token.delegation()?`, of a token that was verified.
//! let claims = br#"{"sub": "user:ada", "act": {"sub": "client:mailer", "act": {"sub": "client:planner"}}}"#;
//! let chain = DelegationChain::from_claims(&DelegationChain::read_claims(claims, MAX_ACTORS)?)?;
//! assert_eq!(chain.actors()[0].subject.as_deref(), Some("client:mailer"));
//!
//! let mailer = ActorName { issuer: None, subject: "client:mailer".into() };
//! let refused = chain.check(&Requirements { allowed_actors: Some(&[mailer]), ..Requirements::default() }).unwrap_err();
//! assert_eq!(refused.to_string(), "actor 2 of 2 (the nearest is 1) is not one that is allowed");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Nothing here calls itself. Nesting is bounded by the JSON scanner, and the number of actors by the reader
//! ([`MAX_ACTORS`] where nothing is said); the work is linear in the length of the claims.

mod act;
mod actor_chain;
mod check;
mod error;
mod may_act;
mod records;

use std::fmt;

use crate::error::Malformed;
use crate::json::{DEEPEST, ErrorKind, MAX_DEPTH, Object, Value};
use crate::key_set::KeySet;
use crate::member;
use crate::scope_claims::ScopeClaims;

pub use check::{ActorName, Requirements};
pub use error::DelegationError;
pub use may_act::MayAct;

/// Reads the scopes that the token's holder has.
pub(crate) type Scopes<'a> = &'a dyn Fn() -> Result<Vec<String>, Malformed>;

/// How many actors a chain may have where nothing else is said.
pub const MAX_ACTORS: usize = 32;

/// How many actors a chain may have, whatever is said.
pub const MOST_ACTORS: usize = DEEPEST - MAX_DEPTH;

/// What a subject begins with that is a person's name, where nothing else is said.
const HUMAN_PREFIX: &str = "user:";

/// A subject, and the actors that act on its behalf.
#[derive(Clone, Default, PartialEq, Eq, Hash)]
pub struct DelegationChain {
    issuer: Option<String>,
    subject: Option<String>,
    scopes: Option<Vec<String>>,
    actors: Vec<Actor>,
    claims_human_root: bool,
}

/// One who acts on behalf of another.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Actor {
    /// The actor's name. `None` if it is unknown: an `act` without `sub` names its actor by another member, as
    /// `client_id`, of which RFC 8693 says nothing.
    pub subject: Option<String>,
    /// Whose name that is: the `iss` beside it, or the `provider`, else the `iss` of the token. The two together name an
    /// actor (RFC 8693 section 4.1).
    pub issuer: Option<String>,
    /// The scopes that it holds, where the chain records them.
    pub scopes: Option<Vec<String>>,
    /// When they were handed to it, where the chain records that.
    pub delegated_at: Option<String>,
}

impl DelegationChain {
    /// The chain of the claims, in whichever form they have it; one without actors where they have none.
    ///
    /// # Errors
    /// [`DelegationError`] where the form is malformed, or where there is more than one, which may contradict each
    /// other.
    pub fn from_claims(claims: &Object<'_>) -> Result<Self, DelegationError> {
        Self::read(claims, &|| ScopeClaims::default().of(claims))
    }

    /// The same, with the token's scopes from whichever claims they are read.
    pub(crate) fn read(claims: &Object<'_>, scopes: Scopes<'_>) -> Result<Self, DelegationError> {
        let forms = [act::CLAIM, records::CLAIM, actor_chain::CLAIM];
        let mut there = forms.into_iter().filter(|form| claims.contains(form));
        let form = there.next().unwrap_or(act::CLAIM);
        if there.next().is_some() {
            return Err(must_be(form, "the only record of delegation in the token"));
        }
        match form {
            records::CLAIM => Self::read_records(claims, None, MAX_ACTORS, scopes),
            actor_chain::CLAIM => Self::from_actor_chain(claims),
            _ => Self::from_act(claims, MAX_ACTORS),
        }
    }

    /// The chain of nested acts, `act`, of at most `max_actors` ([`MOST_ACTORS`] at most).
    ///
    /// # Errors
    /// [`DelegationError`] where it is malformed or longer.
    pub fn from_act(claims: &Object<'_>, max_actors: usize) -> Result<Self, DelegationError> {
        let chain = Self::without_actors(claims)?;
        let actors = act::read(claims, chain.issuer.as_deref(), max_actors.min(MOST_ACTORS))?;
        Ok(Self { actors, ..chain })
    }

    /// The recorded chain, `delegation_chain`, of at most `max_actors` ([`MOST_ACTORS`] at most).
    ///
    /// `chain_hash` must be the hash of the records where it is there. With `keys` it must be there, and each record must
    /// bear the signature of one of them.
    ///
    /// # Errors
    /// [`DelegationError`] where it is malformed, longer, or not what was hashed and signed.
    pub fn from_records(
        claims: &Object<'_>,
        keys: Option<&KeySet>,
        max_actors: usize,
    ) -> Result<Self, DelegationError> {
        Self::read_records(claims, keys, max_actors, &|| ScopeClaims::default().of(claims))
    }

    fn read_records(
        claims: &Object<'_>,
        keys: Option<&KeySet>,
        max_actors: usize,
        scopes: Scopes<'_>,
    ) -> Result<Self, DelegationError> {
        let records = records::read(claims, max_actors.min(MOST_ACTORS))?;
        records::check_hash(claims, &records, keys.is_some())?;
        if let Some(keys) = keys {
            records::check_signatures(&records, keys)?;
        }
        records::chain(Self::without_actors(claims)?, records, claims, scopes)
    }

    /// The actor chain, `actor_chain`: a principal and an agent.
    ///
    /// # Errors
    /// [`DelegationError`] where it is malformed.
    pub fn from_actor_chain(claims: &Object<'_>) -> Result<Self, DelegationError> {
        actor_chain::read(Self::without_actors(claims)?, claims)
    }

    /// Reads claims as the other constructors take them, where they have not been read before. Claims are JSON, strictly
    /// read, and as deep as `max_actors` nested acts ([`MOST_ACTORS`] at most) with [`MAX_DEPTH`] levels around them.
    ///
    /// # Errors
    /// [`DelegationError`] where they are not strict JSON, or deeper.
    pub fn read_claims(claims: &[u8], max_actors: usize) -> Result<Object<'_>, DelegationError> {
        let limit = max_actors.min(MOST_ACTORS);
        Object::parse_within(claims, limit.saturating_add(MAX_DEPTH)).map_err(|error| match error.kind {
            ErrorKind::TooDeep => DelegationError::TooDeep { limit },
            _ => DelegationError::Malformed(error.into()),
        })
    }

    /// On whose behalf the actors act, where the claims say.
    pub fn subject(&self) -> Option<&str> {
        self.subject.as_deref()
    }

    /// The token's `iss`: whose name the subject's is.
    pub fn issuer(&self) -> Option<&str> {
        self.issuer.as_deref()
    }

    /// The scopes that the subject held, where the chain records them.
    pub fn scopes(&self) -> Option<&[String]> {
        self.scopes.as_deref()
    }

    /// The actors, the nearest first.
    pub fn actors(&self) -> &[Actor] {
        &self.actors
    }

    /// How many times authority was handed on: the number of actors.
    pub fn depth(&self) -> usize {
        self.actors.len()
    }

    /// Whether the subject is a human being, as far as the token tells: its name begins with `user:`, or the token has
    /// the claim `human_root` with the value `true`.
    ///
    /// Actors don't count. Earlier actors are informational only (RFC 8693 section 4.1), and what they are grants nothing.
    pub fn human_root(&self) -> bool {
        let is_named_so = |subject: &str| subject.strip_prefix(HUMAN_PREFIX).is_some_and(|name| !name.is_empty());
        self.claims_human_root || self.subject().is_some_and(is_named_so)
    }

    /// The names that stand in the chain more than once, each once, the nearest first: authority that went in a circle.
    /// An actor without a name repeats nobody.
    pub fn repeated(&self) -> Vec<&str> {
        let names: Vec<(Option<&str>, &str)> = self
            .actors
            .iter()
            .filter_map(|actor| Some((actor.issuer.as_deref(), actor.subject.as_deref()?)))
            .chain(self.subject().map(|subject| (self.issuer(), subject)))
            .collect();
        let mut found = Vec::new();
        let mut rest = names.as_slice();
        while let Some((name, others)) = rest.split_first() {
            if others.contains(name) && !found.contains(&name) {
                found.push(name);
            }
            rest = others;
        }
        found.into_iter().map(|(_, subject)| *subject).collect()
    }

    /// What every form has around it.
    fn without_actors(claims: &Object<'_>) -> Result<Self, DelegationError> {
        Ok(Self {
            issuer: member::text(claims, "iss")?,
            subject: member::text(claims, "sub")?,
            claims_human_root: matches!(claims.get("human_root"), Some(Value::Bool(true))),
            ..Self::default()
        })
    }
}

/// What [`verify`](crate::verify) demands of the registered claims `act` and `may_act`.
pub(crate) fn check_claims(claims: &Object<'_>) -> Result<(), Malformed> {
    let refusal = |error| match error {
        DelegationError::Malformed(what) => what,
        // Strict JSON is no deeper than this, so that a token comes here with fewer levels.
        _ => Malformed::Member { name: act::CLAIM, must_be: "nested no deeper than 32 levels" },
    };
    if claims.contains(act::CLAIM) {
        act::read(claims, None, MAX_ACTORS).map_err(refusal)?;
    }
    MayAct::read(claims).map(drop).map_err(refusal)
}

/// The string under `name`, where it is one that is not empty.
fn name_in<'a>(members: &'a Object<'_>, name: &str) -> Option<&'a str> {
    members.get(name).and_then(Value::as_str).filter(|text| !text.is_empty())
}

fn must_be(name: &'static str, must_be: &'static str) -> DelegationError {
    DelegationError::Malformed(member::must_be(name, must_be))
}

impl fmt::Debug for DelegationChain {
    /// Shows the length, nothing of the claims.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DelegationChain").field("depth", &self.depth()).finish_non_exhaustive()
    }
}

impl fmt::Debug for Actor {
    /// Shows nothing of the claims.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Actor").finish_non_exhaustive()
    }
}
