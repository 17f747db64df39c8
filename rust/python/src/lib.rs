//! The binding between the kernel and Python: it converts, and nothing else.
//!
//! Arguments are borrowed text and numbers; verdicts are returned as frozen objects or raised as the exceptions that
//! `watchword.errors` defines. The GIL is released while the kernel verifies.

mod arguments;
mod audit;
mod batch;
mod convert;
mod delegation;
mod dpop;
mod errors;
mod evidence;
mod fork_safety;
mod gate;
mod gate_config;
mod issuer_table;
mod kept;
mod key_set;
mod metadata;
mod nonces;
mod policy;
mod possession;
mod public_key;
mod record_reader;
mod scope;
mod server;
mod tables;
mod thumbprint;
mod token;
mod token_cache;

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyString, PyTuple};
use watchword_kernel as kernel;

use arguments::{Given, moment, words};
use convert::Text;
use dpop::{PyDpopProof, PyUnverifiedProof};
use key_set::PyKeySet;
use policy::PyPolicy;
use possession::{client_certificate, possession};
use token::{PyVerifiedJws, PyVerifiedToken};

/// Verify a JWT (RFC 7519 section 7.2) at the time `now` (Unix seconds).
///
/// proof: the DpopProof that was sent with the token; without one, a token that is bound to a key is rejected.
/// certificate: the client certificate of the connection, in DER; without one, a token that is bound to one is rejected.
/// Returns a VerifiedToken; raises VerificationError.
#[pyfunction]
#[pyo3(signature = (token, keys, policy, now, proof=None, certificate=None))]
fn verify(
    py: Python<'_>,
    token: &Bound<'_, PyAny>,
    keys: &Bound<'_, PyKeySet>,
    policy: &Bound<'_, PyPolicy>,
    now: &Bound<'_, PyAny>,
    proof: Option<&Bound<'_, PyDpopProof>>,
    certificate: Option<&Bound<'_, PyAny>>,
) -> PyResult<PyVerifiedToken> {
    let text = Text::of_token(token)?;
    let (keys, policy, now) = (keys.get().kernel(), policy.get().kernel(), moment(now)?);
    let possession = possession(proof, certificate)?;
    py.detach(|| kernel::verify(text.as_ref(), keys, policy, now, possession))
        .map(PyVerifiedToken::new)
        .map_err(|rejection| errors::rejected(py, rejection, token))
}

/// Verify a JWT and the UnverifiedProof that was sent with it, at the time `now` (Unix seconds): the token first, and the
/// proof only if the token is valid and bound to a key (RFC 9449 section 7.1).
///
/// certificate: the client certificate of the connection, in DER. Returns a VerifiedToken and a DpopProof; raises
/// VerificationError.
#[pyfunction]
#[pyo3(signature = (token, keys, policy, now, proof, certificate=None))]
fn verify_request(
    py: Python<'_>,
    token: &Bound<'_, PyAny>,
    keys: &Bound<'_, PyKeySet>,
    policy: &Bound<'_, PyPolicy>,
    now: &Bound<'_, PyAny>,
    proof: &Bound<'_, PyUnverifiedProof>,
    certificate: Option<&Bound<'_, PyAny>>,
) -> PyResult<(PyVerifiedToken, PyDpopProof)> {
    let text = Text::of_token(token)?;
    let (keys, policy, now) = (keys.get().kernel(), policy.get().kernel(), moment(now)?);
    let proof = proof.get().kernel();
    let certificate = certificate.map(client_certificate).transpose()?;
    py.detach(|| kernel::verify_request(text.as_ref(), keys, policy, now, &proof, certificate))
        .map(|(token, proof)| (PyVerifiedToken::new(token), PyDpopProof::new(proof)))
        .map_err(|rejection| errors::rejected(py, rejection, token))
}

