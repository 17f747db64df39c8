//! Chains of delegation.

use std::hash::Hash;

use pyo3::exceptions::{PyRecursionError, PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyString, PyTuple};
use watchword_kernel::delegation::{MAX_ACTORS, MOST_ACTORS};
use watchword_kernel::{Actor, ActorName, DelegationChain, DelegationError, Malformed, MayAct, Requirements, json};

use crate::convert::{Text, type_name};
use crate::errors;
use crate::key_set::PyKeySet;

/// On whose behalf somebody acts: a subject, and the actors to whom its authority was handed on, the nearest first.
///
/// Chains come out of tokens (`token.delegation`) or are read from claims with one of the constructors, which trust the
/// claims: give them those of a verified token. Equal chains are equal, and may be members of sets.
#[pyclass(frozen, eq, hash, module = "watchword", name = "DelegationChain")]
#[derive(PartialEq, Eq, Hash)]
pub(crate) struct PyDelegationChain(DelegationChain);

/// One who acts on behalf of another. Equal actors are equal, and may be members of sets.
#[pyclass(frozen, eq, hash, module = "watchword", name = "Actor")]
#[derive(PartialEq, Eq, Hash)]
pub(crate) struct PyActor(Actor);

/// Who may act on behalf of a token's subject: its `may_act` claim (RFC 8693 section 4.4).
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
    /// Read nested acts: the claim `act` (RFC 8693 section 4.1). No such claim: a chain without actors.
    ///
    /// claims: all the claims of a token, a mapping or JSON. max_actors: the longest chain that is read, 96 at most.
    /// Raises DelegationError.
    #[staticmethod]
    #[pyo3(signature = (claims, *, max_actors=MaxActors(MAX_ACTORS)), text_signature = "(claims, *, max_actors=32)")]
    fn from_act(py: Python<'_>, claims: &Bound<'_, PyAny>, max_actors: MaxActors) -> PyResult<Self> {
        let document = document(claims, max_actors)?;
        let chain = DelegationChain::read_claims(document.as_ref(), max_actors.0)
            .and_then(|claims| DelegationChain::from_act(&claims, max_actors.0));
        Self::new(py, chain)
    }

    /// Read a recorded chain: the claims `delegation_chain` and `chain_hash`. No such claim: a chain without actors.
    ///
    /// claims: all the claims of a token, a mapping or JSON. keys: where they are given, each record must bear the Ed25519
    /// signature of one of them, and the hash must be there; it is compared with the records in any case. max_actors: the
    /// longest chain that is read, 96 at most. Raises DelegationError.
    #[staticmethod]
    #[pyo3(
        signature = (claims, *, keys=None, max_actors=MaxActors(MAX_ACTORS)),
        text_signature = "(claims, *, keys=None, max_actors=32)"
    )]
    fn from_records(
        py: Python<'_>,
        claims: &Bound<'_, PyAny>,
        keys: Option<&Bound<'_, PyKeySet>>,
        max_actors: MaxActors,
    ) -> PyResult<Self> {
        let document = document(claims, max_actors)?;
        let keys = keys.map(|keys| keys.get().kernel().as_ref());
        let chain = py.detach(|| {
            DelegationChain::read_claims(document.as_ref(), max_actors.0)
                .and_then(|claims| DelegationChain::from_records(&claims, keys, max_actors.0))
        });
        Self::new(py, chain)
    }

    /// Read an actor chain: the claim `actor_chain`, of a principal and an agent. No such claim: a chain without actors.
    ///
    /// claims: all the claims of a token, a mapping or JSON. Raises DelegationError.
    #[staticmethod]
    fn from_actor_chain(py: Python<'_>, claims: &Bound<'_, PyAny>) -> PyResult<Self> {
        let document = document(claims, MaxActors(MAX_ACTORS))?;
        let chain = DelegationChain::read_claims(document.as_ref(), MAX_ACTORS)
            .and_then(|claims| DelegationChain::from_actor_chain(&claims));
        Self::new(py, chain)
    }

    /// On whose behalf the actors act; None where the token does not say.
    #[getter]
    fn subject(&self) -> Option<&str> {
        self.0.subject()
    }

    /// The token's `iss`: whose name the subject's is. None where the token has none.
    #[getter]
    fn issuer(&self) -> Option<&str> {
        self.0.issuer()
    }

    /// The scopes that the subject held, where the chain records them; None where it does not.
    #[getter]
    fn scopes<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyTuple>>> {
        self.0.scopes().map(|scopes| PyTuple::new(py, scopes)).transpose()
    }

    /// The actors, the nearest (who presents the token) first.
    #[getter]
    fn actors<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        let actors = self.0.actors().iter().cloned().map(|actor| Py::new(py, PyActor(actor)));
        PyTuple::new(py, actors.collect::<PyResult<Vec<_>>>()?)
    }

    /// How many times authority was handed on: the number of actors.
    #[getter]
    fn depth(&self) -> usize {
        self.0.depth()
    }

    /// Whether the subject is a human being, as far as the token tells: its name begins with `user:`, or the token has
    /// the claim `human_root` with the value true.
    #[getter]
    fn human_root(&self) -> bool {
        self.0.human_root()
    }

    /// The names that stand in the chain more than once, each once, the nearest first: authority that went in a circle.
    #[getter]
    fn repeated<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        PyTuple::new(py, self.0.repeated())
    }

    /// Judge the chain; return None, or raise the DelegationError of the first demand that is not met, in this order.
    ///
    /// max_depth: how many actors there may be. allow_cycles: whether a name may stand in the chain more than once.
    /// require_human_root: whether the subject must be a human being, with actors or without; `human`, a function from
    /// the chain to a bool, says who is (None: see `human_root`). allowed_actors: each actor must be one of these, names of
    /// the token's issuer (str), names of another (pairs of issuer and name) or Actors; an empty list allows nobody.
    /// allow_unknown_actors: whether an actor without a subject may stand in the chain; with allowed_actors none may. And
    /// always: no actor may hold a scope that was not held before it, where the chain records scopes.
    ///
    /// Raises TypeError or ValueError for a demand that cannot be meant.
    #[pyo3(signature = (
        *, max_depth=None, require_human_root=false, allowed_actors=None, allow_cycles=true, human=None,
        allow_unknown_actors=false
    ))]
    fn check(
        slf: &Bound<'_, Self>,
        max_depth: Option<Depth>,
        require_human_root: bool,
        allowed_actors: Option<Names>,
        allow_cycles: bool,
        human: Option<&Bound<'_, PyAny>>,
        allow_unknown_actors: bool,
    ) -> PyResult<()> {
        let chain = &slf.get().0;
        let is_human = match human {
            Some(judge) if require_human_root => strict_bool(&judge.call1((slf,))?)?,
            _ => chain.human_root(),
        };
        let demands = Requirements {
            max_depth: max_depth.map(|depth| depth.0),
            allow_cycles,
            allow_unknown_actors,
            human_root: if require_human_root { Some(&|_| is_human) } else { None },
            allowed_actors: allowed_actors.as_ref().map(|names| names.0.as_slice()),
        };
        chain.check(&demands).map_err(|error| errors::delegation_error(slf.py(), &error))
    }

    fn __repr__(&self) -> String {
        format!("DelegationChain(depth={})", self.0.depth())
    }
}

