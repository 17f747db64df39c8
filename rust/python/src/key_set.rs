//! Key sets.

use std::sync::Arc;

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyIterator, PyString, PyTuple, PyType};
use watchword_kernel::{Algorithm, Backend, KeyOptions, KeySet, KeySetError, Prepare};

use crate::convert::{Text, type_name};
use crate::errors;
use crate::public_key::{PyPublicKey, PyRejectedKey};

/// The public keys of one issuer: immutable, each validated when the set is loaded.
///
/// A bad key is rejected and listed in `rejected`; it does not affect the others.
///
/// A set can be pickled and copied, which validates its keys again: a pickle contains the public keys, their `kid`, `alg` and
/// `issuer`, and of a rejected key why it is rejected, but no secret. Precomputed tables are not part of it.
#[pyclass(frozen, module = "watchword", name = "KeySet")]
pub(crate) struct PyKeySet(Arc<KeySet>);

impl PyKeySet {
    fn new(keys: KeySet) -> Self {
        Self(Arc::new(keys))
    }

    pub(crate) fn shared(keys: Arc<KeySet>) -> Self {
        Self(keys)
    }

    pub(crate) fn kernel(&self) -> &Arc<KeySet> {
        &self.0
    }
}

#[pymethods]
impl PyKeySet {
    /// Return the keys of a JWK Set or of a single JWK (RFC 7517): str, bytes or a mapping, at most 1 MiB and 256 keys.
    ///
    /// `backend` is the implementation that verifies signatures: "default", or "reference" for the jsonwebtoken crate.
    /// `prepare` is "auto" (a key gets a precomputed table after some uses, or by `prepare()`) or "never".
    ///
    /// Raises KeySetError if the document is neither, ValueError for an unknown `backend` or `prepare`.
    #[staticmethod]
    #[pyo3(signature = (jwks, *, backend="default", prepare="auto"))]
    fn from_json(py: Python<'_>, jwks: &Bound<'_, PyAny>, backend: &str, prepare: &str) -> PyResult<Self> {
        let (document, options) = (Text::of_json(jwks, "jwks")?, key_options(backend, prepare)?);
        py.detach(|| KeySet::from_json(document.as_ref(), options))
            .map(Self::new)
            .map_err(|error| key_set_error(&error))
    }

    /// Return the public keys of a PEM text (RFC 7468): PUBLIC KEY or RSA PUBLIC KEY blocks.
    ///
    /// PEM contains no `kid` and no `alg`: `key_id` and `algorithm` add them. A key without a `kid` is tried for every
    /// token of its algorithms. `backend` and `prepare` are as in `from_json`. Raises KeySetError if a key is rejected.
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

    /// Return a set of one public key in DER: SubjectPublicKeyInfo (RFC 5280) or RSAPublicKey (RFC 8017).
    ///
    /// The arguments are those of `from_pem`. Raises KeySetError if the key is rejected.
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

    /// Return the keys of a document whose first bytes say its form: `{` for JSON, `-----BEGIN ` for PEM, an ASN.1 SEQUENCE
    /// for DER. Raises KeySetError if it is none of these, or malformed.
    #[staticmethod]
    fn _from_document(py: Python<'_>, document: &[u8], backend: &str, prepare: &str) -> PyResult<Self> {
        let options = key_options(backend, prepare)?;
        py.detach(|| KeySet::from_document(document, options)).map(Self::new).map_err(|error| key_set_error(&error))
    }

    /// Return the set that was pickled as this text: every key is validated again.
    #[staticmethod]
    fn _restore(py: Python<'_>, jwks: &str, backend: &str, prepare: &str) -> PyResult<Self> {
        let options = key_options(backend, prepare)?;
        py.detach(|| KeySet::restore(jwks, options)).map(Self::new).map_err(|error| key_set_error(&error))
    }

    fn __reduce__<'py>(&self, py: Python<'py>) -> PyResult<(Bound<'py, PyAny>, (Bound<'py, PyType>,))> {
        let restore = ("_restore", self.0.to_json(), self.backend(), self.prepare_mode());
        Ok((py.import("operator")?.getattr("methodcaller")?.call1(restore)?, (PyType::new::<Self>(py),)))
    }

    /// The rejected keys, in the order of the document.
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

    /// Return the key with this `kid`, or None.
    ///
    /// Several keys may share a `kid` if their algorithms differ: with `algorithm`, the key for that algorithm is returned;
    /// without, the first in the document.
    #[pyo3(signature = (key_id, algorithm=None))]
    fn get(&self, key_id: &Bound<'_, PyString>, algorithm: Option<&Bound<'_, PyString>>) -> Option<PyPublicKey> {
        // No kid has lone surrogates.
        let key_id = key_id.to_str().ok()?;
        let found = match algorithm {
            None => self.0.get(key_id),
            Some(name) => self.0.get_for(key_id, Algorithm::from_name(name.to_str().ok()?)?),
        };
        found.cloned().map(PyPublicKey)
    }

    /// Build the precomputed tables of all keys now, and keep them until the set is dropped: see watchword.tables.
    ///
    /// Returns how many keys are as fast as they can be. The others, for which the budget has no room, verify without a
    /// table. Without this call, tables are built after a number of uses.
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
        return Err(errors::KeySetError::new_err("the document is not PEM: it has lone surrogates"));
    }
    Err(pyo3::exceptions::PyTypeError::new_err(format!("pem must be str or bytes, not {}", type_name(pem))))
}

fn key_set_error(error: &KeySetError) -> PyErr {
    errors::KeySetError::new_err(error.to_string())
}
