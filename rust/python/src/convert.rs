//! Python's text, numbers and JSON as the kernel takes them.

use std::borrow::Cow;

use pyo3::exceptions::{PyRecursionError, PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyBytes, PyMapping, PyString};

use crate::errors::KeySetError;

/// Bytes borrowed from a Python object where they can be.
pub(crate) struct Text<'a>(Cow<'a, [u8]>);

impl<'a> Text<'a> {
    /// A token. A `str` that cannot be UTF-8 is hostile input, not a caller's mistake: it is passed on with
    /// replacement characters, which no token may have.
    pub(crate) fn of_token(token: &'a Bound<'_, PyAny>) -> PyResult<Self> {
        if let Ok(text) = token.cast::<PyString>() {
            return Ok(Self(match text.to_str() {
                Ok(text) => Cow::Borrowed(text.as_bytes()),
                Err(_) => Cow::Owned(text.to_string_lossy().into_owned().into_bytes()),
            }));
        }
        if let Ok(bytes) = token.cast::<PyBytes>() {
            return Ok(Self(Cow::Borrowed(bytes.as_bytes())));
        }
        Err(PyTypeError::new_err(format!("a token is str or bytes, not {}", type_name(token))))
    }

    /// A JSON document: text, or a mapping that `json.dumps` can write.
    pub(crate) fn of_json(document: &'a Bound<'_, PyAny>, name: &str) -> PyResult<Self> {
        if let Ok(text) = document.cast::<PyString>() {
            return match text.to_str() {
                Ok(text) => Ok(Self(Cow::Borrowed(text.as_bytes()))),
                Err(_) => Err(KeySetError::new_err(format!("{name} is text with lone surrogates, which is not JSON"))),
            };
        }
        if let Ok(bytes) = document.cast::<PyBytes>() {
            return Ok(Self(Cow::Borrowed(bytes.as_bytes())));
        }
        if document.cast::<PyMapping>().is_ok() {
            let plain = document.py().get_type::<pyo3::types::PyDict>().call1((document,))?;
            let written = json(document.py(), "dumps")?.call1((plain,)).map_err(|error| {
                if error.is_instance_of::<PyRecursionError>(document.py()) {
                    return KeySetError::new_err(format!("{name} is nested too deeply"));
                }
                error
            })?;
            return Ok(Self(Cow::Owned(written.extract::<String>()?.into_bytes())));
        }
        Err(PyTypeError::new_err(format!("{name} is str, bytes or a mapping, not {}", type_name(document))))
    }
}

impl AsRef<[u8]> for Text<'_> {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

pub(crate) fn type_name(object: &Bound<'_, PyAny>) -> String {
    object.get_type().name().map_or_else(|_| "that".to_owned(), |name| name.to_string())
}

/// A JSON document as Python's own parser reads it. The kernel has checked it: strict JSON has one reading.
pub(crate) fn from_json<'py>(py: Python<'py>, document: &[u8]) -> PyResult<Bound<'py, PyAny>> {
    let text = std::str::from_utf8(document).map_err(|error| PyValueError::new_err(error.to_string()))?;
    json(py, "loads")?.call1((text,))
}

fn json<'py>(py: Python<'py>, name: &str) -> PyResult<Bound<'py, PyAny>> {
    static JSON: PyOnceLock<Py<PyModule>> = PyOnceLock::new();
    JSON.get_or_try_init(py, || py.import("json").map(Bound::unbind))?.bind(py).getattr(name)
}
