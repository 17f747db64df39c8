//! Delegation chains, their actors and `may_act`.

use std::hash::Hash;

use pyo3::exceptions::{PyRecursionError, PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyString, PyTuple};
use watchword_kernel::delegation::{HUMAN_PREFIXES, MAX_ACTORS, MOST_ACTORS};
use watchword_kernel::scope::ScopeGrammar;
use watchword_kernel::{
    Actor, ActorName, DelegationChain, DelegationError, Malformed, MayAct, Requirements, ScopeClaims, json,
};

use crate::arguments::{self, Given};
use crate::convert::{Text, type_name};
use crate::errors;
use crate::key_set::PyKeySet;

/// A delegation chain: a subject, and the actors that act on its behalf, the current actor first.
///
/// ``token.delegation`` is the chain of a verified token. The constructors read a chain from claims, which they do not
/// verify: pass them the claims of a verified token. Chains compare by value and are hashable.
#[pyclass(frozen, eq, hash, module = "watchword", name = "DelegationChain")]
#[derive(PartialEq, Eq, Hash)]
pub(crate) struct PyDelegationChain(DelegationChain);

/// A party that acts on behalf of another. Actors compare by value and are hashable.
#[pyclass(frozen, eq, hash, module = "watchword", name = "Actor")]
#[derive(PartialEq, Eq, Hash)]
pub(crate) struct PyActor(Actor);

/// The parties that may act on behalf of a token's subject: its ``may_act`` claim (RFC 8693 section 4.4).
#[pyclass(frozen, module = "watchword", name = "MayAct")]
pub(crate) struct PyMayAct(MayAct);

impl PyDelegationChain {
    pub(crate) fn new(py: Python<'_>, chain: Result<DelegationChain, DelegationError>) -> PyResult<Self> {
        chain.map(Self).map_err(|error| errors::delegation_error(py, &error))
    }
}

impl PyMayAct {
    pub(crate) fn new(py: Python<'_>, claim: Result<Option<MayAct>, DelegationError>) -> PyResult<Option<Self>> {
        claim.map(|claim| claim.map(Self)).map_err(|error| errors::delegation_error(py, &error))
    }
}

#[pymethods]
impl PyDelegationChain {
    /// Return the chain of nested acts: the claim ``act`` (RFC 8693 section 4.1), the standard form.
    ///
    /// A chain without actors if the claim is absent. ``claims`` are all claims of a token, a mapping or JSON.
    /// ``max_actors`` is the maximum number of actors, from 1 to 96.
    ///
    /// Raises ``DelegationError`` if the claim is malformed or the chain longer, ``ValueError`` if ``max_actors`` is out of
    /// range.
    #[staticmethod]
    #[pyo3(signature = (claims, *, max_actors=MaxActors(MAX_ACTORS)), text_signature = "(claims, *, max_actors=32)")]
    fn from_act(py: Python<'_>, claims: &Bound<'_, PyAny>, max_actors: MaxActors) -> PyResult<Self> {
        let document = document(claims, max_actors)?;
        let chain = DelegationChain::read_claims(document.as_ref(), max_actors.0)
            .and_then(|claims| DelegationChain::from_act(&claims, max_actors.0));
        Self::new(py, chain)
    }

