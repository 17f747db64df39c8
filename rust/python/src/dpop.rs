//! DPoP proofs, and the replay cache.

use pyo3::PyTraverseError;
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::gc::PyVisit;
use pyo3::prelude::*;
use pyo3::types::PyBytes;
use watchword_kernel as kernel;

use crate::arguments::{self, moment};
use crate::convert::{Text, from_json};
use crate::errors;
use crate::kept::Kept;
use crate::token::date;

/// The requirements for all DPoP proofs, compiled once.
///
/// ``algorithms`` are the accepted signature algorithms, ``max_age`` is the maximum age in seconds, ``leeway`` the number of
/// seconds by which a proof may be ahead of this clock.
///
/// Raises ``ValueError`` or ``TypeError`` if an argument is invalid.
#[pyclass(frozen, module = "watchword.dpop", name = "ProofPolicy")]
pub(crate) struct PyProofPolicy(kernel::ProofPolicy);

/// A verified DPoP proof (RFC 9449). Only verification makes one.
#[pyclass(frozen, module = "watchword.dpop", name = "DpopProof")]
pub(crate) struct PyDpopProof {
    proof: kernel::DpopProof,
    jwk: Kept<PyAny>,
}

/// The DPoP proof of a request, not verified yet, with what it must match.
///
/// ``proof`` is the value of the ``DPoP`` header (str or bytes), ``method`` the request's method, ``uri`` its absolute URI,
/// ``nonces`` the server's current nonces (``None``: no nonce is required). ``verify_request`` verifies it if the token is
/// valid and bound to a key, and does not read it otherwise.
///
/// Raises ``ValueError`` or ``TypeError`` if an argument is invalid.
#[pyclass(frozen, module = "watchword.dpop", name = "UnverifiedProof")]
pub(crate) struct PyUnverifiedProof {
    proof: Vec<u8>,
    policy: Py<PyProofPolicy>,
    method: String,
    uri: String,
    nonces: Option<Vec<String>>,
}

/// A bounded, exact set of the ids that were used: each id is accepted once until it expires. Thread-safe.
///
/// ``capacity`` is the maximum number of ids, ``share`` that of one holder: for DPoP proofs, of one key.
///
/// Raises ``ValueError`` or ``TypeError`` if one is not a positive int.
#[pyclass(frozen, module = "watchword.dpop", name = "ReplayCache")]
pub(crate) struct PyReplayCache(kernel::ReplayCache);

impl PyProofPolicy {
    pub(crate) fn kernel(&self) -> &kernel::ProofPolicy {
        &self.0
    }
}

impl PyDpopProof {
    pub(crate) fn new(proof: kernel::DpopProof) -> Self {
        Self { proof, jwk: Kept::new() }
    }

    pub(crate) fn kernel(&self) -> &kernel::DpopProof {
        &self.proof
    }
}

impl PyUnverifiedProof {
    pub(crate) fn kernel(&self) -> kernel::UnverifiedProof<'_> {
        kernel::UnverifiedProof {
            proof: &self.proof,
            policy: &self.policy.get().0,
            method: &self.method,
            uri: &self.uri,
            nonces: self.nonces.as_deref(),
        }
    }
}

#[pymethods]
impl PyUnverifiedProof {
    #[new]
    #[pyo3(signature = (proof, policy, method, uri, nonces=None))]
    fn new(
        proof: &Bound<'_, PyAny>,
        policy: Py<PyProofPolicy>,
        method: String,
        uri: &Bound<'_, PyAny>,
        nonces: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Self> {
        let proof = Text::of_token(proof)?.as_ref().to_vec();
        let uri = request_uri(&method, uri)?;
        let nonces = nonces.map(|list| arguments::words("nonces", list)).transpose()?;
        Ok(Self { proof, policy, method, uri, nonces })
    }

    fn __repr__(&self) -> &'static str {
        "UnverifiedProof()"
    }
}

