//! The metadata of a protected resource (RFC 9728).

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

/// Return the URL of the metadata of a resource: the well-known path precedes the resource's (RFC 9728 section 3.1).
///
/// Raises ValueError unless `resource` is an absolute http or https URL without a fragment (section 1.2).
#[pyfunction]
pub(crate) fn metadata_url(resource: &str) -> PyResult<String> {
    watchword_gate::metadata_url(resource).ok_or_else(|| {
        PyValueError::new_err(format!(
            "resource is {resource:?}: it must be an absolute http or https URL without a fragment (RFC 9728 section 1.2)"
        ))
    })
}
