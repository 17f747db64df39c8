//! Proofs of possession, and the memory of those that were used.

use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::PyBytes;
use watchword_kernel as kernel;

use crate::arguments::{self, moment};
use crate::convert::{Text, from_json};
use crate::errors;
use crate::token::date;

/// What is demanded of every proof, compiled once.
#[pyclass(frozen, module = "watchword.dpop", name = "ProofPolicy")]
pub(crate) struct PyProofPolicy(kernel::ProofPolicy);

/// A proof that passed every check. It cannot be made but by verifying one.
#[pyclass(frozen, module = "watchword.dpop", name = "DpopProof")]
pub(crate) struct PyDpopProof {
    proof: kernel::DpopProof,
    jwk: PyOnceLock<Py<PyAny>>,
}

/// A bounded memory of ids that were used.
#[pyclass(frozen, module = "watchword.dpop", name = "ReplayCache")]
pub(crate) struct PyReplayCache(kernel::ReplayCache);

impl PyDpopProof {
    pub(crate) fn kernel(&self) -> &kernel::DpopProof {
        &self.proof
    }
}

/// Verify a DPoP proof as of the moment `now` (Unix seconds): all checks of RFC 9449 section 4.3 but that of replay.
///
/// Returns a DpopProof; raises VerificationError.
#[pyfunction]
#[pyo3(signature = (proof, policy, method, uri, now, access_token=None, expected_jkt=None, nonces=None))]
#[allow(clippy::too_many_arguments, reason = "the parts of a request")]
pub(crate) fn verify_proof(
    py: Python<'_>,
    proof: &Bound<'_, PyAny>,
    policy: &Bound<'_, PyProofPolicy>,
    method: &str,
    uri: &Bound<'_, PyAny>,
    now: &Bound<'_, PyAny>,
    access_token: Option<&Bound<'_, PyAny>>,
    expected_jkt: Option<&str>,
    nonces: Option<&Bound<'_, PyAny>>,
) -> PyResult<PyDpopProof> {
    let (proof, policy, now) = (Text::of_token(proof)?, &policy.get().0, moment(now)?);
    let uri = uri_text(uri)?;
    let access_text = access_token.map(Text::of_token).transpose()?;
    let nonces = nonces.map(|list| arguments::words::<String>("nonces", list)).transpose()?;
    let request = kernel::ProofRequest {
        method,
        uri: &uri,
        access_token: access_text.as_ref().map(AsRef::as_ref),
        expected_jkt,
        nonces: nonces.as_deref(),
    };
    // A request has these two from its server, whoever sent it: anything else is a mistake of the caller's.
    if method.is_empty() || kernel::dpop::TargetUri::parse(&uri) == Err(kernel::dpop::UriError::NotHttp) {
        return Err(PyValueError::new_err("method is the request's, uri its absolute http or https URI"));
    }
    py.detach(|| kernel::verify_proof(proof.as_ref(), &request, policy, now))
        .map(|proof| PyDpopProof { proof, jwk: PyOnceLock::new() })
        .map_err(|error| match access_token {
            None => errors::verification_error(py, &error.into()),
            Some(token) => errors::refused(py, kernel::Error::from(error).into(), token),
        })
}

/// The URI of a request without query and fragment, in the one form that its spellings share (RFC 3986 section 6.2).
///
/// Raises ValueError where it is not an absolute http or https URI.
#[pyfunction]
pub(crate) fn normalize_uri(uri: &Bound<'_, PyAny>) -> PyResult<String> {
    let parsed = kernel::dpop::TargetUri::parse(&uri_text(uri)?);
    parsed.map(|uri| uri.as_str().to_owned()).map_err(|error| PyValueError::new_err(error.to_string()))
}

/// A str that cannot be UTF-8 is passed on with replacement characters: it names nobody's target.
fn uri_text(uri: &Bound<'_, PyAny>) -> PyResult<String> {
    let uri = uri.cast::<pyo3::types::PyString>().map_err(|_| PyTypeError::new_err("uri must be a str"))?;
    Ok(uri.to_string_lossy().into_owned())
}

