//! The origin of a service.

use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyString, PyTuple};
use watchword_gate::PublicOrigin;

use crate::convert::type_name;

/// The URL of a service, or several if it is known by several.
///
/// ``public_url`` is ``https://api.example``, or a list of such URLs. Its path is a prefix of every path, for a service
/// behind a proxy that removes it. Of several URLs the request's ``Host`` selects one; any other ``Host`` selects the
/// first.
///
/// Raises ``ValueError`` if there is no URL, or if one is not an ``http`` or ``https`` URL, or has a user name, a query
/// or a fragment; ``TypeError`` if one is not ``str``.
#[pyclass(frozen, module = "watchword.origin", name = "PublicOrigin")]
pub(crate) struct PyPublicOrigin(pub(crate) PublicOrigin);

#[pymethods]
impl PyPublicOrigin {
    #[new]
    fn new(public_url: &Bound<'_, PyAny>) -> PyResult<Self> {
        let urls: Vec<String> = if public_url.is_none() {
            Vec::new()
        } else if public_url.is_instance_of::<PyString>() {
            vec![url(public_url)?]
        } else {
            let urls = public_url.try_iter().map_err(|_| not_a_url(public_url))?;
            urls.map(|one| url(&one?)).collect::<PyResult<_>>()?
        };
        PublicOrigin::new(&urls).map(Self).map_err(|error| PyValueError::new_err(error.to_string()))
    }

    /// Return the URI that a client requested: an origin of this service, and ``path`` (with the query, if any).
    ///
    /// ``host`` is the request's ``Host``.
    #[pyo3(signature = (path, *, host=None))]
    fn uri(&self, path: &Bound<'_, PyString>, host: Option<&Bound<'_, PyString>>) -> String {
        let host = host.map(|host| host.to_string_lossy().trim().to_owned());
        self.0.uri(&path.to_string_lossy(), host.as_deref().map(str::as_bytes))
    }

    /// The URLs in normal form, without a slash at the end.
    #[getter]
    fn urls<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        PyTuple::new(py, self.0.urls().collect::<Vec<_>>())
    }

    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        let urls = self.0.urls().map(str::to_owned).collect::<Vec<_>>().into_pyobject(py)?.repr()?;
        Ok(format!("PublicOrigin({urls})"))
    }
}

fn url(object: &Bound<'_, PyAny>) -> PyResult<String> {
    let text = object.cast::<PyString>().map_err(|_| not_a_url(object))?;
    Ok(text.to_string_lossy().into_owned())
}

fn not_a_url(object: &Bound<'_, PyAny>) -> PyErr {
    PyTypeError::new_err(format!("public_url must be a str or a list of them, not {}", type_name(object)))
}
