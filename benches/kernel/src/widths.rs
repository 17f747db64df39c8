//! What a table costs and what it gains, by the width of its digits: the wider, the fewer additions and the larger.

use sha2::{Digest as _, Sha512};
use watchword_arithmetic::{Width, ed25519};
use watchword_kernel::Algorithm::EdDsa;

use crate::contender::Contender;
use crate::samples::{Sample, Signer, TOKENS};

/// A signature's hash and equation.
pub(crate) fn ed25519_verified() -> Vec<Contender> {
    let (signer, key) = ed25519_key();
    let point: [u8; 32] = signer.raw().try_into().expect("a point");
    let contender = |width| {
        let table = ed25519::Table::new(&key, width);
        Contender::over(name(width, table.size()), signer.tokens(TOKENS), move |sample| holds(&table, &point, sample))
    };
    widths().map(contender).collect()
}

pub(crate) fn ed25519_built() -> Vec<Contender> {
    let (_, key) = ed25519_key();
    let contender = |width| {
        let size = ed25519::Table::size_for(width);
        Contender::over(name(width, size), vec![key.clone()], move |key| ed25519::Table::new(key, width).size() == size)
    };
    widths().map(contender).collect()
}

fn widths() -> impl Iterator<Item = Width> {
    (4..=8).map(|bits| Width::new(bits).expect("a width"))
}

fn name(width: Width, size: usize) -> String {
    format!("width {}, {} KiB", width.bits(), size / 1024)
}

fn ed25519_key() -> (Signer, ed25519::PublicKey) {
    let signer = Signer::new(EdDsa);
    let point = signer.raw().try_into().expect("a point");
    (signer, ed25519::PublicKey::decode(&point).expect("a point of the curve"))
}

fn holds(table: &ed25519::Table, point: &[u8; 32], sample: &Sample) -> bool {
    let (r, s) = sample.signature.split_at(32);
    let r: [u8; 32] = r.try_into().expect("32 bytes");
    let k = Sha512::new().chain_update(r).chain_update(point).chain_update(&sample.message).finalize();
    ed25519::Scalar::from_canonical(s.try_into().expect("32 bytes"))
        .is_some_and(|s| table.sum(&s, &ed25519::Scalar::reduce(&k.into())).is_encoded_as(&r))
}
