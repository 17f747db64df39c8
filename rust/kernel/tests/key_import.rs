//! Keys are validated once, when loaded: each defect by its code, with all key options, from JWK, PEM and DER.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod common;

use common::{JWKS, KEY_OPTIONS, base64url, key_set};
use data_encoding::BASE64URL_NOPAD;
use serde_json::{Value, json};
use spki::der::pem::{LineEnding, encode_string};
use watchword_kernel::json::Object;
use watchword_kernel::{Backend, KeyOptions, KeySet, MAX_DOCUMENT, MAX_KEYS, PublicKey, thumbprint};

/// 2048 bits, made as in CVE-2017-15361: a power of 65537 modulo the product of the primes up to 167.
const ROCA: &str = "oxwafa-sj8-2CTm9Wz2caksFbezGLGONeOV32Cfzb77lODRQuHEBvKT3GvfuW-PIqfdsYDZhL1b4QdP4bwpyL1ayP3d92vT7SIuB5Xtd6rXsPj7Z-Q44m5nogKzdvbCDcPZ8TkpvWRGOOI7DTQCMmliaA-I7yLdhIlAQm7h7iJ4QWlj0VKe7LFa4PWpMdymJm29gYdJI31HXO4HmbDApQNLo-5gztyOWURCxSDitN5qzGMJL0GprBp_aA7ewB78zSnao-lo5NW5-jMCONeBZDskNIxZYQTimxALlUkGXvo1cD98hWrJNzIuR62N2-z4D09OY3duLMtV_fn3DGcefrw";

fn jwk(key_id: &str) -> Value {
    let set: Value = serde_json::from_str(JWKS).unwrap();
    set["keys"].as_array().unwrap().iter().find(|key| key["kid"] == key_id).unwrap().clone()
}

/// A good key with some members changed; null removes one.
fn changed(key_id: &str, changes: Value) -> Value {
    let mut key = jwk(key_id);
    for (name, value) in changes.as_object().unwrap() {
        key.as_object_mut().unwrap().remove(name);
        if !value.is_null() {
            key[name] = value.clone();
        }
    }
    key
}

/// A good key with a member that is null.
fn with_null(key_id: &str, name: &str) -> Value {
    let mut key = jwk(key_id);
    key[name] = Value::Null;
    key
}

fn import(jwk: &Value, options: impl Into<KeyOptions>) -> Result<PublicKey, &'static str> {
    let options = options.into();
    restored(&json!({ "keys": [jwk] }), options);
    PublicKey::from_jwk(&Object::parse(jwk.to_string().as_bytes()).unwrap(), options).map_err(|defect| defect.code())
}

/// The set of a document, which is the same after it was written and read again.
fn restored(document: &Value, options: KeyOptions) -> KeySet {
    let set = KeySet::from_json(document.to_string().as_bytes(), options).unwrap();
    let again = KeySet::restore(&set.to_json(), options).unwrap();
    let described = |set: &KeySet| -> Vec<_> {
        set.keys().iter().map(|key| (key.to_jwk(), key.algorithms(), key.issuer().map(str::to_owned))).collect()
    };
    assert_eq!(described(&again), described(&set), "{document}");
    assert_eq!(again.rejected(), set.rejected(), "{document}");
    assert_eq!(again.to_json(), set.to_json());
    again
}

fn number(bits: usize, change: impl Fn(&mut Vec<u8>)) -> String {
    let mut bytes = vec![0xa5; bits.div_ceil(8)];
    *bytes.last_mut().unwrap() |= 1;
    change(&mut bytes);
    base64url(bytes)
}

