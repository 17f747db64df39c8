//! Decisions.

use pyo3::PyTraverseError;
use pyo3::gc::PyVisit;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyList, PyString, PyTuple};
use watchword_gate::{Allowed, Decision, Outcome, Rejected, TraceId};

use super::headers::Headers;
use super::rules::PyGateGuard;
use crate::arguments::moment;
use crate::dpop::PyDpopProof;
use crate::errors;
use crate::evidence::Presented;
use crate::kept::Kept;
use crate::token::PyVerifiedToken;

/// The decision on a request: allowed, with what was verified, or rejected, with the answer. Only a Gate makes one.
#[pyclass(frozen, module = "watchword.gate", name = "Decision")]
pub(crate) struct PyDecision {
    decision: Decision,
    token: Kept<PyVerifiedToken>,
    proof: Kept<PyDpopProof>,
    error: Kept<PyAny>,
    trace_id: Kept<PyBytes>,
}

impl PyDecision {
    pub(super) fn new(decision: Decision, error: Option<Py<PyAny>>) -> Self {
        let error = error.map_or_else(Kept::new, Kept::of);
        Self { decision, token: Kept::new(), proof: Kept::new(), error, trace_id: Kept::new() }
    }

    /// A decision whose answer has this trace id if the request has none.
    pub(crate) fn answered(py: Python<'_>, decision: Decision, trace_id: TraceId) -> Self {
        Self { trace_id: Kept::of(PyBytes::new(py, &trace_id.bytes()).unbind()), ..Self::new(decision, None) }
    }

    fn allowed_with(&self) -> Option<&Allowed> {
        match self.decision.outcome() {
            Outcome::Allowed(allowed) => Some(allowed),
            Outcome::Rejected(_) => None,
        }
    }

    fn rejected_with(&self) -> Option<&Rejected> {
        match self.decision.outcome() {
            Outcome::Allowed(_) => None,
            Outcome::Rejected(rejected) => Some(rejected),
        }
    }

    /// The trace id of the request, or else a random one, which is made once.
    fn trace(&self, py: Python<'_>) -> PyResult<TraceId> {
        if let Some(trace_id) = self.decision.trace_id() {
            return Ok(trace_id);
        }
        let bytes = self.trace_id.get_or_make_ref(py, || {
            Ok(py.import("os")?.call_method1("urandom", (16,))?.cast_into::<PyBytes>()?.unbind())
        })?;
        Ok(TraceId::new(bytes.extract(py)?))
    }
}

#[pymethods]
impl PyDecision {
    /// Whether the request may pass.
    #[getter]
    fn allowed(&self) -> bool {
        self.decision.is_allowed()
    }

