//! The application's side of the identity headers.

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyList, PyTuple};
use watchword_gate::{EmptyHeaders, Identity, IdentityHeaders, Secret, is_plain_name};

use super::headers::Headers;
use crate::errors;

/// Reads the identity headers of requests that have passed a gate.
///
/// prefix: that of the headers; secrets: base64url of 32 bytes or more; empty_headers: whether the proxy drops headers with
/// empty values. Raises ValueError if an argument is invalid.
#[pyclass(frozen, module = "watchword._kernel", name = "IdentityReader")]
pub(crate) struct PyIdentityReader(IdentityHeaders);

type IdentityTuple<'py> = (
    Option<String>,
    Option<String>,
    Option<String>,
    Bound<'py, PyTuple>,
    Bound<'py, PyTuple>,
    Option<String>,
    Option<f64>,
    Option<String>,
    String,
    String,
);

#[pymethods]
impl PyIdentityReader {
    #[new]
    #[pyo3(signature = (*, prefix, secrets, empty_headers_dropped))]
    fn new(prefix: String, secrets: Vec<String>, empty_headers_dropped: bool) -> PyResult<Self> {
        if !is_plain_name(&prefix) || !prefix.ends_with('-') {
            return Err(PyValueError::new_err(format!(
                "prefix is {prefix:?}: it must be letters, digits and dashes, with a dash at the end"
            )));
        }
        if secrets.is_empty() {
            return Err(PyValueError::new_err("secrets is empty: give the secret that the gate sends"));
        }
        // The messages quote none.
        let secrets: Result<Vec<_>, _> = secrets.iter().map(|text| Secret::parse(text)).collect();
        let secrets = secrets.map_err(|_| {
            PyValueError::new_err("secrets must be base64url of 32 bytes or more: the lines of identity_secret_file")
        })?;
        let empty = if empty_headers_dropped { EmptyHeaders::Dropped } else { EmptyHeaders::Sent };
        Ok(Self(IdentityHeaders::new(prefix, secrets, empty)))
    }

    /// Return what the identity headers of a request say: subject, issuer, client id, scopes, actors, token id, expiry (Unix
    /// seconds), proof key, route and trace id.
    ///
    /// headers: pairs, a mapping, or an object with items(). Raises UntrustedIdentityError if they are not those of the gate;
    /// TypeError if a name or a value is neither str nor bytes.
    fn read<'py>(&self, py: Python<'py>, headers: &Bound<'py, PyAny>) -> PyResult<IdentityTuple<'py>> {
        let headers = Headers::new(headers, |name| self.0.is_below_prefix(name))?;
        let found = self.0.read(&headers.as_bytes()).map_err(|failure| errors::of_failure(py, &failure))?;
        let Identity { subject, issuer, client_id, scopes, actors, token_id, expires_at, proof_key, route, trace_id } =
            found;
        let (scopes, actors) = (PyTuple::new(py, scopes)?, PyTuple::new(py, actors)?);
        Ok((subject, issuer, client_id, scopes, actors, token_id, expires_at, proof_key, route, trace_id))
    }

    /// Return the headers that are not below the prefix, in any spelling: a list of the pairs in their order.
    ///
    /// Raises TypeError if a name is neither str nor bytes.
    fn without<'py>(&self, headers: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyList>> {
        Headers::new(headers, |name| !self.0.is_below_prefix(name))?.into_list(headers.py())
    }

    fn __repr__(&self) -> String {
        format!("{:?}", self.0)
    }
}