#[test]
fn every_defect_has_its_code() {
    let x = jwk("p256")["x"].clone();
    let plain = |bits| number(bits, |_| ());
    let cases = [
        ("malformed", changed("p256", json!({"kty": null}))),
        ("malformed", changed("p256", json!({"kty": 1}))),
        ("malformed", changed("p256", json!({"kid": 1}))),
        ("malformed", changed("p256", json!({"alg": 1}))),
        ("malformed", changed("p256", json!({"use": 1}))),
        ("malformed", changed("p256", json!({"crv": null}))),
        ("malformed", changed("p256", json!({"x": null}))),
        ("malformed", changed("p256", json!({"x": 1}))),
        ("malformed", changed("p256", json!({"x": "AA=="}))),
        ("malformed", changed("p256", json!({"x": "AB"}))),
        ("malformed", changed("p256", json!({"x": ""}))),
        ("malformed", changed("p256", json!({"x": base64url([0; 33])}))),
        ("malformed", changed("p384", json!({"y": base64url([1; 47])}))),
        ("malformed", changed("ed25519", json!({"x": base64url([1; 31])}))),
        ("malformed", changed("rsa", json!({"n": ""}))),
        ("malformed", changed("rsa", json!({"n": "AAAA"}))),
        ("malformed", changed("rsa", json!({"e": "AA"}))),
        // Leading zeros neither make a key larger nor hide a defect.
        ("modulus_too_small", changed("rsa", json!({"n": base64url([vec![0; 200], vec![0xa5; 128]].concat())}))),
        ("even_modulus", changed("rsa", json!({"n": number(2056, |bytes| { bytes[0] = 0; bytes[256] = 0xa4; })}))),
        ("bad_exponent", changed("rsa", json!({"e": "AAAB"}))),
        ("malformed", with_null("p256", "kty")),
        ("malformed", with_null("p256", "crv")),
        ("malformed", with_null("p256", "x")),
        ("malformed", with_null("p256", "y")),
        ("malformed", with_null("rsa", "n")),
        ("malformed", with_null("rsa", "e")),
        ("malformed", changed("rsa", json!({"key_ops": "verify"}))),
        ("malformed", changed("rsa", json!({"key_ops": ["verify", 1]}))),
        ("malformed", changed("rsa", json!({"key_ops": ["verify", "verify"]}))),
        ("unsupported_key_type", changed("p256", json!({"kty": "AKP"}))),
        ("unsupported_key_type", changed("p256", json!({"kty": "ec"}))),
        ("unsupported_curve", changed("p256", json!({"crv": "P-521"}))),
        ("unsupported_curve", changed("p256", json!({"crv": "secp256k1"}))),
        ("unsupported_curve", changed("ed25519", json!({"crv": "X25519"}))),
        ("unsupported_curve", changed("ed25519", json!({"crv": "Ed448"}))),
        ("symmetric_key", json!({"kty": "oct", "k": "AAAA"})),
        ("symmetric_key", json!({"kty": "oct"})),
        ("private_key", changed("ed25519", json!({"d": "AAAA"}))),
        ("private_key", changed("rsa", json!({"dp": "AAAA"}))),
        ("private_key", changed("rsa", json!({"oth": []}))),
        ("private_key", changed("p256", json!({"d": ""}))),
        ("not_for_signatures", changed("rsa", json!({"use": "enc"}))),
        ("not_for_signatures", changed("rsa", json!({"use": "SIG"}))),
        ("not_for_signatures", changed("rsa", json!({"use": "x509-svid"}))),
        ("not_for_signatures", changed("rsa", json!({"use": "JWT-SVID"}))),
        ("not_for_signatures", changed("rsa", json!({"use": ""}))),
        ("not_for_verification", changed("rsa", json!({"key_ops": ["sign"]}))),
        ("not_for_verification", changed("rsa", json!({"key_ops": []}))),
        ("algorithm_mismatch", changed("p256", json!({"alg": "ES384"}))),
        ("algorithm_mismatch", changed("p256", json!({"alg": "HS256"}))),
        ("algorithm_mismatch", changed("rsa", json!({"alg": "RSA-OAEP"}))),
        ("algorithm_mismatch", changed("rsa", json!({"alg": "none"}))),
        ("algorithm_mismatch", changed("ed25519", json!({"alg": "eddsa"}))),
        ("modulus_too_small", changed("rsa", json!({"n": number(2048, |bytes| bytes[0] = 0x7f)}))),
        ("modulus_too_small", changed("rsa", json!({"n": plain(1024)}))),
        ("modulus_too_small", changed("rsa", json!({"n": "AQ"}))),
        ("modulus_too_large", changed("rsa", json!({"n": number(8200, |bytes| bytes[0] = 1)}))),
        ("even_modulus", changed("rsa", json!({"n": number(2048, |bytes| bytes[255] = 0xa4)}))),
        ("bad_exponent", changed("rsa", json!({"e": "AQ"}))),
        ("bad_exponent", changed("rsa", json!({"e": "Ag"}))),
        ("bad_exponent", changed("rsa", json!({"e": "AQAA"}))),
        ("bad_exponent", changed("rsa", json!({"e": base64url([2, 0, 0, 0, 1])}))),
        ("roca", changed("rsa", json!({"n": ROCA}))),
        ("point_not_on_curve", changed("p256", json!({"y": x}))),
        ("point_not_on_curve", changed("p256", json!({"x": base64url([0; 32]), "y": base64url([0; 32])}))),
        ("point_not_on_curve", changed("p256", json!({"x": base64url([0xff; 32])}))),
        ("point_not_on_curve", changed("p384", json!({"x": jwk("p384")["y"]}))),
    ];
    for (code, key) in cases {
        for options in KEY_OPTIONS {
            assert_eq!(import(&key, options).map(|_| ()), Err(code), "{key} {options:?}");
        }
    }
    // An exponent of 3 or of 33 bits is allowed, and so are both ends of the modulus' range.
    for key in [
        json!({"e": "Aw"}),
        json!({"e": base64url([1, 0, 0, 0, 1])}),
        json!({"n": plain(2048)}),
        json!({"n": plain(4096)}),
    ] {
        for options in KEY_OPTIONS {
            assert!(import(&changed("rsa", key.clone()), options).is_ok(), "{key}");
        }
    }
    let largest = changed("rsa", json!({"n": plain(8192)}));
    assert_eq!(import(&largest, Backend::Default).unwrap().bits(), 8192);
    assert_eq!(import(&largest, Backend::Reference).map(|_| ()), Err("unsupported_by_backend"));
}

