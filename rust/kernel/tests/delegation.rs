//! Delegation chains as a user of the crate gets them: read from verified tokens or from claims, and checked.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod common;

use common::{KEY_OPTIONS, agreed, key_set, lax, now, signer, strict};
use watchword_kernel::delegation::{HUMAN_PREFIXES, MAX_ACTORS, MOST_ACTORS};
use watchword_kernel::json::{DEEPEST, ErrorKind, MAX_DEPTH, Object};
use watchword_kernel::{
    ActorName, Algorithm, DelegationChain, DelegationError, Error, MayAct, ProofOfPossession, Requirements,
    VerifiedToken, verify,
};

fn verified(claims: &str) -> Result<VerifiedToken, Error> {
    let signer = signer(Algorithm::EdDsa);
    let token = signer.token(signer.header(), claims);
    let verdict = |options| {
        verify(token.as_bytes(), &key_set(options), &lax(), now(), ProofOfPossession::default()).map_err(Error::from)
    };
    agreed(KEY_OPTIONS.map(|options| verdict(options).err()));
    verdict(KEY_OPTIONS[0])
}

fn chain(claims: &str) -> DelegationChain {
    DelegationChain::from_claims(&DelegationChain::read_claims(claims.as_bytes(), MAX_ACTORS).unwrap()).unwrap()
}

fn subjects(chain: &DelegationChain) -> Vec<&str> {
    chain.actors().iter().map(|actor| actor.subject.as_deref().unwrap_or("?")).collect()
}

