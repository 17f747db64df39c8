//! Verified tokens, and decoded ones.

use std::sync::Arc;

use pyo3::gc::PyVisit;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyTuple};
use pyo3::{PyClass, PyClassInitializer, PyTraverseError};
use watchword_kernel::{Confirmation, NumericDate, UnverifiedNames, UnverifiedToken, VerifiedJws, VerifiedToken};

use crate::convert::{from_json, from_json_object};
use crate::delegation::{PyDelegationChain, PyMayAct};
use crate::kept::Kept;
use crate::scope::{PyPlainScopes, PyResourceScopes, PySlotScopes};

/// A JWT that passed every check. Only verification makes one.
#[pyclass(frozen, module = "watchword", name = "VerifiedToken")]
pub(crate) struct PyVerifiedToken {
    token: Arc<VerifiedToken>,
    header: Kept<PyAny>,
    claims: Kept<PyAny>,
    delegation: Kept<PyDelegationChain>,
    resource_scopes: Kept<PyResourceScopes>,
    slot_scopes: Kept<PySlotScopes>,
    plain_scopes: Kept<PyPlainScopes>,
}

/// A JWS whose signature is valid. Only verification makes one.
#[pyclass(frozen, module = "watchword", name = "VerifiedJws")]
pub(crate) struct PyVerifiedJws {
    jws: VerifiedJws,
    header: Kept<PyAny>,
}

/// What a token is bound to, a key or a client certificate: its `cnf` claim (RFC 7800).
#[pyclass(frozen, module = "watchword", name = "Confirmation")]
pub(crate) struct PyConfirmation(Confirmation);

/// The names that a token states. Nothing of it is verified.
#[pyclass(frozen, module = "watchword._kernel", name = "UnverifiedNames")]
pub(crate) struct PyUnverifiedNames(pub(crate) UnverifiedNames);

#[pymethods]
impl PyUnverifiedNames {
    /// `iss`, or None.
    #[getter]
    fn issuer(&self) -> Option<&str> {
        self.0.issuer()
    }

    /// `sub`, or None.
    #[getter]
    fn subject(&self) -> Option<&str> {
        self.0.subject()
    }

    /// The header's `kid`, or None.
    #[getter]
    fn key_id(&self) -> Option<String> {
        self.0.key_id()
    }

    #[allow(clippy::unused_self, reason = "the shape of a Python method")]
    fn __repr__(&self) -> &'static str {
        "UnverifiedNames()"
    }
}

/// A well-formed token, decoded. Nothing of it is verified: anybody can have written it.
#[pyclass(frozen, module = "watchword", name = "UnverifiedToken")]
pub(crate) struct PyUnverifiedToken {
    token: UnverifiedToken,
    header: Kept<PyAny>,
    claims: Kept<PyAny>,
}

impl PyUnverifiedToken {
    pub(crate) fn new(token: UnverifiedToken) -> Self {
        Self { token, header: Kept::new(), claims: Kept::new() }
    }
}

#[pymethods]
impl PyUnverifiedToken {
    /// The JOSE header: a dict, built on first access.
    #[getter]
    fn header(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        dict_once(py, &self.header, self.token.header())
    }

    /// The payload as a dict, built on first access; None if it is not a strict JSON object.
    #[getter]
    fn claims(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        self.claims.get_or_make(py, || {
            let claims = from_json_object(py, self.token.payload())?;
            Ok(claims.map_or_else(|| py.None(), |claims| claims.into_any().unbind()))
        })
    }

    /// The payload: bytes.
    #[getter]
    fn payload<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        PyBytes::new(py, self.token.payload())
    }

    /// The signature: bytes.
    #[getter]
    fn signature<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        PyBytes::new(py, self.token.signature())
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        self.header.traverse(&visit)?;
        self.claims.traverse(&visit)
    }

    fn __repr__(&self) -> String {
        format!("UnverifiedToken(payload={} bytes)", self.token.payload().len())
    }
}

impl PyVerifiedToken {
    pub(crate) fn kernel(&self) -> &VerifiedToken {
        &self.token
    }