/// Deviations of real issuers from the strict form that leave the meaning unchanged: the key is the same.
#[test]
fn key_sets_as_published() {
    let modulus = BASE64URL_NOPAD.decode(jwk("rsa")["n"].as_str().unwrap().as_bytes()).unwrap();
    let zeros = |count: usize, number: &[u8]| base64url([&vec![0; count][..], number].concat());
    let optional = ["alg", "use", "key_ops", "x5c", "x5t", "x5u", "d", "p", "q", "dp", "dq", "qi", "oth", "k"];
    let nulls: serde_json::Map<String, Value> = optional.iter().map(|name| ((*name).to_owned(), Value::Null)).collect();
    for (key_id, changes) in [
        ("rsa", json!({"n": zeros(1, &modulus)})),
        ("rsa", json!({"n": zeros(20, &modulus), "e": "AAEAAQ"})),
        ("rsa", json!({"use": "jwt-svid"})),
        ("p256", json!({"use": "jwt-svid", "key_ops": ["verify"]})),
        ("ed25519", json!({"use": "jwt-svid"})),
    ] {
        let key = changed(key_id, changes);
        for options in KEY_OPTIONS {
            let (found, plain) = (import(&key, options).unwrap(), import(&jwk(key_id), options).unwrap());
            assert_eq!((found.thumbprint(), found.algorithms()), (plain.thumbprint(), plain.algorithms()), "{key}");
            let text = key.to_string();
            assert_eq!(thumbprint(&Object::parse(text.as_bytes()).unwrap()).unwrap(), plain.thumbprint());
        }
    }
    for key_id in ["rsa", "p256", "p384", "ed25519"] {
        let mut key = jwk(key_id);
        key.as_object_mut().unwrap().extend(nulls.clone());
        key["kid"] = Value::Null;
        let found = import(&key, Backend::Default).unwrap();
        assert_eq!(
            (found.key_id(), found.algorithms()),
            (None, import(&jwk(key_id), Backend::Default).unwrap().algorithms())
        );
    }
}

