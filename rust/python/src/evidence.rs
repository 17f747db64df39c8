//! The token that an exception is about, without showing it.

use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyString};
use watchword_kernel::{VerifiedJws, token_hash};

use crate::convert::{Text, from_json_object};
use crate::token::PyVerifiedToken;

/// The token that an exception is about, and what was signed if its signature was valid. Its repr shows neither, and it
/// cannot be pickled.
#[pyclass(frozen, module = "watchword._kernel", name = "_Evidence")]
pub(crate) struct Evidence {
    token: Presented,
    signed: Option<VerifiedJws>,
}

/// A token as it was passed. The objects are exact `str` and `bytes`, which refer to no other objects.
pub(crate) enum Presented {
    Text(Py<PyString>),
    Bytes(Py<PyBytes>),
    Copy(Vec<u8>),
}

impl Presented {
    pub(crate) fn new(token: &Bound<'_, PyAny>) -> PyResult<Self> {
        if let Ok(text) = token.cast_exact::<PyString>() {
            return Ok(Self::Text(text.clone().unbind()));
        }
        if let Ok(bytes) = token.cast_exact::<PyBytes>() {
            return Ok(Self::Bytes(bytes.clone().unbind()));
        }
        Ok(Self::Copy(Text::of_token(token)?.as_ref().to_vec()))
    }

    pub(crate) fn clone_ref(&self, py: Python<'_>) -> Self {
        match self {
            Self::Text(text) => Self::Text(text.clone_ref(py)),
            Self::Bytes(bytes) => Self::Bytes(bytes.clone_ref(py)),
            Self::Copy(bytes) => Self::Copy(bytes.clone()),
        }
    }

    fn hash(&self, py: Python<'_>) -> PyResult<String> {
        Ok(match self {
            Self::Text(text) => token_hash(Text::of_token(text.bind(py).as_any())?.as_ref()),
            Self::Bytes(bytes) => token_hash(bytes.bind(py).as_bytes()),
            Self::Copy(bytes) => token_hash(bytes),
        })
    }
}

impl Evidence {
    pub(crate) fn new(token: Presented, signed: Option<VerifiedJws>) -> Self {
        Self { token, signed }
    }
}

#[pymethods]
impl Evidence {
    #[new]
    #[pyo3(signature = (token, verified=None))]
    fn from_python(token: &Bound<'_, PyAny>, verified: Option<&Bound<'_, PyVerifiedToken>>) -> PyResult<Self> {
        let signed = verified.map(|verified| verified.get().kernel().jws().clone());
        Presented::new(token).map(|token| Self { token, signed })
    }

    /// The SHA-256 of the token as it was passed, in base64url without padding.
    #[getter]
    fn token_hash(&self, py: Python<'_>) -> PyResult<String> {
        self.token.hash(py)
    }

    /// The JOSE header as a new dict; None unless the signature was valid.
    #[getter]
    fn token_header<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyDict>>> {
        self.signed.as_ref().map_or(Ok(None), |signed| from_json_object(py, signed.header()))
    }

    /// The claims as a new dict; None unless the signature was valid and the payload is a JSON object.
    #[getter]
    fn token_claims<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyDict>>> {
        self.signed.as_ref().map_or(Ok(None), |signed| from_json_object(py, signed.payload()))
    }

    #[allow(clippy::unused_self, reason = "the shape of a Python method")]
    fn __repr__(&self) -> &'static str {
        "_Evidence()"
    }
}