    pub(crate) fn new(token: VerifiedToken) -> Self {
        Self::shared(Arc::new(token))
    }

    pub(crate) fn shared(token: Arc<VerifiedToken>) -> Self {
        Self {
            token,
            header: Kept::new(),
            claims: Kept::new(),
            delegation: Kept::new(),
            resource_scopes: Kept::new(),
            slot_scopes: Kept::new(),
            plain_scopes: Kept::new(),
        }
    }
}

impl PyVerifiedJws {
    pub(crate) fn new(jws: VerifiedJws) -> Self {
        Self { jws, header: Kept::new() }
    }
}

#[pymethods]
impl PyVerifiedToken {
    /// The JOSE header: a dict, built on first access.
    #[getter]
    fn header(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        dict_once(py, &self.header, self.token.jws().header())
    }

    /// All claims: a dict, built on first access.
    #[getter]
    fn claims(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        dict_once(py, &self.claims, self.token.jws().payload())
    }

    /// The payload as it was signed: the bytes of the claims set.
    #[getter]
    fn payload<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        PyBytes::new(py, self.token.jws().payload())
    }

    /// `iss`, or None.
    #[getter]
    fn issuer(&self) -> Option<&str> {
        self.token.claims().issuer()
    }

    /// `sub`, or None.
    #[getter]
    fn subject(&self) -> Option<&str> {
        self.token.claims().subject()
    }

    /// `aud` as a tuple, empty if the token names no audience.
    #[getter]
    fn audience<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        self.token.claims().audience().map_or_else(|| Ok(PyTuple::empty(py)), |names| PyTuple::new(py, names))
    }

    /// `exp` in Unix seconds, or None: an int if the token has an integer, else a float.
    #[getter]
    fn expires_at<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        date(py, self.token.claims().expires_at())
    }

    /// `nbf` in Unix seconds, or None.
    #[getter]
    fn not_before<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        date(py, self.token.claims().not_before())
    }

    /// `iat` in Unix seconds, or None.
    #[getter]
    fn issued_at<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        date(py, self.token.claims().issued_at())
    }

    /// `jti`, or None.
    #[getter]
    fn token_id(&self) -> Option<&str> {
        self.token.claims().token_id()
    }

    /// The scopes: the words of the claims that the policy's `scope_claims` names, in its order.
    #[getter]
    fn scopes<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        PyTuple::new(py, self.token.claims().scopes())
    }

    /// The scopes as ResourceScopes.from_claim reads them, compiled on first access.
    #[getter]
    fn resource_scopes(&self, py: Python<'_>) -> PyResult<Py<PyResourceScopes>> {
        get_or_make(py, &self.resource_scopes, || Ok(PyResourceScopes::shared(self.token.resource_scopes())))
    }

    /// The scopes as SlotScopes.from_claim reads them, compiled on first access.
    #[getter]
    fn slot_scopes(&self, py: Python<'_>) -> PyResult<Py<PySlotScopes>> {
        get_or_make(py, &self.slot_scopes, || Ok(PySlotScopes::shared(self.token.slot_scopes())))
    }

    /// The scopes as PlainScopes.from_claim reads them, compiled on first access.
    #[getter]
    fn plain_scopes(&self, py: Python<'_>) -> PyResult<Py<PyPlainScopes>> {
        get_or_make(py, &self.plain_scopes, || Ok(PyPlainScopes::shared(self.token.plain_scopes())))
    }

    /// The `kid` of the key that verified the signature; None if that key has none.
    #[getter]
    fn key_id(&self) -> Option<&str> {
        self.token.jws().key_id()
    }

    /// The algorithm of the signature.
    #[getter]
    fn algorithm(&self) -> &'static str {
        self.token.jws().algorithm().name()
    }

    /// What the token is bound to (`cnf`), or None.
    #[getter]
    fn confirmation(&self) -> Option<PyConfirmation> {
        self.token.claims().confirmation().cloned().map(PyConfirmation)
    }

    /// On whose behalf the token's holder acts: a DelegationChain, without actors if the token records none.
    ///
    /// Raises DelegationError if `delegation_chain` or `actor_chain`, which are not registered claims, is malformed, or if the
    /// token has more than one form of record: read the right one with a constructor of DelegationChain.
    #[getter]
    fn delegation(&self, py: Python<'_>) -> PyResult<Py<PyDelegationChain>> {
        get_or_make(py, &self.delegation, || PyDelegationChain::new(py, self.token.delegation()))
    }

    /// Who may act on behalf of the token's subject (`may_act`), or None if the token has no such claim.
    #[getter]
    fn may_act(&self, py: Python<'_>) -> PyResult<Option<PyMayAct>> {
        PyMayAct::new(py, self.token.may_act())
    }

    /// The two dicts can refer to anything, also to this token. The other cells refer to no Python objects.
    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        self.header.traverse(&visit)?;
        self.claims.traverse(&visit)
    }

    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        repr(py, "VerifiedToken", self.token.jws())
    }
}

