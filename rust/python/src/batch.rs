//! Many tokens at once.

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::{Duration, Instant};

use pyo3::exceptions::{PyIndexError, PyKeyboardInterrupt, PyOverflowError, PyTypeError};
use pyo3::gc::PyVisit;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyList, PySlice, PyString};
use pyo3::{PyTraverseError, PyTypeInfo};
use watchword_kernel as kernel;

use crate::arguments::{count, moments};
use crate::convert::Text;
use crate::errors;
use crate::evidence::Presented;
use crate::kept::Kept;
use crate::key_set::PyKeySet;
use crate::policy::PyPolicy;
use crate::token::PyVerifiedToken;

/// The verdicts of verify_many, in the order of the tokens: each a VerifiedToken or a VerificationError.
///
/// A sequence; its elements become Python objects on first access.
#[pyclass(frozen, sequence, module = "watchword", name = "BatchResult")]
pub(crate) struct PyBatchResult(Vec<Verdict>);

struct Verdict {
    kernel: Result<Arc<kernel::VerifiedToken>, Rejected>,
    object: Kept<PyAny>,
}

/// A token that was rejected; it is kept for its hash.
struct Rejected {
    rejection: kernel::Rejection,
    token: Presented,
}

/// Verify many tokens at the time `now` (Unix seconds), on `threads` threads (None: one for each processor). `now` is
/// one time for all of them, or a list with the time of each.
///
/// Returns a BatchResult, whose elements are what `verify` would return or raise for each token alone. Raises TypeError if
/// a token is neither str nor bytes, ValueError if `now` lists another number of times, and the exception of a signal handler that runs meanwhile (KeyboardInterrupt).
#[pyfunction]
#[pyo3(signature = (tokens, keys, policy, now, threads=None))]
pub(crate) fn verify_many(
    py: Python<'_>,
    tokens: &Bound<'_, PyAny>,
    keys: &Bound<'_, PyKeySet>,
    policy: &Bound<'_, PyPolicy>,
    now: &Bound<'_, PyAny>,
    threads: Option<&Bound<'_, PyAny>>,
) -> PyResult<PyBatchResult> {
    if tokens.is_instance_of::<PyString>() || tokens.is_instance_of::<PyBytes>() {
        return Err(PyTypeError::new_err("tokens is a single token: give a list of them, or call verify"));
    }
    let tokens = tokens.try_iter()?.collect::<PyResult<Vec<_>>>()?;
    let texts = tokens.iter().map(Text::of_token).collect::<PyResult<Vec<_>>>()?;
    let threads = match threads {
        None => std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN),
        Some(threads) => count("threads", threads)?,
    };
    let (keys, policy, moments) = (keys.get().kernel(), policy.get().kernel(), moments(now, tokens.len())?);
    let rows: Vec<_> =
        texts.iter().zip(moments).map(|(text, now)| kernel::Row { token: text.as_ref(), keys, policy, now }).collect();
    let mut signals = Signals::new();
    let verdicts = py
        .detach(|| kernel::verify_rows_until(&rows, threads, || signals.interrupt()))
        .map_or_else(|| Err(signals.raised()), Ok)?;
    let verdicts = verdicts.into_iter().zip(&tokens).map(|(verdict, token)| Verdict::new(verdict, token));
    verdicts.collect::<PyResult<_>>().map(PyBatchResult)
}

/// Handles signals from time to time, while the interpreter is detached.
struct Signals {
    handled_at: Instant,
    raised: Option<PyErr>,
}

impl Signals {
    /// How often: rarely enough to cost nothing, even if other threads need the interpreter.
    const EVERY: Duration = Duration::from_millis(50);

    fn new() -> Self {
        Self { handled_at: Instant::now(), raised: None }
    }

    /// Whether a signal handler raised an exception.
    fn interrupt(&mut self) -> bool {
        if self.raised.is_none() && self.handled_at.elapsed() >= Self::EVERY {
            self.raised = Python::attach(|py| py.check_signals()).err();
            self.handled_at = Instant::now();
        }
        self.raised.is_some()
    }

