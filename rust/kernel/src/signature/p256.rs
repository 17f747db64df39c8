//! ES256: ECDSA with P-256 and SHA-256 (RFC 7518 section 3.4).
//!
//! A signature is r and s, each in 32 bytes and in [1, n-1]. Both s and n - s are valid: JWS does not require the lower
//! one.

use std::sync::Arc;

use sha2::{Digest, Sha256};
use watchword_arithmetic::Width;
use watchword_arithmetic::p256::{PublicKey, Signature, Table, prepare, verify_batch};

use crate::key_params::KeyDefect;
use crate::tables::{Precompute, Precomputed, ReservedTable};

/// A key that passed all checks.
pub(crate) struct Key(PublicKey);

impl Key {
    pub(super) fn new(point: &[u8; 65]) -> Result<Self, KeyDefect> {
        PublicKey::decode(point).map(Self).ok_or(KeyDefect::PointNotOnCurve)
    }
}

impl Precompute for Key {
    type Table = Table;

    fn table(&self, width: Width) -> Table {
        // Otherwise the first verification with this table would still have to build the base point's table.
        prepare();
        Table::new(&self.0, width)
    }

    fn table_size(width: Width) -> usize {
        Table::size_for(width)
    }
}

pub(super) fn verify(key: &Arc<Precomputed<Key>>, message: &[u8], signature: &[u8]) -> bool {
    read(message, signature).is_some_and(|(digest, signature)| {
        key.with(|table| table.verify(&digest, &signature), |key| key.0.verify(&digest, &signature))
    })
}

/// A signature by a prepared key, to be verified together with others.
pub(super) struct PendingSignature {
    table: Arc<ReservedTable<Table>>,
    digest: [u8; 32],
    signature: Signature,
}

impl PendingSignature {
    /// `Err` with the verdict, if the signature is invalid already or the key is not prepared.
    pub(super) fn new(key: &Arc<Precomputed<Key>>, message: &[u8], signature: &[u8]) -> Result<Self, bool> {
        let (digest, signature) = read(message, signature).ok_or(false)?;
        match key.table() {
            Some(table) => Ok(Self { table, digest, signature }),
            None => Err(key.key().0.verify(&digest, &signature)),
        }
    }

    /// Whether each is valid, with their inversions shared.
    pub(super) fn verify_batch(pending: &[Self]) -> Vec<bool> {
        let mut verdicts = vec![false; pending.len()];
        let signatures: Vec<_> = pending
            .iter()
            .map(|one| watchword_arithmetic::p256::PendingSignature {
                table: &one.table.table,
                digest: one.digest,
                signature: one.signature,
            })
            .collect();
        verify_batch(&signatures, &mut verdicts);
        verdicts
    }
}

fn read(message: &[u8], signature: &[u8]) -> Option<([u8; 32], Signature)> {
    let signature = signature.try_into().ok().and_then(Signature::decode)?;
    Some((Sha256::digest(message).into(), signature))
}
