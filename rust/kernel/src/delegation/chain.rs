//! The chain: a subject and the actors that act on its behalf.

use std::fmt;

use super::{Actor, DelegationError, MAX_ACTORS, MOST_ACTORS, act, forms, must_be};
use crate::claims::ScopeClaims;
use crate::error::Malformed;
use crate::json::{ErrorKind, MAX_DEPTH, Object, Value};
use crate::jws::member;

/// Reads the scopes of the token.
pub(crate) type Scopes<'a> = &'a dyn Fn() -> Result<Vec<String>, Malformed>;

/// What the subject's name begins with by default if it is that of a human being.
pub const HUMAN_PREFIXES: [&str; 1] = ["user:"];

/// A subject, and the actors that act on its behalf.
#[derive(Clone, Default, PartialEq, Eq, Hash)]
pub struct DelegationChain {
    pub(super) issuer: Option<String>,
    pub(super) subject: Option<String>,
    pub(super) scopes: Option<Vec<String>>,
    pub(super) actors: Vec<Actor>,
    pub(super) claims_human_root: bool,
}

impl DelegationChain {
    /// The chain of the claims, in whichever form they record it; a chain without actors if they record none. Scopes are
    /// read from the [default](ScopeClaims::DEFAULT) claims.
    ///
    /// # Errors
    /// [`DelegationError`] if the form is malformed, or if there are several forms, which may contradict each other.
    pub fn from_claims(claims: &Object<'_>) -> Result<Self, DelegationError> {
        Self::read(claims, &|| ScopeClaims::default().of(claims))
    }

    /// The same, with the token's scopes from `scopes`.
    pub(crate) fn read(claims: &Object<'_>, scopes: Scopes<'_>) -> Result<Self, DelegationError> {
        let has_act = claims.contains(act::CLAIM);
        let mut registered = forms::REGISTERED.iter().filter(|form| claims.contains(form.claim));
        let form = registered.next();
        if registered.next().is_some() || (has_act && form.is_some()) {
            let claim = form.filter(|_| !has_act).map_or(act::CLAIM, |form| form.claim);
            return Err(must_be(claim, "the only record of delegation in the token"));
        }
        match form {
            Some(form) => (form.read)(claims, scopes),
            None => Self::from_act(claims, MAX_ACTORS),
        }
    }

    /// The chain of nested acts (`act`, RFC 8693 section 4.1), of at most `max_actors` ([`MOST_ACTORS`] at most). A chain
    /// without actors if the claim is absent.
    ///
    /// # Errors
    /// [`DelegationError`] if it is malformed or longer.
    pub fn from_act(claims: &Object<'_>, max_actors: usize) -> Result<Self, DelegationError> {
        let chain = Self::without_actors(claims)?;
        let actors = act::read(claims, chain.issuer.as_deref(), max_actors.min(MOST_ACTORS))?;
        Ok(Self { actors, ..chain })
    }

    /// Parses claims for the constructors. Claims are strict JSON, at most as deep as `max_actors` nested acts
    /// ([`MOST_ACTORS`] at most) with [`MAX_DEPTH`] levels around them.
    ///
    /// # Errors
    /// [`DelegationError`] if they are not strict JSON, or deeper.
    pub fn read_claims(claims: &[u8], max_actors: usize) -> Result<Object<'_>, DelegationError> {
        let limit = max_actors.min(MOST_ACTORS);
        Object::parse_within(claims, limit.saturating_add(MAX_DEPTH)).map_err(|error| match error.kind {
            ErrorKind::TooDeep => DelegationError::TooDeep { limit },
            _ => DelegationError::Malformed(error.into()),
        })
    }

    /// The party on whose behalf the actors act, if the claims name it.
    pub fn subject(&self) -> Option<&str> {
        self.subject.as_deref()
    }

    /// The token's `iss`: the issuer of the subject's name.
    pub fn issuer(&self) -> Option<&str> {
        self.issuer.as_deref()
    }

    /// The scopes of the subject, if the chain records them.
    pub fn scopes(&self) -> Option<&[String]> {
        self.scopes.as_deref()
    }

    /// The actors, the current one first.
    pub fn actors(&self) -> &[Actor] {
        &self.actors
    }

    /// The same, without the rest of the chain.
    pub fn into_actors(self) -> Vec<Actor> {
        self.actors
    }

    /// How many times authority was delegated: the number of actors.
    pub fn depth(&self) -> usize {
        self.actors.len()
    }

    /// Whether the subject is a human being according to the token: its name has one of `prefixes`
    /// ([`HUMAN_PREFIXES`] by default) and more, or the token has the claim `human_root` with the value `true`.
    ///
    /// Actors do not count: prior actors are informational only (RFC 8693 section 4.1), so their names grant nothing.
    pub fn has_human_root<S: AsRef<str>>(&self, prefixes: &[S]) -> bool {
        let is_human = |subject: &str| {
            prefixes.iter().any(|prefix| subject.strip_prefix(prefix.as_ref()).is_some_and(|name| !name.is_empty()))
        };
        self.claims_human_root || self.subject().is_some_and(is_human)
    }

    /// The names that occur in the chain more than once, each listed once, in the order of the actors: authority that was
    /// delegated in a cycle. An unknown actor repeats no name.
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

    /// The chain of a token that records no actors: what all forms share.
    pub(super) fn without_actors(claims: &Object<'_>) -> Result<Self, DelegationError> {
        Ok(Self {
            issuer: member::text(claims, "iss")?,
            subject: member::text(claims, "sub")?,
            claims_human_root: matches!(claims.get("human_root"), Some(Value::Bool(true))),
            ..Self::default()
        })
    }
}

impl fmt::Debug for DelegationChain {
    /// Writes the length, nothing of the claims.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DelegationChain").field("depth", &self.depth()).finish_non_exhaustive()
    }
}
