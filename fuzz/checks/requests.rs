//! Requests as text: the method, a space and the target on the first line, then headers, a line each, as `name: value`.
//!
//! In values, `{token}` stands for a valid token, `{bound}` for one that is bound to a key, and `{proof}` for a valid proof of
//! that key for this request.

use data_encoding::BASE64URL_NOPAD;
use ed25519_dalek::{Signer as _, SigningKey};
use watchword_gate::path::{NormalPath, split_target};
use watchword_kernel::json::Object;
use watchword_kernel::{thumbprint, token_hash};

/// RFC 8037 appendix A.1: a published private key.
const SECRET: [u8; 32] = [
    0x9d, 0x61, 0xb1, 0x9d, 0xef, 0xfd, 0x5a, 0x60, 0xba, 0x84, 0x4a, 0xf4, 0x92, 0xec, 0x2c, 0xc4, 0x44, 0x49, 0xc5,
    0x69, 0x7b, 0x32, 0x69, 0x19, 0x70, 0x3b, 0xac, 0x03, 0x1c, 0xae, 0x7f, 0x60,
];

/// The public key.
pub(crate) const JWK: &str = r#"{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#;

/// What proofs name.
pub(crate) const ORIGIN: &str = "https://api.example";

/// A header of a request.
pub(crate) type OwnedHeader = (Vec<u8>, Vec<u8>);

/// Sends requests, with tokens of its own.
pub(crate) struct Sender {
    key: SigningKey,
    token: String,
    bound: String,
}

impl Sender {
    /// Its tokens are valid for five hours from `now` on.
    pub(crate) fn new(now: f64) -> Self {
        let key = SigningKey::from_bytes(&SECRET);
        let jwk = Object::parse(JWK.as_bytes()).expect("JSON");
        let token = |more: &str| {
            let claims = format!(
                r#"{{"iss":"https://as.example","aud":"{ORIGIN}","sub":"a,\r\n\u0000%é","exp":{}{more}}}"#,
                (now + 18_000.0).floor()
            );
            signed(&key, r#"{"alg":"EdDSA"}"#, &claims)
        };
        let bound = token(&format!(r#","cnf":{{"jkt":"{}"}}"#, thumbprint(&jwk).expect("a key")));
        Self { token: token(""), bound, key }
    }

    /// The method, the target and the headers of an input. Proofs are made at `now`.
    pub(crate) fn read(&self, input: &[u8], now: f64) -> (String, Vec<u8>, Vec<OwnedHeader>) {
        let mut lines = input.split(|byte| *byte == b'\n');
        let (method, target) = split(lines.next().unwrap_or_default(), b" ");
        let method = String::from_utf8_lossy(method).into_owned();
        let headers = lines
            .map(|line| split(line, b": "))
            .map(|(name, value)| (name.to_vec(), self.filled(value, &method, target, now)))
            .collect();
        (method, target.to_vec(), headers)
    }

    fn filled(&self, value: &[u8], method: &str, target: &[u8], now: f64) -> Vec<u8> {
        let Ok(text) = std::str::from_utf8(value) else { return value.to_vec() };
        let mut text = text.replace("{token}", &self.token).replace("{bound}", &self.bound);
        if text.contains("{proof}") {
            text = text.replace("{proof}", &self.proof(method, target, now));
        }
        text.into_bytes()
    }

    fn proof(&self, method: &str, target: &[u8], now: f64) -> String {
        let (path, _) = split_target(target);
        let path = NormalPath::parse(path).map_or_else(|_| "/".to_owned(), |path| path.as_str().to_owned());
        let method = if method.bytes().all(|byte| byte.is_ascii_alphanumeric()) { method } else { "GET" };
        let ath = token_hash(self.bound.as_bytes());
        signed(
            &self.key,
            &format!(r#"{{"typ":"dpop+jwt","alg":"EdDSA","jwk":{JWK}}}"#),
            &format!(r#"{{"jti":"1","htm":"{method}","htu":"{ORIGIN}{path}","iat":{now},"ath":"{ath}"}}"#),
        )
    }
}

fn split<'a>(line: &'a [u8], separator: &[u8]) -> (&'a [u8], &'a [u8]) {
    match line.windows(separator.len()).position(|found| found == separator) {
        Some(at) => {
            (line.get(..at).unwrap_or_default(), line.get(at.saturating_add(separator.len())..).unwrap_or_default())
        }
        None => (line, b""),
    }
}

fn signed(key: &SigningKey, header: &str, claims: &str) -> String {
    let [header, claims] = [header, claims].map(|part| BASE64URL_NOPAD.encode(part.as_bytes()));
    let input = format!("{header}.{claims}");
    let signature = BASE64URL_NOPAD.encode(&key.sign(input.as_bytes()).to_bytes());
    format!("{input}.{signature}")
}
