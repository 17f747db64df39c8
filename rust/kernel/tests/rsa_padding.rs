//! RSA signatures in which only the encoding is wrong: the verdict of RFC 8017 is required of all key options and of
//! the `rsa` crate, for moduli of every length.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod common;
#[path = "common/rsa_signer.rs"]
mod rsa_signer;

use common::{KEY_OPTIONS, base64url};
use num_bigint::BigUint;
use proptest::prelude::*;
use rsa::{Pkcs1v15Sign, Pss, RsaPublicKey};
use rsa_signer::RsaSigner;
use sha2::{Digest, Sha256, Sha384, Sha512};
use watchword_kernel::json::Object;
use watchword_kernel::{Algorithm, PublicKey};

const ALGORITHMS: [Algorithm; 6] =
    [Algorithm::Rs256, Algorithm::Rs384, Algorithm::Rs512, Algorithm::Ps256, Algorithm::Ps384, Algorithm::Ps512];

/// The longest modulus that jsonwebtoken accepts.
const REFERENCE_BITS: u64 = 4096;

const MESSAGE: &[u8] = b"what was signed";

#[derive(Clone, Copy, PartialEq, Eq)]
enum Hash {
    Sha256,
    Sha384,
    Sha512,
}

impl Hash {
    fn of(self, message: &[u8]) -> Vec<u8> {
        match self {
            Self::Sha256 => Sha256::digest(message).to_vec(),
            Self::Sha384 => Sha384::digest(message).to_vec(),
            Self::Sha512 => Sha512::digest(message).to_vec(),
        }
    }

    /// The last byte of its object identifier, 2.16.840.1.101.3.4.2.x.
    fn identifier(self) -> u8 {
        match self {
            Self::Sha256 => 1,
            Self::Sha384 => 2,
            Self::Sha512 => 3,
        }
    }
}

fn hash(algorithm: Algorithm) -> Hash {
    match algorithm {
        Algorithm::Rs256 | Algorithm::Ps256 => Hash::Sha256,
        Algorithm::Rs384 | Algorithm::Ps384 => Hash::Sha384,
        _ => Hash::Sha512,
    }
}

/// A value of DER, with its length in the short form.
fn der(tag: u8, value: &[u8]) -> Vec<u8> {
    [&[tag, u8::try_from(value.len()).unwrap()], value].concat()
}

/// `DigestInfo` (RFC 8017 appendix A.2.4), written down independently of the constants that it is compared with.
fn digest_info(named: Hash, parameters: &[u8], digest: &[u8]) -> Vec<u8> {
    let identifier = [0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, named.identifier()];
    let algorithm = der(0x30, &[&der(6, &identifier), parameters].concat());
    der(0x30, &[algorithm, der(4, digest)].concat())
}

/// EMSA-PKCS1-v1_5 of an encoded `DigestInfo`, and of what follows it.
fn pkcs1(length: usize, digest_info: &[u8], trailing: &[u8]) -> Vec<u8> {
    let padding = vec![0xff; length - 3 - digest_info.len() - trailing.len()];
    [&[0, 1], padding.as_slice(), &[0], digest_info, trailing].concat()
}

const NULL: &[u8] = &[5, 0];

