//! The trace id of a request (W3C Trace Context, `traceparent`).

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};

/// The name of the header.
pub(crate) const TRACEPARENT: &[u8] = b"traceparent";

/// A trace id: 16 bytes, not all of them zero.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct TraceId([u8; 16]);

impl TraceId {
    /// The id with these bytes, for requests that have none: they should be random.
    pub fn new(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// The bytes of the id.
    pub fn bytes(self) -> [u8; 16] {
        self.0
    }

    /// The trace id of a `traceparent` value; `None` if it is not one.
    pub fn of_traceparent(value: &[u8]) -> Option<Self> {
        let mut parts = value.split(|byte| *byte == b'-');
        let (version, trace, parent, flags) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
        let is_later = version != b"00";
        let lengths = (version.len(), parent.len(), flags.len()) == (2, 16, 2);
        if !lengths || version == b"ff" || (!is_later && parts.next().is_some()) {
            return None;
        }
        if ![version, parent, flags].iter().all(|part| part.iter().all(|byte| digit(*byte).is_some())) {
            return None;
        }
        let mut bytes = [0; 16];
        let digits: &[u8; 32] = trace.try_into().ok()?;
        for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
            let [high, low] = pair else { return None };
            *byte = digit(*high)? << 4 | digit(*low)?;
        }
        (bytes != [0; 16]).then_some(Self(bytes))
    }
}

/// The lower-case hexadecimal digit of a value below 16.
fn hexadecimal(value: u8) -> u8 {
    if value < 10 { b'0' + value } else { b'a' + (value - 10) }
}

/// The value of a lower-case hexadecimal digit.
fn digit(byte: u8) -> Option<u8> {
    match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        _ => None,
    }
}

impl fmt::Display for TraceId {
    /// Writes 32 lower-case hexadecimal digits.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // One write: this is part of every answer.
        let mut digits = [0; 32];
        for (pair, byte) in digits.chunks_exact_mut(2).zip(self.0) {
            pair.copy_from_slice(&[hexadecimal(byte >> 4), hexadecimal(byte & 0xf)]);
        }
        f.write_str(std::str::from_utf8(&digits).unwrap_or_default())
    }
}

impl fmt::Debug for TraceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TraceId({self})")
    }
}

/// Ids for requests that have none: distinct, and spread over all values. They identify log lines, and are no secrets.
pub struct TraceIds {
    /// Odd, so that no two counts have the same product.
    factor: u128,
    count: AtomicU64,
}

impl TraceIds {
    /// Ids from this seed, which should be random.
    pub fn new(seed: [u8; 16]) -> Self {
        Self { factor: u128::from_ne_bytes(seed) | 1, count: AtomicU64::new(0) }
    }

    /// The next id.
    pub fn next_id(&self) -> TraceId {
        let count = u128::from(self.count.fetch_add(1, Ordering::Relaxed)) + 1;
        let product = count.wrapping_mul(self.factor);
        TraceId((product ^ product >> 64).to_ne_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_valid_traceparent_has_a_trace_id() {
        let id = "4bf92f3577b34da6a3ce929d0e0e4736";
        let read = |value: &str| TraceId::of_traceparent(value.as_bytes()).map(|id| id.to_string());
        assert_eq!(read(&format!("00-{id}-00f067aa0ba902b7-01")), Some(id.to_owned()));
        assert_eq!(read(&format!("cc-{id}-00f067aa0ba902b7-01-what-comes-later")), Some(id.to_owned()));
        for value in [
            "".to_owned(),
            id.to_owned(),
            format!("ff-{id}-00f067aa0ba902b7-01"),
            format!("00-{id}-00f067aa0ba902b7-01-more"),
            format!("00-{id}-00f067aa0ba902b7"),
            format!("00-{}-00f067aa0ba902b7-01", "0".repeat(32)),
            format!("00-{}-00f067aa0ba902b7-01", id.to_uppercase()),
            format!("00-{id}-00f067aa0ba902bz-01"),
            format!("00-{id}0-00f067aa0ba902b7-01"),
        ] {
            assert_eq!(read(&value), None, "{value}");
        }
    }
}