/// What a set is written as contains public parameters, and what decides a verdict.
#[test]
fn written_sets_have_no_secrets() {
    let set = json!({"keys": [
        changed("rsa", json!({"d": "secret", "p": null, "x5c": ["secret"], "secret": 1})),
        {"kty": "oct", "k": "secret", "kid": "shared"},
        changed("ed25519", json!({"issuer": "https://as.example/\"<\u{1}", "x5c": ["secret"], "use": "sig"})),
        changed("p256", json!({"kid": null, "issuer": [1]})),
    ]});
    let set = restored(&set, KEY_OPTIONS[0]);
    assert!(!set.to_json().contains("secret"));
    let issuers: Vec<_> = set.keys().iter().map(PublicKey::issuer).collect();
    assert_eq!(issuers, [Some("https://as.example/\"<\u{1}"), Some("")]);
    assert_eq!(restored(&json!({"keys": []}), KEY_OPTIONS[0]).to_json(), "{\"keys\":[]}");
    assert!(KeySet::restore("[]", KEY_OPTIONS[0]).is_err());
}

/// The fingerprint of CVE-2017-15361 is computed, not listed: the next odd number does not have it.
#[test]
fn a_neighbour_of_a_roca_modulus_is_accepted() {
    let mut modulus = BASE64URL_NOPAD.decode(ROCA.as_bytes()).unwrap();
    *modulus.last_mut().unwrap() ^= 2;
    assert!(import(&changed("rsa", json!({"n": base64url(modulus)})), Backend::Default).is_ok());
}

/// A bad key is rejected and listed with its index, and does not affect the others.
#[test]
fn bad_keys_do_not_affect_others() {
    let set = json!({"keys": [
        jwk("p256"), 7, changed("rsa", json!({"use": "enc"})), changed("p256", json!({"use": "sig"})), jwk("ed25519"),
        {"kty": "oct", "k": "AAAA", "kid": 5}, changed("p384", json!({"kid": null})), changed("p384", json!({"kid": null})),
    ]});
    for options in KEY_OPTIONS {
        let set = restored(&set, options);
        let ids: Vec<Option<&str>> = set.keys().iter().map(PublicKey::key_id).collect();
        assert_eq!(ids, [Some("p256"), Some("ed25519"), None, None]);
        // Of two keys with one kid the first is used.
        assert_eq!(set.get("p256").unwrap().curve(), Some("P-256"));
        let rejected: Vec<_> =
            set.rejected().iter().map(|key| (key.index, key.key_id.as_deref(), key.defect.code())).collect();
        assert_eq!(
            rejected,
            [
                (1, None, "not_an_object"),
                (2, Some("rsa"), "not_for_signatures"),
                (3, Some("p256"), "duplicate_kid"),
                (5, None, "symmetric_key"),
            ]
        );
    }
}

#[test]
fn documents_that_are_not_key_sets() {
    let rejected = |document: &[u8]| KeySet::from_json(document, Backend::Default).unwrap_err().to_string();
    for document in [
        &b"[]"[..],
        b"{}",
        b"{\"keys\":{}}",
        b"{\"keys\":null,\"kty\":\"EC\"}",
        b"",
        b"{\"keys\":[],\"keys\":[]}",
        b"\xff",
    ] {
        assert!(rejected(document).starts_with("the document is "), "{}", rejected(document));
    }
    assert!(KeySet::from_json(b"{\"keys\":[]}", Backend::Default).unwrap().keys().is_empty());

    let many = |count: usize| format!("{{\"keys\":[{}]}}", vec!["0"; count].join(","));
    assert_eq!(KeySet::from_json(many(MAX_KEYS).as_bytes(), Backend::Default).unwrap().rejected().len(), MAX_KEYS);
    assert!(rejected(many(MAX_KEYS + 1).as_bytes()).contains("256 keys"));

    let padded = |length: usize| format!("{{\"keys\":[]{}}}", " ".repeat(length - 11));
    assert!(KeySet::from_json(padded(MAX_DOCUMENT + 1).as_bytes(), Backend::Default).is_err());
    assert!(KeySet::from_json(padded(MAX_DOCUMENT).as_bytes(), Backend::Default).is_ok());
}

