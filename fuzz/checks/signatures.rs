//! Single signatures under keys of every kind: what each way of verifying says, and what other people's code says.

use std::sync::LazyLock;

use data_encoding::BASE64URL_NOPAD;
use p256::ecdsa::signature::Verifier as _;
use rsa::{BigUint, Pkcs1v15Sign, Pss, RsaPublicKey};
use sha2::{Digest, Sha256, Sha384, Sha512};
use watchword_kernel::json::{Object, Value};
use watchword_kernel::{Algorithm, KeySet, PublicKey, Signed, verify_each};

use super::{JWKS, KEY_OPTIONS, SETS, TOKENS};

/// The first byte chooses one of the signed tokens, the second what is done with the rest: it takes the place of the
/// signature, is added to it byte by byte, takes the place of what is signed, or of the key.
pub(crate) fn signatures(input: &[u8]) {
    let [which, what, rest @ ..] = input else { return };
    let (token, signature) = &GOOD[usize::from(*which) % GOOD.len()];
    let (message, key_id) = (token.message, token.key_id.as_str());
    let [default, ..] = &SETS[0];
    let key = default.get(key_id).expect("a key of the tests");
    match what % 4 {
        0 => judge(key, token.algorithm, message, rest),
        1 => {
            let padded = rest.iter().copied().chain(std::iter::repeat(0));
            let changed: Vec<u8> = signature.iter().zip(padded).map(|(byte, change)| byte ^ change).collect();
            judge(key, token.algorithm, message, &changed);
        }
        2 => judge(key, token.algorithm, rest, signature),
        _ => judge_under_another_key(key, rest, token.algorithm, message, signature),
    }
}

struct Good {
    message: &'static [u8],
    key_id: String,
    algorithm: Algorithm,
}

static GOOD: LazyLock<Vec<(Good, Vec<u8>)>> = LazyLock::new(|| {
    let read = |token: &'static str| {
        let (message, signature) = token.rsplit_once('.').expect("a token");
        let header = BASE64URL_NOPAD.decode(token.split('.').next()?.as_bytes()).expect("base64url");
        let header = Object::parse(&header).expect("JSON");
        let key_id = header.get("kid").and_then(Value::as_str)?.to_owned();
        let algorithm = header.get("alg").and_then(Value::as_str).and_then(Algorithm::from_name)?;
        SETS[0][0].get(&key_id)?;
        let signature = BASE64URL_NOPAD.decode(signature.as_bytes()).expect("base64url");
        Some((Good { message: message.as_bytes(), key_id, algorithm }, signature))
    };
    TOKENS.lines().filter_map(read).collect()
});

/// The verdict on a signature under the key of this name, in every way there is.
fn judge(key: &PublicKey, algorithm: Algorithm, message: &[u8], signature: &[u8]) {
    let verdict = key.verify(algorithm, message, signature);
    for set in &SETS[0] {
        let same = set.get(key.key_id().expect("it has a name")).expect("each set has it");
        let signed = Signed { key: same, algorithm, message, signature };
        let (good, good_signature) = &GOOD[0];
        let other = Signed {
            key: set.get(&good.key_id).expect("there"),
            algorithm: good.algorithm,
            message: good.message,
            signature: good_signature,
        };
        assert_eq!(same.verify(algorithm, message, signature), verdict, "{algorithm:?} {:?}", set.options());
        assert_eq!(verify_each(&[other, signed, other, signed]), [true, verdict, true, verdict], "{algorithm:?}");
    }
    let jwk = jwk(key.key_id().expect("it has a name"));
    if let Some(others) = others_accept(&jwk, algorithm, message, signature) {
        assert_eq!(verdict, others, "{algorithm:?}");
    }
}

