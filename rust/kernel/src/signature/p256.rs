//! ES256: ECDSA with P-256 and SHA-256 (RFC 7518 section 3.4).
//!
//! A signature is r and s, each in 32 bytes and in [1, n-1]. Both s and n - s hold: JWS does not ask for the lower one.

use std::sync::Arc;

use sha2::{Digest, Sha256};
use watchword_arithmetic::Width;
use watchword_arithmetic::p256::{PublicKey, Signature, Table, prepare, verify_batch};

use crate::material::Defect;
use crate::tables::{Earned, Leased, Tabled};

/// A key that was judged.
pub(crate) struct Key(PublicKey);

impl Key {
    pub(super) fn new(point: &[u8; 65]) -> Result<Self, Defect> {
        PublicKey::decode(point).map(Self).ok_or(Defect::PointNotOnCurve)
    }
}

impl Tabled for Key {
    type Table = Table;

    fn table(&self, width: Width) -> Table {
        // A key is not prepared while its first verification would still build the base point's table.
        prepare();
        Table::new(&self.0, width)
    }

    fn table_size(width: Width) -> usize {
        Table::size_for(width)
    }
}

pub(super) fn holds(key: &Arc<Earned<Key>>, message: &[u8], signature: &[u8]) -> bool {
    read(message, signature).is_some_and(|(digest, signature)| {
        key.with(|table| table.verify(&digest, &signature), |key| key.0.verify(&digest, &signature))
    })
}

/// A signature by a prepared key, to be verified together with others.
pub(super) struct Claim {
    table: Arc<Leased<Table>>,
    digest: [u8; 32],
    signature: Signature,
}

impl Claim {
    /// `Err` with the verdict, where the signature is refused already or the key is not prepared.
    pub(super) fn new(key: &Arc<Earned<Key>>, message: &[u8], signature: &[u8]) -> Result<Self, bool> {
        let (digest, signature) = read(message, signature).ok_or(false)?;
        match key.table() {
            Some(table) => Ok(Self { table, digest, signature }),
            None => Err(key.key().0.verify(&digest, &signature)),
        }
    }

    /// Each one's own verdict, with their inversions shared.
    pub(super) fn hold(claims: &[Self]) -> Vec<bool> {
        let mut verdicts = vec![false; claims.len()];
        let claims: Vec<_> = claims
            .iter()
            .map(|claim| watchword_arithmetic::p256::PendingSignature {
                table: &claim.table.table,
                digest: claim.digest,
                signature: claim.signature,
            })
            .collect();
        verify_batch(&claims, &mut verdicts);
        verdicts
    }
}

fn read(message: &[u8], signature: &[u8]) -> Option<([u8; 32], Signature)> {
    let signature = signature.try_into().ok().and_then(Signature::decode)?;
    Some((Sha256::digest(message).into(), signature))
}