#[pymethods]
impl PyProofPolicy {
    #[new]
    fn new(algorithms: &Bound<'_, PyAny>, max_age: &Bound<'_, PyAny>, leeway: &Bound<'_, PyAny>) -> PyResult<Self> {
        let algorithms = arguments::words::<String>("algorithms", algorithms)?;
        let (max_age, leeway) = (arguments::seconds("max_age", max_age)?, arguments::seconds("leeway", leeway)?);
        let known = algorithms.iter().map(|name| {
            kernel::Algorithm::from_name(name).ok_or_else(|| {
                PyValueError::new_err(format!("{name:?} is not an algorithm that proofs are verified by"))
            })
        });
        let algorithms = known.collect::<PyResult<kernel::AlgorithmSet>>()?;
        kernel::ProofPolicy::new(kernel::Limits::default(), algorithms, max_age, leeway)
            .map(Self)
            .map_err(|error| PyValueError::new_err(error.to_string()))
    }
}

#[pymethods]
impl PyDpopProof {
    /// The RFC 7638 thumbprint of the key that signed the proof: what a bound token names in `cnf.jkt`.
    #[getter]
    fn jkt(&self) -> &str {
        self.proof.jkt()
    }

    /// The public key that signed the proof, a JWK as it came: a dict that is built when first asked for.
    #[getter]
    fn jwk(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        let jwk = self.jwk.get_or_try_init(py, || from_json(py, self.proof.jwk().as_bytes()).map(Bound::unbind));
        jwk.map(|jwk| jwk.clone_ref(py))
    }

    /// The algorithm of the signature.
    #[getter]
    fn algorithm(&self) -> &'static str {
        self.proof.algorithm().name()
    }

    /// `jti`, which is unique for the key.
    #[getter]
    fn token_id(&self) -> &str {
        self.proof.token_id()
    }

    /// `htm`: the method of the request.
    #[getter]
    fn method(&self) -> &str {
        self.proof.method()
    }

    /// `htu` as it came: the URI of the request.
    #[getter]
    fn uri(&self) -> &str {
        self.proof.uri()
    }

    /// `iat` in Unix seconds.
    #[getter]
    fn issued_at<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        date(py, Some(self.proof.issued_at()))
    }

    /// `nonce`, or None.
    #[getter]
    fn nonce(&self) -> Option<&str> {
        self.proof.nonce()
    }

    /// `ath`: the hash of the access token that the proof was made for, or None.
    #[getter]
    fn access_token_hash(&self) -> Option<&str> {
        self.proof.access_token_hash()
    }

    /// Under what name the proof is remembered: 32 bytes, a hash of the key's thumbprint and `jti`.
    #[getter]
    fn replay_id<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        PyBytes::new(py, &self.proof.replay_id())
    }

    /// Until when it must be remembered, in Unix seconds.
    #[getter]
    fn expires_at(&self) -> f64 {
        self.proof.expires_at()
    }

    fn __repr__(&self) -> String {
        format!("DpopProof(algorithm='{}')", self.proof.algorithm().name())
    }
}

#[pymethods]
impl PyReplayCache {
    #[new]
    fn new(capacity: &Bound<'_, PyAny>) -> PyResult<Self> {
        Ok(Self(kernel::ReplayCache::new(arguments::count("capacity", capacity)?)))
    }

    /// Use an id (32 bytes) as of the moment `now`; it is remembered until `expires_at`, both in Unix seconds.
    ///
    /// Returns True where it was not used before, False where it was, None where there is no room to remember it.
    fn consume(
        &self,
        replay_id: &[u8],
        expires_at: &Bound<'_, PyAny>,
        now: &Bound<'_, PyAny>,
    ) -> PyResult<Option<bool>> {
        let id = replay_id.try_into().map_err(|_| PyValueError::new_err("replay_id has 32 bytes"))?;
        let expires_at = arguments::seconds("expires_at", expires_at)?;
        if !expires_at.is_finite() {
            return Err(PyValueError::new_err("expires_at must be a finite number of Unix seconds"));
        }
        Ok(match self.0.consume(&id, expires_at, moment(now)?) {
            kernel::Use::First => Some(true),
            kernel::Use::Again => Some(false),
            kernel::Use::Full => None,
        })
    }

    /// How many ids there is room for.
    #[getter]
    fn capacity(&self) -> usize {
        self.0.capacity()
    }

    fn __len__(&self) -> usize {
        self.0.len()
    }

    fn __repr__(&self) -> String {
        format!("ReplayCache(len={}, capacity={})", self.0.len(), self.0.capacity())
    }
}
