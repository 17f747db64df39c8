//! The pipeline for many tokens: each gets the verdict that it would get alone.

use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use super::{ProofOfPossession, Rejection, VerifiedToken, check_payload, parse};
use crate::key::verify_signatures;
use crate::key_set::KeySet;
use crate::policy::Policy;
use crate::time::UnixTime;

/// The most tokens of a chunk, which one thread verifies together: enough to share what they share, few enough to stay in
/// the processor's cache and to keep all threads busy to the end.
const MAX_CHUNK: usize = 64;

/// The fewest tokens of a chunk that are worth a thread: they take a few times as long as starting one.
const MIN_CHUNK: usize = 32;

type Verdict = Result<VerifiedToken, Rejection>;

/// Verifies each token as [`verify`](crate::verify()) does without a proof or a certificate, on up to `threads` threads, and returns the
/// verdicts in the order of the tokens.
///
/// Threads are started for the batch and end with it: a pool of them would not survive a fork.
pub fn verify_many<T: AsRef<[u8]> + Sync>(
    tokens: &[T],
    keys: &KeySet,
    policy: &Policy,
    now: UnixTime,
    threads: NonZeroUsize,
) -> Vec<Verdict> {
    verify_many_until(tokens, keys, policy, now, threads, || false).unwrap_or_default()
}

/// As [`verify_many`], unless `is_cancelled` returns true: then the result is `None`. It is called before the first tokens
/// and after every few (64 at most), by the thread that calls this function and by no other.
pub fn verify_many_until<T: AsRef<[u8]> + Sync>(
    tokens: &[T],
    keys: &KeySet,
    policy: &Policy,
    now: UnixTime,
    threads: NonZeroUsize,
    mut is_cancelled: impl FnMut() -> bool,
) -> Option<Vec<Verdict>> {
    let verify_chunk = |tokens: &[T]| {
        let tokens: Vec<&[u8]> = tokens.iter().map(AsRef::as_ref).collect();
        verify_each(&tokens, keys, policy, now)
    };
    let length = tokens.len().div_ceil(threads.get()).clamp(MIN_CHUNK, MAX_CHUNK);
    let chunks: Vec<&[T]> = tokens.chunks(length).collect();
    let threads = threads.get().min(chunks.len());
    if threads <= 1 {
        let mut verdicts = Vec::with_capacity(tokens.len());
        for chunk in chunks {
            if is_cancelled() {
                return None;
            }
            verdicts.extend(verify_chunk(chunk));
        }
        return Some(verdicts);
    }
    let next = AtomicUsize::new(0);
    let cancelled = AtomicBool::new(false);
    // Whichever thread is idle takes the next chunk, until there is none.
    let take = || {
        let index = next.fetch_add(1, Ordering::Relaxed);
        let chunk = chunks.get(index).filter(|_| !cancelled.load(Ordering::Relaxed));
        chunk.map(|tokens| (index, verify_chunk(tokens)))
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
    (!cancelled.into_inner()).then(|| in_order(done, &chunks, verify_chunk))
}

/// The verdicts of all chunks, in their order. If a chunk is missing because its thread died, it is verified here, so that
/// nothing is lost.
fn in_order<T>(
    mut done: Vec<(usize, Vec<Verdict>)>,
    chunks: &[&[T]],
    verify_chunk: impl Fn(&[T]) -> Vec<Verdict>,
) -> Vec<Verdict> {
    done.sort_unstable_by_key(|(index, _)| *index);
    let mut done = done.into_iter().peekable();
    let mut verdicts = Vec::with_capacity(chunks.iter().map(|chunk| chunk.len()).sum());
    for (index, chunk) in chunks.iter().enumerate() {
        match done.next_if(|(found, _)| *found == index) {
            Some((_, found)) => verdicts.extend(found),
            None => verdicts.extend(verify_chunk(chunk)),
        }
    }
    verdicts
}

/// The verdict on each token, in their order, without proofs and certificates. The signatures of those that can be by one key only, which
/// is nearly all of them, are verified together.
fn verify_each(tokens: &[&[u8]], keys: &KeySet, policy: &Policy, now: UnixTime) -> Vec<Verdict> {
    let parsed: Vec<_> = tokens.iter().map(|token| parse(token, keys, policy.jws())).collect();
    let messages: Vec<_> = parsed.iter().map(|parsed| parsed.as_ref().ok()?.message_of_only_key()).collect();
    let together: Vec<_> = messages.iter().flatten().copied().collect();
    let mut valid = verify_signatures(&together).into_iter();
    let valid: Vec<_> = messages.iter().map(|message| message.and_then(|_| valid.next())).collect();
    let jws = parsed.into_iter().zip(valid).map(|(parsed, valid)| {
        let parsed = parsed?;
        let key = match valid {
            Some(valid) => parsed.only_key().filter(|_| valid),
            None => parsed.signing_key(),
        };
        parsed.signed_by(key)
    });
    let nothing = ProofOfPossession::default();
    jws.zip(tokens)
        .map(|(jws, token)| check_payload(jws?, policy, now)?.with_binding_checked(token, policy, nothing))
        .collect()
}
