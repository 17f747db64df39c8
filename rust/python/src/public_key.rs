//! The keys of a set, and the keys that were rejected.

use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple};
use watchword_kernel::{PublicKey, RejectedKey};

/// One key of a set.
#[pyclass(frozen, module = "watchword", name = "PublicKey")]
pub(crate) struct PyPublicKey(pub(crate) PublicKey);

/// A key of the document that is not in the set, and why.
#[pyclass(frozen, module = "watchword", name = "RejectedKey")]
pub(crate) struct PyRejectedKey(pub(crate) RejectedKey);

#[pymethods]
impl PyPublicKey {
    /// The `kid`, or None.
    #[getter]
    fn key_id(&self) -> Option<&str> {
        self.0.key_id()
    }

    /// The `kty`: "EC", "OKP" or "RSA".
    #[getter]
    fn key_type(&self) -> &'static str {
        self.0.key_type()
    }

    /// The `crv`: "P-256", "P-384" or "Ed25519"; None for RSA.
    #[getter]
    fn curve(&self) -> Option<&'static str> {
        self.0.curve()
    }

    /// The size of the key in bits: of the modulus, or of the curve.
    #[getter]
    fn bits(&self) -> usize {
        self.0.bits()
    }

    /// The algorithms that the key may be used with.
    #[getter]
    fn algorithms<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        PyTuple::new(py, self.0.algorithms().iter().map(|algorithm| algorithm.name()).collect::<Vec<_>>())
    }

    /// The issuer to whose tokens the member `issuer` of the JWK restricts the key, or None. Policies with tenants apply it.
    #[getter]
    fn issuer(&self) -> Option<&str> {
        self.0.issuer()
    }

    /// Return the key as a JWK (RFC 7517): a new dict of strings.
    ///
    /// It has the members that identify the key (`kty`, and `crv`, `x` and `y`, or `n` and `e`), `kid` if the key has one, and
    /// `alg` if it is restricted to one algorithm.
    fn to_jwk<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let members = PyDict::new(py);
        for (name, value) in self.0.to_jwk() {
            members.set_item(name, value)?;
        }
        Ok(members)
    }

    /// The RFC 7638 thumbprint: SHA-256, base64url without padding.
    #[getter]
    fn thumbprint(&self) -> &str {
        self.0.thumbprint()
    }

    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        let key_id = self.0.key_id().into_pyobject(py)?.repr()?;
        Ok(format!("PublicKey(key_id={key_id}, key_type='{}', bits={})", self.0.key_type(), self.0.bits()))
    }
}

#[pymethods]
impl PyRejectedKey {
    /// Its index in the document, from 0.
    #[getter]
    fn index(&self) -> usize {
        self.0.index
    }

    /// Its `kid`; None if it is missing or not a string.
    #[getter]
    fn key_id(&self) -> Option<&str> {
        self.0.key_id.as_deref()
    }

    /// Why the key was rejected, as a stable name.
    #[getter]
    fn reason(&self) -> &'static str {
        self.0.defect.code()
    }

    /// Why the key was rejected, as a sentence.
    #[getter]
    fn detail(&self) -> String {
        self.0.defect.to_string()
    }

    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        let key_id = self.key_id().into_pyobject(py)?.repr()?;
        Ok(format!("RejectedKey(index={}, key_id={key_id}, reason='{}')", self.0.index, self.reason()))
    }
}