/// `SubjectPublicKeyInfo` of the test keys, made here byte by byte.
fn spki(key_id: &str) -> Vec<u8> {
    let member = |name: &str| BASE64URL_NOPAD.decode(jwk(key_id)[name].as_str().unwrap().as_bytes()).unwrap();
    let hex = |text: &str| data_encoding::HEXLOWER.decode(text.as_bytes()).unwrap();
    match key_id {
        "ed25519" => [hex("302a300506032b6570032100"), member("x")].concat(),
        "p256" => [hex("3059301306072a8648ce3d020106082a8648ce3d03010703420004"), member("x"), member("y")].concat(),
        "p384" => [hex("3076301006072a8648ce3d020106052b8104002203620004"), member("x"), member("y")].concat(),
        _ => [hex("30820122300d06092a864886f70d01010105000382010f00"), pkcs1()].concat(),
    }
}

fn pkcs1() -> Vec<u8> {
    let modulus = BASE64URL_NOPAD.decode(jwk("rsa")["n"].as_str().unwrap().as_bytes()).unwrap();
    let hex = |text: &str| data_encoding::HEXLOWER.decode(text.as_bytes()).unwrap();
    [hex("3082010a0282010100"), modulus, hex("0203010001")].concat()
}

#[test]
fn der_and_pem_are_the_same_keys() {
    for options in KEY_OPTIONS {
        for key in key_set(options).keys() {
            let der = spki(key.key_id().unwrap());
            let from_der = PublicKey::from_der(&der, Some("name"), None, options).unwrap();
            assert_eq!((from_der.thumbprint(), from_der.key_id()), (key.thumbprint(), Some("name")));
            assert_eq!(from_der.algorithms(), key.algorithms());
            let pem = encode_string("PUBLIC KEY", LineEnding::LF, &der).unwrap();
            let set =
                KeySet::from_pem(&format!("text before\n{pem}text after\n"), Some("name"), None, options).unwrap();
            assert_eq!(set.get("name").unwrap().thumbprint(), key.thumbprint());
            // Truncated anywhere, or with trailing bytes, it is no key.
            assert!((0..der.len()).all(|end| PublicKey::from_der(&der[..end], None, None, options).is_err()));
            assert!(PublicKey::from_der(&[&der[..], b"\0"].concat(), None, None, options).is_err());
        }
        let old = PublicKey::from_der(&pkcs1(), None, Some("PS256"), options).unwrap();
        assert_eq!(old.thumbprint(), key_set(options).get("rsa").unwrap().thumbprint());
        assert_eq!(old.algorithms().iter().count(), 1);
        let mismatch = PublicKey::from_der(&pkcs1(), None, Some("ES256"), options).unwrap_err();
        assert_eq!(mismatch.code(), "algorithm_mismatch");
    }
}

#[test]
fn pem_texts() {
    let block = |label: &str, der: &[u8]| encode_string(label, LineEnding::LF, der).unwrap();
    let read = |pem: &str| KeySet::from_pem(pem, None, None, Backend::Default);
    let two = format!("{}\n# and\n{}", block("PUBLIC KEY", &spki("p256")), block("RSA PUBLIC KEY", &pkcs1()));
    assert_eq!(read(&two).unwrap().keys().len(), 2);
    assert!(KeySet::from_pem(&two, Some("one name"), None, Backend::Default).is_err());
    for bad in [
        String::new(),
        "-----BEGIN PUBLIC KEY-----".into(),
        block("CERTIFICATE", &spki("p256")),
        block("EC PUBLIC KEY", &spki("p256")),
        block("PUBLIC KEY", &spki("p256")[1..]),
        include_str!("keys/p256.pem").into(),
        include_str!("keys/rsa.pem").into(),
        // A text is accepted as a whole or not at all.
        two.replace("-----END RSA PUBLIC KEY-----", ""),
        format!("{}{two}", include_str!("keys/ed25519.pem")),
    ] {
        assert!(read(&bad).is_err(), "{bad}");
    }
    assert!(read(include_str!("keys/p384.pem")).unwrap_err().to_string().contains("private"));
}
