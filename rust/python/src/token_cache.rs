//! The cache of verified tokens.

use std::sync::Arc;

use pyo3::prelude::*;
use watchword_kernel as kernel;
use watchword_kernel::CacheLookup;

use crate::arguments::{count, moment};
use crate::convert::Text;
use crate::dpop::{PyDpopProof, PyUnverifiedProof};
use crate::errors;
use crate::key_set::PyKeySet;
use crate::policy::PyPolicy;
use crate::possession::{client_certificate, possession};
use crate::token::PyVerifiedToken;

/// A cache of verified tokens, bounded by bytes: a client sends the same token with each of its requests.
///
/// A token is found by all of its bytes, and only for the policy and the key set that it was verified with; its times
/// and what it is sent with, a proof or a certificate, are checked each time. Only valid tokens are kept.
#[pyclass(frozen, module = "watchword", name = "TokenCache")]
pub(crate) struct PyTokenCache(Arc<kernel::TokenCache>);

/// The counters of a TokenCache.
#[pyclass(frozen, get_all, module = "watchword", name = "TokenCacheStats")]
pub(crate) struct PyTokenCacheStats {
    /// Tokens that were found and still valid.
    hits: u64,
    /// Tokens that went through every check.
    misses: u64,
    /// Tokens that were evicted for others.
    evictions: u64,
    /// The tokens in the cache.
    tokens: usize,
    /// The bytes that they take, approximately.
    bytes: u64,
    /// The bytes that they may take.
    max_bytes: u64,
}

impl PyTokenCache {
    pub(crate) fn kernel(&self) -> &Arc<kernel::TokenCache> {
        &self.0
    }
}

#[pymethods]
impl PyTokenCache {
    #[new]
    #[pyo3(signature = (*, max_bytes))]
    fn new(max_bytes: &Bound<'_, PyAny>) -> PyResult<Self> {
        let max_bytes = u64::try_from(count("max_bytes", max_bytes)?.get())?;
        Ok(Self(Arc::new(kernel::TokenCache::new(max_bytes))))
    }

    /// Verify a JWT at the time `now` (Unix seconds) as `verify` does, or find it in the cache.
    ///
    /// Returns a VerifiedToken; raises VerificationError.
    #[pyo3(signature = (token, keys, policy, now, proof=None, certificate=None))]
    #[allow(clippy::too_many_arguments, reason = "keywords in Python")]
    fn verify(
        &self,
        py: Python<'_>,
        token: &Bound<'_, PyAny>,
        keys: &Bound<'_, PyKeySet>,
        policy: &Bound<'_, PyPolicy>,
        now: &Bound<'_, PyAny>,
        proof: Option<&Bound<'_, PyDpopProof>>,
        certificate: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<PyVerifiedToken> {
        let text = Text::of_token(token)?;
        let possession = possession(proof, certificate)?;
        let verdict = match self.0.get(lookup(&text, keys, policy, now)?) {
            Ok(found) => found.verified(possession),
            Err(miss) => py
                .detach(|| {
                    let checked = miss.verify()?;
                    checked.clone().verified(possession).map(|token| (checked, token))
                })
                .map(|(checked, token)| {
                    self.0.insert(&checked);
                    token
                }),
        };
        verdict.map(PyVerifiedToken::shared).map_err(|rejection| errors::rejected(py, rejection, token))
    }

    /// Verify a JWT and the UnverifiedProof that was sent with it as `verify_request` does, or find the token in the cache.
    ///
    /// A token is kept even if its proof is rejected: a bad proof does not cost another verification of the token.
    /// Returns a VerifiedToken and a DpopProof; raises VerificationError.
    #[pyo3(signature = (token, keys, policy, now, proof, certificate=None))]
    #[allow(clippy::too_many_arguments, reason = "keywords in Python")]
    fn verify_request(
        &self,
        py: Python<'_>,
        token: &Bound<'_, PyAny>,
        keys: &Bound<'_, PyKeySet>,
        policy: &Bound<'_, PyPolicy>,
        now: &Bound<'_, PyAny>,
        proof: &Bound<'_, PyUnverifiedProof>,
        certificate: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<(PyVerifiedToken, PyDpopProof)> {
        let text = Text::of_token(token)?;
        let proof = proof.get().kernel();
        let certificate = certificate.map(client_certificate).transpose()?;
        let verdict = match self.0.get(lookup(&text, keys, policy, now)?) {
            Ok(found) => py.detach(|| found.verified_with(&proof, certificate)),
            Err(miss) => py
                .detach(|| {
                    let checked = miss.verify()?;
                    Ok((checked.clone(), checked.verified_with(&proof, certificate)))
                })
                .and_then(|(checked, verdict)| {
                    self.0.insert(&checked);
                    verdict
                }),
        };
        verdict
            .map(|(token, proof)| (PyVerifiedToken::shared(token), PyDpopProof::new(proof)))
            .map_err(|rejection| errors::rejected(py, rejection, token))
    }

    /// Remove every token.
    fn clear(&self) {
        self.0.clear();
    }

    /// Return the counters at this moment.
    fn stats(&self) -> PyTokenCacheStats {
        let kernel::CacheStats { hits, misses, evictions, tokens, bytes, max_bytes } = self.0.stats();
        PyTokenCacheStats { hits, misses, evictions, tokens, bytes, max_bytes }
    }

    fn __repr__(&self) -> String {
        let stats = self.0.stats();
        format!("TokenCache(tokens={}, bytes={}, max_bytes={})", stats.tokens, stats.bytes, stats.max_bytes)
    }
}

/// The lookup of a token. The cache is used with the interpreter attached: it never waits, and a fork finds no shard half
/// written.
fn lookup<'a>(
    token: &'a Text<'_>,
    keys: &'a Bound<'_, PyKeySet>,
    policy: &'a Bound<'_, PyPolicy>,
    now: &Bound<'_, PyAny>,
) -> PyResult<CacheLookup<'a>> {
    let (keys, policy) = (keys.get().kernel(), policy.get().kernel());
    Ok(CacheLookup { token: token.as_ref(), keys, policy, now: moment(now)? })
}

#[pymethods]
impl PyTokenCacheStats {
    fn __repr__(&self) -> String {
        let Self { hits, misses, evictions, tokens, bytes, max_bytes } = self;
        format!(
            "TokenCacheStats(hits={hits}, misses={misses}, evictions={evictions}, tokens={tokens}, bytes={bytes}, \
             max_bytes={max_bytes})"
        )
    }
}
