//! What a forked child may find: locks that are never released, and cells that are never filled. `tests/forks` tests
//! with real forks.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]
#![allow(clippy::disallowed_methods, reason = "a test does not fork")]

mod common;

use std::num::NonZeroUsize;
use std::sync::{Mutex, MutexGuard, PoisonError, mpsc};
use std::time::Duration;

use common::{CLAIMS, JWKS, KEY_OPTIONS, SIGNERS, now, strict};
use watchword_kernel::tables::{self, Settings};
use watchword_kernel::{Backend, KeySet, ProofOfPossession, fork_safety, verify, verify_many};

static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

fn alone() -> MutexGuard<'static, ()> {
    ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Runs the work in another thread, which must end.
fn ends<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    let (sender, receiver) = mpsc::channel();
    std::thread::spawn(move || sender.send(work()));
    receiver.recv_timeout(Duration::from_secs(60)).expect("the thread neither blocks for ever nor panics")
}

fn verify_everything() {
    for options in KEY_OPTIONS {
        let keys = KeySet::from_json(JWKS.as_bytes(), options).unwrap();
        let tokens: Vec<String> = SIGNERS.iter().map(|signer| signer.token(signer.header(), CLAIMS)).collect();
        for _ in 0..2 * Settings::DEFAULT.after_uses {
            assert!(verify(tokens[0].as_bytes(), &keys, &strict(), now(), ProofOfPossession::default()).is_ok());
        }
        assert!(verify_many(&tokens, &keys, &strict(), now(), NonZeroUsize::MIN).iter().all(Result::is_ok));
        assert!(keys.keys().iter().all(|key| !key.thumbprint().is_empty()));
    }
}

#[test]
fn verdicts_do_not_wait_for_locks_that_are_never_released() {
    let _alone = alone();
    let guard = fork_safety::lock_all();
    ends(|| {
        verify_everything();
        // Keys of the curves get no table, since the budget is locked.
        let keys = KeySet::from_json(JWKS.as_bytes(), Backend::Default).unwrap();
        assert!(keys.prepare() < keys.keys().len());
        tables::configure(tables::settings()).unwrap();
        tables::stats();
    });
    drop(guard);
    let keys = KeySet::from_json(JWKS.as_bytes(), Backend::Default).unwrap();
    assert_eq!(keys.prepare(), keys.keys().len());
}

#[test]
fn a_second_fork_waits_for_a_limited_time() {
    let _alone = alone();
    let guard = fork_safety::lock_all();
    ends(|| drop(fork_safety::lock_all()));
    guard.release_in_child();
    ends(|| fork_safety::lock_all().release_in_child());
    ends(verify_everything);
}

#[test]
fn concurrent_calls_of_prepare_have_the_effect_of_one() {
    let _alone = alone();
    let settings = tables::settings();
    let keys = KeySet::from_json(JWKS.as_bytes(), Backend::Default).unwrap();
    let all = keys.keys().len();
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| assert_eq!(keys.prepare(), all));
        }
    });
    drop(keys);
    // No table is left pinned: all can be evicted.
    tables::configure(Settings { max_bytes: 0, ..settings }).unwrap();
    assert_eq!(tables::stats().bytes, 0);
    tables::configure(settings).unwrap();
}
