//! Precomputed tables: when a key gets one, how much memory they take, and which are evicted. The settings are those of
//! the process, so the tests run one after another.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]
#![allow(clippy::disallowed_methods, reason = "a test does not fork")]

mod common;

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use common::base64url;
use ed25519_dalek::{Signer as _, SigningKey};
use watchword_kernel::tables::{self, Settings, Width};
use watchword_kernel::{Algorithm, Backend, KeySet};

/// With these settings all tables have one size, however much of the budget is free.
const NARROW: Settings = Settings { width: Width::NARROWEST, ..Settings::DEFAULT };

/// One signer of many, and a message with its signature.
struct Signer {
    keys: KeySet,
    signature: [u8; 64],
}

const MESSAGE: &[u8] = b"what is signed";

impl Signer {
    fn new(number: u32) -> Self {
        let mut secret = [7; 32];
        secret[..4].copy_from_slice(&number.to_le_bytes());
        let key = SigningKey::from_bytes(&secret);
        let jwk = format!(r#"{{"kty":"OKP","crv":"Ed25519","x":"{}"}}"#, base64url(key.verifying_key().as_bytes()));
        let keys = KeySet::from_json(jwk.as_bytes(), Backend::Default).unwrap();
        Self { keys, signature: key.sign(MESSAGE).to_bytes() }
    }

    fn verify(&self, times: u32) {
        let key = &self.keys.keys()[0];
        for _ in 0..times {
            assert!(key.verify(Algorithm::EdDsa, MESSAGE, &self.signature));
            assert!(!key.verify(Algorithm::EdDsa, b"something else", &self.signature));
        }
    }
}

static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

/// Applies the settings for one test, drops the tables of other tests, and waits until none of their keys is queued: the
/// key cache keeps those keys alive.
fn settings(settings: Settings) -> MutexGuard<'static, ()> {
    let guard = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    tables::configure(Settings { max_bytes: 0, ..settings }).unwrap();
    wait_until("no table is left, and none will be built", || {
        let stats = tables::stats();
        (stats.bytes, stats.queued) == (0, 0)
    });
    tables::configure(settings).unwrap();
    guard
}

/// The bytes of one table.
fn size() -> usize {
    let before = tables::stats();
    let signer = Signer::new(u32::MAX);
    assert_eq!(signer.keys.prepare(), 1);
    tables::stats().bytes - before.bytes
}

/// Waits for the builder thread.
fn wait_until(what: &str, mut holds: impl FnMut() -> bool) {
    let start = Instant::now();
    while !holds() {
        assert!(start.elapsed() < Duration::from_secs(60), "{what}");
        std::thread::sleep(Duration::from_millis(1));
    }
}

#[test]
fn a_key_gets_a_table_after_some_uses() {
    let _guard = settings(Settings { after_uses: 8, ..NARROW });
    let signer = Signer::new(1);
    signer.verify(3);
    assert_eq!(tables::stats().tables, 0);
    wait_until("a table after eight uses", || {
        signer.verify(1);
        tables::stats().tables == 1
    });
    signer.verify(3);
    // The same key in another set has it at once; the table is dropped with the last set.
    let again = Signer::new(1);
    drop(signer);
    again.verify(1);
    assert_eq!(tables::stats().tables, 1);
}

#[test]
fn prepared_keys_are_kept_as_long_as_their_set() {
    let _guard = settings(NARROW);
    let bytes = size();
    tables::configure(Settings { max_bytes: 2 * bytes, ..NARROW }).unwrap();
    let signers: Vec<Signer> = (100..103).map(Signer::new).collect();
    assert_eq!(signers[0].keys.prepare(), 1);
    let copy = signers[0].keys.clone();
    assert_eq!((copy.prepare(), signers[1].keys.prepare()), (1, 1));
    // There is no room for a third, and pinned tables are not evicted.
    assert_eq!(signers[2].keys.prepare(), 0);
    assert_eq!((tables::stats().tables, tables::stats().bytes), (2, 2 * bytes));
    signers.iter().for_each(|signer| signer.verify(2));
    let [first, _, third] = <[Signer; 3]>::try_from(signers).ok().unwrap();
    drop(first);
    assert_eq!(third.keys.clone().prepare(), 0, "the copy still pins the first");
    drop(copy);
    let anew = Signer::new(102);
    assert_eq!(anew.keys.prepare(), 1);
    assert_eq!(tables::stats().bytes, 2 * bytes);
}

