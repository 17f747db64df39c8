//! Decisions on requests, with tokens that are signed here; and rules and keys that are replaced under load.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    reason = "a test"
)]

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use data_encoding::BASE64URL_NOPAD;
use ed25519_dalek::{Signer as _, SigningKey};
use watchword_gate::config::RouteConfig;
use watchword_gate::methods::Methods;
use watchword_gate::route_table::RouteTable;
use watchword_gate::template::Template;
use watchword_gate::{
    Access, AnswerSettings, Decision, Gate, Guard, IdentityCache, PublicOrigin, Replay, Request, Requirement, Rules,
    TraceId, TrustedProxy,
};
use watchword_kernel::dpop::PROOF_LIMITS;
use watchword_kernel::{
    Algorithm, AlgorithmSet, Audience, Backend, IssuerNames, IssuerTable, KeySet, Limits, Policy, ProofPolicy,
    ReplayCache, TokenCache, UnixTime,
};

const NOW: f64 = 1_700_000_000.0;
const ISSUERS: [&str; 2] = ["https://as.example", "https://other.example"];

fn signing_key(issuer: usize) -> SigningKey {
    SigningKey::from_bytes(&[u8::try_from(issuer).unwrap() + 1; 32])
}

fn keys(issuer: usize) -> Arc<KeySet> {
    let x = BASE64URL_NOPAD.encode(signing_key(issuer).verifying_key().as_bytes());
    let jwks = format!(r#"{{"keys":[{{"kty":"OKP","crv":"Ed25519","kid":"k","x":"{x}"}}]}}"#);
    Arc::new(KeySet::from_json(jwks.as_bytes(), Backend::Default).unwrap())
}

fn token(issuer: usize, more: &str) -> String {
    let claims = format!(
        r#"{{"iss":"{}","aud":"https://api.example","sub":"agent-7","exp":{}{more}}}"#,
        ISSUERS[issuer],
        NOW + 60.0
    );
    let encode = |text: &str| BASE64URL_NOPAD.encode(text.as_bytes());
    let input = format!("{}.{}", encode(r#"{"alg":"EdDSA","kid":"k","typ":"at+jwt"}"#), encode(&claims));
    let signature = signing_key(issuer).sign(input.as_bytes());
    format!("{input}.{}", BASE64URL_NOPAD.encode(&signature.to_bytes()))
}

fn rules(routes: &[RouteConfig]) -> Rules {
    let policies: Vec<_> = ISSUERS
        .iter()
        .map(|issuer| {
            let audience = Audience::OneOf(vec!["https://api.example".to_owned()]);
            Policy::default().with_issuers(vec![(*issuer).to_owned()]).unwrap().with_audience(audience).unwrap()
        })
        .map(Arc::new)
        .collect();
    let names: Vec<Arc<str>> = ISSUERS.iter().map(|name| Arc::from(*name)).collect();
    let guard = |route: &RouteConfig| {
        Arc::new(Guard {
            name: Arc::from(route.display_name()),
            access: if route.public { Access::Public } else { Access::Required },
            audience: None,
            issuers: names.clone(),
            policies: policies.iter().cloned().map(Some).collect(),
            requirement: Requirement::compile(route, None).unwrap(),
        })
    };
    let issuers: Vec<_> = ISSUERS
        .iter()
        .map(|name| IssuerNames {
            name: (*name).to_owned(),
            spellings: vec![(*name).to_owned()],
            tenants: None,
            trust_domain: None,
        })
        .collect();
    let algorithms: AlgorithmSet = [Algorithm::EdDsa, Algorithm::Es256].into_iter().collect();
    Rules {
        origin: PublicOrigin::new(&["https://api.example"]).unwrap(),
        proxy: TrustedProxy::default(),
        identity_prefix: "X-Auth-".to_owned(),
        identity_secret: None,
        answers: AnswerSettings { algorithms: "EdDSA ES256".to_owned(), ..AnswerSettings::default() },
        proofs: ProofPolicy::new(PROOF_LIMITS, algorithms, 60.0, 5.0).unwrap(),
        issuers: Arc::new(IssuerTable::new(&issuers).unwrap()),
        issuer_names: names.clone(),
        limits: Limits::default(),
        unknown_issuer_policy: Arc::new(Policy::default()),
        routes: RouteTable::compile(routes.iter().map(|route| (Template::parse(&route.path).unwrap(), Methods::Any))),
        guards: routes.iter().map(guard).collect(),
    }
}

fn gate(routes: &[RouteConfig]) -> Gate {
    let replay = ReplayCache::new(NonZeroUsize::new(100).unwrap(), NonZeroUsize::new(100).unwrap());
    let keys = vec![Some(keys(0)), Some(keys(1))];
    Gate::new(Arc::new(rules(routes)), keys, Some(Arc::new(TokenCache::new(1 << 20))), Replay::Memory(Arc::new(replay)))
}

fn check(gate: &Gate, target: &str, headers: &[(&str, &str)]) -> Decision {
    let headers: Vec<_> = headers.iter().map(|(name, value)| (name.as_bytes(), value.as_bytes())).collect();
    let request =
        Request { method: "GET", target: target.as_bytes(), headers: &headers, certificate: None, form: None };
    gate.check(&request, UnixTime::new(NOW).unwrap(), None)
}

fn answer(decision: &Decision) -> watchword_gate::Answer {
    decision.answer(TraceId::new([7; 16])).unwrap()
}

#[test]
fn a_token_of_each_issuer_is_verified_with_its_keys() {
    let gate = gate(&[RouteConfig::new("/orders/{id}")]);
    for (index, issuer) in ISSUERS.iter().enumerate() {
        for cached in [false, true] {
            let sent = format!("Bearer {}", token(index, ""));
            let decision = check(&gate, "/orders/1", &[("authorization", &sent)]);
            assert!(decision.is_allowed(), "{}", decision.code());
            assert_eq!((decision.issuer(), decision.route()), (Some(*issuer), Some("/orders/{id}")));
            let watchword_gate::Outcome::Allowed(allowed) = decision.outcome() else { panic!() };
            assert_eq!(allowed.cached, cached);
            let headers = decision.identity_headers(TraceId::new([7; 16]));
            assert_eq!(headers[0], ("X-Auth-Sub".to_owned(), "agent-7".to_owned()));
        }
    }
    // Signed with the keys of one issuer, in the name of the other.
    let claims = format!(r#"{{"iss":"{}","aud":"https://api.example","exp":{}}}"#, ISSUERS[1], NOW + 60.0);
    let claims = BASE64URL_NOPAD.encode(claims.as_bytes());
    let input = format!("{}.{claims}", BASE64URL_NOPAD.encode(br#"{"alg":"EdDSA","kid":"k","typ":"at+jwt"}"#));
    let signature = BASE64URL_NOPAD.encode(&signing_key(0).sign(input.as_bytes()).to_bytes());
    let decision = check(&gate, "/orders/1", &[("authorization", &format!("Bearer {input}.{signature}"))]);
    assert_eq!(decision.code(), "invalid_signature");
}

#[test]
fn a_rejection_has_an_answer_and_nothing_for_the_application() {
    let route = RouteConfig { scopes: vec!["orders:{id}".to_owned()], ..RouteConfig::new("/orders/{id}") };
    let gate = gate(&[RouteConfig { public: true, ..RouteConfig::new("/health") }, route]);
    let sent = format!("Bearer {}", token(0, r#","scope":"orders:2""#));
    let headers =
        [("Authorization", sent.as_str()), ("traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01")];
    let decision = check(&gate, "/orders/1", &headers);
    assert_eq!((decision.code(), decision.status()), ("insufficient_scope", 403));
    assert!(decision.identity_headers(TraceId::new([7; 16])).is_empty());
    let answer = answer(&decision);
    let challenge = answer.headers.iter().find(|(name, _)| *name == "WWW-Authenticate").unwrap();
    assert_eq!(
        challenge.1,
        "Bearer error=\"insufficient_scope\", error_description=\"the token's scopes do not allow this\", scope=\"orders:1\""
    );
    assert_eq!(
        answer.body,
        "{\"title\":\"Forbidden\",\"status\":403,\"detail\":\"the token's scopes do not allow this\",\
         \"code\":\"insufficient_scope\",\"trace_id\":\"4bf92f3577b34da6a3ce929d0e0e4736\"}"
    );
    assert!(check(&gate, "/orders/2", &headers).is_allowed());
    assert!(check(&gate, "/health", &[]).is_allowed());
    assert_eq!(check(&gate, "/elsewhere", &headers).code(), "no_route");
}

#[test]
fn unavailable_keys_reject() {
    let gate = gate(&[RouteConfig::new("/x")]);
    assert!(gate.replace_keys(ISSUERS[0], None));
    assert!(!gate.replace_keys("https://unknown.example", None));
    let of = |issuer| check(&gate, "/x", &[("authorization", &format!("Bearer {}", token(issuer, "")))]);
    assert_eq!((of(0).code(), of(0).status()), ("keys_unavailable", 503));
    assert!(of(1).is_allowed());
    assert!(gate.replace_keys(ISSUERS[0], Some(keys(0))));
    assert!(of(0).is_allowed());
}

/// Two sets of rules are swapped for each other, with their keys, while other threads check requests. Each request must
/// get the decision of one of the two, whole: the route of one is never combined with the keys of the other.
#[test]
fn a_request_sees_the_rules_and_keys_of_one_moment() {
    // Under the first rules the route's name is "first" and only the keys of issuer 0 are there, under the second the
    // route's name is "second" and only those of issuer 1.
    let named = |name: &str| [RouteConfig { name: Some(name.to_owned()), ..RouteConfig::new("/x") }];
    let states = [("first", vec![Some(keys(0)), None]), ("second", vec![None, Some(keys(1))])];
    let gate = gate(&named("first"));
    gate.replace(Arc::new(rules(&named("first"))), states[0].1.clone());
    let headers = [0, 1].map(|issuer| format!("Bearer {}", token(issuer, "")));
    let (stop, checked) = (AtomicBool::new(false), AtomicUsize::new(0));
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                while !stop.load(Ordering::Relaxed) {
                    for (issuer, header) in headers.iter().enumerate() {
                        let decision = check(&gate, "/x", &[("authorization", header)]);
                        let expected = if decision.route() == Some("first") { 0 } else { 1 };
                        assert_eq!(decision.is_allowed(), issuer == expected, "{:?}", decision.route());
                        checked.fetch_add(1, Ordering::Relaxed);
                    }
                }
            });
        }
        for round in 0..200 {
            let (name, keys) = &states[(round + 1) % 2];
            gate.replace(Arc::new(rules(&named(name))), keys.clone());
            let before = checked.load(Ordering::Relaxed);
            while checked.load(Ordering::Relaxed) < before + 8 {
                std::thread::yield_now();
            }
        }
        stop.store(true, Ordering::Relaxed);
    });
    assert!(checked.load(Ordering::Relaxed) > 1000);
}

/// A problem document is written without escapes: none of the texts may need one.
#[test]
fn the_sentences_need_no_escapes() {
    for answer in watchword_gate::ANSWERS {
        for text in [answer.code, answer.description] {
            assert!(text.bytes().all(|byte| matches!(byte, b' '..=b'~') && byte != b'"' && byte != b'\\'), "{text}");
        }
    }
}

#[test]
fn a_secret_is_sent_last_and_to_the_application_only() {
    let route = RouteConfig { scopes: vec!["orders:{id}".to_owned()], ..RouteConfig::new("/orders/{id}") };
    let secret = BASE64URL_NOPAD.encode(&[9; 32]);
    let of = |secret: Option<&str>| Rules {
        identity_secret: secret.map(|text| watchword_gate::Secret::parse(text).unwrap()),
        ..rules(std::slice::from_ref(&route))
    };
    let gate = Gate::new(Arc::new(of(Some(&secret))), vec![Some(keys(0)), Some(keys(1))], None, Replay::Unchecked);
    let sent = format!("Bearer {}", token(0, r#","scope":"orders:2""#));
    let headers = [("authorization", sent.as_str()), ("X_Auth.SECRET", "forged")];
    let decision = check(&gate, "/orders/2", &headers);
    let identity = decision.identity_headers(TraceId::new([7; 16]));
    assert_eq!(identity.last(), Some(&("X-Auth-Secret".to_owned(), secret.clone())));
    assert_eq!(identity.len(), watchword_gate::IDENTITY_NAMES.len() + 1);
    assert!(decision.has_removed_headers() && decision.is_removed(b"X_Auth.SECRET"));
    let rejected = check(&gate, "/orders/1", &headers);
    assert!(rejected.identity_headers(TraceId::new([7; 16])).is_empty());
    assert!(!format!("{:?}", answer(&rejected)).contains(&secret));
    gate.replace(Arc::new(of(None)), vec![Some(keys(0)), Some(keys(1))]);
    let identity = check(&gate, "/orders/2", &headers).identity_headers(TraceId::new([7; 16]));
    assert_eq!(identity.len(), watchword_gate::IDENTITY_NAMES.len());
}

/// More tokens than the cache has room for, on two routes, by two sets of rules.
#[test]
fn cached_identity_is_that_of_the_token_the_route_and_the_rules() {
    let routes =
        [RouteConfig::new("/a"), RouteConfig::new("/b"), RouteConfig { public: true, ..RouteConfig::new("/c") }];
    let other = Rules { identity_prefix: "X-Agent-".to_owned(), ..rules(&routes) };
    let other = Gate::new(Arc::new(other), vec![Some(keys(0)), Some(keys(1))], None, Replay::Unchecked);
    let gates = [gate(&routes), other];
    let tokens: Vec<_> =
        (0..1500).map(|number| format!("Bearer {}", token(0, &format!(r#","jti":"{number}""#)))).collect();
    let mut cache = IdentityCache::new();
    let mut computed = 0;
    for _ in 0..2 {
        for sent in &tokens {
            for (gate, target) in gates.iter().flat_map(|gate| ["/a", "/b", "/a", "/c"].map(|target| (gate, target))) {
                let decision = check(gate, target, &[("authorization", sent)]);
                let expected = decision.identity_headers(TraceId::new([7; 16]));
                let compute = || {
                    computed += 1;
                    Some(expected.clone())
                };
                assert_eq!(cache.with(&decision, compute, Clone::clone), Some(expected.clone()), "{target}");
            }
        }
    }
    assert!(computed < 2 * 1500 * 8, "nothing was found in the cache");
    let rejected = check(&gates[0], "/a", &[]);
    assert_eq!(cache.with(&rejected, || Some(Vec::new()), Clone::clone), None);
}

/// An actor that is named by another member than `sub` must not disappear from the list.
#[test]
fn an_actor_without_a_name_keeps_its_place() {
    let gate = gate(&[RouteConfig::new("/x")]);
    let claims = r#","act":{"client_id":"tool","act":{"sub":"agent:b c","act":{"client_id":"planner"}}}"#;
    let decision = check(&gate, "/x", &[("authorization", &format!("Bearer {}", token(0, claims)))]);
    let identity = decision.identity_headers(TraceId::new([7; 16]));
    assert!(identity.contains(&("X-Auth-Actors".to_owned(), "% agent:b%20c %".to_owned())), "{identity:?}");
}
