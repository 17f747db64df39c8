//! A server with one issuer, and its tokens.

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use data_encoding::BASE64URL_NOPAD;
use ed25519_dalek::{Signer as _, SigningKey};
use sha2::{Digest as _, Sha256};
use watchword_gate::config::{GateConfig, ListenAddress};
use watchword_kernel::json::Object;
use watchword_kernel::{Backend, KeySet, ReplayCache, TokenCache};
use watchword_serve::{Configured, Family, Page, ReplayStore, Server, Settings};

pub(crate) const ISSUER: &str = "https://as.example";

pub(crate) const CONFIG: &str = r#"
public_url = "https://api.example"

[token]
audience = "https://api.example"

[[issuers]]
issuer = "https://as.example"

[[routes]]
path = "/health"
public = true

[[routes]]
path = "/orders/{id}"
scopes = ["orders:read"]

[[routes]]
path = "/payments"
dpop = "required"
"#;

pub(crate) fn settings() -> Settings {
    Settings {
        listen: vec![ListenAddress::parse("127.0.0.1:0").unwrap()],
        status_listen: vec![ListenAddress::parse("127.0.0.1:0").unwrap()],
        family: Family::Nginx,
        threads: NonZeroUsize::new(2).unwrap(),
        ..Settings::default()
    }
}

/// What is configured, with the keys of these names.
pub(crate) fn configured(key_ids: &[&str]) -> Configured {
    let compiled = GateConfig::from_toml(CONFIG).unwrap().compile().unwrap();
    Configured {
        rules: Arc::new(compiled.rules),
        keys: vec![(!key_ids.is_empty()).then(|| keys(key_ids))],
        cache: Some(Arc::new(TokenCache::new(1 << 20))),
        nonces: None,
        metadata: None,
    }
}

pub(crate) fn memory() -> ReplayStore {
    let count = NonZeroUsize::new(1000).unwrap();
    ReplayStore::Memory(Arc::new(ReplayCache::new(count, count)))
}

pub(crate) fn page(path: &str) -> Option<Page> {
    match path {
        "/failing" => None,
        "/panicking" => panic!("a page that panics"),
        path => Some(Page { status: 200, content_type: "text/plain".into(), content: path.into() }),
    }
}

pub(crate) fn start(settings: Settings, key_ids: &[&str], replay: ReplayStore) -> Server {
    let server = Server::bind(settings, configured(key_ids), replay, Arc::new(page)).unwrap();
    server.start().unwrap();
    server
}

/// A server for nginx with the key "k".
pub(crate) fn started() -> Server {
    start(settings(), &["k"], memory())
}

pub(crate) fn address(server: &Server) -> String {
    server.addresses()[0].to_string()
}

fn signing_key(key_id: &str) -> SigningKey {
    SigningKey::from_bytes(&[key_id.as_bytes()[0]; 32])
}

pub(crate) fn keys(key_ids: &[&str]) -> Arc<KeySet> {
    let key = |key_id: &&str| {
        let x = BASE64URL_NOPAD.encode(signing_key(key_id).verifying_key().as_bytes());
        format!(r#"{{"kty":"OKP","crv":"Ed25519","kid":"{key_id}","x":"{x}"}}"#)
    };
    let jwks = format!(r#"{{"keys":[{}]}}"#, key_ids.iter().map(key).collect::<Vec<_>>().join(","));
    Arc::new(KeySet::from_json(jwks.as_bytes(), Backend::Default).unwrap())
}

pub(crate) fn now() -> u64 {
    SystemTime::UNIX_EPOCH.elapsed().unwrap().as_secs()
}

fn signed(key_id: &str, header: &str, claims: &str) -> String {
    let input = format!("{}.{}", BASE64URL_NOPAD.encode(header.as_bytes()), BASE64URL_NOPAD.encode(claims.as_bytes()));
    let signature = signing_key(key_id).sign(input.as_bytes());
    format!("{input}.{}", BASE64URL_NOPAD.encode(&signature.to_bytes()))
}

/// A valid token with these further claims, signed with the key of this name.
pub(crate) fn token(key_id: &str, more: &str) -> String {
    let claims =
        format!(r#"{{"iss":"{ISSUER}","aud":"https://api.example","sub":"agent-7","exp":{}{more}}}"#, now() + 600);
    signed(key_id, &format!(r#"{{"alg":"EdDSA","kid":"{key_id}","typ":"at+jwt"}}"#), &claims)
}

/// A token that is bound to the key "p", and a proof with this id.
pub(crate) fn token_and_proof(id: &str) -> (String, String) {
    let x = BASE64URL_NOPAD.encode(signing_key("p").verifying_key().as_bytes());
    let jwk = format!(r#"{{"crv":"Ed25519","kty":"OKP","x":"{x}"}}"#);
    let parsed = Object::parse(jwk.as_bytes()).unwrap();
    let jkt = watchword_kernel::thumbprint(&parsed).unwrap();
    let token = token("k", &format!(r#","cnf":{{"jkt":"{jkt}"}}"#));
    let ath = BASE64URL_NOPAD.encode(&Sha256::digest(token.as_bytes()));
    let claims =
        format!(r#"{{"jti":"{id}","htm":"POST","htu":"https://api.example/payments","iat":{},"ath":"{ath}"}}"#, now());
    let proof = signed("p", &format!(r#"{{"alg":"EdDSA","typ":"dpop+jwt","jwk":{jwk}}}"#), &claims);
    (token, proof)
}

/// A request of nginx.
pub(crate) fn request(target: &str, more: &str) -> String {
    format!("GET / HTTP/1.1\r\nHost: gate\r\nX-Original-Method: GET\r\nX-Original-URI: {target}\r\n{more}\r\n")
}

/// The same with a token.
pub(crate) fn order(token: &str) -> String {
    request("/orders/7", &format!("Authorization: Bearer {token}\r\n"))
}

/// A payment with a token and a proof.
pub(crate) fn payment(token: &str, proof: &str) -> String {
    format!(
        "GET / HTTP/1.1\r\nHost: gate\r\nX-Original-Method: POST\r\nX-Original-URI: /payments\r\n\
         Authorization: DPoP {token}\r\nDPoP: {proof}\r\n\r\n"
    )
}

pub(crate) fn order_token(key_id: &str) -> String {
    token(key_id, r#","scope":"orders:read""#)
}

/// Waits until this is so.
pub(crate) fn until(mut is_so: impl FnMut() -> bool) {
    while !is_so() {
        std::thread::sleep(Duration::from_millis(5));
    }
}
