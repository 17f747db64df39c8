//! Key sets and their keys.

use std::sync::Arc;

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyIterator, PyString, PyTuple};
use watchword_kernel::{Algorithm, Backend, KeyOptions, KeySet, KeySetError, Prepare, PublicKey, RejectedKey};

use crate::convert::{Text, type_name};
use crate::errors;

/// The public keys of one issuer: immutable, each judged when the set is read.
///
/// A bad key is left out and listed in `rejected`; it never takes the others with it.
#[pyclass(frozen, module = "watchword", name = "KeySet")]
pub(crate) struct PyKeySet(Arc<KeySet>);

/// One key of a set.
#[pyclass(frozen, module = "watchword", name = "PublicKey")]
pub(crate) struct PyPublicKey(PublicKey);

/// A key that was left out of a set, and why.
#[pyclass(frozen, module = "watchword", name = "RejectedKey")]
pub(crate) struct PyRejectedKey(RejectedKey);

impl PyKeySet {
    fn new(keys: KeySet) -> Self {
        Self(Arc::new(keys))
    }

    pub(crate) fn kernel(&self) -> &Arc<KeySet> {
        &self.0
    }
}

#[pymethods]
impl PyKeySet {
    /// Read a JWK Set or a single JWK (RFC 7517): str, bytes or a mapping, at most 1 MiB and 256 keys.
    ///
    /// Raises KeySetError where the document is neither.
    #[staticmethod]
    #[pyo3(signature = (jwks, *, backend="default", prepare="auto"))]
    fn from_json(py: Python<'_>, jwks: &Bound<'_, PyAny>, backend: &str, prepare: &str) -> PyResult<Self> {
        let (document, options) = (Text::of_json(jwks, "jwks")?, key_options(backend, prepare)?);
        py.detach(|| KeySet::from_json(document.as_ref(), options))
            .map(Self::new)
            .map_err(|error| key_set_error(&error))
    }

    /// Read the public keys of a PEM text (RFC 7468): PUBLIC KEY or RSA PUBLIC KEY blocks.
    ///
    /// PEM carries no `kid` and no `alg`; both may be given. A key without a `kid` is tried for every token of its
    /// algorithms. Raises KeySetError where a key cannot be used.
    #[staticmethod]
    #[pyo3(signature = (pem, *, key_id=None, algorithm=None, backend="default", prepare="auto"))]
    fn from_pem(
        py: Python<'_>,
        pem: &Bound<'_, PyAny>,
        key_id: Option<&str>,
        algorithm: Option<&str>,
        backend: &str,
        prepare: &str,
    ) -> PyResult<Self> {
        let (text, options) = (pem_text(pem)?, key_options(backend, prepare)?);
        py.detach(|| KeySet::from_pem(&text, key_id, algorithm, options))
            .map(Self::new)
            .map_err(|error| key_set_error(&error))
    }

    /// Read one public key in DER: SubjectPublicKeyInfo (RFC 5280) or RSAPublicKey (RFC 8017).
    ///
    /// Raises KeySetError where the key cannot be used.
    #[staticmethod]
    #[pyo3(signature = (der, *, key_id=None, algorithm=None, backend="default", prepare="auto"))]
    fn from_der(
        py: Python<'_>,
        der: &[u8],
        key_id: Option<&str>,
        algorithm: Option<&str>,
        backend: &str,
        prepare: &str,
    ) -> PyResult<Self> {
        let options = key_options(backend, prepare)?;
        py.detach(|| KeySet::from_der(der, key_id, algorithm, options))
            .map(Self::new)
            .map_err(|error| key_set_error(&error))
    }

