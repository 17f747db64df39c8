//! The gate, from a request to a decision, and the kernel's verification of the same tokens.

use std::sync::Arc;

use watchword_gate::methods::Methods;
use watchword_gate::route_table::RouteTable;
use watchword_gate::template::Template;
use watchword_gate::{
    Access, AnswerSettings, DEFAULT_PREFIX, Gate, Guard, PublicOrigin, Replay, Request, Requirement, Rules,
    ScopeRequirement, TrustedProxy,
};
use watchword_kernel::scope::ScopeGrammar;
use watchword_kernel::{
    Algorithm, AlgorithmSet, CacheLookup, IssuerNames, IssuerTable, KeySet, Limits, Policy, ProofOfPossession,
    ProofPolicy, TokenCache, verify,
};

use crate::contender::Contender;
use crate::samples::{AUDIENCE, ISSUER, Sample, Signer, TOKENS};
use crate::tokens::{key_set, moment, policy};

/// The routes of a small service; the requests take the last.
const ROUTES: [&str; 8] = [
    "/health",
    "/customers",
    "/customers/{id}",
    "/invoices",
    "/invoices/{id}",
    "/files/{path...}",
    "/orders",
    "/orders/{id}",
];

const CACHE: u64 = 64 << 20;

/// The kernel alone and the gate over it, for new tokens and for tokens in the cache.
pub(crate) fn gate(algorithm: Algorithm) -> Vec<Contender> {
    let signer = Signer::new(algorithm);
    let (samples, keys) = (signer.tokens(TOKENS), Arc::new(key_set(&signer)));
    let requests: Vec<Vec<u8>> = samples.iter().map(authorization).collect();
    let (uncached, cached) = (new_gate(&keys, None), new_gate(&keys, Some(TokenCache::new(CACHE))));
    for sample in &samples {
        assert!(allows(&uncached, &authorization(sample)), "a valid token is rejected");
        assert!(allows(&cached, &authorization(sample)), "a valid token is rejected");
        assert!(
            !sample.tampered().iter().any(|bad| allows(&cached, &authorization(bad))),
            "an invalid one is accepted"
        );
    }
    vec![
        Contender::over("verify", samples.clone(), {
            let (policy, keys) = (policy(), Arc::clone(&keys));
            move |sample| {
                verify(sample.token.as_bytes(), &keys, &policy, moment(), ProofOfPossession::default()).is_ok()
            }
        }),
        Contender::over("gate, new token", requests.clone(), move |request| allows(&uncached, request)),
        Contender::over("token in the cache", samples, cache_hit(&keys)),
        Contender::over("gate, token in the cache", requests, move |request| allows(&cached, request)),
    ]
}

/// A look-up of the token cache, which contains all tokens.
fn cache_hit(keys: &Arc<KeySet>) -> impl FnMut(&Sample) -> bool + use<> {
    let (keys, policy, cache) = (Arc::clone(keys), Arc::new(policy()), TokenCache::new(CACHE));
    move |sample| {
        let lookup = CacheLookup { token: sample.token.as_bytes(), keys: &keys, policy: &policy, now: moment() };
        match cache.get(lookup) {
            Ok(found) => found.verified(ProofOfPossession::default()).is_ok(),
            // The first time around.
            Err(miss) => miss.verify().is_ok_and(|checked| {
                cache.insert(&checked);
                true
            }),
        }
    }
}

/// The requests differ in this header only.
fn authorization(sample: &Sample) -> Vec<u8> {
    format!("Bearer {}", sample.token).into_bytes()
}

fn allows(gate: &Gate, authorization: &[u8]) -> bool {
    let headers: [(&[u8], &[u8]); 6] = [
        (b"host", b"api.example"),
        (b"user-agent", b"python-httpx/0.28.1"),
        (b"accept", b"application/json"),
        (b"accept-encoding", b"gzip, deflate"),
        (b"connection", b"keep-alive"),
        (b"authorization", authorization),
    ];
    let request = Request { method: "GET", target: b"/orders/1?x=2", headers: &headers, certificate: None, form: None };
    gate.check(&request, moment(), None).is_allowed()
}

fn new_gate(keys: &Arc<KeySet>, cache: Option<TokenCache>) -> Gate {
    let policy = Arc::new(policy());
    let routes = ROUTES.map(|path| (Template::parse(path).expect("a template"), Methods::Any));
    let rules = Rules {
        origin: PublicOrigin::new(&[AUDIENCE]).expect("an origin"),
        proxy: TrustedProxy::default(),
        identity_prefix: DEFAULT_PREFIX.to_owned(),
        identity_secret: None,
        answers: AnswerSettings::default(),
        proofs: ProofPolicy::new(Limits::default(), AlgorithmSet::of(Algorithm::Es256), 60.0, 5.0).expect("a policy"),
        issuers: Arc::new(IssuerTable::new(&[names()]).expect("one issuer")),
        issuer_names: vec![Arc::from(ISSUER)],
        limits: Limits::default(),
        unknown_issuer_policy: Arc::new(Policy::default()),
        routes: RouteTable::compile(routes),
        guards: ROUTES.iter().map(|path| Arc::new(guard(path, &policy))).collect(),
    };
    Gate::new(Arc::new(rules), vec![Some(Arc::clone(keys))], cache.map(Arc::new), Replay::Unchecked)
}

fn names() -> IssuerNames {
    let name = ISSUER.to_owned();
    IssuerNames { name: name.clone(), spellings: vec![name], tenants: None, trust_domain: None }
}

fn guard(path: &str, policy: &Arc<Policy>) -> Guard {
    let scopes = ScopeRequirement::new(ScopeGrammar::Plain, &["orders:read"]).expect("a scope");
    Guard {
        name: Arc::from(path),
        access: Access::Required,
        audience: None,
        issuers: vec!["https://as.example".into()],
        policies: vec![Some(Arc::clone(policy))],
        requirement: Requirement { scopes, ..Requirement::default() },
    }
}
