//! The memory of verified tokens.

use pyo3::prelude::*;
use watchword_kernel as kernel;
use watchword_kernel::Presented;

use crate::arguments::{count, moment};
use crate::convert::Text;
use crate::dpop::PyDpopProof;
use crate::errors;
use crate::key_set::PyKeySet;
use crate::policy::PyPolicy;
use crate::token::PyVerifiedToken;

/// A memory of verified tokens, bounded by bytes: the same token is presented again and again.
///
/// A token is found by all of its bytes, and only for the policy and the key set that it was verified with; its times
/// and the proof that comes with it are judged anew each time. Only valid tokens are kept.
#[pyclass(frozen, module = "watchword", name = "TokenCache")]
pub(crate) struct PyTokenCache(kernel::TokenCache);

/// The counters of a TokenCache.
#[pyclass(frozen, get_all, module = "watchword", name = "TokenCacheStats")]
pub(crate) struct PyTokenCacheStats {
    /// Tokens that were found, and valid still.
    hits: u64,
    /// Tokens that went through every check.
    misses: u64,
    /// Tokens that gave way to others.
    evictions: u64,
    /// How many tokens are remembered.
    tokens: usize,
    /// The bytes that they take, about.
    bytes: u64,
    /// The bytes that they may take.
    max_bytes: u64,
}

#[pymethods]
impl PyTokenCache {
    #[new]
    #[pyo3(signature = (*, max_bytes))]
    fn new(max_bytes: &Bound<'_, PyAny>) -> PyResult<Self> {
        let max_bytes = u64::try_from(count("max_bytes", max_bytes)?.get())?;
        Ok(Self(kernel::TokenCache::new(max_bytes)))
    }

    /// Verify a JWT as of the moment `now` (Unix seconds), as `verify` does, or find that it was verified before.
    ///
    /// Returns a VerifiedToken; raises VerificationError.
    #[pyo3(signature = (token, keys, policy, now, proof=None))]
    fn verify(
        &self,
        py: Python<'_>,
        token: &Bound<'_, PyAny>,
        keys: &Bound<'_, PyKeySet>,
        policy: &Bound<'_, PyPolicy>,
        now: &Bound<'_, PyAny>,
        proof: Option<&Bound<'_, PyDpopProof>>,
    ) -> PyResult<PyVerifiedToken> {
        let text = Text::of_token(token)?;
        let presented = Presented {
            token: text.as_ref(),
            keys: keys.get().kernel(),
            policy: policy.get().kernel(),
            now: moment(now)?,
            proof: proof.map(|proof| proof.get().kernel()),
        };
        // The memory itself is touched with the GIL held: it never waits, and a fork finds it at rest.
        self.0
            .verify(&presented, |work| py.detach(work))
            .map(PyVerifiedToken::shared)
            .map_err(|refusal| errors::refused(py, refusal, token))
    }

    /// Forget every token.
    fn clear(&self) {
        self.0.clear();
    }

    /// The counters, as they stand now.
    fn stats(&self) -> PyTokenCacheStats {
        let kernel::CacheStats { hits, misses, evictions, tokens, bytes, max_bytes } = self.0.stats();
        PyTokenCacheStats { hits, misses, evictions, tokens, bytes, max_bytes }
    }

    fn __repr__(&self) -> String {
        let stats = self.0.stats();
        format!("TokenCache(tokens={}, bytes={}, max_bytes={})", stats.tokens, stats.bytes, stats.max_bytes)
    }
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
