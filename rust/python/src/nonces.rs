//! Nonces that a server requires in proofs.

use std::sync::Arc;

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyTuple;
use watchword_gate::Nonces;

use crate::arguments::{moment, seconds};

/// The keys of nonces (RFC 9449 sections 8 and 9), and the nonces by them.
///
/// keys: secrets of 32 bytes or more, of which the first issues nonces and each verifies its own. lifetime: seconds. Raises
/// ValueError if one of them is invalid.
#[pyclass(frozen, module = "watchword._kernel", name = "NonceKeys")]
pub(crate) struct PyNonceKeys(pub(crate) Arc<Nonces>);

#[pymethods]
impl PyNonceKeys {
    #[new]
    #[allow(clippy::needless_pass_by_value, reason = "the shape of a Python method")]
    fn new(keys: Vec<Vec<u8>>, lifetime: &Bound<'_, PyAny>) -> PyResult<Self> {
        Nonces::new(&keys, seconds("lifetime", lifetime)?)
            .map(|nonces| Self(Arc::new(nonces)))
            .map_err(|error| PyValueError::new_err(error.to_string()))
    }

    /// Return all nonces that are valid as of `now` (Unix seconds), the newest first.
    fn valid<'py>(&self, py: Python<'py>, now: &Bound<'_, PyAny>) -> PyResult<Bound<'py, PyTuple>> {
        PyTuple::new(py, self.0.valid(moment(now)?).iter())
    }

    fn __repr__(&self) -> String {
        format!("NonceKeys(keys={})", self.0.key_count())
    }
}