/// `count` nested acts.
fn nested(count: usize) -> String {
    let levels: String = (1..count).map(|level| format!(r#"{{"sub":"a{level}","act":"#)).collect();
    format!(r#"{{"act":{levels}{{"sub":"a{count}"}}{}"#, "}".repeat(count))
}

#[test]
fn rfc_8693_section_4_1() {
    let token = verified(
        r#"{"aud":"https://service26.example.com","iss":"https://issuer.example.com","exp":1700000060,"nbf":1443904000,
            "sub":"user@example.com",
            "act":{"sub":"https://service16.example.com","act":{"sub":"https://service77.example.com"}}}"#,
    )
    .unwrap();
    let chain = token.delegation().unwrap();
    assert_eq!(chain.subject(), Some("user@example.com"));
    assert_eq!(subjects(&chain), ["https://service16.example.com", "https://service77.example.com"]);
    assert_eq!((chain.depth(), chain.has_human_root(&HUMAN_PREFIXES), chain.repeated().len()), (2, false, 0));
}

#[test]
fn rfc_8693_section_4_4() {
    let may_act =
        verified(r#"{"iss":"https://as.example","sub":"user@example.net","may_act":{"sub":"admin@example.net"}}"#)
            .unwrap()
            .may_act()
            .unwrap()
            .unwrap();
    let name =
        |issuer: Option<&str>, subject: &str| ActorName { issuer: issuer.map(str::to_owned), subject: subject.into() };
    assert!(may_act.permits(&name(None, "admin@example.net")));
    assert!(may_act.permits(&name(Some("https://as.example"), "admin@example.net")));
    assert!(!may_act.permits(&name(Some("https://other.example"), "admin@example.net")));
    assert!(!may_act.permits(&name(None, "user@example.net")));
}

#[test]
fn a_token_without_delegation() {
    let token = verified(common::CLAIMS).unwrap();
    let chain = token.delegation().unwrap();
    assert_eq!((chain.subject(), chain.issuer(), chain.depth()), (Some("agent-7"), Some("https://as.example"), 0));
    assert_eq!(token.may_act(), Ok(None));
    chain.check(&Requirements { max_depth: Some(0), allowed_actors: Some(&[]), ..Requirements::default() }).unwrap();
    let human: &dyn Fn(&DelegationChain) -> bool = &|chain| chain.has_human_root(&HUMAN_PREFIXES);
    let requirements = Requirements { human_root: Some(human), ..Requirements::default() };
    assert_eq!(chain.check(&requirements), Err(DelegationError::NoHumanRoot));
}

#[test]
fn a_hostile_act_is_rejected_with_its_token() {
    for act in [
        "5",
        "null",
        "[]",
        "\"a\"",
        "{}",
        r#"{"sub":""}"#,
        r#"{"sub":null,"client_id":"a"}"#,
        r#"{"sub":"a","act":{}}"#,
        r#"{"act":{"sub":"a"}}"#,
        r#"{"iss":"https://as.example"}"#,
        r#"{"client_id":""}"#,
        r#"{"client_id":5}"#,
        r#"{"sub":"a","exp":1}"#,
        r#"{"client_id":"a","exp":1}"#,
    ] {
        for policy in [strict(), lax()] {
            let claims = common::CLAIMS.replace("\"sub\"", &format!("\"act\":{act},\"sub\""));
            let signer = signer(Algorithm::EdDsa);
            let token = signer.token(signer.header(), &claims);
            let error =
                verify(token.as_bytes(), &key_set(KEY_OPTIONS[0]), &policy, now(), ProofOfPossession::default())
                    .unwrap_err();
            assert_eq!(error.code(), "malformed_claims", "{act}");
            assert!(error.to_string().contains("\"act\""), "{error}");
        }
    }
}

/// As Duende writes it: the token is valid, and `check` decides about its actor.
#[test]
fn an_actor_without_a_sub_is_unknown() {
    let token = verified(r#"{"sub":"user:ada","act":{"client_id":"web","act":{"sub":"client:planner"}}}"#).unwrap();
    let chain = token.delegation().unwrap();
    assert_eq!((chain.depth(), subjects(&chain)), (2, vec!["?", "client:planner"]));
    let unknown = Err(DelegationError::UnknownActor { position: 1, depth: 2 });
    assert_eq!(chain.check(&Requirements::default()), unknown);
    let allowing = Requirements { allow_unknown_actors: true, ..Requirements::default() };
    assert_eq!(chain.check(&allowing), Ok(()));
    // An unknown actor is on no list, whatever its names.
    for name in ["web", "", "client:planner"] {
        let allowed = [ActorName { issuer: None, subject: name.into() }];
        assert_eq!(chain.check(&Requirements { allowed_actors: Some(&allowed), ..allowing }), unknown, "{name}");
    }
    // Two unknown actors may be different parties.
    let two_unknown = self::chain(r#"{"sub":"a","act":{"client_id":"web","act":{"client_id":"web"}}}"#);
    assert_eq!(two_unknown.repeated().len(), 0);
    assert_eq!(two_unknown.check(&Requirements { allow_cycles: false, ..allowing }), Ok(()));
}

/// `*` is a wildcard for identifiers only, and a text without three parts covers nothing, not even itself.
#[test]
fn scopes_may_only_be_narrowed() {
    let widened = |granted: &str, scope: &str| {
        let claims = format!(
            r#"{{"sub":"b","scope":["{scope}"],"delegation_chain":[{{"agent":"a","scope":["{granted}"],"delegated_at":"t"}}]}}"#
        );
        match chain(&claims).check(&Requirements::default()) {
            Ok(()) => false,
            Err(error) => error == DelegationError::ScopeWidened { position: 1, depth: 1 },
        }
    };
    for (granted, scope) in
        [("r:d:a", "r:d:a"), ("r:d:*", "r:d:a"), ("r:d:*", "r:d:*"), ("r:d:*", "r:d:a:b"), ("r:d:**", "r:d:**")]
    {
        assert!(!widened(granted, scope), "{granted} {scope}");
    }
    for (granted, scope) in [
        ("r:d:a", "r:d:b"),
        ("r:d:a", "r:d:*"),
        ("r:d:*", "w:d:a"),
        ("r:d:*", "r:e:a"),
        ("*:d:a", "*:d:a"),
        ("r:*:a", "r:*:a"),
        ("*:*:*", "r:d:a"),
        ("r:d", "r:d"),
        ("r", "r"),
        ("r:d:", "r:d:"),
        (":d:a", ":d:a"),
        ("r::a", "r::a"),
        ("r:d:*", "r:d:"),
    ] {
        assert!(widened(granted, scope), "{granted} {scope}");
    }
}

/// The limit of actors is exact, and so is that of JSON: 31 acts in a token, whose claims are the first level.
#[test]
fn limits_are_exact() {
    let read = |count: usize, limit: usize| {
        let claims = nested(count);
        let members = DelegationChain::read_claims(claims.as_bytes(), limit)?;
        DelegationChain::from_act(&members, limit).map(|chain| chain.depth())
    };
    for limit in [1, 2, MAX_ACTORS, MAX_ACTORS + 1, MOST_ACTORS] {
        assert_eq!(read(limit, limit), Ok(limit));
        for more in [limit + 1, limit + 40, limit + 1000] {
            assert_eq!(read(more, limit), Err(DelegationError::TooDeep { limit }));
        }
    }
    assert_eq!(read(MOST_ACTORS, usize::MAX), Ok(MOST_ACTORS));
    assert_eq!(read(MOST_ACTORS + 1, usize::MAX), Err(DelegationError::TooDeep { limit: MOST_ACTORS }));
    assert_eq!(verified(&nested(MAX_DEPTH - 1)).unwrap().delegation().unwrap().depth(), MAX_DEPTH - 1);
    assert_eq!(verified(&nested(MAX_DEPTH)).unwrap_err().code(), "malformed_claims");
}

#[test]
fn the_depth_of_json_is_that_requested_and_at_most_the_limit() {
    let objects = |depth: usize| format!("{}{{}}{}", r#"{"a":"#.repeat(depth - 1), "}".repeat(depth - 1));
    for (asked, depth) in [(1, 1), (MAX_DEPTH, MAX_DEPTH), (100, 100), (DEEPEST, DEEPEST), (usize::MAX, DEEPEST)] {
        assert!(Object::parse_within(objects(depth).as_bytes(), asked).is_ok(), "{asked}");
        let error = Object::parse_within(objects(depth + 1).as_bytes(), asked).unwrap_err();
        assert_eq!(error.kind, ErrorKind::TooDeep);
    }
    assert_eq!(Object::parse_within(b"{}", 0).unwrap_err().kind, ErrorKind::TooDeep);
}

/// Stacks of other threads are small: the deepest document fits into a quarter of the default size.
#[test]
fn the_deepest_document_needs_little_stack() {
    let read = || {
        let claims = nested(MOST_ACTORS);
        let members = DelegationChain::read_claims(claims.as_bytes(), MOST_ACTORS).unwrap();
        DelegationChain::from_act(&members, MOST_ACTORS).unwrap().depth()
    };
    let thread = std::thread::Builder::new().stack_size(512 * 1024).spawn(read).unwrap();
    assert_eq!(thread.join().unwrap(), MOST_ACTORS);
}

#[test]
fn each_rejection_has_a_code_of_its_own() {
    let limit = 1;
    let (position, depth) = (1, 2);
    let errors = [
        DelegationChain::read_claims(b"", 1).unwrap_err(),
        DelegationError::HashMismatch,
        DelegationError::InvalidSignature("a sentence"),
        DelegationError::TooDeep { limit },
        DelegationError::Cycle,
        DelegationError::NoHumanRoot,
        DelegationError::ActorNotAllowed { position, depth },
        DelegationError::ScopeWidened { position, depth },
    ];
    let unknown = DelegationError::UnknownActor { position, depth };
    assert_eq!(unknown.code(), DelegationError::ActorNotAllowed { position, depth }.code());
    assert!(unknown.to_string().contains("\"sub\""));
    let mut codes: Vec<&str> = errors.iter().map(DelegationError::code).collect();
    codes.sort_unstable();
    codes.dedup();
    assert_eq!(codes.len(), errors.len());
    assert!(codes.iter().all(|code| code.starts_with("delegation_")));
    assert!(errors.iter().all(|error| !error.to_string().is_empty()));
}

#[test]
fn debug_output_contains_no_claims() {
    let chain = chain(r#"{"iss":"secret","sub":"secret","act":{"sub":"secret"}}"#);
    let members = Object::parse(br#"{"may_act":{"sub":"secret"}}"#).unwrap();
    let shown = format!("{chain:?} {:?} {:?}", chain.actors(), MayAct::read(&members));
    assert!(!shown.contains("secret"), "{shown}");
}