/// Verify a DPoP proof as of ``now`` (Unix seconds) and return it: all checks of RFC 9449 section 4.3 except replay.
///
/// ``proof`` is the value of the ``DPoP`` header, ``method`` and ``uri`` are those of the request. If there is an
/// ``access_token``, the proof must contain its hash (``ath``). ``expected_jkt`` is the thumbprint of the key that must have
/// signed the proof, ``nonces`` are the server's current nonces; ``None``: not checked.
///
/// Raises ``VerificationError`` for the first check that fails, and ``ValueError`` or ``TypeError`` if another argument is
/// invalid.
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
    let uri = request_uri(method, uri)?;
    let access_text = access_token.map(Text::of_token).transpose()?;
    let nonces = nonces.map(|list| arguments::words::<String>("nonces", list)).transpose()?;
    let request = kernel::ProofRequest {
        method,
        uri: &uri,
        access_token: access_text.as_ref().map(AsRef::as_ref),
        expected_jkt,
        nonces: nonces.as_deref(),
    };
    py.detach(|| kernel::verify_proof(proof.as_ref(), &request, policy, now)).map(PyDpopProof::new).map_err(|error| {
        match access_token {
            None => errors::verification_error(py, &error.into()),
            Some(token) => errors::rejected(py, kernel::Error::from(error).into(), token),
        }
    })
}

/// Return the normal form of a request's URI without query and fragment (RFC 3986 section 6.2).
///
/// Raises ``ValueError`` if it is not an absolute http or https URI, ``TypeError`` if it is not a str.
#[pyfunction]
pub(crate) fn normalize_uri(uri: &Bound<'_, PyAny>) -> PyResult<String> {
    let parsed = kernel::dpop::TargetUri::parse(&uri_text(uri)?);
    parsed.map(|uri| uri.as_str().to_owned()).map_err(|error| PyValueError::new_err(error.to_string()))
}

/// The URI of a request. The server sets method and URI, so an invalid one is an error of the caller. Only the scheme is
/// checked here: the rest may be long, and is parsed when it is compared with a proof.
fn request_uri(method: &str, uri: &Bound<'_, PyAny>) -> PyResult<String> {
    let uri = uri_text(uri)?;
    if method.is_empty() || !kernel::dpop::TargetUri::has_scheme(&uri) {
        return Err(PyValueError::new_err(
            "method must not be empty, and uri must be the absolute http or https URI of the request",
        ));
    }
    Ok(uri)
}

/// A str that is not Unicode gets replacement characters, which match no target.
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
                PyValueError::new_err(format!("algorithms: {name:?} is not a supported signature algorithm"))
            })
        });
        let algorithms = known.collect::<PyResult<kernel::AlgorithmSet>>()?;
        kernel::ProofPolicy::new(kernel::dpop::PROOF_LIMITS, algorithms, max_age, leeway)
            .map(Self)
            .map_err(|error| PyValueError::new_err(error.to_string()))
    }
}

#[pymethods]
impl PyDpopProof {
    /// The RFC 7638 thumbprint of the key that signed the proof; a bound token has it in ``cnf.jkt``.
    #[getter]
    fn jkt(&self) -> &str {
        self.proof.jkt()
    }

    /// The public key that signed the proof: the header's JWK, a dict that is built on first access.
    #[getter]
    fn jwk(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        self.jwk.get_or_make(py, || from_json(py, self.proof.jwk().as_bytes()).map(Bound::unbind))
    }