/// Verify a JWS in compact form (RFC 7515 section 5.2), whatever its payload is.
///
/// algorithms: those that are accepted (None: those of the keys). types: the values of `typ` that are accepted, None for
/// its absence (None instead of a list: `typ` is not checked). max_token_bytes, max_header_bytes: the longest encoded forms
/// that are accepted. Returns a VerifiedJws; raises VerificationError.
#[pyfunction]
#[pyo3(
    signature = (token, keys, algorithms=None, types=None, max_token_bytes=Given::absent(), max_header_bytes=Given::absent()),
    text_signature = "(token, keys, algorithms=None, types=None, max_token_bytes=16384, max_header_bytes=4096)"
)]
fn verify_jws(
    py: Python<'_>,
    token: &Bound<'_, PyAny>,
    keys: &Bound<'_, PyKeySet>,
    algorithms: Option<&Bound<'_, PyAny>>,
    types: Option<&Bound<'_, PyAny>>,
    max_token_bytes: Given<'_>,
    max_header_bytes: Given<'_>,
) -> PyResult<PyVerifiedJws> {
    let text = Text::of_token(token)?;
    let algorithms = algorithms.map(|object| words("algorithms", object)).transpose()?;
    let types = types.map(|object| words("types", object)).transpose()?;
    let limits = policy::limits(max_token_bytes, max_header_bytes)?;
    let policy = policy::jws_policy(limits, types.as_deref(), algorithms.as_deref())?;
    let keys = keys.get().kernel();
    py.detach(|| kernel::verify_jws(text.as_ref(), keys, &policy))
        .map(PyVerifiedJws::new)
        .map_err(|error| errors::rejected(py, error.into(), token))
}

/// Read the names that a token states, unverified: its `iss`, its `sub` and its `kid`.
///
/// Returns an UnverifiedNames; each is None if it is absent or not a string, or if the token is malformed or longer than
/// the limits.
#[pyfunction]
#[pyo3(
    signature = (token, max_token_bytes=Given::absent(), max_header_bytes=Given::absent()),
    text_signature = "(token, max_token_bytes=16384, max_header_bytes=4096)"
)]
fn unverified_names(
    token: &Bound<'_, PyAny>,
    max_token_bytes: Given<'_>,
    max_header_bytes: Given<'_>,
) -> PyResult<token::PyUnverifiedNames> {
    let limits = policy::limits(max_token_bytes, max_header_bytes)?;
    Ok(token::PyUnverifiedNames(kernel::unverified_names(Text::of_token(token)?.as_ref(), &limits)))
}

/// Decode a token without verifying it. Anybody can have written what it states.
///
/// Its form is checked as strictly as for verification: the lengths, three parts, base64url, and a header that is strict
/// JSON with an `alg` and without extensions (RFC 7515 sections 4 and 7.1). max_token_bytes, max_header_bytes: the
/// limits of the encoded forms, in bytes. Returns an UnverifiedToken; raises VerificationError if the token is malformed.
#[pyfunction]
#[pyo3(
    signature = (token, *, max_token_bytes=Given::absent(), max_header_bytes=Given::absent()),
    text_signature = "(token, *, max_token_bytes=16384, max_header_bytes=4096)"
)]
fn decode_unverified(
    py: Python<'_>,
    token: &Bound<'_, PyAny>,
    max_token_bytes: Given<'_>,
    max_header_bytes: Given<'_>,
) -> PyResult<token::PyUnverifiedToken> {
    let limits = policy::limits(max_token_bytes, max_header_bytes)?;
    kernel::decode_unverified(Text::of_token(token)?.as_ref(), &limits)
        .map(token::PyUnverifiedToken::new)
        .map_err(|error| errors::rejected(py, error.into(), token))
}

/// Return a JSON object as a dict, parsed as strictly as a token's header (RFC 8259; no repeated member at any depth).
///
/// Raises ValueError, which does not quote the document, if it is anything else.
#[pyfunction]
fn decode_json_object<'py>(py: Python<'py>, document: &[u8]) -> PyResult<Bound<'py, PyAny>> {
    convert::from_json(py, document)
}

/// Return the trust domain of a SPIFFE ID, and the segments of its path (SPIFFE ID standard, section 2).
///
/// Raises ValueError, which does not quote the text, if it is not a SPIFFE ID.
#[pyfunction]
fn parse_spiffe_id<'py>(text: &Bound<'py, PyString>) -> PyResult<(String, Bound<'py, PyTuple>)> {
    // Lone surrogates become replacement characters, which no SPIFFE ID contains.
    let id = text.to_string_lossy();
    let id = kernel::SpiffeId::parse(&id).map_err(|error| PyValueError::new_err(error.to_string()))?;
    Ok((id.trust_domain().to_owned(), PyTuple::new(text.py(), id.segments().collect::<Vec<_>>())?))
}

/// Return the Unix seconds of a time such as ``2026-11-21T09:30:00Z`` (RFC 3339 section 5.6).
///
/// The leap second at the end of a month is the first second of the next one.
///
/// Raises ValueError, which does not quote the text, if it is none.
#[pyfunction]
fn parse_rfc3339(text: &Bound<'_, PyString>) -> PyResult<f64> {
    // Lone surrogates become replacement characters, which no time contains.
    watchword_records::rfc3339::parse_time(&text.to_string_lossy())
        .ok_or_else(|| PyValueError::new_err("not a time of RFC 3339"))
}

