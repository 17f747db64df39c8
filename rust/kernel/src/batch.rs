//! The pipeline over many tokens: each gets the verdict that it would get alone.

use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::key_set::KeySet;
use crate::policy::Policy;
use crate::refusal::Refusal;
use crate::time::UnixTime;
use crate::verify::{VerifiedToken, judge_each};

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
    let judge = |tokens: &[T]| {
        let tokens: Vec<&[u8]> = tokens.iter().map(AsRef::as_ref).collect();
        judge_each(&tokens, keys, policy, now)
    };
    let share = tokens.len().div_ceil(threads.get()).clamp(TOKENS_A_THREAD, TOGETHER);
    let shares: Vec<&[T]> = tokens.chunks(share).collect();
    let threads = threads.get().min(shares.len());
    if threads <= 1 {
        return shares.into_iter().flat_map(judge).collect();
    }
    let next = AtomicUsize::new(0);
    // Whoever is free takes the next share, until there is none.
    let work = || -> Vec<(usize, Vec<Verdict>)> {
        std::iter::from_fn(|| {
            let place = next.fetch_add(1, Ordering::Relaxed);
            shares.get(place).map(|tokens| (place, judge(tokens)))
        })
        .collect()
    };
    let done = std::thread::scope(|scope| {
        // Where the system has no thread to give, those that there are do its work.
        let helpers: Vec<_> =
            (1..threads).filter_map(|_| std::thread::Builder::new().spawn_scoped(scope, work).ok()).collect();
        let mut done = work();
        done.extend(helpers.into_iter().filter_map(|helper| helper.join().ok()).flatten());
        done
    });
    in_order(done, &shares, judge)
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
