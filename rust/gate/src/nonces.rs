//! Nonces that a server requires in proofs (RFC 9449 sections 8 and 9), without a list of those that it issued.

use std::fmt;
use std::sync::Arc;

use arc_swap::ArcSwap;
use blake2::digest::consts::{U32, U64};
use blake2::digest::{FixedOutput, KeyInit, Update};
use blake2::{Blake2b, Blake2bMac, Digest};
use data_encoding::BASE64URL_NOPAD;
use watchword_kernel::UnixTime;

/// What a nonce is computed over, before the number of its time window.
const CONTEXT: &[u8] = b"watchword dpop nonce v1\0";

/// Issues and verifies nonces: each is a keyed BLAKE2b (RFC 7693) over the number of the current time window.
///
/// A nonce is valid in the window in which it was issued and in the next one, so for at least as many seconds as a window
/// has and at most twice as many. Processes only need to share the keys, of which the first issues new nonces and each
/// verifies its own, so that keys can be rotated.
pub struct Nonces {
    /// One for each key, over the context.
    macs: Vec<Blake2bMac<U32>>,
    lifetime: f64,
    current: ArcSwap<Window>,
}

struct Window {
    number: f64,
    /// The valid nonces, the newest first.
    nonces: Arc<[String]>,
}

/// Why these are not the keys or the lifetime of nonces: one sentence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoncesError(String);

impl Nonces {
    /// The seconds of a window by default.
    pub const DEFAULT_LIFETIME: f64 = 300.0;

    /// The minimum length of a key, in bytes.
    pub const MIN_KEY: usize = 32;

    /// Nonces by these keys, in windows of `lifetime` seconds.
    ///
    /// # Errors
    /// [`NoncesError`] if there is no key, one is shorter than 32 bytes, or the lifetime is not a positive number.
    pub fn new<K: AsRef<[u8]>>(keys: &[K], lifetime: f64) -> Result<Self, NoncesError> {
        if keys.is_empty() || keys.iter().any(|key| key.as_ref().len() < Self::MIN_KEY) {
            return Err(NoncesError(format!("keys must be one or more secrets of {} bytes or more", Self::MIN_KEY)));
        }
        if !(lifetime.is_finite() && lifetime > 0.0) {
            return Err(NoncesError(format!("lifetime is {lifetime}: it must be a positive number of seconds")));
        }
        let macs = keys.iter().map(|key| mac(key.as_ref())).collect::<Result<_, _>>()?;
        let nothing = Window { number: f64::NAN, nonces: Arc::new([]) };
        Ok(Self { macs, lifetime, current: ArcSwap::from_pointee(nothing) })
    }

    /// All nonces that are valid as of `now`, the newest first: that one is sent to clients.
    pub fn valid(&self, now: UnixTime) -> Arc<[String]> {
        let number = (now.seconds() / self.lifetime).floor();
        let current = self.current.load();
        if current.number.to_bits() == number.to_bits() {
            return Arc::clone(&current.nonces);
        }
        let of_window = |number: f64| self.macs.iter().map(move |mac| nonce(mac.clone(), number));
        let nonces: Arc<[String]> = [number, number - 1.0].into_iter().flat_map(of_window).collect();
        self.current.store(Arc::new(Window { number, nonces: Arc::clone(&nonces) }));
        nonces
    }

    /// The number of keys.
    pub fn key_count(&self) -> usize {
        self.macs.len()
    }
}

fn mac(key: &[u8]) -> Result<Blake2bMac<U32>, NoncesError> {
    // BLAKE2b takes keys of up to 64 bytes.
    let digest;
    let key = match key.len() {
        0..=64 => key,
        _ => {
            digest = Blake2b::<U64>::digest(key);
            digest.as_ref()
        }
    };
    let mut mac = Blake2bMac::new_from_slice(key).map_err(|error| NoncesError(error.to_string()))?;
    mac.update(CONTEXT);
    Ok(mac)
}

fn nonce(mut mac: Blake2bMac<U32>, number: f64) -> String {
    mac.update(format!("{number:.0}").as_bytes());
    BASE64URL_NOPAD.encode(&mac.finalize_fixed())
}

impl fmt::Debug for Nonces {
    /// Shows the number of keys, and no key.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Nonces({} keys, {} s)", self.macs.len(), self.lifetime)
    }
}

impl fmt::Display for NoncesError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for NoncesError {}