#[pymethods]
impl PyVerifiedJws {
    /// The JOSE header: a dict, built on first access.
    #[getter]
    fn header(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        dict_once(py, &self.header, self.jws.header())
    }

    /// The payload: bytes.
    #[getter]
    fn payload<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        PyBytes::new(py, self.jws.payload())
    }

    /// The `kid` of the key that verified the signature; None if that key has none.
    #[getter]
    fn key_id(&self) -> Option<&str> {
        self.jws.key_id()
    }

    /// The algorithm of the signature.
    #[getter]
    fn algorithm(&self) -> &'static str {
        self.jws.algorithm().name()
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        self.header.traverse(&visit)
    }

    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        repr(py, "VerifiedJws", &self.jws)
    }
}

#[pymethods]
impl PyConfirmation {
    /// The RFC 7638 thumbprint of the key (RFC 9449 section 6.1), or None.
    #[getter]
    fn jkt(&self) -> Option<&str> {
        self.0.jkt.as_deref()
    }

    /// The key itself as a JWK (RFC 7800 section 3.2), or None.
    #[getter]
    fn jwk<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        self.0.jwk.as_ref().map(|jwk| from_json(py, jwk.as_bytes())).transpose()
    }

    /// The thumbprint of the client certificate, its SHA-256 in base64url (RFC 8705 section 3.1), or None.
    #[getter]
    fn certificate(&self) -> Option<&str> {
        self.0.certificate.as_deref()
    }

    fn __repr__(&self) -> String {
        let Confirmation { jkt, jwk, certificate, has_other: _ } = &self.0;
        let methods = [("jkt", jkt), ("jwk", jwk), ("certificate", certificate)];
        let named: Vec<_> =
            methods.iter().filter(|(_, value)| value.is_some()).map(|(name, _)| format!("{name}=...")).collect();
        format!("Confirmation({})", named.join(", "))
    }
}

/// The object in the cell, made on first access.
fn get_or_make<T: PyClass + Into<PyClassInitializer<T>>>(
    py: Python<'_>,
    cell: &Kept<T>,
    make: impl FnOnce() -> PyResult<T>,
) -> PyResult<Py<T>> {
    cell.get_or_make(py, || Py::new(py, make()?))
}

fn dict_once(py: Python<'_>, cell: &Kept<PyAny>, document: &[u8]) -> PyResult<Py<PyAny>> {
    cell.get_or_make(py, || from_json(py, document).map(Bound::unbind))
}

pub(crate) fn date<'py>(py: Python<'py>, date: Option<NumericDate>) -> PyResult<Option<Bound<'py, PyAny>>> {
    let Some(date) = date else { return Ok(None) };
    Ok(Some(match date.whole_seconds() {
        Some(whole) => whole.into_pyobject(py)?.into_any(),
        None => date.seconds().into_pyobject(py)?.into_any(),
    }))
}

/// The repr: the key's name and the sizes, nothing of what is signed.
fn repr(py: Python<'_>, name: &str, jws: &VerifiedJws) -> PyResult<String> {
    let key_id = jws.key_id().into_pyobject(py)?.repr()?;
    Ok(format!(
        "{name}(key_id={key_id}, algorithm='{}', payload={} bytes)",
        jws.algorithm().name(),
        jws.payload().len()
    ))
}