    /// The signature algorithm, such as ``"ES256"``.
    #[getter]
    fn algorithm(&self) -> &'static str {
        self.proof.algorithm().name()
    }

    /// The claim ``jti``: a unique id of the proof among those of its key.
    #[getter]
    fn token_id(&self) -> &str {
        self.proof.token_id()
    }

    /// The claim ``htm``: the method of the request.
    #[getter]
    fn method(&self) -> &str {
        self.proof.method()
    }

    /// The claim ``htu``, unchanged: the URI of the request.
    #[getter]
    fn uri(&self) -> &str {
        self.proof.uri()
    }

    /// The claim ``iat``: when the proof was created, in Unix seconds.
    #[getter]
    fn issued_at<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        date(py, Some(self.proof.issued_at()))
    }

    /// The claim ``nonce``; ``None`` if it is absent.
    #[getter]
    fn nonce(&self) -> Option<&str> {
        self.proof.nonce()
    }

    /// The claim ``ath``: the hash of the access token; ``None`` if it is absent.
    #[getter]
    fn access_token_hash(&self) -> Option<&str> {
        self.proof.access_token_hash()
    }

    /// The id of the proof in a replay store: 32 bytes, of which the first 16 identify the key, the others the ``jti``.
    #[getter]
    fn replay_id<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        PyBytes::new(py, &self.proof.replay_id())
    }

    /// Until when a replay store must keep the id, in Unix seconds.
    #[getter]
    fn expires_at(&self) -> f64 {
        self.proof.expires_at()
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        self.jwk.traverse(&visit)
    }

    fn __repr__(&self) -> String {
        format!("DpopProof(algorithm='{}')", self.proof.algorithm().name())
    }
}

#[pymethods]
impl PyReplayCache {
    #[new]
    fn new(capacity: &Bound<'_, PyAny>, share: &Bound<'_, PyAny>) -> PyResult<Self> {
        let (capacity, share) = (arguments::count("capacity", capacity)?, arguments::count("share", share)?);
        Ok(Self(kernel::ReplayCache::new(capacity, share)))
    }

    /// Announce a caller that accepts ids for ``lifetime`` seconds after their creation; return ``None``.
    ///
    /// If several lifetimes are announced, every id is kept for the longest.
    ///
    /// Raises ``TypeError`` if it is not a number.
    fn retain_for(&self, lifetime: &Bound<'_, PyAny>) -> PyResult<()> {
        self.0.retain_for(arguments::seconds("lifetime", lifetime)?);
        Ok(())
    }

    /// Use an id (32 bytes) as of ``now`` and return the result. It is kept until ``expires_at``; both are Unix seconds.
    ///
    /// ``"first"``: the id was not used before, and is recorded. ``"again"``: it was used before. ``"expired"``: it has
    /// expired, so it may have been used and removed. ``"share_full"``, ``"full"``: it was not used before, but is not
    /// recorded, because its holder's share or the cache is full.
    ///
    /// Raises ``ValueError`` or ``TypeError`` if an argument is invalid.
    fn consume(
        &self,
        replay_id: &[u8],
        expires_at: &Bound<'_, PyAny>,
        now: &Bound<'_, PyAny>,
    ) -> PyResult<&'static str> {
        let id = replay_id.try_into().map_err(|_| PyValueError::new_err("replay_id must have 32 bytes"))?;
        let expires_at = arguments::seconds("expires_at", expires_at)?;
        if !expires_at.is_finite() {
            return Err(PyValueError::new_err("expires_at must be a finite number of Unix seconds"));
        }
        // With the interpreter attached, so that no fork happens while a shard is locked.
        Ok(match self.0.consume(&id, expires_at, moment(now)?) {
            kernel::Use::First => "first",
            kernel::Use::Again => "again",
            kernel::Use::Expired => "expired",
            kernel::Use::ShareFull => "share_full",
            kernel::Use::Full => "full",
        })
    }

    /// The maximum number of ids.
    #[getter]
    fn capacity(&self) -> usize {
        self.0.capacity()
    }

    /// The maximum number of ids of one holder.
    #[getter]
    fn share(&self) -> usize {
        self.0.share()
    }

    fn __len__(&self) -> usize {
        self.0.len()
    }

    fn __repr__(&self) -> String {
        format!("ReplayCache(len={}, capacity={})", self.0.len(), self.0.capacity())
    }
}
