//! Many tokens at once.

use std::num::NonZeroUsize;
use std::sync::Arc;

use pyo3::exceptions::{PyIndexError, PyOverflowError, PyTypeError};
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyBytes, PyList, PySlice, PyString};
use watchword_kernel as kernel;

use crate::arguments::{count, moment};
use crate::convert::Text;
use crate::errors;
use crate::evidence::Presented;
use crate::key_set::PyKeySet;
use crate::policy::PyPolicy;
use crate::token::PyVerifiedToken;

/// The verdicts of verify_many, in the order of the tokens: each a VerifiedToken or a VerificationError.
///
/// A sequence; its elements are turned into Python objects when they are asked for.
#[pyclass(frozen, sequence, module = "watchword", name = "BatchResult")]
pub(crate) struct PyBatchResult(Vec<Verdict>);

struct Verdict {
    kernel: Result<Arc<kernel::VerifiedToken>, Refused>,
    object: PyOnceLock<Py<PyAny>>,
}

/// A token that was refused, kept for its hash.
struct Refused {
    refusal: kernel::Refusal,
    token: Presented,
}

/// Verify many tokens as of the moment `now` (Unix seconds), on `threads` threads (None: one for each processor).
///
/// Returns a BatchResult, whose elements are what `verify` would return or raise for each token alone.
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
    let (keys, policy, now) = (keys.get().kernel(), policy.get().kernel(), moment(now)?);
    let verdicts = py.detach(|| kernel::verify_many(&texts, keys, policy, now, threads));
    let verdicts = verdicts.into_iter().zip(&tokens).map(|(verdict, token)| Verdict::new(verdict, token));
    verdicts.collect::<PyResult<_>>().map(PyBatchResult)
}

impl Verdict {
    fn new(verdict: Result<kernel::VerifiedToken, kernel::Refusal>, token: &Bound<'_, PyAny>) -> PyResult<Self> {
        let kernel = match verdict {
            Ok(verified) => Ok(Arc::new(verified)),
            Err(refusal) => Err(Refused { refusal, token: Presented::new(token)? }),
        };
        Ok(Self { kernel, object: PyOnceLock::new() })
    }

    fn object(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        let object = self.object.get_or_try_init(py, || match &self.kernel {
            Ok(token) => Py::new(py, PyVerifiedToken::shared(Arc::clone(token))).map(Py::into_any),
            Err(Refused { refusal, token }) => {
                errors::exception(py, refusal.clone(), token.clone_ref(py)).map(Bound::unbind)
            }
        })?;
        Ok(object.clone_ref(py))
    }
}

#[pymethods]
impl PyBatchResult {
    /// How many tokens are valid.
    #[getter]
    fn valid_count(&self) -> usize {
        self.0.iter().filter(|verdict| verdict.kernel.is_ok()).count()
    }

    /// The ErrorCode of each token, None standing for a valid one.
    fn codes<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        let codes = self.0.iter().map(|verdict| match &verdict.kernel {
            Ok(_) => Ok(py.None().into_bound(py)),
            Err(refused) => errors::code(py, refused.refusal.code()),
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
        // Beyond the range of the machine is beyond the end of the batch.
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

    fn __repr__(&self) -> String {
        format!("BatchResult(tokens={}, valid={})", self.0.len(), self.valid_count())
    }
}

impl PyBatchResult {
    fn at(&self, py: Python<'_>, index: usize) -> PyResult<Py<PyAny>> {
        self.0.get(index).ok_or_else(|| PyIndexError::new_err("there is no token with this number"))?.object(py)
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

    fn __next__(&self, py: Python<'_>) -> PyResult<Option<Py<PyAny>>> {
        let index = self.next.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        self.batch.get().0.get(index).map(|verdict| verdict.object(py)).transpose()
    }
}