    fn raised(self) -> PyErr {
        self.raised.unwrap_or_else(|| PyKeyboardInterrupt::new_err(()))
    }
}

/// Creates the iterator's class now, as the module does with the others.
pub(crate) fn prepare(py: Python<'_>) {
    PyBatchIterator::type_object(py);
}

impl Verdict {
    fn new(verdict: Result<kernel::VerifiedToken, kernel::Rejection>, token: &Bound<'_, PyAny>) -> PyResult<Self> {
        let kernel = match verdict {
            Ok(verified) => Ok(Arc::new(verified)),
            Err(rejection) => Err(Rejected { rejection, token: Presented::new(token)? }),
        };
        Ok(Self { kernel, object: Kept::new() })
    }

    fn object(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        self.object.get_or_make(py, || match &self.kernel {
            Ok(token) => Py::new(py, PyVerifiedToken::shared(Arc::clone(token))).map(Py::into_any),
            Err(Rejected { rejection, token }) => {
                errors::exception(py, rejection.clone(), token.clone_ref(py)).map(Bound::unbind)
            }
        })
    }
}

#[pymethods]
impl PyBatchResult {
    /// The number of valid tokens.
    #[getter]
    fn valid_count(&self) -> usize {
        self.0.iter().filter(|verdict| verdict.kernel.is_ok()).count()
    }

    /// Return the ErrorCode of each token in a list, None for a valid one.
    fn codes<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        let codes = self.0.iter().map(|verdict| match &verdict.kernel {
            Ok(_) => Ok(py.None().into_bound(py)),
            Err(rejected) => errors::code(py, rejected.rejection.code()),
        });
        PyList::new(py, codes.collect::<PyResult<Vec<_>>>()?)
    }

    fn __len__(&self) -> usize {
        self.0.len()
    }

    fn __getitem__(&self, py: Python<'_>, index: &Bound<'_, PyAny>) -> PyResult<Py<PyAny>> {
        if let Ok(slice) = index.cast::<PySlice>() {
            let slice = slice.indices(isize::try_from(self.0.len())?)?;
            let chosen = (0..isize::try_from(slice.slicelength)?).map(|step| slice.start + step * slice.step);
            let objects = chosen.map(|index| self.at(py, index.unsigned_abs())).collect::<PyResult<Vec<_>>>()?;
            return Ok(PyList::new(py, objects)?.into_any().unbind());
        }
        // An index beyond the range of the machine is beyond the end of the batch.
        let index = match index.extract::<isize>() {
            Err(error) if error.is_instance_of::<PyOverflowError>(py) => isize::MAX,
            index => index?,
        };
        let index = if index < 0 { self.0.len().checked_sub(index.unsigned_abs()) } else { Some(index.unsigned_abs()) };
        self.at(py, index.unwrap_or(usize::MAX))
    }

    fn __iter__(slf: Bound<'_, Self>) -> PyBatchIterator {
        PyBatchIterator { batch: slf.unbind(), next: std::sync::atomic::AtomicUsize::new(0) }
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        self.0.iter().try_for_each(|verdict| verdict.object.traverse(&visit))
    }

    fn __repr__(&self) -> String {
        format!("BatchResult(tokens={}, valid={})", self.0.len(), self.valid_count())
    }
}

impl PyBatchResult {
    fn at(&self, py: Python<'_>, index: usize) -> PyResult<Py<PyAny>> {
        let out_of_range =
            || PyIndexError::new_err(format!("the index is out of range: the batch has {} tokens", self.0.len()));
        self.0.get(index).ok_or_else(out_of_range)?.object(py)
    }
}

#[pyclass(frozen, module = "watchword")]
pub(crate) struct PyBatchIterator {
    batch: Py<PyBatchResult>,
    next: std::sync::atomic::AtomicUsize,
}

#[pymethods]
impl PyBatchIterator {
    fn __iter__(slf: Bound<'_, Self>) -> Bound<'_, Self> {
        slf
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.batch)
    }

    fn __next__(&self, py: Python<'_>) -> PyResult<Option<Py<PyAny>>> {
        let index = self.next.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        self.batch.get().0.get(index).map(|verdict| verdict.object(py)).transpose()
    }
}
