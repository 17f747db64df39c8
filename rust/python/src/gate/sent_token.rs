//! The token of a request, before it is verified.

use pyo3::prelude::*;
use watchword_gate::{Compute, Failure, Progress, SentToken, Terms, UnusedProof, answer_of};
use watchword_kernel::UnixTime;

use super::decision::PyDecision;
use crate::arguments::{moment, words};
use crate::dpop::PyDpopProof;
use crate::key_set::PyKeySet;
use crate::token_cache::PyTokenCache;

/// The token of a request, not verified yet, with all that the decision on it needs.
#[pyclass(frozen, module = "watchword._kernel", name = "SentToken")]
pub(crate) struct PySentToken(pub(crate) SentToken);

/// A request that may pass if its proof was not used before: the last check of all.
#[pyclass(frozen, module = "watchword._kernel", name = "UnusedProof")]
pub(crate) struct PyUnusedProof(UnusedProof);

/// Runs work with the interpreter detached.
struct Detached<'py>(Python<'py>);

impl Compute for Detached<'_> {
    fn run<T: Send>(&self, work: impl FnOnce() -> T + Send) -> T {
        self.0.detach(work)
    }
}

#[pymethods]
impl PySentToken {
    /// The position of the issuer whose keys are needed.
    #[getter]
    fn issuer(&self) -> usize {
        self.0.issuer()
    }

    /// The token, as it was sent.
    #[getter]
    fn token(&self) -> &[u8] {
        self.0.token()
    }

    /// Make every check that needs no key, as of `now` (Unix seconds).
    ///
    /// Returns the Decision if one of them fails, or if the token names another issuer; None if keys are needed.
    fn check_without_keys(&self, now: &Bound<'_, PyAny>) -> PyResult<Option<PyDecision>> {
        let decision = self.0.check_without_keys(moment(now)?);
        Ok(decision.map(|decision| PyDecision::new(decision, None)))
    }

    /// Verify the token with keys of its issuer as of `now` (Unix seconds), then the proof, then what the route requires.
    ///
    /// nonces: those that are accepted now, the newest first. Returns a Decision, or an UnusedProof.
    #[pyo3(signature = (keys, now, nonces=None, cache=None))]
    fn verify<'py>(
        &self,
        py: Python<'py>,
        keys: &Bound<'_, PyKeySet>,
        now: &Bound<'_, PyAny>,
        nonces: Option<&Bound<'_, PyAny>>,
        cache: Option<&Bound<'_, PyTokenCache>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        decided(py, progress(py, self.0.clone(), keys, moment(now)?, nonces, cache)?)
    }

    /// Return the decision for an error with another cause than the token: the keys are unavailable.
    fn reject(&self, error: &Bound<'_, PyAny>) -> PyResult<PyDecision> {
        let decision = self.0.clone().reject(failure(error)?);
        Ok(PyDecision::new(decision, Some(error.clone().unbind())))
    }

    #[allow(clippy::unused_self, reason = "the shape of a Python method")]
    fn __repr__(&self) -> &'static str {
        "SentToken()"
    }
}

#[pymethods]
impl PyUnusedProof {
    /// The DpopProof, whose replay_id must be used before the request may pass.
    #[getter]
    fn proof(&self) -> PyDpopProof {
        PyDpopProof::new(self.0.proof().clone())
    }

    /// Return the decision, if this is the first use of the proof.
    fn first_use(&self) -> PyDecision {
        PyDecision::new(self.0.clone().first_use(), None)
    }

    /// Return the decision for an error of the replay store, or for a proof that was used before.
    fn reject(&self, error: &Bound<'_, PyAny>) -> PyResult<PyDecision> {
        let decision = self.0.clone().reject(failure(error)?);
        Ok(PyDecision::new(decision, Some(error.clone().unbind())))
    }

    #[allow(clippy::unused_self, reason = "the shape of a Python method")]
    fn __repr__(&self) -> &'static str {
        "UnusedProof()"
    }
}

/// What a VerificationError says.
fn failure(error: &Bound<'_, PyAny>) -> PyResult<Failure> {
    let code: String = error.getattr("code")?.extract()?;
    Ok(Failure::with_detail(answer_of(&code).code, error.getattr("detail")?.extract()?))
}

/// Verifies a token with the keys of its issuer.
pub(super) fn progress(
    py: Python<'_>,
    sent: SentToken,
    keys: &Bound<'_, PyKeySet>,
    now: UnixTime,
    nonces: Option<&Bound<'_, PyAny>>,
    cache: Option<&Bound<'_, PyTokenCache>>,
) -> PyResult<Progress> {
    let nonces = nonces.map(|nonces| words::<String>("nonces", nonces)).transpose()?;
    let terms = Terms {
        keys: keys.get().kernel(),
        now,
        nonces: nonces.as_deref(),
        cache: cache.map(|cache| &**cache.get().kernel()),
    };
    Ok(sent.verify(terms, &Detached(py)))
}

/// The Decision or the UnusedProof.
pub(super) fn decided(py: Python<'_>, progress: Progress) -> PyResult<Bound<'_, PyAny>> {
    let decision = match progress {
        Progress::Decided(decision) => decision,
        Progress::NeedsKeys(sent, failure) => sent.reject(failure),
        Progress::UnusedProof(unused) => return Ok(Bound::new(py, PyUnusedProof(unused))?.into_any()),
    };
    Ok(Bound::new(py, PyDecision::new(decision, None))?.into_any())
}
