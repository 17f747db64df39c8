//! Properties of arbitrary requests: the body of the fuzz target for the gate, and of the tests that replay and generate
//! requests.
//!
//! A request is text: the method, a space and the target on the first line, then headers, a line each, as `name: value`. In
//! values, `{token}` stands for a valid token, `{bound}` for one that is bound to a key, and `{proof}` for a valid proof of
//! that key for this request. The function panics if a property is violated.

#![allow(dead_code, reason = "each includer uses only some of the items")]
#![allow(clippy::expect_used, reason = "a check fails by panicking")]

use std::num::NonZeroUsize;
use std::sync::{Arc, LazyLock};

use data_encoding::BASE64URL_NOPAD;
use ed25519_dalek::{Signer as _, SigningKey};
use watchword_gate::methods::Methods;
use watchword_gate::path::NormalPath;
use watchword_gate::route_table::RouteTable;
use watchword_gate::template::Template;
use watchword_gate::{
    Access, AnswerSettings, CertificateFormat, Decision, EmptyHeaders, Gate, Guard, Header, IDENTITY_NAMES,
    IdentityHeaders, OriginHeaders, Outcome, PublicOrigin, Replay, Request, Requirement, Rules, Secret, TraceId,
    TrustedProxy,
};
use watchword_kernel::dpop::PROOF_LIMITS;
use watchword_kernel::json::Object;
use watchword_kernel::{
    Algorithm, AlgorithmSet, Backend, IssuerNames, IssuerTable, KeySet, Limits, Policy, ProofPolicy, ReplayCache,
    UnixTime, thumbprint, token_hash,
};

/// RFC 8037 appendix A.1: a published private key.
const SECRET: [u8; 32] = [
    0x9d, 0x61, 0xb1, 0x9d, 0xef, 0xfd, 0x5a, 0x60, 0xba, 0x84, 0x4a, 0xf4, 0x92, 0xec, 0x2c, 0xc4, 0x44, 0x49, 0xc5,
    0x69, 0x7b, 0x32, 0x69, 0x19, 0x70, 0x3b, 0xac, 0x03, 0x1c, 0xae, 0x7f, 0x60,
];
const JWK: &str = r#"{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#;
const NOW: f64 = 1_700_000_000.0;
const ORIGIN: &str = "https://api.example";
const PREFIX: &str = "X-Auth-";
const CAPACITY: NonZeroUsize = NonZeroUsize::MIN.saturating_add(63);

/// What the routes are, and whether they need a token.
const ROUTES: [(&str, Access); 5] = [
    ("/health", Access::Public),
    ("/orders/{id}", Access::Required),
    ("/home", Access::Optional),
    ("/files/{path...}", Access::Required),
    ("/caf%C3%A9", Access::Required),
];

