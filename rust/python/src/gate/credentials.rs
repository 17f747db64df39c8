//! The credentials of a request.

use pyo3::prelude::*;
use watchword_gate::CredentialHeaders;

use super::headers::Headers;
use crate::errors;

/// The unverified credentials of a request.
#[pyclass(frozen, get_all, module = "watchword.request", name = "Credentials")]
pub(crate) struct PyCredentials {
    /// The scheme of the Authorization header: "Bearer" or "DPoP".
    scheme: &'static str,
    /// The token, as it was sent.
    token: String,
    /// The value of the DPoP header; None if the scheme is "Bearer".
    proof: Option<String>,
}

#[pymethods]
impl PyCredentials {
    fn __repr__(&self) -> String {
        format!("Credentials(scheme='{}')", self.scheme)
    }
}

/// Return the Credentials of a request's headers, unverified: its scheme, its token and its proof.
///
/// headers: pairs, a mapping, or an object with items(). A proof with a bearer token is ignored, unless there are several.
/// Raises VerificationError if there are no credentials, or if they are repeated or malformed; TypeError if a name or a
/// value is neither str nor bytes.
#[pyfunction]
pub(crate) fn read_credentials(py: Python<'_>, headers: &Bound<'_, PyAny>) -> PyResult<PyCredentials> {
    let headers = Headers::new(headers, CredentialHeaders::reads)?;
    let mut found = CredentialHeaders::default();
    for (name, value) in headers.as_bytes() {
        found.take(name, value);
    }
    let sent = found.read().map_err(|error| errors::of_code(py, error.code(), error.detail()))?;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Ok(PyCredentials { scheme: sent.scheme.name(), token: text(sent.token), proof: sent.proof.map(text) })
}