/// Wrong encodings of EMSA-PKCS1-v1_5.
fn wrong_pkcs1(length: usize, right: Hash) -> Vec<(&'static str, Vec<u8>)> {
    let digest = right.of(MESSAGE);
    let info = digest_info(right, NULL, &digest);
    let long_form = [&[0x30, 0x81], &info[1..]].concat();
    let indefinite = [&[0x30, 0x80], &info[2..], &[0, 0]].concat();
    let other = if right == Hash::Sha256 { Hash::Sha384 } else { Hash::Sha256 };
    let replaced = |place: usize, byte: u8| {
        let mut encoded = pkcs1(length, &info, &[]);
        encoded[place] = byte;
        encoded
    };
    let separator = length - info.len() - 1;
    let short_padding = [&[0, 1], [0xff; 8].as_slice(), &[0], &info].concat();
    let rest = length - short_padding.len();
    vec![
        ("no NULL", pkcs1(length, &digest_info(right, &[], &digest), &[])),
        ("parameters that are not NULL", pkcs1(length, &digest_info(right, &[4, 0], &digest), &[])),
        ("a length in BER's long form", pkcs1(length, &long_form, &[])),
        ("an indefinite length", pkcs1(length, &indefinite, &[])),
        ("another hash is named", pkcs1(length, &digest_info(other, NULL, &digest), &[])),
        ("the digest alone", pkcs1(length, &digest, &[])),
        ("a shorter digest", pkcs1(length, &digest_info(right, NULL, &digest[1..]), &[])),
        ("another message's digest", pkcs1(length, &digest_info(right, NULL, &right.of(b"another")), &[])),
        ("a byte after the digest", pkcs1(length, &info, &[0])),
        ("short padding, and a free tail", [short_padding, vec![0x5a; rest]].concat()),
        ("free parameters", pkcs1(length, &digest_info(right, &der(4, &[7; 20]), &digest), &[])),
        ("block type 2", replaced(1, 2)),
        ("block type 0", replaced(1, 0)),
        ("a first byte that is not zero", replaced(0, 1)),
        ("padding of another byte", replaced(2, 0xfe)),
        ("padding ended early", replaced(length / 2, 0)),
        ("padding not ended", replaced(separator, 0xff)),
        ("zeros for padding", [vec![0; separator + 1], info.clone()].concat()),
    ]
}

/// The parts of EMSA-PSS.
struct PssParts {
    hash: Hash,
    mask_hash: Hash,
    salt: Vec<u8>,
    padding: u8,
    separator: u8,
    trailer: u8,
    /// Set above the encoding's bits, as far as there are any.
    high_bits: u8,
}

impl PssParts {
    fn right(hash: Hash) -> Self {
        let salt = (0..hash.of(b"").len()).map(|index| u8::try_from(index).unwrap()).collect();
        Self { hash, mask_hash: hash, salt, padding: 0, separator: 1, trailer: 0xbc, high_bits: 0 }
    }

    /// EMSA-PSS-ENCODE (RFC 8017 section 9.1.1) for a modulus of so many bits, with a byte of zero before it if it
    /// is shorter than the modulus.
    fn encode(&self, modulus_bits: usize) -> Vec<u8> {
        let bits = modulus_bits - 1;
        let length = bits.div_ceil(8);
        let seed = self.hash.of(&[&[0; 8], self.hash.of(MESSAGE).as_slice(), &self.salt].concat());
        let mut block = vec![0; length - seed.len() - 1];
        let start = block.len() - self.salt.len();
        block[start..].copy_from_slice(&self.salt);
        block[start - 1] = self.separator;
        block[start - 2] ^= self.padding;
        let mask = (0_u32..).flat_map(|counter| self.mask_hash.of(&[seed.as_slice(), &counter.to_be_bytes()].concat()));
        block.iter_mut().zip(mask).for_each(|(byte, mask)| *byte ^= mask);
        let used = 0xff_u8 >> (8 * length - bits);
        block[0] = block[0] & used | self.high_bits & !used;
        let zero = vec![0; modulus_bits.div_ceil(8) - length];
        [zero, block, seed, vec![self.trailer]].concat()
    }
}