#[test]
fn the_least_used_tables_are_evicted() {
    let _guard = settings(Settings { after_uses: 4, ..NARROW });
    let bytes = size();
    tables::configure(Settings { max_bytes: 2 * bytes, after_uses: 4, ..NARROW }).unwrap();
    let (busy, idle, new) = (Signer::new(200), Signer::new(201), Signer::new(202));
    wait_until("a table for each", || {
        idle.verify(2);
        busy.verify(20);
        tables::stats().tables == 2
    });
    let evicted = tables::stats().evicted;
    // The new key soon has more uses than the idle one, but not than the busy one.
    wait_until("the idle key's table is evicted", || {
        new.verify(4);
        busy.verify(16);
        tables::stats().evicted > evicted
    });
    assert!(tables::stats().bytes <= 2 * bytes);
    // With few uses, it is refused a table in turn.
    let refused = tables::stats().refused;
    wait_until("the idle key is refused a table", || {
        idle.verify(1);
        busy.verify(16);
        new.verify(16);
        tables::stats().refused > refused
    });
    [busy, idle, new].iter().for_each(|signer| signer.verify(1));
}

#[test]
fn ten_thousand_keys_stay_within_the_budget() {
    let _guard = settings(NARROW);
    let max_bytes = 8 * 1024 * 1024;
    tables::configure(Settings { max_bytes, after_uses: 2, ..NARROW }).unwrap();
    let signers: Vec<Signer> = (10_000..20_000).map(Signer::new).collect();
    for (number, signer) in signers.iter().enumerate() {
        signer.verify(2);
        assert!(tables::stats().bytes <= max_bytes);
        if number % 100 == 0 {
            signer.keys.prepare();
        }
    }
    wait_until("the memory is in use", || tables::stats().bytes > max_bytes / 2);
    assert!(tables::stats().bytes <= max_bytes);
}

#[test]
fn settings_take_effect_at_once() {
    let _guard = settings(NARROW);
    let signer = Signer::new(300);
    assert_eq!(signer.keys.prepare(), 1);
    let narrow = tables::stats().bytes;
    tables::configure(Settings { max_bytes: 0, ..NARROW }).unwrap();
    assert_eq!((tables::stats().tables, tables::stats().bytes), (0, 0));
    signer.verify(1);
    assert_eq!(Signer::new(301).keys.prepare(), 0);
    let width = Width::new(7).unwrap();
    tables::configure(Settings { width, ..NARROW }).unwrap();
    let wide = Signer::new(302);
    assert_eq!(wide.keys.prepare(), 1);
    assert!(tables::stats().bytes > narrow);
    assert_eq!(tables::settings().width, width);
    wide.verify(1);
    drop((signer, wide));
    // As the budget fills up, new tables are narrower, so that more keys have one.
    let max_bytes = 16 * narrow;
    tables::configure(Settings { max_bytes, ..Settings::DEFAULT }).unwrap();
    let many: Vec<Signer> = (310..330).map(Signer::new).collect();
    let prepared: usize = many.iter().map(|signer| signer.keys.prepare()).sum();
    assert_eq!((prepared, tables::stats().bytes), (16, max_bytes));
    assert!(tables::configure(Settings { after_uses: 0, ..NARROW }).is_err());
}

#[test]
fn many_threads_at_once() {
    let _guard = settings(Settings { after_uses: 2, ..NARROW });
    let bytes = size();
    let max_bytes = 3 * bytes;
    tables::configure(Settings { max_bytes, after_uses: 2, ..NARROW }).unwrap();
    let signers: Vec<Signer> = (400..420).map(Signer::new).collect();
    std::thread::scope(|scope| {
        for start in 0..4 {
            let signers = &signers;
            scope.spawn(move || {
                for round in 0..40 {
                    signers[(start * 5 + round) % signers.len()].verify(2);
                    assert!(tables::stats().bytes <= max_bytes);
                }
            });
        }
    });
}