/// The compiled half of the package; `watchword` re-exports what is public.
#[pymodule(gil_used = false)]
fn _kernel(module: &Bound<'_, PyModule>) -> PyResult<()> {
    // The classes of errors read these while they are made.
    module.add_function(wrap_pyfunction!(gate::answer_of, module)?)?;
    policy::add_constants(module)?;
    errors::prepare(module.py())?;
    convert::prepare(module.py())?;
    batch::prepare(module.py());
    fork_safety::register(module.py())?;
    module.add("__version__", env!("CARGO_PKG_VERSION"))?;
    module.add("ANY_AUDIENCE", Py::new(module.py(), policy::AnyAudience)?)?;
    module.add("ANY_TENANT", Py::new(module.py(), policy::AnyTenant)?)?;
    module.add_class::<policy::AnyAudience>()?;
    module.add_class::<policy::AnyTenant>()?;
    module.add_class::<policy::PyPolicy>()?;
    module.add_class::<issuer_table::PyIssuerTable>()?;
    module.add_class::<key_set::PyKeySet>()?;
    module.add_class::<public_key::PyPublicKey>()?;
    module.add_class::<public_key::PyRejectedKey>()?;
    module.add_class::<token::PyVerifiedToken>()?;
    module.add_class::<token::PyVerifiedJws>()?;
    module.add_class::<token::PyConfirmation>()?;
    module.add_class::<token::PyUnverifiedNames>()?;
    module.add_class::<token::PyUnverifiedToken>()?;
    module.add_class::<evidence::Evidence>()?;
    module.add_class::<delegation::PyDelegationChain>()?;
    module.add_class::<delegation::PyActor>()?;
    module.add_class::<delegation::PyMayAct>()?;
    module.add_class::<audit::PyArrowBatch>()?;
    module.add_class::<audit::PyArrowStream>()?;
    module.add_class::<audit::PyAuditColumns>()?;
    module.add_class::<audit::PyAuditor>()?;
    module.add_class::<batch::PyBatchResult>()?;
    module.add_class::<record_reader::PyRecordReader>()?;
    module.add_class::<scope::PyResourceScopes>()?;
    module.add_class::<scope::PySlotScopes>()?;
    module.add_class::<scope::PyPlainScopes>()?;
    module.add_class::<scope::PyScopeExplanation>()?;
    module.add_class::<dpop::PyProofPolicy>()?;
    module.add_class::<dpop::PyDpopProof>()?;
    module.add_class::<dpop::PyUnverifiedProof>()?;
    module.add_class::<dpop::PyReplayCache>()?;
    module.add_class::<nonces::PyNonceKeys>()?;
    module.add_class::<server::PyServer>()?;
    gate::add(module)?;
    module.add_class::<gate_config::PyGateConfig>()?;
    module.add_function(wrap_pyfunction!(gate_config::normal_path, module)?)?;
    module.add_function(wrap_pyfunction!(metadata::metadata_url, module)?)?;
    module.add_function(wrap_pyfunction!(gate_config::gate_config_schema, module)?)?;
    module.add_class::<tables::PyTableStats>()?;
    module.add_class::<token_cache::PyTokenCache>()?;
    module.add_class::<token_cache::PyTokenCacheStats>()?;
    module.add_function(wrap_pyfunction!(tables::configure_tables, module)?)?;
    module.add_function(wrap_pyfunction!(tables::table_stats, module)?)?;
    module.add_function(wrap_pyfunction!(verify, module)?)?;
    module.add_function(wrap_pyfunction!(verify_request, module)?)?;
    module.add_function(wrap_pyfunction!(batch::verify_many, module)?)?;
    module.add_function(wrap_pyfunction!(verify_jws, module)?)?;
    module.add_function(wrap_pyfunction!(thumbprint::thumbprint, module)?)?;
    module.add_function(wrap_pyfunction!(thumbprint::thumbprint_uri, module)?)?;
    module.add_function(wrap_pyfunction!(dpop::verify_proof, module)?)?;
    module.add_function(wrap_pyfunction!(dpop::normalize_uri, module)?)?;
    module.add_function(wrap_pyfunction!(decode_json_object, module)?)?;
    module.add_function(wrap_pyfunction!(decode_unverified, module)?)?;
    module.add_function(wrap_pyfunction!(unverified_names, module)?)?;
    module.add_function(wrap_pyfunction!(parse_rfc3339, module)?)?;
    module.add_function(wrap_pyfunction!(parse_spiffe_id, module)?)?;
    Ok(())
}