fn wrong_pss(modulus_bits: usize, hash: Hash) -> Vec<(&'static str, Vec<u8>)> {
    let encode = |change: &dyn Fn(&mut PssParts)| {
        let mut parts = PssParts::right(hash);
        change(&mut parts);
        parts.encode(modulus_bits)
    };
    let other = if hash == Hash::Sha256 { Hash::Sha384 } else { Hash::Sha256 };
    let mut wrong = vec![
        ("no salt", encode(&|parts| parts.salt.clear())),
        ("a shorter salt", encode(&|parts| parts.salt.truncate(31))),
        ("a longer salt", encode(&|parts| parts.salt.push(1))),
        ("another hash under the mask", encode(&|parts| parts.mask_hash = other)),
        ("another hash", encode(&|parts| parts.hash = other)),
        ("padding that is not zero", encode(&|parts| parts.padding = 1)),
        ("another separator", encode(&|parts| parts.separator = 2)),
        ("no separator", encode(&|parts| parts.separator = 0)),
        ("the trailer of X9.31", encode(&|parts| parts.trailer = 0xcc)),
    ];
    let right = encode(&|_| ());
    let with_bits = encode(&|parts| parts.high_bits = 0xff);
    if with_bits != right {
        wrong.push(("bits above the encoding", with_bits));
    } else {
        let mut longer = right;
        longer[0] = 1;
        wrong.push(("a bit in the byte before the encoding", longer));
    }
    wrong
}

/// All verifiers of one key.
struct Verifiers {
    kernel: Vec<PublicKey>,
    rsa: RsaPublicKey,
    modulus: BigUint,
}

impl Verifiers {
    fn new(signer: &RsaSigner) -> Self {
        let text = signer.jwk();
        let jwk = Object::parse(text.as_bytes()).unwrap();
        let kernel: Vec<_> =
            KEY_OPTIONS.iter().filter_map(|&options| PublicKey::from_jwk(&jwk, options).ok()).collect();
        assert_eq!(kernel.len(), KEY_OPTIONS.len() - usize::from(signer.modulus.bits() > REFERENCE_BITS));
        let modulus = rsa::BigUint::from_bytes_be(&signer.modulus.to_bytes_be());
        let rsa = RsaPublicKey::new_with_max_size(modulus, 65537_u32.into(), 8192).unwrap();
        Self { kernel, rsa, modulus: signer.modulus.clone() }
    }

    /// The verdict of all, which must agree. The `rsa` crate is left out of cases in which it is known to check less.
    fn verdict(&self, algorithm: Algorithm, signature: &[u8], ask_rsa: bool) -> bool {
        let mut verdicts: Vec<_> = self.kernel.iter().map(|key| key.verify(algorithm, MESSAGE, signature)).collect();
        if ask_rsa && BigUint::from_bytes_be(signature) < self.modulus {
            let digest = hash(algorithm).of(MESSAGE);
            let verdict = match algorithm {
                Algorithm::Rs256 => self.rsa.verify(Pkcs1v15Sign::new::<Sha256>(), &digest, signature),
                Algorithm::Rs384 => self.rsa.verify(Pkcs1v15Sign::new::<Sha384>(), &digest, signature),
                Algorithm::Rs512 => self.rsa.verify(Pkcs1v15Sign::new::<Sha512>(), &digest, signature),
                Algorithm::Ps256 => self.rsa.verify(Pss::new::<Sha256>(), &digest, signature),
                Algorithm::Ps384 => self.rsa.verify(Pss::new::<Sha384>(), &digest, signature),
                _ => self.rsa.verify(Pss::new::<Sha512>(), &digest, signature),
            };
            verdicts.push(verdict.is_ok());
        }
        verdicts.dedup();
        assert_eq!(verdicts.len(), 1, "{} disagrees about {}", algorithm.name(), base64url(signature));
        verdicts[0]
    }
}

fn bits() -> impl Strategy<Value = u64> {
    prop_oneof![
        3 => 2048_u64..=2064,
        // PSS encodings are a byte shorter.
        3 => prop::sample::select(vec![2049_u64, 2057, 3073, 4089]),
        1 => 2065_u64..=3073,
        1 => 4089_u64..=4104,
        1 => prop::sample::select(vec![8185_u64, 8191, 8192]),
    ]
}

