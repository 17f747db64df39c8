//! Properties of arbitrary requests: the body of the fuzz target for the gate, and of the tests that replay and generate
//! requests.
//!
//! A request is text, as `requests.rs` says. The function panics if a property is violated.

#![allow(dead_code, reason = "each includer uses only some of the items")]
#![allow(clippy::expect_used, reason = "a check fails by panicking")]

use std::num::NonZeroUsize;
use std::sync::{Arc, LazyLock};

use watchword_gate::methods::Methods;
use watchword_gate::path::{NormalPath, split_target};
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
    Algorithm, AlgorithmSet, Audience, Backend, IssuerNames, IssuerTable, KeySet, Limits, Policy, ProofPolicy,
    ReplayCache, UnixTime,
};

const NOW: f64 = 1_700_000_000.0;
const PREFIX: &str = "X-Auth-";
const CAPACITY: NonZeroUsize = NonZeroUsize::MIN.saturating_add(63);

#[path = "requests.rs"]
mod requests;

use requests::{JWK, ORIGIN, OwnedHeader, Sender};

/// What the routes are, and whether they need a token.
const ROUTES: [(&str, Access); 5] = [
    ("/health", Access::Public),
    ("/orders/{id}", Access::Required),
    ("/home", Access::Optional),
    ("/files/{path...}", Access::Required),
    ("/caf%C3%A9", Access::Required),
];

static SENDER: LazyLock<Sender> = LazyLock::new(|| Sender::new(NOW));
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
    let (method, target, headers) = SENDER.read(input, NOW);
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
    let (method, target, headers) = SENDER.read(input, NOW);
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
    let (path, _) = split_target(target);
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

fn fresh(rules: Rules) -> Gate {
    static KEYS: LazyLock<Arc<KeySet>> =
        LazyLock::new(|| Arc::new(KeySet::from_json(JWK.as_bytes(), Backend::Default).expect("a key")));
    let replay = Replay::Memory(Arc::new(ReplayCache::new(CAPACITY, CAPACITY)));
    Gate::new(Arc::new(rules), vec![Some(Arc::clone(&KEYS))], None, replay)
}

fn rules(proxy: TrustedProxy) -> Rules {
    let issuer = "https://as.example".to_owned();
    let audience = Audience::OneOf(vec![ORIGIN.to_owned()]);
    let policy = Policy::default().with_issuers(vec![issuer.clone()]).and_then(|policy| policy.with_audience(audience));
    let policy = Arc::new(policy.expect("a policy"));
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