#[pymethods]
impl PyActor {
    /// The actor's name; None if it is unknown, because the `act` names it by another member than `sub`.
    #[getter]
    fn subject(&self) -> Option<&str> {
        self.0.subject.as_deref()
    }

    /// Whose name that is: the `iss` or the `provider` beside it, else the `iss` of the token; None where there is neither.
    #[getter]
    fn issuer(&self) -> Option<&str> {
        self.0.issuer.as_deref()
    }

    /// The scopes that it holds, where the chain records them; None where it does not.
    #[getter]
    fn scopes<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyTuple>>> {
        self.0.scopes.as_ref().map(|scopes| PyTuple::new(py, scopes)).transpose()
    }

    /// When they were handed to it, as the token writes it, where the chain records that; None where it does not.
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
    /// The names of the parties, of which `sub` may list several.
    #[getter]
    fn subjects<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        PyTuple::new(py, self.0.subjects())
    }

    /// Whose names those are: the claim's own `iss`, else that of the token; None where there is neither.
    #[getter]
    fn issuer(&self) -> Option<&str> {
        self.0.issuer()
    }

    /// Whether this party may act: a name of the token's issuer (str), of another (pair of issuer and name), or an Actor.
    fn permits(&self, actor: Name) -> bool {
        self.0.permits(&actor.0)
    }

    fn __repr__(&self) -> String {
        format!("MayAct(subjects={})", self.0.subjects().len())
    }
}

