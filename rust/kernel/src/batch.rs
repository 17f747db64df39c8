//! The pipeline over many tokens: each gets the verdict that it would get alone.

use std::num::NonZeroUsize;

use crate::error::Error;
use crate::key_set::KeySet;
use crate::policy::Policy;
use crate::time::UnixTime;
use crate::verify::{VerifiedToken, verify};

/// How many tokens are worth a thread: a signature takes tens of microseconds, and so does starting a thread.
const TOKENS_A_THREAD: usize = 32;

/// Verifies each token by [`verify`], on up to `threads` threads, and gives the verdicts in the order of the tokens.
pub fn verify_many<T: AsRef<[u8]> + Sync>(
    tokens: &[T],
    keys: &KeySet,
    policy: &Policy,
    now: UnixTime,
    threads: NonZeroUsize,
) -> Vec<Result<VerifiedToken, Error>> {
    let judge = |token: &T| verify(token.as_ref(), keys, policy, now);
    let threads = threads.get().min(tokens.len().div_ceil(TOKENS_A_THREAD));
    if threads <= 1 {
        return tokens.iter().map(judge).collect();
    }
    let share = tokens.len().div_ceil(threads);
    std::thread::scope(|scope| {
        let workers: Vec<_> = tokens
            .chunks(share)
            .map(|tokens| {
                let work = move || tokens.iter().map(judge).collect::<Vec<_>>();
                (tokens, std::thread::Builder::new().spawn_scoped(scope, work).ok())
            })
            .collect();
        workers
            .into_iter()
            .flat_map(|(tokens, worker)| {
                // Where the system had no thread to give, the share is judged here: nothing is lost.
                worker.and_then(|worker| worker.join().ok()).unwrap_or_else(|| tokens.iter().map(judge).collect())
            })
            .collect()
    })
}
