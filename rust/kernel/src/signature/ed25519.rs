//! Ed25519 (RFC 8032 section 5.1.7, RFC 8037 section 3.1).
//!
//! One predicate is used everywhere: S < L, A and R canonical and not of small order, and the equation without the
//! cofactor. RFC 8032 permits several; attackers can exploit verifiers that differ.

use std::sync::Arc;

use sha2::{Digest, Sha512};
use watchword_arithmetic::Width;
use watchword_arithmetic::ed25519::{PublicKey, Scalar, Sum, Table, are_encoded_as, has_small_order, prepare};

use crate::key_params::KeyDefect;
use crate::tables::{Precompute, Precomputed};

/// A key that passed all checks.
pub(crate) struct Key {
    encoding: [u8; 32],
    point: PublicKey,
}

impl Key {
    pub(super) fn new(encoding: &[u8; 32]) -> Result<Self, KeyDefect> {
        if !is_below_field_prime(encoding) {
            return Err(KeyDefect::NonCanonicalPoint);
        }
        // By y alone: with x = 0, a sign bit makes the encoding invalid (RFC 8032 section 5.1.3), and the order is
        // small.
        let mut positive = *encoding;
        positive[31] &= 0x7f;
        if has_small_order(&positive) {
            return Err(KeyDefect::SmallOrderPoint);
        }
        let point = PublicKey::decode(encoding).ok_or(KeyDefect::PointNotOnCurve)?;
        Ok(Self { encoding: *encoding, point })
    }
}

impl Precompute for Key {
    type Table = Table;

    fn table(&self, width: Width) -> Table {
        // Otherwise the first verification with this table would still have to build the base point's table.
        prepare();
        Table::new(&self.point, width)
    }

    fn table_size(width: Width) -> usize {
        Table::size_for(width)
    }
}

pub(super) fn verify(key: &Arc<Precomputed<Key>>, message: &[u8], signature: &[u8]) -> bool {
    PendingSignature::new(key, message, signature).is_some_and(|pending| pending.is_valid())
}

/// A signature of which everything is checked but the last comparison: that `sum` is what is encoded as R.
pub(super) struct PendingSignature {
    sum: Sum,
    r: [u8; 32],
}

impl PendingSignature {
    /// `None` if the signature is invalid already.
    pub(super) fn new(key: &Arc<Precomputed<Key>>, message: &[u8], signature: &[u8]) -> Option<Self> {
        let (r, s) = signature.split_at_checked(32)?;
        let (r, s): ([u8; 32], [u8; 32]) = (r.try_into().ok()?, s.try_into().ok()?);
        let s = Scalar::from_canonical(&s)?;
        if has_small_order(&r) {
            return None;
        }
        let hash = Sha512::new().chain_update(r).chain_update(key.key().encoding).chain_update(message).finalize();
        let k = Scalar::reduce(&hash.into());
        let sum = key.with(|table| table.sum(&s, &k), |key| key.point.sum(&s, &k));
        Some(Self { sum, r })
    }

    /// An R that is not canonical is never what a point is encoded as.
    fn is_valid(&self) -> bool {
        self.sum.is_encoded_as(&self.r)
    }

    /// Whether each is valid, by the work of one inversion for all.
    pub(super) fn verify_batch(pending: &[Self]) -> Vec<bool> {
        let (sums, encodings): (Vec<_>, Vec<_>) = pending.iter().map(|one| (one.sum.clone(), one.r)).unzip();
        let mut verdicts = vec![false; pending.len()];
        are_encoded_as(&sums, &encodings, &mut verdicts);
        verdicts
    }
}

/// Whether an encoding's y is below p = 2^255 - 19. The other condition of RFC 8032 section 5.1.3, about a sign bit
/// with x = 0, concerns points of small order only.
fn is_below_field_prime(point: &[u8; 32]) -> bool {
    let [lowest, middle @ .., highest] = point;
    !(highest & 0x7f == 0x7f && middle.iter().all(|&byte| byte == 0xff) && *lowest >= 0xed)
}
