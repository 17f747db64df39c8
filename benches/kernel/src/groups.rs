//! What is measured: groups of contenders, of which the first is what the others are compared with.

use watchword_kernel::Algorithm::{EdDsa, Es256, Ps256, Rs256};

use crate::contender::Contender;
use crate::{proofs, signatures, tokens, widths};

/// A name, and how its contenders are made: right before they run, since some switch the kernel's tables off.
pub type Group = (&'static str, fn() -> Vec<Contender>);

pub const GROUPS: [Group; 20] = [
    ("signature Ed25519, key prepared", || signatures::prepared(EdDsa)),
    ("signature P-256, key prepared", || signatures::prepared(Es256)),
    ("signature RSA-2048 PKCS#1, key prepared", || signatures::prepared(Rs256)),
    ("signature RSA-2048 PSS, key prepared", || signatures::prepared(Ps256)),
    ("signature Ed25519, key never seen", || signatures::cold(EdDsa)),
    ("signature P-256, key never seen", || signatures::cold(Es256)),
    ("signature RSA-2048 PKCS#1, key never seen", || signatures::cold(Rs256)),
    ("parts of EdDSA", || tokens::parts(EdDsa)),
    ("parts of ES256", || tokens::parts(Es256)),
    ("parts of RS256", || tokens::parts(Rs256)),
    ("parts of PS256", || tokens::parts(Ps256)),
    ("batch of 512 EdDSA", || tokens::batch(EdDsa)),
    ("batch of 512 ES256", || tokens::batch(Es256)),
    ("batch of 512 RS256", || tokens::batch(Rs256)),
    ("key Ed25519", || tokens::keys(EdDsa)),
    ("key P-256", || tokens::keys(Es256)),
    ("table of Ed25519, verification by", widths::ed25519_verified),
    ("table of Ed25519, building of", widths::ed25519_built),
    ("proof EdDSA", || proofs::proofs(EdDsa)),
    ("proof ES256", || proofs::proofs(Es256)),
];