    /// The keys that were left out, in the order of the document.
    #[getter]
    fn rejected<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        let rejected = self.0.rejected().iter().cloned().map(|key| Py::new(py, PyRejectedKey(key)));
        PyTuple::new(py, rejected.collect::<PyResult<Vec<_>>>()?)
    }

    /// The implementation that verifies with these keys: "default" or "reference".
    #[getter]
    fn backend(&self) -> &'static str {
        match self.0.options().backend {
            Backend::Default => "default",
            Backend::Reference => "reference",
        }
    }

    /// Whether these keys may get precomputed tables: "auto" (after some uses, or by `prepare()`) or "never".
    #[getter]
    fn prepare_mode(&self) -> &'static str {
        match self.0.options().prepare {
            Prepare::Auto => "auto",
            Prepare::Never => "never",
        }
    }

    /// The key with this `kid`, or None. Several keys may have one `kid`, each for other algorithms: with `algorithm`, the
    /// key that verifies signatures of that algorithm; without, the first of the document.
    #[pyo3(signature = (key_id, algorithm=None))]
    fn get(&self, key_id: &Bound<'_, PyString>, algorithm: Option<&Bound<'_, PyString>>) -> Option<PyPublicKey> {
        // What is not UTF-8 is no key's name.
        let key_id = key_id.to_str().ok()?;
        let found = match algorithm {
            None => self.0.get(key_id),
            Some(name) => self.0.get_for(key_id, Algorithm::from_name(name.to_str().ok()?)?),
        };
        found.cloned().map(PyPublicKey)
    }

    /// Build the tables of all keys now, and keep them as long as the set is there: see watchword.tables.
    ///
    /// Returns how many keys are as fast as they can be; where the memory for tables has no room left, the others verify
    /// as well, and slower. Without this, a key earns its table by use.
    fn prepare(&self, py: Python<'_>) -> usize {
        py.detach(|| self.0.prepare())
    }

    fn __len__(&self) -> usize {
        self.0.keys().len()
    }

    fn __iter__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyIterator>> {
        let keys = self.0.keys().iter().cloned().map(|key| Py::new(py, PyPublicKey(key)));
        PyTuple::new(py, keys.collect::<PyResult<Vec<_>>>()?)?.try_iter()
    }

    fn __contains__(&self, key_id: &Bound<'_, PyAny>) -> bool {
        key_id.cast::<PyString>().is_ok_and(|key_id| self.get(key_id, None).is_some())
    }

    fn __repr__(&self) -> String {
        let (keys, rejected) = (self.0.keys().len(), self.0.rejected().len());
        let (backend, prepare) = (self.backend(), self.prepare_mode());
        format!("KeySet(keys={keys}, rejected={rejected}, backend='{backend}', prepare='{prepare}')")
    }
}

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

    /// Return the key as a JWK (RFC 7517): a new dict of strings with the members that identify the key (`kty`, and
    /// `crv`, `x` and `y`, or `n` and `e`), `kid` if it has one, and `alg` if it is restricted to one algorithm.
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
    /// Its place in the document, from 0.
    #[getter]
    fn index(&self) -> usize {
        self.0.index
    }

    /// Its `kid`, where that can be read.
    #[getter]
    fn key_id(&self) -> Option<&str> {
        self.0.key_id.as_deref()
    }

    /// The stable name of what is wrong.
    #[getter]
    fn reason(&self) -> &'static str {
        self.0.defect.code()
    }

    /// The same as one sentence for a person.
    #[getter]
    fn detail(&self) -> String {
        self.0.defect.to_string()
    }

    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        let key_id = self.key_id().into_pyobject(py)?.repr()?;
        Ok(format!("RejectedKey(index={}, key_id={key_id}, reason='{}')", self.0.index, self.reason()))
    }
}

fn key_options(backend: &str, prepare: &str) -> PyResult<KeyOptions> {
    let backend = match backend {
        "default" => Backend::Default,
        "reference" => Backend::Reference,
        _ => return Err(PyValueError::new_err("backend must be 'default' or 'reference'")),
    };
    let prepare = match prepare {
        "auto" => Prepare::Auto,
        "never" => Prepare::Never,
        _ => return Err(PyValueError::new_err("prepare must be 'auto' or 'never'")),
    };
    Ok(KeyOptions { backend, prepare })
}

pub(crate) fn pem_text(pem: &Bound<'_, PyAny>) -> PyResult<String> {
    if let Ok(text) = pem.extract::<String>() {
        return Ok(text);
    }
    if let Ok(bytes) = pem.extract::<&[u8]>() {
        return std::str::from_utf8(bytes)
            .map(str::to_owned)
            .map_err(|_| errors::KeySetError::new_err("the document is not PEM: use from_der for DER"));
    }
    if pem.is_instance_of::<PyString>() {
        return Err(errors::KeySetError::new_err("the document is not PEM"));
    }
    Err(pyo3::exceptions::PyTypeError::new_err(format!("pem is str or bytes, not {}", type_name(pem))))
}

fn key_set_error(error: &KeySetError) -> PyErr {
    errors::KeySetError::new_err(error.to_string())
}
