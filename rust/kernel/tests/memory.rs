//! Hostile input never makes the kernel allocate more than a small multiple of the input's length.
//!
//! One test, because the count is the process's: another one beside it would be counted along.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod common;

use common::{KEY_OPTIONS, SIGNERS, any_jws, base64url, key_set, lax, now, signer};
use peak_alloc::PeakAlloc;
use watchword_kernel::tables::{self, Settings};
use watchword_kernel::{Algorithm, Backend, KeySet, Limits, ProofOfPossession, unverified_names, verify, verify_jws};

#[global_allocator]
static ALLOCATOR: PeakAlloc = PeakAlloc;

/// How many bytes may be allocated at once for each byte of a token. The worst is a `scope` of one-letter words, each of
/// them a string: 19.
const TOKEN_MULTIPLE: usize = 24;

/// The same for each byte of a key set's document. The worst is an object whose members have five bytes each and 48 once
/// read, while the vector of them grows to twice its size: 27.
const KEY_SET_MULTIPLE: usize = 28;

/// What a verdict may cost whatever the input: numbers of a key, text of an error.
const CONSTANT: usize = 16 * 1024;

/// The most that was allocated at once by `work`, beyond what was allocated before.
fn peak<T>(work: impl FnOnce() -> T) -> usize {
    let before = ALLOCATOR.current_usage();
    ALLOCATOR.reset_peak_usage();
    drop(work());
    ALLOCATOR.peak_usage() - before
}

/// `length` bytes at most: `start`, then `piece` again and again, then `end`.
fn filled(start: &str, piece: &str, end: &str, length: usize) -> String {
    let times = (length - start.len() - end.len()) / piece.len().max(1);
    format!("{start}{}{end}", piece.repeat(times))
}

/// Objects whose members have names of their own, as short as can be.
fn members(length: usize, value: &str) -> String {
    let mut text = String::from("{");
    for number in 0_u32.. {
        let member = format!(
            "\"{}\":{value},",
            data_encoding::BASE64
                .encode(&number.to_le_bytes()[..2 + usize::from(number > 0xffff)])
                .trim_end_matches('=')
        );
        if text.len() + member.len() + 10 > length {
            break;
        }
        text.push_str(&member);
    }
    text + "\"end\":0}"
}

/// JSON that is costly for its length, good and bad.
fn documents(length: usize) -> Vec<(&'static str, String)> {
    vec![
        ("members", members(length, "0")),
        ("members in a member", format!("{{\"a\":{}}}", members(length - 10, "0"))),
        (
            "members, 16 levels down",
            format!("{}{}{}", "{\"a\":".repeat(16), members(length - 100, "0"), "}".repeat(16)),
        ),
        ("members of objects", members(length, "{}")),
        ("the same member", filled("{", "\"\":0,", "\"\":0}", length)),
        ("the same member, nested", filled("{\"a\":{\"a\":{\"a\":{", "\"\":0,", "\"\":0}}}}", length)),
        ("members without an end", filled("{", "\"\":0,", "", length)),
        ("elements", filled("{\"a\":[", "0,", "0]}", length)),
        ("elements that are empty objects", filled("{\"a\":[", "{},", "{}]}", length)),
        ("elements that are empty strings", filled("{\"a\":[", "\"\",", "\"\"]}", length)),
        ("escapes", filled("{\"a\":\"", "\\n", "\"}", length)),
        ("escapes of six bytes", filled("{\"a\":\"", "\\u0000", "\"}", length)),
        ("many short escaped names", filled("{", "\"\\n\":0,", "\"a\":0}", length)),
        ("depth", filled("{\"a\":", "[", "", length)),
        ("objects in objects", filled("", "{\"\":", "", length)),
        ("arrays of 32 levels", filled("{\"a\":[", &format!("{}{},", "[".repeat(29), "]".repeat(29)), "0]}", length)),
        ("a number", filled("{\"a\":", "1", "}", length)),
        ("white space", filled("{", " ", "}", length)),
        ("not JSON", filled("", "x", "", length)),
        ("a key", filled("{\"kty\":\"", "x", "\"}", length)),
        ("keys that are numbers", filled("{\"keys\":[", "0,", "0]}", length)),
        ("operations", filled("{\"kty\":\"RSA\",\"key_ops\":[", "\"\",", "\"verify\"]}", length)),
        (
            "operations, all different",
            format!(
                "{{\"kty\":\"RSA\",\"key_ops\":[{}]}}",
                members(length - 60, "")
                    .replace(":", "")
                    .trim_matches(['{', '}'])
                    .trim_end_matches("\"end\"0")
                    .to_owned()
                    + "\"verify\""
            ),
        ),
        ("a modulus", filled("{\"kty\":\"RSA\",\"e\":\"AQAB\",\"n\":\"", "AQAB", "\"}", length)),
        ("an exponent", filled("{\"kty\":\"RSA\",\"n\":\"AQAB\",\"e\":\"", "AQAB", "\"}", length)),
        ("a name", filled("{\"keys\":[{\"kid\":\"", "k", "\"}]}", length)),
        ("audiences", filled("{\"exp\":4102444800,\"aud\":[", "\"\",", "\"\"]}", length)),
        ("scopes", filled("{\"scope\":\"", "a ", "\"}", length)),
        ("scopes in an array", filled("{\"scope\":[", "\"\",", "\"\"]}", length)),
        ("confirmation", filled("{\"cnf\":{\"jwk\":{\"a\":[", "0,", "0]}}}", length)),
        ("confirmation of members", format!("{{\"cnf\":{}}}", members(length - 10, "0"))),
    ]
}