/// How long a chain may be to be read.
#[derive(Clone, Copy)]
struct MaxActors(usize);

/// How long a chain may be to be good.
struct Depth(usize);

/// Who acts, as a caller names somebody.
struct Name(ActorName);

/// Several of them; a single `str` is a mistake that would be taken apart into letters.
struct Names(Vec<ActorName>);

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
            // Text with lone surrogates is nobody's name, and neither is the empty one.
            return Ok(Self(ActorName { issuer: None, subject: subject.to_str().unwrap_or_default().to_owned() }));
        }
        if let Ok(actor) = object.cast::<PyActor>() {
            let Actor { issuer, subject, .. } = actor.get().0.clone();
            // An actor that nobody knows is nobody, too: naming it allows and permits none.
            return Ok(Self(ActorName { issuer, subject: subject.unwrap_or_default() }));
        }
        if let Ok((issuer, subject)) = object.cast::<PyTuple>().map_err(PyErr::from).and_then(|pair| pair.extract()) {
            return Ok(Self(ActorName { issuer: Some(issuer), subject }));
        }
        Err(PyTypeError::new_err(format!(
            "an actor is a name (str), a pair of an issuer and a name, or an Actor, not {}",
            type_name(&object)
        )))
    }
}

impl<'py> FromPyObject<'_, 'py> for Names {
    type Error = PyErr;

    fn extract(object: Borrowed<'_, 'py, PyAny>) -> PyResult<Self> {
        if object.is_instance_of::<PyString>() || object.is_instance_of::<PyBytes>() {
            return Err(PyTypeError::new_err("allowed_actors is a single name: give a list or a set of them"));
        }
        let names = object.try_iter()?.map(|name| name?.extract().map(|Name(name)| name));
        names.collect::<PyResult<_>>().map(Self)
    }
}

/// A number of actors; None where it is negative or beyond the range of the machine.
fn whole_number(object: &Bound<'_, PyAny>) -> PyResult<Option<usize>> {
    match object.extract() {
        Ok(number) => Ok(Some(number)),
        Err(error) if error.is_instance_of::<pyo3::exceptions::PyOverflowError>(object.py()) => Ok(None),
        Err(error) => Err(error),
    }
}

/// A verdict must be a bool: a coroutine, or whatever else a function returns by mistake, would count as true.
fn strict_bool(verdict: &Bound<'_, PyAny>) -> PyResult<bool> {
    verdict.extract().map_err(|_| PyTypeError::new_err(format!("human must return a bool, not {}", type_name(verdict))))
}

/// Claims as JSON. Text that cannot be UTF-8 is malformed; what Python cannot write because of its depth is too deep.
fn document<'a>(claims: &'a Bound<'_, PyAny>, max_actors: MaxActors) -> PyResult<Text<'a>> {
    let py = claims.py();
    Text::of_json(claims, "claims").map_err(|error| {
        if !error.is_instance_of::<errors::KeySetError>(py) && !error.is_instance_of::<PyRecursionError>(py) {
            return error;
        }
        let refusal = if claims.is_instance_of::<PyString>() {
            let offset = 0;
            DelegationError::Malformed(Malformed::Json(json::Error { kind: json::ErrorKind::InvalidUtf8, offset }))
        } else {
            DelegationError::TooDeep { limit: max_actors.0 }
        };
        errors::delegation_error(py, &refusal)
    })
}
