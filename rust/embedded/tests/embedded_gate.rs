//! A gate with real files, which change while it is open.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    reason = "a test"
)]

use std::fs;
#[cfg(unix)]
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{self, Receiver};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use data_encoding::BASE64URL_NOPAD;
use ed25519_dalek::{Signer as _, SigningKey};
use watchword_embedded::{
    Checked, ConfigSource, EmbeddedGate, Event, Format, IdentityFields, OpenError, Options, ReplayStore,
};
use watchword_gate::{Decision, Request};

const ISSUER: &str = "https://as.example";

fn now() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs_f64()
}

fn key(number: u8) -> SigningKey {
    SigningKey::from_bytes(&[number; 32])
}

fn jwks(number: u8) -> String {
    let x = BASE64URL_NOPAD.encode(key(number).verifying_key().as_bytes());
    format!(r#"{{"keys":[{{"kty":"OKP","crv":"Ed25519","kid":"k","x":"{x}"}}]}}"#)
}

fn synced(number: u8, valid_until: f64) -> String {
    format!(r#"{{"issuers":{{"{ISSUER}":{{"jwks":{},"valid_until":{valid_until}}}}}}}"#, jwks(number))
}

fn token(number: u8, claims: &str) -> String {
    let claims = format!(r#"{{"iss":"{ISSUER}","aud":"https://api.example","exp":{}{claims}}}"#, now() + 600.0);
    let encode = |text: &str| BASE64URL_NOPAD.encode(text.as_bytes());
    let input = format!("{}.{}", encode(r#"{"alg":"EdDSA","kid":"k"}"#), encode(&claims));
    let signature = key(number).sign(input.as_bytes());
    format!("{input}.{}", BASE64URL_NOPAD.encode(&signature.to_bytes()))
}

fn config(keys: &str, route: &str) -> String {
    format!(
        "public_url = 'https://api.example'\n[token]\naudience = 'https://api.example'\n\
         [[issuers]]\nissuer = '{ISSUER}'\n{keys}\n[[routes]]\npath = '/orders'\n{route}\n"
    )
}

/// A folder that is removed at the end.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("watchword-embedded-{name}-{}", std::process::id()));
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    /// Writes a file as an agent does: another file takes its place at once.
    fn write(&self, name: &str, text: &str) -> PathBuf {
        let (path, new) = (self.0.join(name), self.0.join("new"));
        fs::write(&new, text).unwrap();
        fs::rename(&new, &path).unwrap();
        path
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn options(keys_file: Option<&Path>) -> Options {
    Options {
        keys_file: keys_file.map(Path::to_path_buf),
        check_interval: Duration::from_millis(5),
        ..Options::default()
    }
}

fn open(source: ConfigSource, options: Options) -> Result<(EmbeddedGate, Receiver<Event>), OpenError> {
    let (send, events) = mpsc::channel();
    let listener = Box::new(move |event: &Event| drop(send.send(event.clone())));
    EmbeddedGate::open(source, options, listener).map(|gate| (gate, events))
}

fn refusal(source: ConfigSource, options: Options) -> String {
    open(source, options).err().expect("it is refused").to_string()
}

fn toml(text: String) -> ConfigSource {
    ConfigSource::Text(text, Format::Toml, PathBuf::new())
}

fn decision(gate: &EmbeddedGate, token: &str) -> Decision {
    let authorization = format!("Bearer {token}");
    let headers: [(&[u8], &[u8]); 1] = [(b"authorization", authorization.as_bytes())];
    let request = Request { method: "GET", target: b"/orders", headers: &headers, certificate: None, form: None };
    match gate.check(&request) {
        Checked::Decided(decision) => decision,
        Checked::UnusedProof(_) => panic!("there is no proof"),
    }
}

fn code(gate: &EmbeddedGate, token: &str) -> &'static str {
    decision(gate, token).code()
}

fn next(events: &Receiver<Event>) -> Event {
    events.recv_timeout(Duration::from_secs(60)).expect("an event")
}

#[test]
fn keys_that_stand_in_the_configuration() {
    let given = config(&format!("jwks = '{}'", jwks(1)), "scopes = ['orders:read']");
    let (gate, _events) = open(toml(given), options(None)).unwrap();
    assert_eq!(code(&gate, &token(1, r#","scope":"orders:read""#)), "allowed");
    assert_eq!(code(&gate, &token(1, "")), "insufficient_scope");
    assert_eq!(code(&gate, &token(2, r#","scope":"orders:read""#)), "invalid_signature");
    assert_eq!(gate.status().issuers, [(ISSUER.to_owned(), Some(1))]);
    assert!(gate.records_proofs());
}

#[test]
fn a_configuration_that_changes_and_one_that_is_refused() {
    let folder = Folder::new("config");
    folder.write("keys.json", &jwks(1));
    let path = folder.write("gate.toml", &config("jwks_file = 'keys.json'", ""));
    let (gate, events) = open(ConfigSource::File(path), options(None)).unwrap();
    assert_eq!(code(&gate, &token(1, "")), "allowed");

    folder.write("gate.toml", &config("jwks_file = 'keys.json'", "scopes = ['orders read']"));
    let Event::ConfigRefused(reason) = next(&events) else { panic!("it is refused") };
    assert!(reason.contains("gate.toml:9:11: routes[0].scopes[0]: "), "{reason}");
    assert_eq!(code(&gate, &token(1, "")), "allowed");
    assert_eq!((gate.status().refused, gate.status().last_refusal), (1, Some(reason)));

    folder.write("gate.toml", &config("jwks_file = 'keys.json'", "scopes = ['orders:read']"));
    assert_eq!(next(&events), Event::ConfigLoaded);
    assert_eq!(code(&gate, &token(1, "")), "insufficient_scope");
}

#[test]
fn a_file_with_keys_that_changes_and_one_that_is_refused() {
    let folder = Folder::new("keys");
    folder.write("keys.json", &jwks(1));
    let path = folder.write("gate.toml", &config("jwks_file = 'keys.json'", ""));
    let (gate, events) = open(ConfigSource::File(path), options(None)).unwrap();

    folder.write("keys.json", "{\"keys\": [");
    let Event::KeysRefused(reason) = next(&events) else { panic!("they are refused") };
    assert!(reason.contains("keys.json: "), "{reason}");
    assert_eq!(code(&gate, &token(1, "")), "allowed");

    folder.write("keys.json", &jwks(2));
    assert_eq!(next(&events), Event::KeysLoaded(ISSUER.to_owned(), 1));
    let first = token(1, "");
    // The event is reported before the keys are handed over.
    while code(&gate, &first) == "allowed" {
        std::thread::yield_now();
    }
    assert_eq!(code(&gate, &token(1, "")), "invalid_signature");
    assert_eq!(code(&gate, &token(2, "")), "allowed");
}

#[test]
fn a_file_that_cannot_be_read_is_reported_once() {
    let folder = Folder::new("unreadable");
    folder.write("keys.json", &jwks(1));
    let synced_file = folder.write("synced.json", &synced(1, now() + 600.0));
    let two = config("jwks_file = 'keys.json'\n[[issuers]]\nissuer = 'https://synced.example'", "");
    let (gate, events) =
        open(ConfigSource::File(folder.write("gate.toml", &two)), options(Some(&synced_file))).unwrap();
    assert_eq!(next(&events), Event::KeysUnavailable("https://synced.example".to_owned()));
    for name in ["keys.json", "synced.json"] {
        let path = folder.0.join(name);
        fs::remove_file(&path).unwrap();
        fs::create_dir(&path).unwrap();
        let Event::KeysRefused(reason) = next(&events) else { panic!("it is refused") };
        assert!(reason.contains(name) && reason.ends_with("is not a regular file"), "{reason}");
    }
    // Each look at the files comes before this one's result.
    folder.write("gate.toml", &two.replace("/orders", "/orders2"));
    let Event::ConfigRefused(reason) = next(&events) else { panic!("the files are refused once") };
    assert!(reason.contains("keys.json is not a regular file"), "{reason}");
    assert_eq!(code(&gate, &token(1, "")), "allowed");
    for name in ["keys.json", "synced.json"] {
        fs::remove_dir(folder.0.join(name)).unwrap();
    }
    folder.write("synced.json", &synced(1, now() + 600.0));
    folder.write("keys.json", &jwks(2));
    while next(&events) != Event::ConfigLoaded {}
}

#[cfg(unix)]
#[test]
fn a_file_of_the_same_size_and_time_is_read_again() {
    let folder = Folder::new("same-time");
    let path = folder.write("keys.json", &jwks(1));
    let source = ConfigSource::File(folder.write("gate.toml", &config("jwks_file = 'keys.json'", "")));
    let (_gate, events) = open(source, options(None)).unwrap();
    let modified = fs::metadata(&path).unwrap().modified().unwrap();
    // In place, as an editor does.
    let file = fs::File::options().write(true).open(&path).unwrap();
    file.write_all_at(jwks(2).as_bytes(), 0).unwrap();
    file.set_modified(modified).unwrap();
    assert_eq!(next(&events), Event::KeysLoaded(ISSUER.to_owned(), 1));
}

#[test]
fn synced_keys_are_used_until_their_time_is_over() {
    let folder = Folder::new("synced");
    let file = folder.write("synced.json", &synced(1, now() + 600.0));
    let (gate, events) = open(toml(config("", "")), options(Some(&file))).unwrap();
    assert_eq!(code(&gate, &token(1, "")), "allowed");

    folder.write("synced.json", &synced(1, now() - 1.0));
    assert_eq!(next(&events), Event::KeysUnavailable(ISSUER.to_owned()));
    let rejected = decision(&gate, &token(1, ""));
    assert_eq!((rejected.code(), rejected.status()), ("keys_unavailable", 503));
    // Whatever the keys are, it is invalid.
    assert_eq!(code(&gate, "no.token"), "malformed_token");

    folder.write("synced.json", &synced(2, now() + 600.0));
    assert_eq!(next(&events), Event::KeysLoaded(ISSUER.to_owned(), 1));
    folder.write("synced.json", r#"{"issuers": {}}"#);
    assert_eq!(next(&events), Event::KeysUnavailable(ISSUER.to_owned()));
}

#[test]
fn synced_keys_end_in_time_however_seldom_files_are_examined() {
    let folder = Folder::new("end");
    let file = folder.write("synced.json", &synced(1, now() + 0.2));
    let seldom = Options { check_interval: Duration::from_secs(3600), ..options(Some(&file)) };
    let (gate, events) = open(toml(config("", "")), seldom).unwrap();
    assert_eq!(next(&events), Event::KeysUnavailable(ISSUER.to_owned()));
    assert_eq!(code(&gate, &token(1, "")), "keys_unavailable");
}

#[test]
fn synced_keys_end_in_time_if_that_is_while_they_are_read() {
    let folder = Folder::new("end-early");
    let seldom = |file: &Path| Options { check_interval: Duration::from_secs(3600), ..options(Some(file)) };
    for step in 0..40 {
        let file = folder.write("synced.json", &synced(1, now() + 0.000_05 * f64::from(step)));
        let (gate, _events) = open(toml(config("", "")), seldom(&file)).unwrap();
        let (token, deadline) = (token(1, ""), now() + 60.0);
        while code(&gate, &token) != "keys_unavailable" {
            assert!(now() < deadline);
            std::thread::yield_now();
        }
    }
}

#[test]
fn what_cannot_be_opened_says_what_to_do() {
    let folder = Folder::new("refused");
    let reason = refusal(toml(config("", "")), options(None));
    assert!(reason.contains("watchword keys sync"), "{reason}");
    let reason = refusal(toml(config("", "")), options(Some(&folder.0.join("absent.json"))));
    assert!(reason.contains("absent.json cannot be read: "), "{reason}");
    let file = folder.write("synced.json", "{\"keys\": []}");
    let reason = refusal(toml(config("", "")), options(Some(&file)));
    assert!(reason.contains("it has no object \"issuers\""), "{reason}");
    let reason = refusal(toml("public_url = 1".to_owned()), options(None));
    assert!(reason.contains("1:14: public_url: must be a string"), "{reason}");

    let given = config(&format!("jwks = '{}'", jwks(1)), "");
    let redis = format!("{given}[dpop]\nreplay = 'redis://user:secret@localhost'\n");
    let reason = refusal(toml(redis.clone()), options(None));
    assert!(reason.contains("dpop.replay") && !reason.contains("secret"), "{reason}");
    let external = Options { replay: ReplayStore::External, ..options(None) };
    assert!(open(toml(redis), external.clone()).is_ok());
    let nonces = format!("{given}[dpop]\nnonce_lifetime = 60\n");
    assert!(open(toml(nonces.clone()), options(None)).is_ok());
    let reason = refusal(toml(nonces), external);
    assert!(reason.contains("dpop.nonce_keys_file is missing"), "{reason}");
}

#[test]
fn requirements_for_a_route_that_the_proxy_has_chosen() {
    let folder = Folder::new("requirements");
    let given = config(&format!("jwks = '{}'", jwks(1)), "");
    let path = folder.write("gate.toml", &given);
    let (gate, events) = open(ConfigSource::File(path), options(None)).unwrap();
    let requirements = gate.requirements(r#"{"scopes": ["orders:write"]}"#, "of Envoy").unwrap();
    let check = |token: &str| {
        let authorization = format!("Bearer {token}");
        let headers: [(&[u8], &[u8]); 1] = [(b"authorization", authorization.as_bytes())];
        let request = Request { method: "GET", target: b"/other", headers: &headers, certificate: None, form: None };
        match gate.check_for(&requirements, &request).unwrap() {
            Checked::Decided(decision) => (decision.code(), decision.route().map(str::to_owned)),
            Checked::UnusedProof(_) => panic!("there is no proof"),
        }
    };
    let sent = token(1, r#","scope":"orders:write""#);
    assert_eq!(check(&sent), ("allowed", Some("of Envoy".to_owned())));
    assert_eq!(check(&token(1, "")).0, "insufficient_scope");

    let unnamed = gate.requirements("{}", "").unwrap();
    let nothing = Request { method: "GET", target: b"/other", headers: &[], certificate: None, form: None };
    let Ok(Checked::Decided(decision)) = gate.check_for(&unnamed, &nothing) else { panic!("there is no proof") };
    assert_eq!(decision.route(), Some("/"));

    // A new configuration with another audience applies to them, too.
    folder.write("gate.toml", &given.replace("audience = 'https://api.example'", "audience = 'https://other.example'"));
    assert_eq!(next(&events), Event::ConfigLoaded);
    assert_eq!(check(&sent).0, "wrong_audience");

    // So does one without an issuer that they name.
    let named = gate.requirements(&format!(r#"{{"issuers": ["{ISSUER}"]}}"#), "").unwrap();
    assert!(gate.check_for(&named, &nothing).is_ok());
    folder.write("gate.toml", &given.replace(ISSUER, "https://other.example"));
    assert_eq!(next(&events), Event::ConfigLoaded);
    let error = gate.check_for(&named, &nothing).err().expect("an error").to_string();
    assert_eq!(error, format!("issuers: no issuer has the name {ISSUER:?} any more"));

    for (json, reason) in [
        (r#"{"path": "/"}"#, "path: the route is chosen elsewhere: remove it"),
        (r#"{"scopes": ["{id}"]}"#, "scopes"),
        (r#"{"issuers": ["https://unknown.example"]}"#, "no issuer has the name"),
        (r#"{"scope": []}"#, "did you mean \"scopes\"?"),
        ("[]", ""),
    ] {
        let error = gate.requirements(json, "").err().expect(json).to_string();
        assert!(error.contains(reason), "{error}");
    }
}

#[test]
fn the_secret_of_identity_headers_is_sent_and_replaced() {
    let folder = Folder::new("secret");
    let secret = |number: u8| BASE64URL_NOPAD.encode(&[number; 32]);
    folder.write("secrets", &secret(1));
    let given = config(&format!("jwks = '{}'", jwks(1)), "");
    let path = folder.write("gate.toml", &format!("identity_secret_file = 'secrets'\n{given}"));
    let (gate, events) = open(ConfigSource::File(path), options(None)).unwrap();
    let sent = token(1, "");
    let last = || {
        let (decision, trace_id) = (decision(&gate, &sent), gate.trace_id());
        let fields = IdentityFields::of(&decision, trace_id);
        let fields: Vec<_> = fields.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        assert_eq!(fields, decision.identity_headers(trace_id));
        fields.last().unwrap().clone()
    };
    // The second time from the cache.
    assert_eq!(last(), ("X-Auth-Secret".to_owned(), secret(1)));
    assert_eq!(last(), ("X-Auth-Secret".to_owned(), secret(1)));

    folder.write("secrets", &format!("{}\n{}\n", secret(2), secret(1)));
    assert_eq!(next(&events), Event::ConfigLoaded);
    assert_eq!(last(), ("X-Auth-Secret".to_owned(), secret(2)));
    folder.write("secrets", "short");
    let Event::ConfigRefused(reason) = next(&events) else { panic!("it is refused") };
    assert!(reason.contains("identity_secret_file: ") && !reason.contains("short\""), "{reason}");
    assert_eq!(last(), ("X-Auth-Secret".to_owned(), secret(2)));
}
