//! The cost and the benefit of a table by the width of its digits: with wider digits it is larger and saves additions.

use sha2::{Digest as _, Sha256, Sha512};
use watchword_arithmetic::{Width, ed25519, p256};
use watchword_kernel::Algorithm::{EdDsa, Es256};

use crate::contender::Contender;
use crate::samples::{Sample, Signer, TOKENS};

/// A signature's hash and equation.
pub(crate) fn ed25519_verified() -> Vec<Contender> {
    let signer = Signer::new(EdDsa);
    let point = point(&signer);
    let contender = |width| {
        let table = ed25519::Table::new(&ed25519_key(&signer), width);
        let work = move |sample: &Sample| ed25519_verifies(&table, &point, sample);
        Contender::over(name(width, ed25519::Table::size_for(width)), signer.tokens(TOKENS), work)
    };
    widths().map(contender).collect()
}

pub(crate) fn ed25519_built() -> Vec<Contender> {
    let key = ed25519_key(&Signer::new(EdDsa));
    let contender = |width| {
        let size = ed25519::Table::size_for(width);
        let work = move |key: &ed25519::PublicKey| ed25519::Table::new(key, width).size() == size;
        Contender::over(name(width, size), vec![key.clone()], work)
    };
    widths().map(contender).collect()
}

/// A signature's hash and equation.
pub(crate) fn p256_verified() -> Vec<Contender> {
    let signer = Signer::new(Es256);
    let contender = |width| {
        let table = p256::Table::new(&p256_key(&signer), width);
        let work = move |sample: &Sample| p256_verifies(&table, sample);
        Contender::over(name(width, p256::Table::size_for(width)), signer.tokens(TOKENS), work)
    };
    widths().map(contender).collect()
}

pub(crate) fn p256_built() -> Vec<Contender> {
    let key = p256_key(&Signer::new(Es256));
    let contender = |width| {
        let size = p256::Table::size_for(width);
        let work = move |key: &p256::PublicKey| p256::Table::new(key, width).size() == size;
        Contender::over(name(width, size), vec![key.clone()], work)
    };
    widths().map(contender).collect()
}

fn widths() -> impl Iterator<Item = Width> {
    (4..=8).map(|bits| Width::new(bits).expect("a width"))
}

fn name(width: Width, size: usize) -> String {
    format!("width {}, {} KiB", width.bits(), size / 1024)
}

fn point<const LENGTH: usize>(signer: &Signer) -> [u8; LENGTH] {
    signer.raw().try_into().expect("a point")
}

fn ed25519_key(signer: &Signer) -> ed25519::PublicKey {
    ed25519::PublicKey::decode(&point(signer)).expect("a point of the curve")
}

fn p256_key(signer: &Signer) -> p256::PublicKey {
    p256::PublicKey::decode(&point(signer)).expect("a point of the curve")
}

fn ed25519_verifies(table: &ed25519::Table, point: &[u8; 32], sample: &Sample) -> bool {
    let (r, s) = sample.signature.split_at(32);
    let r: [u8; 32] = r.try_into().expect("32 bytes");
    let k = Sha512::new().chain_update(r).chain_update(point).chain_update(&sample.message).finalize();
    ed25519::Scalar::from_canonical(s.try_into().expect("32 bytes"))
        .is_some_and(|s| table.sum(&s, &ed25519::Scalar::reduce(&k.into())).is_encoded_as(&r))
}

fn p256_verifies(table: &p256::Table, sample: &Sample) -> bool {
    let digest = Sha256::digest(&sample.message).into();
    let bytes: &[u8; 64] = sample.signature.as_slice().try_into().expect("64 bytes");
    p256::Signature::decode(bytes).is_some_and(|signature| table.verify(&digest, &signature))
}