static KEY: LazyLock<SigningKey> = LazyLock::new(|| SigningKey::from_bytes(&SECRET));
static TOKEN: LazyLock<String> = LazyLock::new(|| token(""));
static BOUND: LazyLock<String> = LazyLock::new(|| {
    let jwk = Object::parse(JWK.as_bytes()).expect("JSON");
    token(&format!(r#","cnf":{{"jkt":"{}"}}"#, thumbprint(&jwk).expect("a key")))
});
/// A header of an input.
type OwnedHeader = (Vec<u8>, Vec<u8>);

/// Without a proxy, and with one.
static RULES: LazyLock<[fn() -> Rules; 2]> = LazyLock::new(|| {
    [
        || rules(TrustedProxy::default()),
        || {
            rules(TrustedProxy {
                origin: Some(OriginHeaders::XForwarded),
                certificate: Some(("X-Client-Cert".to_owned(), CertificateFormat::EscapedPem)),
            })
        },
    ]
});

/// Asks two gates about a request.
pub(crate) fn gate(input: &[u8]) {
    let (method, target, headers) = parts(input);
    let fields: Vec<Header<'_>> = headers.iter().map(|(name, value)| (&**name, &**value)).collect();
    let request = Request { method: &method, target: &target, headers: &fields, certificate: None, form: None };
    for make in &*RULES {
        let decision = fresh(make()).check(&request, now(), None);
        check_headers(&decision, &fields);
        check_answer(&decision, &headers);
        check_allowed(&decision, &request);
        // Nothing but a used proof makes a difference the next time.
        assert_eq!(fresh(make()).check(&request, now(), None).code(), decision.code());
    }
    check_replay(&request);
    check_path(&target);
}

/// Whether the gate without a proxy allows the request.
pub(crate) fn is_allowed(input: &[u8]) -> bool {
    let (method, target, headers) = parts(input);
    let fields: Vec<Header<'_>> = headers.iter().map(|(name, value)| (&**name, &**value)).collect();
    let request = Request { method: &method, target: &target, headers: &fields, certificate: None, form: None };
    fresh(rules(TrustedProxy::default())).check(&request, now(), None).is_allowed()
}

/// No header below the prefix is left, in any spelling, and each identity header is set once, on one line, so that the
/// application reads what the gate says.
fn check_headers(decision: &Decision, headers: &[Header<'_>]) {
    let canonical = |name: &[u8]| {
        name.to_ascii_lowercase().iter().map(|byte| if b"_.".contains(byte) { b'-' } else { *byte }).collect::<Vec<_>>()
    };
    let prefix = canonical(PREFIX.as_bytes());
    let mut has_removed = false;
    for (name, _) in headers {
        has_removed |= decision.is_removed(name);
        assert!(decision.is_removed(name) || !canonical(name).starts_with(&prefix));
    }
    assert_eq!(decision.has_removed_headers(), has_removed);
    let identity = decision.identity_headers(trace_id());
    let expected = if decision.is_allowed() { IDENTITY_NAMES.len() + 1 } else { 0 };
    assert_eq!(identity.len(), expected);
    for (found, name) in identity.iter().zip(IDENTITY_NAMES) {
        assert_eq!(found.0, format!("{PREFIX}{name}"));
        assert!(found.1.bytes().all(|byte| matches!(byte, b' '..=b'~')), "{found:?}");
    }
    let application = IdentityHeaders::new(PREFIX.to_owned(), vec![secret()], EmptyHeaders::Sent);
    let read = |headers: &[Header<'_>]| application.read(headers);
    // What a client sends is never taken for the gate's: it does not know the secret.
    assert!(read(headers).is_err());
    if decision.is_allowed() {
        let mut forwarded: Vec<Header<'_>> =
            headers.iter().filter(|(name, _)| !decision.is_removed(name)).copied().collect();
        forwarded.extend(identity.iter().map(|(name, value)| (name.as_bytes(), value.as_bytes())));
        let found = read(&forwarded).expect("the gate's own headers");
        assert_eq!(Some(found.route.as_str()), decision.route());
    }
}

/// A rejection has a status, headers on one line each and a JSON document, and repeats nothing that the client sent.
fn check_answer(decision: &Decision, sent: &[OwnedHeader]) {
    let answer = decision.answer(trace_id());
    assert_eq!(answer.is_none(), decision.is_allowed());
    let Some(answer) = answer else { return };
    assert!((400..600).contains(&answer.status) && answer.status == decision.status());
    Object::parse(answer.body.as_bytes()).expect("a problem document");
    for (_, value) in &answer.headers {
        assert!(value.bytes().all(|byte| matches!(byte, b' '..=b'~')), "{value:?}");
    }
    let text = format!("{}{:?}", answer.body, answer.headers);
    let is_secret = |name: &[u8]| name.eq_ignore_ascii_case(b"authorization") || name.eq_ignore_ascii_case(b"dpop");
    for (_, value) in sent.iter().filter(|(name, value)| is_secret(name) && value.len() > 40) {
        assert!(!text.contains(&*String::from_utf8_lossy(value)));
    }
}

/// A request passes only on one of the routes, and with a valid token if the route needs one.
fn check_allowed(decision: &Decision, request: &Request<'_>) {
    let Outcome::Allowed(allowed) = decision.outcome() else { return };
    let route = decision.route().expect("a route");
    let (_, access) = ROUTES.iter().find(|(path, _)| *path == route).expect("one of the routes");
    let values = |name: &str| {
        request.headers.iter().filter(move |header| header.0.eq_ignore_ascii_case(name.as_bytes())).count()
    };
    match access {
        Access::Public => assert!(allowed.token.is_none()),
        Access::Required => assert!(allowed.token.is_some()),
        Access::Optional => {}
    }
    if allowed.token.is_some() {
        assert_eq!(values("authorization"), 1);
    }
    if allowed.proof.is_some() {
        assert_eq!(values("dpop"), 1);
    }
}

/// A proof is used once.
fn check_replay(request: &Request<'_>) {
    let gate = fresh(rules(TrustedProxy::default()));
    let first = gate.check(request, now(), None);
    let again = gate.check(request, now(), None).code();
    let has_proof = matches!(first.outcome(), Outcome::Allowed(allowed) if allowed.proof.is_some());
    assert_eq!(again, if has_proof { "dpop_replayed" } else { first.code() });
}

/// The normal form of a path is its own normal form, and its variables have no slash but in the last.
fn check_path(target: &[u8]) {
    let path = target.split(|byte| *byte == b'?').next().unwrap_or_default();
    let Ok(normal) = NormalPath::parse(path) else { return };
    assert_eq!(NormalPath::parse(normal.as_str().as_bytes()), Ok(normal.clone()));
    for (template, _) in ROUTES {
        let template = Template::parse(template).expect("a template");
        for (name, value) in template.matches(&normal).iter().flat_map(|found| found.iter()) {
            assert!(!value.is_empty() && (name == "path" || !value.contains('/')));
            assert!(!value.split('/').any(|part| matches!(part, "." | "..")));
        }
    }
}

fn parts(input: &[u8]) -> (String, Vec<u8>, Vec<OwnedHeader>) {
    let mut lines = input.split(|byte| *byte == b'\n');
    let first = lines.next().unwrap_or_default();
    let (method, target) = split(first, b" ");
    let method = String::from_utf8_lossy(method).into_owned();
    let headers =
        lines.map(|line| split(line, b": ")).map(|(name, value)| (name.to_vec(), filled(value, &method, target)));
    (method.clone(), target.to_vec(), headers.collect())
}

fn split<'a>(line: &'a [u8], separator: &[u8]) -> (&'a [u8], &'a [u8]) {
    match line.windows(separator.len()).position(|found| found == separator) {
        Some(at) => {
            (line.get(..at).unwrap_or_default(), line.get(at.saturating_add(separator.len())..).unwrap_or_default())
        }
        None => (line, b""),
    }
}

fn filled(value: &[u8], method: &str, target: &[u8]) -> Vec<u8> {
    let Ok(text) = std::str::from_utf8(value) else { return value.to_vec() };
    let mut text = text.replace("{token}", &TOKEN).replace("{bound}", &BOUND);
    if text.contains("{proof}") {
        text = text.replace("{proof}", &proof(method, target));
    }
    text.into_bytes()
}

fn proof(method: &str, target: &[u8]) -> String {
    let path = target.split(|byte| *byte == b'?').next().unwrap_or_default();
    let path = NormalPath::parse(path).map_or_else(|_| "/".to_owned(), |path| path.as_str().to_owned());
    let method = if method.bytes().all(|byte| byte.is_ascii_alphanumeric()) { method } else { "GET" };
    let ath = token_hash(BOUND.as_bytes());
    signed(
        &format!(r#"{{"typ":"dpop+jwt","alg":"EdDSA","jwk":{JWK}}}"#),
        &format!(r#"{{"jti":"1","htm":"{method}","htu":"{ORIGIN}{path}","iat":{NOW},"ath":"{ath}"}}"#),
    )
}

fn token(more: &str) -> String {
    let exp = NOW + 300.0;
    signed(r#"{"alg":"EdDSA"}"#, &format!(r#"{{"iss":"https://as.example","sub":"a,\r\n\u0000%é","exp":{exp}{more}}}"#))
}

fn signed(header: &str, claims: &str) -> String {
    let [header, claims] = [header, claims].map(|part| BASE64URL_NOPAD.encode(part.as_bytes()));
    let input = format!("{header}.{claims}");
    let signature = BASE64URL_NOPAD.encode(&KEY.sign(input.as_bytes()).to_bytes());
    format!("{input}.{signature}")
}

fn fresh(rules: Rules) -> Gate {
    static KEYS: LazyLock<Arc<KeySet>> =
        LazyLock::new(|| Arc::new(KeySet::from_json(JWK.as_bytes(), Backend::Default).expect("a key")));
    let replay = Replay::Memory(Arc::new(ReplayCache::new(CAPACITY, CAPACITY)));
    Gate::new(Arc::new(rules), vec![Some(Arc::clone(&KEYS))], None, replay)
}

fn rules(proxy: TrustedProxy) -> Rules {
    let issuer = "https://as.example".to_owned();
    let policy = Arc::new(Policy::default().with_issuers(vec![issuer.clone()]).expect("a policy"));
    let names =
        IssuerNames { name: issuer.clone(), spellings: vec![issuer.clone()], tenants: None, trust_domain: None };
    let template = |path| (Template::parse(path).expect("a template"), Methods::Any);
    let guards = ROUTES.map(|(path, access)| {
        Arc::new(Guard {
            name: path.into(),
            access,
            audience: None,
            issuers: vec!["https://as.example".into()],
            policies: vec![Some(Arc::clone(&policy))],
            requirement: Requirement::default(),
        })
    });
    Rules {
        origin: PublicOrigin::new(&[ORIGIN]).expect("an origin"),
        proxy,
        identity_prefix: PREFIX.to_owned(),
        identity_secret: Some(secret()),
        answers: AnswerSettings::default(),
        proofs: ProofPolicy::new(PROOF_LIMITS, AlgorithmSet::from_iter([Algorithm::EdDsa]), 60.0, 5.0)
            .expect("a policy"),
        issuers: Arc::new(IssuerTable::new(&[names]).expect("a table")),
        issuer_names: vec![issuer.into()],
        limits: Limits::default(),
        unknown_issuer_policy: policy,
        routes: RouteTable::compile(ROUTES.map(|(path, _)| template(path))),
        guards: guards.into(),
    }
}

fn secret() -> Secret {
    Secret::parse("c2VjcmV0IG9mIHRoZSBmdXp6IHRhcmdldCBvZiB0aGUgZ2F0ZQ").expect("32 bytes")
}

fn now() -> UnixTime {
    UnixTime::new(NOW).expect("finite")
}

fn trace_id() -> TraceId {
    TraceId::new([7; 16])
}
