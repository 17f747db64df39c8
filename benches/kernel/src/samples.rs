//! Keys and tokens, generated for each run.

use std::time::{SystemTime, UNIX_EPOCH};

use aws_lc_rs::encoding::{AsDer, PublicKeyX509Der};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _, RSA_PKCS1_SHA256, RSA_PSS_SHA256,
    RsaKeyPair,
};
use data_encoding::BASE64URL_NOPAD;
use watchword_kernel::Algorithm;

pub const ISSUER: &str = "https://as.example";
pub const AUDIENCE: &str = "https://api.example";
pub const KEY_ID: &str = "key-1";

/// How many different tokens are verified in turn, so that no single token stays in the processor's caches.
pub const TOKENS: usize = 4096;

/// A token, and the parts of it that a signature is verified with.
#[derive(Clone)]
pub struct Sample {
    pub token: String,
    pub message: Vec<u8>,
    pub signature: Vec<u8>,
}

pub enum Signer {
    Ed25519(Ed25519KeyPair),
    P256(EcdsaKeyPair),
    Rsa(RsaKeyPair, Algorithm),
}

impl Signer {
    pub fn new(algorithm: Algorithm) -> Self {
        match algorithm {
            Algorithm::EdDsa => Self::Ed25519(Ed25519KeyPair::generate().expect("a key")),
            Algorithm::Es256 => Self::P256(EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).expect("a key")),
            Algorithm::Rs256 | Algorithm::Ps256 => {
                Self::Rsa(RsaKeyPair::generate(KeySize::Rsa2048).expect("a key"), algorithm)
            }
            other => panic!("no benchmark signs with {}", other.name()),
        }
    }

    pub fn algorithm(&self) -> Algorithm {
        match self {
            Self::Ed25519(_) => Algorithm::EdDsa,
            Self::P256(_) => Algorithm::Es256,
            Self::Rsa(_, algorithm) => *algorithm,
        }
    }

    /// The public key in the form that other crates take: a point, or a PKCS #1 `RSAPublicKey`.
    pub fn raw(&self) -> Vec<u8> {
        match self {
            Self::Ed25519(key) => key.public_key().as_ref().to_vec(),
            Self::P256(key) => key.public_key().as_ref().to_vec(),
            Self::Rsa(key, _) => key.public_key().as_ref().to_vec(),
        }
    }

    /// The public key as a `SubjectPublicKeyInfo`.
    pub fn spki(&self) -> Vec<u8> {
        let der: PublicKeyX509Der<'_> = match self {
            Self::Ed25519(key) => key.public_key().as_der(),
            Self::P256(key) => key.public_key().as_der(),
            Self::Rsa(key, _) => key.public_key().as_der(),
        }
        .expect("a public key can be encoded");
        der.as_ref().to_vec()
    }

    /// The public key of a curve as a JWK without `kid`.
    pub fn jwk(&self) -> String {
        let raw = self.raw();
        match self {
            Self::Ed25519(_) => format!(r#"{{"kty":"OKP","crv":"Ed25519","x":"{}"}}"#, base64url(&raw)),
            Self::P256(_) => {
                let (x, y) = (base64url(&raw[1..33]), base64url(&raw[33..]));
                format!(r#"{{"kty":"EC","crv":"P-256","x":"{x}","y":"{y}"}}"#)
            }
            Self::Rsa(..) => panic!("no benchmark needs an RSA key as a JWK"),
        }
    }

    pub fn sign(&self, header: &str, payload: &str) -> Sample {
        let message = format!("{}.{}", base64url(header.as_bytes()), base64url(payload.as_bytes()));
        let signature = self.signature(message.as_bytes());
        let token = format!("{message}.{}", base64url(&signature));
        Sample { token, message: message.into_bytes(), signature }
    }

    fn signature(&self, message: &[u8]) -> Vec<u8> {
        let random = SystemRandom::new();
        match self {
            Self::Ed25519(key) => key.sign(message).as_ref().to_vec(),
            Self::P256(key) => key.sign(&random, message).expect("a signature").as_ref().to_vec(),
            Self::Rsa(key, algorithm) => {
                let mut signature = vec![0; key.public_modulus_len()];
                let padding: &'static dyn aws_lc_rs::signature::RsaEncoding =
                    if *algorithm == Algorithm::Ps256 { &RSA_PSS_SHA256 } else { &RSA_PKCS1_SHA256 };
                key.sign(padding, &random, message, &mut signature).expect("a signature");
                signature
            }
        }
    }

    /// Tokens of about 720 bytes with twelve claims, all different.
    pub fn tokens(&self, count: usize) -> Vec<Sample> {
        let header = format!(r#"{{"alg":"{}","kid":"{KEY_ID}","typ":"at+jwt"}}"#, self.algorithm().name());
        (0..count).map(|number| self.sign(&header, &payload(number))).collect()
    }
}

impl Sample {
    /// The same with one bit of the message, or of the signature, flipped.
    pub fn tampered(&self) -> [Self; 2] {
        let [mut message, mut signature] = [self.clone(), self.clone()];
        *message.message.last_mut().expect("a message") ^= 1;
        *signature.signature.last_mut().expect("a signature") ^= 1;
        for sample in [&mut message, &mut signature] {
            sample.token = format!("{}.{}", String::from_utf8_lossy(&sample.message), base64url(&sample.signature));
        }
        [message, signature]
    }
}

/// Unix seconds.
pub fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).expect("it is after 1970").as_secs()
}

pub fn base64url(bytes: &[u8]) -> String {
    BASE64URL_NOPAD.encode(bytes)
}

fn payload(number: usize) -> String {
    let now = now();
    format!(
        r#"{{"iss":"{ISSUER}","sub":"agent-7","aud":"{AUDIENCE}","client_id":"agent-7f3a","scope":"orders:read orders:write invoices:read","jti":"{number:032x}","iat":{now},"exp":{},"agent_type":"autonomous","agent_model":"planner-2","tenant":"northwind","session":"0b1e6f0c-9d51-4d5e-8f43-1f0a7b7d2c11"}}"#,
        now + 86_400,
    )
}
