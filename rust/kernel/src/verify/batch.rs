//! The pipeline for many tokens: each gets the verdict that it would get alone.

use std::fmt;
use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use super::examined::ExaminedToken;
use super::parsed::verify_together;
use super::{ProofOfPossession, Rejection, VerifiedJws, VerifiedToken, parse};
use crate::error::Error;
use crate::key_set::KeySet;
use crate::policy::Policy;
use crate::time::UnixTime;

/// The most tokens of a chunk, which one thread verifies together: enough to share what they share, few enough to stay in
/// the processor's cache and to keep all threads busy to the end.
pub(super) const MAX_CHUNK: usize = 64;

/// The fewest tokens of a chunk that are worth a thread: they take a few times as long as starting one.
const MIN_CHUNK: usize = 32;

type Verdict = Result<VerifiedToken, Rejection>;

/// A token, and what it is verified with: its own keys, policy and time.
#[derive(Clone, Copy)]
pub struct Row<'a> {
    /// The token.
    pub token: &'a [u8],
    /// The keys to verify it with. No other row's keys verify it.
    pub keys: &'a KeySet,
    /// What it must fulfil.
    pub policy: &'a Policy,
    /// The time as of which it must be valid.
    pub now: UnixTime,
}

impl fmt::Debug for Row<'_> {
    /// Shows the time and the size of the token, nothing of the token.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Row").field("token_bytes", &self.token.len()).field("now", &self.now).finish_non_exhaustive()
    }
}

/// Verifies each token as [`verify`](crate::verify()) does without a proof or a certificate, on up to `threads` threads,
/// and returns the verdicts in the order of the tokens.
///
/// Threads are started for the batch and end with it: a pool of them would not survive a fork.
pub fn verify_many<T: AsRef<[u8]>>(
    tokens: &[T],
    keys: &KeySet,
    policy: &Policy,
    now: UnixTime,
    threads: NonZeroUsize,
) -> Vec<Verdict> {
    let rows: Vec<_> = tokens.iter().map(|token| Row { token: token.as_ref(), keys, policy, now }).collect();
    verify_rows(&rows, threads)
}

/// As [`verify_many`], for tokens that each have their own keys, policy and time, such as those of a log: signatures are
/// verified together across all of them.
pub fn verify_rows(rows: &[Row<'_>], threads: NonZeroUsize) -> Vec<Verdict> {
    verify_rows_until(rows, threads, || false).unwrap_or_default()
}

/// As [`verify_rows`], unless `is_cancelled` returns true: then the result is `None`. It is called before the first rows
/// and after every few (64 at most), by the thread that calls this function and by no other.
pub fn verify_rows_until(
    rows: &[Row<'_>],
    threads: NonZeroUsize,
    mut is_cancelled: impl FnMut() -> bool,
) -> Option<Vec<Verdict>> {
    let length = rows.len().div_ceil(threads.get()).clamp(MIN_CHUNK, MAX_CHUNK);
    let chunks: Vec<&[Row<'_>]> = rows.chunks(length).collect();
    let threads = threads.get().min(chunks.len());
    if threads <= 1 {
        let mut verdicts = Vec::with_capacity(rows.len());
        for chunk in chunks {
            if is_cancelled() {
                return None;
            }
            verdicts.extend(verify_each(chunk));
        }
        return Some(verdicts);
    }
    let next = AtomicUsize::new(0);
    let cancelled = AtomicBool::new(false);
    // Whichever thread is idle takes the next chunk, until there is none.
    let take = || {
        let index = next.fetch_add(1, Ordering::Relaxed);
        let chunk = chunks.get(index).filter(|_| !cancelled.load(Ordering::Relaxed));
        chunk.map(|rows| (index, verify_each(rows)))
    };
    let done = std::thread::scope(|scope| {
        let work = || std::iter::from_fn(take).collect::<Vec<_>>();
        // If the system cannot start a thread, the others do its work.
        let helpers: Vec<_> =
            (1..threads).filter_map(|_| std::thread::Builder::new().spawn_scoped(scope, work).ok()).collect();
        let mut done = Vec::new();
        loop {
            if is_cancelled() {
                cancelled.store(true, Ordering::Relaxed);
            }
            match take() {
                Some(chunk) => done.push(chunk),
                None => break,
            }
        }
        done.extend(helpers.into_iter().filter_map(|helper| helper.join().ok()).flatten());
        done
    });
    (!cancelled.into_inner()).then(|| in_order(done, &chunks))
}

/// The verdicts of all chunks, in their order. If a chunk is missing because its thread died, it is verified here, so that
/// nothing is lost.
fn in_order(mut done: Vec<(usize, Vec<Verdict>)>, chunks: &[&[Row<'_>]]) -> Vec<Verdict> {
    done.sort_unstable_by_key(|(index, _)| *index);
    let mut done = done.into_iter().peekable();
    let mut verdicts = Vec::with_capacity(chunks.iter().map(|chunk| chunk.len()).sum());
    for (index, chunk) in chunks.iter().enumerate() {
        match done.next_if(|(found, _)| *found == index) {
            Some((_, found)) => verdicts.extend(found),
            None => verdicts.extend(verify_each(chunk)),
        }
    }
    verdicts
}

/// The verdict on each row, in their order.
fn verify_each(rows: &[Row<'_>]) -> Vec<Verdict> {
    let parsed: Vec<_> = rows.iter().map(|row| parse(row.token, row.keys, row.policy.jws())).collect();
    let valid = verify_together(parsed.iter().map(|parsed| parsed.as_ref().ok()));
    let jws = parsed.into_iter().zip(valid).map(|(parsed, valid)| {
        let parsed = parsed?;
        let key = parsed.key_after(valid);
        parsed.signed_by(key)
    });
    let verdict = |jws: Result<VerifiedJws, Error>, row: &Row<'_>| {
        let token = ExaminedToken::new(jws?, row.policy)?.at(row.policy, row.now)?;
        token.with_binding_checked(row.token, row.policy, ProofOfPossession::default())
    };
    jws.zip(rows).map(|(jws, row)| verdict(jws, row)).collect()
}
