//! Why a key is rejected.

use std::fmt;

/// Why a key is rejected. Each variant has a stable [`code`](KeyDefect::code).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum KeyDefect {
    /// An element of `keys` that is not a JSON object.
    NotAnObject,
    /// A member that is missing or does not have the form that RFC 7517 or RFC 7518 gives it, or a broken encoding.
    Malformed(&'static str),
    /// A `kty` other than `EC`, `OKP`, `RSA` and `oct`.
    UnsupportedKeyType,
    /// A curve other than P-256, P-384 and Ed25519.
    UnsupportedCurve,
    /// An `oct` key: a shared secret does not prove who signed.
    SymmetricKey,
    /// A private key, which does not belong in a verifier.
    PrivateKey,
    /// `use` is neither `sig` (RFC 7517 section 4.2) nor, in a key set, `jwt-svid` (SPIFFE).
    NotForSignatures,
    /// `key_ops` does not name `verify` (RFC 7517 section 4.3).
    NotForVerification,
    /// `alg` is not a signature algorithm for this type of key.
    AlgorithmMismatch,
    /// An RSA modulus of fewer than 2048 bits (RFC 7518 section 3.3).
    ModulusTooSmall,
    /// An RSA modulus of more than 8192 bits: verification would take as long as an attacker likes.
    ModulusTooLarge,
    /// An even RSA modulus.
    EvenModulus,
    /// An RSA exponent of 1, an even one, or one of more than 33 bits.
    BadExponent,
    /// An RSA modulus from the flawed generator of CVE-2017-15361: it can be factored.
    Roca,
    /// Coordinates of no point of the curve.
    PointNotOnCurve,
    /// An Ed25519 point whose encoding is not canonical (RFC 8032 section 5.1.2).
    NonCanonicalPoint,
    /// An Ed25519 point of small order: a signature by it is valid for many messages.
    SmallOrderPoint,
    /// An earlier key of the set has the same `kid` for the same algorithm.
    DuplicateKeyId,
    /// An RSA modulus of more than 4096 bits, with the reference backend.
    UnsupportedByBackend,
}

impl KeyDefect {
    /// The stable name of this variant.
    pub fn code(self) -> &'static str {
        match self {
            Self::NotAnObject => "not_an_object",
            Self::Malformed(_) => "malformed",
            Self::UnsupportedKeyType => "unsupported_key_type",
            Self::UnsupportedCurve => "unsupported_curve",
            Self::SymmetricKey => "symmetric_key",
            Self::PrivateKey => "private_key",
            Self::NotForSignatures => "not_for_signatures",
            Self::NotForVerification => "not_for_verification",
            Self::AlgorithmMismatch => "algorithm_mismatch",
            Self::ModulusTooSmall => "modulus_too_small",
            Self::ModulusTooLarge => "modulus_too_large",
            Self::EvenModulus => "even_modulus",
            Self::BadExponent => "bad_exponent",
            Self::Roca => "roca",
            Self::PointNotOnCurve => "point_not_on_curve",
            Self::NonCanonicalPoint => "non_canonical_point",
            Self::SmallOrderPoint => "small_order_point",
            Self::DuplicateKeyId => "duplicate_kid",
            Self::UnsupportedByBackend => "unsupported_by_backend",
        }
    }
}

impl fmt::Display for KeyDefect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotAnObject => "not a JSON object",
            Self::Malformed(what) => what,
            Self::UnsupportedKeyType => "\"kty\" is not EC, OKP or RSA",
            Self::UnsupportedCurve => "the curve is not P-256, P-384 or Ed25519",
            Self::SymmetricKey => "a symmetric key (\"kty\" is oct) is never used",
            Self::PrivateKey => "a private key does not belong in a verifier; give the public part",
            Self::NotForSignatures => "\"use\" is neither \"sig\" nor \"jwt-svid\"",
            Self::NotForVerification => "\"key_ops\" does not name \"verify\"",
            Self::AlgorithmMismatch => "\"alg\" is not a signature algorithm for this type of key",
            Self::ModulusTooSmall => "the RSA modulus has fewer than 2048 bits",
            Self::ModulusTooLarge => "the RSA modulus has more than 8192 bits",
            Self::EvenModulus => "the RSA modulus is even",
            Self::BadExponent => "the RSA exponent is 1, even, or of more than 33 bits",
            Self::Roca => "the RSA modulus comes from a flawed generator (CVE-2017-15361)",
            Self::PointNotOnCurve => "the coordinates are not a point of the curve",
            Self::NonCanonicalPoint => "the point is not encoded canonically (RFC 8032 section 5.1.2)",
            Self::SmallOrderPoint => "the point has small order",
            Self::DuplicateKeyId => "an earlier key of the set has the same \"kid\" for the same algorithm",
            Self::UnsupportedByBackend => "the reference backend takes RSA keys of at most 4096 bits",
        })
    }
}

impl std::error::Error for KeyDefect {}