    /// "allowed", or the value of the ErrorCode.
    #[getter]
    fn code(&self) -> &'static str {
        self.decision.code()
    }

    /// The VerifiedToken; None if the request is rejected or anonymous.
    #[getter]
    fn token(&self, py: Python<'_>) -> PyResult<Option<Py<PyVerifiedToken>>> {
        let Some(token) = self.allowed_with().and_then(|allowed| allowed.token.as_ref()) else { return Ok(None) };
        self.token.get_or_make(py, || Py::new(py, PyVerifiedToken::shared(token.clone()))).map(Some)
    }

    /// The DpopProof of the token's key; None if the token was sent as a bearer token.
    #[getter]
    fn proof(&self, py: Python<'_>) -> PyResult<Option<Py<PyDpopProof>>> {
        let Some(proof) = self.allowed_with().and_then(|allowed| allowed.proof.as_deref()) else { return Ok(None) };
        self.proof.get_or_make(py, || Py::new(py, PyDpopProof::new(proof.clone()))).map(Some)
    }

    /// The scheme by which the request was sent: "Bearer", "DPoP", or None without credentials.
    #[getter]
    fn scheme(&self) -> Option<&'static str> {
        self.decision.scheme().map(watchword_gate::Scheme::name)
    }

    /// Whether the token was found in the token cache.
    #[getter]
    fn cached(&self) -> bool {
        self.allowed_with().is_some_and(|allowed| allowed.cached)
    }

    /// The name of the configured issuer that the token is from; None if it is not known.
    #[getter]
    fn issuer(&self) -> Option<&str> {
        self.decision.issuer()
    }

    /// The name of the route, else its path template; None if no route was found.
    #[getter]
    fn route(&self) -> Option<&str> {
        self.decision.route()
    }

    /// The variables of the route's path: a dict of decoded values.
    #[getter]
    fn variables<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let variables = PyDict::new(py);
        for (name, value) in self.decision.variables().iter() {
            variables.set_item(name, value)?;
        }
        Ok(variables)
    }

    /// The trace id of the request's traceparent (W3C Trace Context), or else a random one: 32 hexadecimal digits.
    #[getter]
    fn trace_id(&self, py: Python<'_>) -> PyResult<String> {
        self.trace(py).map(|trace_id| trace_id.to_string())
    }

    /// The VerificationError, if the request is rejected; else None.
    #[getter]
    fn error(&self, py: Python<'_>) -> PyResult<Option<Py<PyAny>>> {
        let Some(rejected) = self.rejected_with() else { return Ok(None) };
        let make = || {
            let sent = rejected.token.clone().map(Presented::Copy);
            let error = errors::of_failure_with(py, &rejected.failure, sent)?;
            if let Some(scheme) = self.scheme().filter(|scheme| *scheme == "DPoP") {
                error.setattr("scheme", scheme)?;
            }
            if let Some(nonce) = rejected.nonce.as_ref().filter(|_| rejected.failure.wants_nonce()) {
                error.setattr("nonce", nonce)?;
            }
            Ok(error.unbind())
        };
        self.error.get_or_make(py, make).map(Some)
    }

    /// The status of the answer; 200 if the request may pass.
    #[getter]
    fn status(&self) -> u16 {
        self.decision.status()
    }

    /// The headers of the answer: pairs of str, empty if the request may pass.
    #[getter]
    fn headers<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        let answer = self.decision.answer(self.trace(py)?);
        PyTuple::new(py, answer.map(|answer| answer.headers).unwrap_or_default())
    }

    /// The body of the answer: a problem document (RFC 9457) in JSON, empty if the request may pass.
    #[getter]
    fn body<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyBytes>> {
        let answer = self.decision.answer(self.trace(py)?);
        Ok(PyBytes::new(py, answer.map(|answer| answer.body).unwrap_or_default().as_bytes()))
    }

    /// The identity headers of a request that may pass: pairs of str, all of them, with empty values if unknown.
    #[getter]
    fn identity_headers<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        PyTuple::new(py, self.decision.identity_headers(self.trace(py)?))
    }

    /// Whether the client sent headers that must not reach the application.
    #[getter]
    fn has_removed_headers(&self) -> bool {
        self.decision.has_removed_headers()
    }

    /// Return the headers that may reach the application: a list of the pairs in their order.
    ///
    /// Those below the prefix of the identity headers are left out, in any spelling.
    /// If there are none to remove, the list itself is returned. Raises TypeError if a name is neither str nor bytes.
    fn forwarded_headers<'py>(&self, headers: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        if !self.decision.has_removed_headers() && headers.is_exact_instance_of::<PyList>() {
            return Ok(headers.clone());
        }
        let kept = |name: &[u8]| !self.decision.is_removed(name);
        Ok(Headers::new(headers, kept)?.into_list(headers.py())?.into_any())
    }

    /// Return whether a header of this name must not reach the application.
    fn is_removed(&self, name: &Bound<'_, PyString>) -> bool {
        self.decision.is_removed(name.to_string_lossy().as_bytes())
    }

    /// Return the decision on this request, which may pass, under further requirements, as of `now` (Unix seconds).
    fn authorize(
        &self,
        guard: &Bound<'_, PyGateGuard>,
        variables: Vec<(String, String)>,
        now: &Bound<'_, PyAny>,
    ) -> PyResult<Self> {
        let decision = self.decision.authorize(&guard.get().0, variables.into_iter().collect(), moment(now)?);
        Ok(Self::new(decision, None))
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        self.error.traverse(&visit)?;
        self.token.traverse(&visit)
    }

    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        let route = self.decision.route().into_pyobject(py)?.repr()?;
        Ok(format!("Decision(code='{}', route={route})", self.decision.code()))
    }
}