/// The same signature under a key of the same type with other numbers: what is taken at all gives one verdict.
fn judge_under_another_key(key: &PublicKey, numbers: &[u8], algorithm: Algorithm, message: &[u8], signature: &[u8]) {
    let jwk = match (key.key_type(), key.curve(), numbers) {
        ("OKP", _, x) if x.len() == 32 => {
            format!(r#"{{"kty":"OKP","crv":"Ed25519","x":"{}"}}"#, BASE64URL_NOPAD.encode(x))
        }
        ("EC", Some(curve), y) if y.len() == 64 => format!(
            r#"{{"kty":"EC","crv":"{curve}","x":"{}","y":"{}"}}"#,
            BASE64URL_NOPAD.encode(&y[..32]),
            BASE64URL_NOPAD.encode(&y[32..])
        ),
        _ => return,
    };
    let sets = KEY_OPTIONS.map(|options| KeySet::from_json(jwk.as_bytes(), options).expect("a JWK"));
    let verdicts = sets.each_ref().map(|set| {
        set.prepare();
        set.keys().first().map(|key| key.verify(algorithm, message, signature))
    });
    assert!(verdicts.iter().all(|verdict| *verdict == verdicts[0]), "{verdicts:?}");
    let jwk = Object::parse(jwk.as_bytes()).expect("JSON");
    if let (Some(verdict), Some(others)) = (verdicts[0], others_accept(&jwk, algorithm, message, signature)) {
        assert_eq!(verdict, others);
    }
}

static OBJECTS: LazyLock<Object<'static>> = LazyLock::new(|| Object::parse(JWKS.as_bytes()).expect("JSON"));

fn jwk(key_id: &str) -> Object<'static> {
    let Some(Value::Array(keys)) = OBJECTS.get("keys") else { panic!("a JWK Set") };
    keys.iter()
        .find_map(|key| match key {
            Value::Object(jwk) => {
                Some(jwk.members()).filter(|jwk| jwk.get("kid").and_then(Value::as_str) == Some(key_id))
            }
            _ => None,
        })
        .expect("it is in the set")
}

/// What ed25519-dalek, p256 and rsa say; `None` where they have no say.
fn others_accept(jwk: &Object<'_>, algorithm: Algorithm, message: &[u8], signature: &[u8]) -> Option<bool> {
    let number = |name| {
        let text = jwk.get(name).and_then(Value::as_str)?;
        BASE64URL_NOPAD.decode(text.as_bytes()).ok()
    };
    match algorithm {
        Algorithm::EdDsa | Algorithm::Ed25519 => {
            let key = ed25519_dalek::VerifyingKey::from_bytes(&number("x")?.try_into().ok()?).ok()?;
            let signature = ed25519_dalek::Signature::from_slice(signature);
            Some(signature.is_ok_and(|signature| key.verify_strict(message, &signature).is_ok()))
        }
        Algorithm::Es256 => {
            let point = [&[4], &number("x")?[..], &number("y")?[..]].concat();
            let key = p256::ecdsa::VerifyingKey::from_sec1_bytes(&point).ok()?;
            let signature = p256::ecdsa::Signature::from_slice(signature);
            Some(signature.is_ok_and(|signature| key.verify(message, &signature).is_ok()))
        }
        Algorithm::Es384 => None,
        _ => {
            let modulus = number("n")?;
            let key =
                RsaPublicKey::new(BigUint::from_bytes_be(&modulus), BigUint::from_bytes_be(&number("e")?)).ok()?;
            // What the crate does not ask of PSS: that the signature is below the modulus (RFC 8017 section 8.1.2).
            let below = signature.len() == modulus.len() && signature < &modulus[..];
            let holds = match algorithm {
                Algorithm::Rs256 => key.verify(Pkcs1v15Sign::new::<Sha256>(), &Sha256::digest(message), signature),
                Algorithm::Rs384 => key.verify(Pkcs1v15Sign::new::<Sha384>(), &Sha384::digest(message), signature),
                Algorithm::Rs512 => key.verify(Pkcs1v15Sign::new::<Sha512>(), &Sha512::digest(message), signature),
                Algorithm::Ps256 => key.verify(Pss::new::<Sha256>(), &Sha256::digest(message), signature),
                Algorithm::Ps384 => key.verify(Pss::new::<Sha384>(), &Sha384::digest(message), signature),
                _ => key.verify(Pss::new::<Sha512>(), &Sha512::digest(message), signature),
            };
            Some(below && holds.is_ok())
        }
    }
}