    /// Return the recorded chain: the private claims ``delegation_chain`` and ``chain_hash``.
    ///
    /// A chain without actors if there are no records. ``claims`` are all claims of a token, a mapping or JSON. If
    /// ``chain_hash`` is present, it must be the hash of the records. With ``keys`` it must be present, and each record must
    /// have a valid Ed25519 signature by one of the keys. ``max_actors`` is the maximum number of actors, from 1 to 96.
    /// ``scope_claims`` names the claims with the token's scopes, which are the current actor's.
    ///
    /// Raises ``DelegationError`` if the claims are malformed, the chain is longer, or it is not what was hashed and
    /// signed; ``ValueError`` if ``max_actors`` or ``scope_claims`` is invalid.
    #[staticmethod]
    #[pyo3(
        signature = (claims, *, keys=None, max_actors=MaxActors(MAX_ACTORS), scope_claims=Given::absent()),
        text_signature = "(claims, *, keys=None, max_actors=32, scope_claims=('scope', 'scp'))"
    )]
    fn from_records(
        py: Python<'_>,
        claims: &Bound<'_, PyAny>,
        keys: Option<&Bound<'_, PyKeySet>>,
        max_actors: MaxActors,
        scope_claims: Given<'_>,
    ) -> PyResult<Self> {
        let scope_claims = scope_claims.or(ScopeClaims::default(), |object| {
            let names = arguments::words("scope_claims", object)?;
            ScopeClaims::new(names).map_err(|error| PyValueError::new_err(error.to_string()))
        })?;
        let document = document(claims, max_actors)?;
        let keys = keys.map(|keys| keys.get().kernel().as_ref());
        let chain = py.detach(|| {
            DelegationChain::read_claims(document.as_ref(), max_actors.0)
                .and_then(|claims| DelegationChain::from_records(&claims, keys, &scope_claims, max_actors.0))
        });
        Self::new(py, chain)
    }

    /// Return the actor chain: the private claim ``actor_chain``, of a principal and an agent.
    ///
    /// A chain without actors if the claim is absent. ``claims`` are all claims of a token, a mapping or JSON.
    ///
    /// Raises ``DelegationError`` if the claim is malformed.
    #[staticmethod]
    fn from_actor_chain(py: Python<'_>, claims: &Bound<'_, PyAny>) -> PyResult<Self> {
        let document = document(claims, MaxActors(MAX_ACTORS))?;
        let chain = DelegationChain::read_claims(document.as_ref(), MAX_ACTORS)
            .and_then(|claims| DelegationChain::from_actor_chain(&claims));
        Self::new(py, chain)
    }

    /// The party on whose behalf the actors act; ``None`` if the token does not name it.
    #[getter]
    fn subject(&self) -> Option<&str> {
        self.0.subject()
    }

    /// The token's ``iss``, the issuer of the subject's name; ``None`` if the token has none.
    #[getter]
    fn issuer(&self) -> Option<&str> {
        self.0.issuer()
    }

    /// The scopes of the subject, a tuple; ``None`` if the chain records no scopes.
    #[getter]
    fn scopes<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyTuple>>> {
        self.0.scopes().map(|scopes| PyTuple::new(py, scopes)).transpose()
    }

    /// The actors, a tuple: the current actor, who presents the token, first; the least recent actor last.
    #[getter]
    fn actors<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        let actors = self.0.actors().iter().cloned().map(|actor| Py::new(py, PyActor(actor)));
        PyTuple::new(py, actors.collect::<PyResult<Vec<_>>>()?)
    }

    /// The number of actors: how many times authority was delegated. 0 for a token without delegation.
    #[getter]
    fn depth(&self) -> usize {
        self.0.depth()
    }

    /// Whether the subject is a human being: its name begins with ``user:``, or the claim ``human_root`` is true.
    ///
    /// For other names, use ``check(require_human_root=True)`` with ``human_prefixes`` or ``human``.
    #[getter]
    fn human_root(&self) -> bool {
        self.0.has_human_root(&HUMAN_PREFIXES)
    }

    /// The names that occur in the chain more than once, a tuple in the order of the actors: a cycle of delegation.
    #[getter]
    fn repeated<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        PyTuple::new(py, self.0.repeated())
    }

    /// Check the chain; return ``None`` if it meets all requirements, which are checked in this order.
    ///
    /// ``max_depth``: the maximum number of actors.
    ///
    /// ``allow_cycles``: whether a name may occur in the chain more than once.
    ///
    /// ``require_human_root``: whether the subject must be a human being, with or without actors. It is one if its name
    /// begins with one of ``human_prefixes`` (``None``: ``("user:",)``) or if the claim ``human_root`` is true. A function
    /// ``human``, from the chain to a bool, takes the place of this rule.
    ///
    /// ``allow_unknown_actors``: whether the chain may have actors without a subject, if there are no ``allowed_actors``.
    ///
    /// ``allowed_actors``: each actor must be one of these: names of the token's issuer (str), names of another issuer
    /// (pairs of issuer and name), or ``Actor`` objects. An empty list allows no actor.
    ///
    /// ``scope_grammar``: the grammar of recorded scopes, ``"slot"``, ``"resource"`` or ``"plain"``. No actor may have a scope
    /// that the party before it did not have, if the chain records scopes; this is always checked.
    ///
    /// Raises the ``DelegationError`` of the first requirement that is not met, and ``TypeError`` or ``ValueError`` if an
    /// argument is invalid.
    #[pyo3(signature = (
        *, max_depth=None, require_human_root=false, allowed_actors=None, allow_cycles=true, human=None,
        allow_unknown_actors=false, human_prefixes=None, scope_grammar="slot"
    ))]
    #[allow(clippy::too_many_arguments, reason = "keywords in Python")]
    fn check(
        slf: &Bound<'_, Self>,
        max_depth: Option<Depth>,
        require_human_root: bool,
        allowed_actors: Option<Names>,
        allow_cycles: bool,
        human: Option<&Bound<'_, PyAny>>,
        allow_unknown_actors: bool,
        human_prefixes: Option<&Bound<'_, PyAny>>,
        scope_grammar: &str,
    ) -> PyResult<()> {
        let chain = &slf.get().0;
        let prefixes = human_prefixes.map(read_prefixes).transpose()?;
        if human.is_some() && prefixes.is_some() {
            return Err(PyValueError::new_err("human takes the place of human_prefixes: give one of them"));
        }
        let scope_grammar = ScopeGrammar::from_name(scope_grammar)
            .ok_or_else(|| PyValueError::new_err("scope_grammar must be 'slot', 'resource' or 'plain'"))?;
        let is_human = match (human, prefixes) {
            _ if !require_human_root => false,
            (Some(human), _) => strict_bool(&human.call1((slf,))?)?,
            (None, Some(prefixes)) => chain.has_human_root(&prefixes),
            (None, None) => chain.has_human_root(&HUMAN_PREFIXES),
        };
        let requirements = Requirements {
            max_depth: max_depth.map(|depth| depth.0),
            allow_cycles,
            allow_unknown_actors,
            human_root: if require_human_root { Some(&|_| is_human) } else { None },
            allowed_actors: allowed_actors.as_ref().map(|names| names.0.as_slice()),
            scope_grammar,
        };
        chain.check(&requirements).map_err(|error| errors::delegation_error(slf.py(), &error))
    }

    fn __repr__(&self) -> String {
        format!("DelegationChain(depth={})", self.0.depth())
    }
}

