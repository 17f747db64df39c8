//! The groups of contenders. The others are compared with the first of the group.

use watchword_kernel::Algorithm::{EdDsa, Es256, Ps256, Rs256};

use crate::contender::Contender;
use crate::{gate, proofs, signatures, tokens, widths};

/// The work, its variant, and a function that makes the contenders right before they run.
pub type Group = (&'static str, &'static str, fn() -> Vec<Contender>);

const PREPARED: &str = "signature in Rust, key prepared";
const COLD: &str = "signature in Rust, key never seen";
const PARTS: &str = "the kernel's verification and its parts";
const BATCH: &str = "the kernel's batch of 512";
const KEY_SET: &str = "the kernel's key set of one key";
const GATE: &str = "the gate in Rust";
const PROOF: &str = "the kernel's DPoP proof";

pub const GROUPS: [Group; 24] = [
    (PREPARED, "Ed25519", || signatures::prepared(EdDsa)),
    (PREPARED, "P-256", || signatures::prepared(Es256)),
    (PREPARED, "RSA-2048 PKCS#1", || signatures::prepared(Rs256)),
    (PREPARED, "RSA-2048 PSS", || signatures::prepared(Ps256)),
    (COLD, "Ed25519", || signatures::cold(EdDsa)),
    (COLD, "P-256", || signatures::cold(Es256)),
    (COLD, "RSA-2048 PKCS#1", || signatures::cold(Rs256)),
    (PARTS, "EdDSA", || tokens::parts(EdDsa)),
    (PARTS, "ES256", || tokens::parts(Es256)),
    (PARTS, "RS256", || tokens::parts(Rs256)),
    (PARTS, "PS256", || tokens::parts(Ps256)),
    (BATCH, "EdDSA", || tokens::batch(EdDsa)),
    (BATCH, "ES256", || tokens::batch(Es256)),
    (BATCH, "RS256", || tokens::batch(Rs256)),
    (GATE, "EdDSA", || gate::gate(EdDsa)),
    (GATE, "ES256", || gate::gate(Es256)),
    (KEY_SET, "Ed25519", || tokens::keys(EdDsa)),
    (KEY_SET, "P-256", || tokens::keys(Es256)),
    ("table of Ed25519", "verification by it", widths::ed25519_verified),
    ("table of Ed25519", "building it", widths::ed25519_built),
    ("table of P-256", "verification by it", widths::p256_verified),
    ("table of P-256", "building it", widths::p256_built),
    (PROOF, "EdDSA", || proofs::proofs(EdDsa)),
    (PROOF, "ES256", || proofs::proofs(Es256)),
];
