//! Files of secrets.

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyBytes;

/// Read a file of secrets: base64url of 32 bytes or more, one a line, the one to use first.
///
/// Returns for each its base64url without padding, and its bytes. Raises ValueError if one is unusable, or if there is none;
/// the message quotes none.
#[pyfunction]
pub(crate) fn read_secrets<'py>(py: Python<'py>, document: &[u8]) -> PyResult<Vec<(String, Bound<'py, PyBytes>)>> {
    let secrets = watchword_gate::read_secrets(document).map_err(|error| PyValueError::new_err(error.to_string()))?;
    Ok(secrets.iter().map(|secret| (secret.text().to_owned(), PyBytes::new(py, secret.bytes()))).collect())
}