#[test]
fn hostile_input_is_cheap() {
    // Tables that are built meanwhile would be counted along: those of keys there are none, those of the curves' own
    // base points are there beforehand.
    tables::configure(Settings { max_bytes: 0, ..Settings::DEFAULT }).unwrap();
    for signer in SIGNERS.iter() {
        verify(
            signer.token(signer.header(), "{}").as_bytes(),
            &key_set(Backend::Default),
            &lax(),
            now(),
            ProofOfPossession::default(),
        )
        .unwrap();
    }
    let signer = signer(Algorithm::EdDsa);
    let keys = KEY_OPTIONS.map(key_set);
    let mut worst = [(0, ""), (0, "")];
    let mut note = |which: usize, name: &'static str, used: usize, length: usize| {
        let multiple = used.saturating_sub(CONSTANT).div_ceil(length);
        worst[which] = worst[which].max((multiple, name));
    };

    for length in [16 * 1024, 100_000, 700_000, 1024 * 1024] {
        for (name, document) in documents(length) {
            let document = document.as_bytes();
            for options in KEY_OPTIONS {
                note(1, name, peak(|| KeySet::from_json(document, options)), document.len());
            }
            let text = std::str::from_utf8(document).unwrap();
            note(1, name, peak(|| KeySet::from_pem(text, None, None, Backend::Default)), document.len());
            note(1, name, peak(|| KeySet::from_der(document, None, None, Backend::Default)), document.len());
        }
        // A document whose outer object is the JWK Set, with 256 keys.
        let key = format!("{{\"kty\":\"oct\",\"a\":\"{}\"}},", "x".repeat(length / 256 - 26));
        let set = format!("{{\"keys\":[{}]}}", key.repeat(255).trim_end_matches(','));
        note(1, "256 keys", peak(|| KeySet::from_json(set.as_bytes(), Backend::Default)), set.len());
        let pem = filled("", "-----BEGIN ", "", length);
        note(1, "PEM boundaries", peak(|| KeySet::from_pem(&pem, None, None, Backend::Default)), pem.len());
    }

    // The largest tokens that the default limits let through, and some of a policy with larger ones.
    for (name, document) in documents(12_000) {
        let token = signer.token(signer.header(), document);
        for keys in &keys {
            note(
                0,
                name,
                peak(|| verify(token.as_bytes(), keys, &lax(), now(), ProofOfPossession::default())),
                token.len(),
            );
        }
        note(0, name, peak(|| verify_jws(token.as_bytes(), &keys[0], &any_jws())), token.len());
        note(0, name, peak(|| unverified_names(token.as_bytes(), &Limits::default())), token.len());
    }
    for (name, document) in documents(3_000) {
        let token = format!("{}.e30.AAAA", base64url(document));
        note(
            0,
            name,
            peak(|| verify(token.as_bytes(), &keys[0], &lax(), now(), ProofOfPossession::default())),
            token.len(),
        );
    }
    for piece in [".", "A", "=", "é", "AAAA.", "e30."] {
        let token = piece.repeat(16 * 1024 / piece.len());
        note(
            0,
            "pieces",
            peak(|| verify(token.as_bytes(), &keys[0], &lax(), now(), ProofOfPossession::default())),
            token.len(),
        );
        // Beyond the limit nothing is allocated at all, however long it is.
        let token = piece.repeat(10 * 1024 * 1024 / piece.len());
        assert!(peak(|| verify(token.as_bytes(), &keys[0], &lax(), now(), ProofOfPossession::default())) < CONSTANT);
    }
    assert!(worst[0].0 <= TOKEN_MULTIPLE && worst[1].0 <= KEY_SET_MULTIPLE, "{worst:?}");
}
