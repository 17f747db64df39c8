//! The pipeline over many tokens: each gets the verdict that it would get alone.

use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use super::Refusal;
use super::{VerifiedToken, judge_each};
use crate::key_set::KeySet;
use crate::policy::Policy;
use crate::time::UnixTime;

/// How many tokens are worked on together: enough to share what they share, few enough to stay in the processor's cache
/// and to keep all threads busy to the end.
const TOGETHER: usize = 64;

/// How many tokens are worth a thread: they take a few times as long as starting one.
const TOKENS_A_THREAD: usize = 32;

type Verdict = Result<VerifiedToken, Refusal>;

/// Verifies each token as [`verify`](crate::verify()) does, on up to `threads` threads, and gives the verdicts in the
/// order of the tokens.
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

/// As [`verify_many`], unless `is_over` says that nobody wants the verdicts any more: then there are none. It is asked
/// before the first tokens and after every few (64 at most), by the thread that calls this and by no other.
pub fn verify_many_until<T: AsRef<[u8]> + Sync>(
    tokens: &[T],
    keys: &KeySet,
    policy: &Policy,
    now: UnixTime,
    threads: NonZeroUsize,
    mut is_over: impl FnMut() -> bool,
) -> Option<Vec<Verdict>> {
    let judge = |tokens: &[T]| {
        let tokens: Vec<&[u8]> = tokens.iter().map(AsRef::as_ref).collect();
        judge_each(&tokens, keys, policy, now)
    };
    let share = tokens.len().div_ceil(threads.get()).clamp(TOKENS_A_THREAD, TOGETHER);
    let shares: Vec<&[T]> = tokens.chunks(share).collect();
    let threads = threads.get().min(shares.len());
    if threads <= 1 {
        let mut verdicts = Vec::with_capacity(tokens.len());
        for share in shares {
            if is_over() {
                return None;
            }
            verdicts.extend(judge(share));
        }
        return Some(verdicts);
    }
    let next = AtomicUsize::new(0);
    let over = AtomicBool::new(false);
    // Whoever is free takes the next share, until there is none.
    let take = || {
        let place = next.fetch_add(1, Ordering::Relaxed);
        let share = shares.get(place).filter(|_| !over.load(Ordering::Relaxed));
        share.map(|tokens| (place, judge(tokens)))
    };
    let done = std::thread::scope(|scope| {
        let work = || std::iter::from_fn(take).collect::<Vec<_>>();
        // Where the system has no thread to give, those that there are do its work.
        let helpers: Vec<_> =
            (1..threads).filter_map(|_| std::thread::Builder::new().spawn_scoped(scope, work).ok()).collect();
        let mut done = Vec::new();
        loop {
            if is_over() {
                over.store(true, Ordering::Relaxed);
            }
            match take() {
                Some(share) => done.push(share),
                None => break,
            }
        }
        done.extend(helpers.into_iter().filter_map(|helper| helper.join().ok()).flatten());
        done
    });
    (!over.into_inner()).then(|| in_order(done, &shares, judge))
}

/// The verdicts of all shares, in their order. A share that is missing, which is one whose thread died, is judged here:
/// nothing is lost.
fn in_order<T>(
    mut done: Vec<(usize, Vec<Verdict>)>,
    shares: &[&[T]],
    judge: impl Fn(&[T]) -> Vec<Verdict>,
) -> Vec<Verdict> {
    done.sort_unstable_by_key(|(place, _)| *place);
    let mut done = done.into_iter().peekable();
    let mut verdicts = Vec::with_capacity(shares.iter().map(|share| share.len()).sum());
    for (place, share) in shares.iter().enumerate() {
        match done.next_if(|(found, _)| *found == place) {
            Some((_, found)) => verdicts.extend(found),
            None => verdicts.extend(judge(share)),
        }
    }
    verdicts
}