#[pymethods]
impl PyActor {
    /// The actor's name; ``None`` if it is unknown, because its ``act`` has no ``sub`` but another member.
    #[getter]
    fn subject(&self) -> Option<&str> {
        self.0.subject.as_deref()
    }

    /// The issuer of that name: the ``iss`` or ``provider`` beside it, else the token's ``iss``; ``None`` if there is neither.
    #[getter]
    fn issuer(&self) -> Option<&str> {
        self.0.issuer.as_deref()
    }

    /// The actor's scopes, a tuple; ``None`` if the chain records no scopes.
    #[getter]
    fn scopes<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyTuple>>> {
        self.0.scopes.as_ref().map(|scopes| PyTuple::new(py, scopes)).transpose()
    }

    /// When authority was delegated to the actor, a str as in the token; ``None`` if the chain does not record it.
    #[getter]
    fn delegated_at(&self) -> Option<&str> {
        self.0.delegated_at.as_deref()
    }

    fn __repr__(&self) -> String {
        match &self.0.subject {
            Some(subject) => format!("Actor(subject={} characters)", subject.chars().count()),
            None => "Actor(subject=None)".to_owned(),
        }
    }
}

#[pymethods]
impl PyMayAct {
    /// The names of the parties, a tuple. Empty if the claim has no ``sub``, so that nobody may act.
    #[getter]
    fn subjects<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        PyTuple::new(py, self.0.subjects())
    }

    /// The issuer of these names: the claim's own ``iss``, else the token's; ``None`` if there is neither.
    #[getter]
    fn issuer(&self) -> Option<&str> {
        self.0.issuer()
    }

    /// Return whether this party may act on behalf of the subject.
    ///
    /// ``actor`` is a name of the token's issuer (str), a name of another issuer (a pair of issuer and name), or an
    /// ``Actor``.
    ///
    /// Raises ``TypeError`` if it is anything else.
    fn permits(&self, actor: Name) -> bool {
        self.0.permits(&actor.0)
    }

    fn __repr__(&self) -> String {
        format!("MayAct(subjects={})", self.0.subjects().len())
    }
}

/// The maximum number of actors of a chain that is read.
#[derive(Clone, Copy)]
struct MaxActors(usize);

/// The maximum number of actors of a chain that is accepted.
struct Depth(usize);

/// A party, as a caller names it.
struct Name(ActorName);

/// Several of them. A single `str` is an error, because its letters would be taken for names.
pub(crate) struct Names(pub(crate) Vec<ActorName>);