fn right(modulus_bits: usize, algorithm: Algorithm) -> Vec<u8> {
    let hash = hash(algorithm);
    if algorithm.name().starts_with("PS") {
        return PssParts::right(hash).encode(modulus_bits);
    }
    pkcs1(modulus_bits.div_ceil(8), &digest_info(hash, NULL, &hash.of(MESSAGE)), &[])
}

fn padded(number: &BigUint, length: usize) -> Vec<u8> {
    let bytes = number.to_bytes_be();
    [vec![0; length.saturating_sub(bytes.len())], bytes].concat()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// All wrong encodings are rejected, and the right one is accepted.
    #[test]
    fn wrong_encodings_are_rejected(
        bits in bits(), seed: u64, algorithm in prop::sample::select(&ALGORITHMS[..]), flips: [prop::sample::Index; 4],
    ) {
        let signer = RsaSigner::new(bits, seed);
        let verifiers = Verifiers::new(&signer);
        let modulus_bits = usize::try_from(bits).unwrap();
        let right = right(modulus_bits, algorithm);
        let verdict = |encoded: &[u8], ask_rsa| {
            let signature = signer.sign(encoded)?;
            Some(verifiers.verdict(algorithm, &padded(&signature, signer.length()), ask_rsa))
        };
        prop_assert_eq!(verdict(&right, true), Some(true));

        let wrong = if algorithm.name().starts_with("PS") {
            wrong_pss(modulus_bits, hash(algorithm))
        } else {
            wrong_pkcs1(signer.length(), hash(algorithm))
        };
        for (what, encoded) in wrong {
            // The crate ignores that byte.
            let ask_rsa = what != "a bit in the byte before the encoding";
            prop_assert_ne!(verdict(&encoded, ask_rsa), Some(true), "{}", what);
        }
        for flip in flips {
            let mut encoded = right.clone();
            // The crate ignores the byte before a shorter PSS encoding.
            let bit = 8 + flip.index(8 * (encoded.len() - 1));
            encoded[bit / 8] ^= 1 << (bit % 8);
            prop_assert_ne!(verdict(&encoded, true), Some(true), "bit {}", bit);
        }
    }

    /// A signature has one representation, and numbers that are their own powers are not signatures.
    #[test]
    fn other_representatives_are_rejected(
        bits in bits(), seed: u64, algorithm in prop::sample::select(&ALGORITHMS[..]),
    ) {
        let signer = RsaSigner::new(bits, seed);
        let verifiers = Verifiers::new(&signer);
        let encoded = right(usize::try_from(bits).unwrap(), algorithm);
        let signature = signer.sign(&encoded).unwrap();
        let length = signer.length();
        let good = padded(&signature, length);
        prop_assert!(verifiers.verdict(algorithm, &good, true));

        let one = BigUint::from(1_u8);
        let above = &signature + &signer.modulus;
        let edges = [BigUint::ZERO, one.clone(), &signer.modulus - one, signer.modulus.clone(), above];
        for edge in edges {
            prop_assert!(!verifiers.verdict(algorithm, &padded(&edge, length), true), "{}", edge);
        }
        for other in [[&[0], good.as_slice()].concat(), good[1..].to_vec(), [good.as_slice(), &[0]].concat(), vec![]] {
            prop_assert!(!verifiers.verdict(algorithm, &other, true), "{} bytes", other.len());
        }
    }
}

/// The three hashes are distinguished, with either padding.
#[test]
fn an_algorithm_verifies_its_own_hash_and_padding_only() {
    let signer = RsaSigner::new(2048, 7);
    let verifiers = Verifiers::new(&signer);
    for signed in ALGORITHMS {
        let signature = padded(&signer.sign(&right(2048, signed)).unwrap(), 256);
        for asked in ALGORITHMS {
            assert_eq!(verifiers.verdict(asked, &signature, true), asked == signed);
        }
    }
}