impl<'py> FromPyObject<'_, 'py> for MaxActors {
    type Error = PyErr;

    fn extract(object: Borrowed<'_, 'py, PyAny>) -> PyResult<Self> {
        let most = whole_number(&object)?.filter(|most| (1..=MOST_ACTORS).contains(most));
        most.map(Self).ok_or_else(|| PyValueError::new_err(format!("max_actors must be from 1 to {MOST_ACTORS}")))
    }
}

impl<'py> FromPyObject<'_, 'py> for Depth {
    type Error = PyErr;

    fn extract(object: Borrowed<'_, 'py, PyAny>) -> PyResult<Self> {
        let depth = whole_number(&object)?;
        depth.map(Self).ok_or_else(|| PyValueError::new_err("max_depth must be 0 or more, and fit a machine word"))
    }
}

impl<'py> FromPyObject<'_, 'py> for Name {
    type Error = PyErr;

    fn extract(object: Borrowed<'_, 'py, PyAny>) -> PyResult<Self> {
        if let Ok(subject) = object.cast::<PyString>() {
            // Text with lone surrogates and empty text are no party's name.
            return Ok(Self(ActorName { issuer: None, subject: subject.to_str().unwrap_or_default().to_owned() }));
        }
        if let Ok(actor) = object.cast::<PyActor>() {
            let Actor { issuer, subject, .. } = actor.get().0.clone();
            // An unknown actor has no name: listing it allows nobody.
            return Ok(Self(ActorName { issuer, subject: subject.unwrap_or_default() }));
        }
        if let Ok((issuer, subject)) = object.cast::<PyTuple>().map_err(PyErr::from).and_then(|pair| pair.extract()) {
            return Ok(Self(ActorName { issuer: Some(issuer), subject }));
        }
        Err(PyTypeError::new_err(format!(
            "an actor must be a name (str), a pair of an issuer and a name, or an Actor, not {}",
            type_name(&object)
        )))
    }
}

impl<'py> FromPyObject<'_, 'py> for Names {
    type Error = PyErr;

    fn extract(object: Borrowed<'_, 'py, PyAny>) -> PyResult<Self> {
        if object.is_instance_of::<PyString>() || object.is_instance_of::<PyBytes>() {
            return Err(PyTypeError::new_err("allowed_actors must be a list or a set of actors, not a single name"));
        }
        let names = object.try_iter()?.map(|name| name?.extract().map(|Name(name)| name));
        names.collect::<PyResult<_>>().map(Self)
    }
}

/// A number of actors; `None` if it is negative or does not fit a machine word.
fn whole_number(object: &Bound<'_, PyAny>) -> PyResult<Option<usize>> {
    match object.extract() {
        Ok(number) => Ok(Some(number)),
        Err(error) if error.is_instance_of::<pyo3::exceptions::PyOverflowError>(object.py()) => Ok(None),
        Err(error) => Err(error),
    }
}

/// A verdict must be a bool: a coroutine, or another object that a function returns by mistake, would count as true.
fn strict_bool(verdict: &Bound<'_, PyAny>) -> PyResult<bool> {
    verdict.extract().map_err(|_| PyTypeError::new_err(format!("human must return a bool, not {}", type_name(verdict))))
}

/// Human prefixes, none empty: an empty one would make every subject a human being.
fn read_prefixes(object: &Bound<'_, PyAny>) -> PyResult<Vec<String>> {
    let prefixes: Vec<String> = arguments::words("human_prefixes", object)?;
    if prefixes.iter().any(String::is_empty) {
        return Err(PyValueError::new_err(
            "human_prefixes must not contain an empty prefix, which every name begins with",
        ));
    }
    Ok(prefixes)
}

/// Claims as JSON. Text that cannot be UTF-8 is malformed; claims that Python cannot serialise for their depth are too
/// deep.
fn document<'a>(claims: &'a Bound<'_, PyAny>, max_actors: MaxActors) -> PyResult<Text<'a>> {
    let py = claims.py();
    Text::of_json(claims, "claims").map_err(|error| {
        if !error.is_instance_of::<errors::KeySetError>(py) && !error.is_instance_of::<PyRecursionError>(py) {
            return error;
        }
        let rejection = if claims.is_instance_of::<PyString>() {
            let offset = 0;
            DelegationError::Malformed(Malformed::Json(json::Error { kind: json::ErrorKind::InvalidUtf8, offset }))
        } else {
            DelegationError::TooDeep { limit: max_actors.0 }
        };
        errors::delegation_error(py, &rejection)
    })
}
