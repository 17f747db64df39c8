//! Policies: what the default one rejects, and how an issuer's name is compared.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod common;

use common::{key_set, now, signer, strict};
use proptest::prelude::*;
use serde_json::{Map, Value, json};
use watchword_kernel::{
    Algorithm, Audience, Backend, IssuerNames, IssuerTable, JwsPolicy, KeySet, Limits, Policy, ProofOfPossession,
    ProofRequest, Row, ScopeClaims, SpiffeId, Tenants, VerifiedToken, unverified_names, verify,
};

/// The claims of [`common::CLAIMS`] with these in their place; `null` takes one away.
fn token(header: &Value, changes: &Value) -> String {
    let mut claims: Map<String, Value> = serde_json::from_str(common::CLAIMS).unwrap();
    for (name, value) in changes.as_object().unwrap() {
        match value {
            Value::Null => drop(claims.remove(name)),
            value => drop(claims.insert(name.clone(), value.clone())),
        }
    }
    signer(Algorithm::EdDsa).token(header.to_string(), Value::from(claims).to_string())
}

fn verified(policy: &Policy, changes: &Value) -> Result<VerifiedToken, &'static str> {
    let header = json!({"alg": "EdDSA", "kid": "ed25519"});
    verify(token(&header, changes).as_bytes(), &key_set(Backend::Default), policy, now(), ProofOfPossession::default())
        .map_err(|error| error.code())
}

fn code(policy: &Policy, changes: &Value) -> Option<&'static str> {
    verified(policy, changes).err()
}

#[test]
fn the_default_policy_takes_no_other_kind_of_token_for_an_access_token() {
    for policy in [Policy::default().with_audience(Audience::Any).unwrap(), strict()] {
        for (typ, expected) in [
            (json!("dpop+jwt"), Some("wrong_type")),
            (json!("logout+jwt"), Some("wrong_type")),
            (json!("application/dpop+jwt"), Some("wrong_type")),
            (json!("secevent+jwt"), Some("wrong_type")),
            (json!("id_token+jwt"), Some("wrong_type")),
            (json!("at+jwt"), None),
            (json!("application/AT+JWT"), None),
            (json!("JWT"), None),
        ] {
            let raw =
                token(&json!({"alg": "EdDSA", "kid": "ed25519", "typ": typ}), &json!({"htm": "GET", "events": {}}));
            let verdict =
                verify(raw.as_bytes(), &key_set(Backend::Default), &policy, now(), ProofOfPossession::default());
            assert_eq!(verdict.err().map(|error| error.code()), expected, "{typ}");
        }
    }
}

#[test]
fn the_default_policy_requires_an_expiry_and_allows_five_seconds() {
    let policy = Policy::default().with_audience(Audience::Any).unwrap();
    assert_eq!(code(&policy, &json!({})), None);
    assert_eq!(code(&policy, &json!({"exp": null})), Some("missing_claim"));
    assert_eq!(code(&policy, &json!({"exp": common::NOW - 4.0})), None);
    assert_eq!(code(&policy, &json!({"exp": common::NOW - 5.0})), Some("expired"));
    assert_eq!(code(&Policy::default(), &json!({})), Some("wrong_audience"));
    assert_eq!(code(&policy, &json!({"cnf": {"jkt": "x"}})), Some("dpop_proof_required"));
}

#[test]
fn an_empty_audience_is_none() {
    for empty in [json!([]), Value::Null] {
        assert_eq!(code(&Policy::default(), &json!({"aud": empty})), None);
        assert_eq!(code(&strict(), &json!({"aud": empty})), Some("missing_claim"));
        let required = strict().with_audience(Audience::Any).unwrap().with_required(vec!["aud".into()]);
        assert_eq!(code(&required, &json!({"aud": empty})), Some("missing_claim"));
    }
    assert_eq!(code(&strict(), &json!({"aud": [1]})), Some("malformed_claims"));
}

/// For issuers whose tokens name the client that they were issued to, and no audience.
#[test]
fn the_audience_in_another_claim() {
    let policy = |audience| strict().with_audience(audience).unwrap().with_audience_claim("client_id").unwrap();
    let named = policy(Audience::OneOf(vec!["web".into(), "https://api.example".into()]));
    for (aud, client, expected) in [
        (Value::Null, json!("web"), None),
        (json!([]), json!("web"), None),
        (Value::Null, json!(["other", "web"]), None),
        (Value::Null, json!("other"), Some("wrong_audience")),
        (Value::Null, json!("Web"), Some("wrong_audience")),
        (Value::Null, json!([]), Some("wrong_audience")),
        (Value::Null, json!({"web": 1}), Some("wrong_audience")),
        (Value::Null, json!(["web", 1]), Some("wrong_audience")),
        (Value::Null, json!(1), Some("wrong_audience")),
        (Value::Null, Value::Null, Some("missing_claim")),
        // An `aud` that is also present must be ours as well, and does not replace the other claim.
        (json!("https://api.example"), json!("web"), None),
        (json!("https://other.example"), json!("web"), Some("wrong_audience")),
        (json!("https://api.example"), json!("other"), Some("wrong_audience")),
        (json!("https://api.example"), Value::Null, Some("missing_claim")),
    ] {
        assert_eq!(code(&named, &json!({"aud": aud, "client_id": client})), expected, "{aud} {client}");
    }
    // As with `aud`: a policy without an audience accepts tokens without one.
    let unnamed = policy(Audience::Unnamed);
    assert_eq!(code(&unnamed, &json!({"aud": null})), None);
    assert_eq!(code(&unnamed, &json!({"aud": null, "client_id": "web"})), Some("wrong_audience"));
    assert_eq!(code(&policy(Audience::Any), &json!({"client_id": 5})), None);
    for claim in ["", "iss", "sub", "exp"] {
        assert!(strict().with_audience_claim(claim).is_err(), "{claim}");
    }
    assert_eq!(strict().with_audience_claim("aud").unwrap(), strict());
}

/// If many issuers share one key set, a key may name the issuer that it signs for.
#[test]
fn a_key_of_one_tenant() {
    let signed = |policy: &Policy, key_issuer: &Value, tenant: &str| {
        let mut key: Value = serde_json::from_str(common::JWKS).unwrap();
        key = key["keys"].as_array().unwrap().iter().find(|key| key["kid"] == "ed25519").unwrap().clone();
        key["issuer"] = key_issuer.clone();
        let keys = KeySet::from_json(key.to_string().as_bytes(), Backend::Default).unwrap();
        assert_eq!(keys.keys()[0].issuer().is_some(), !key_issuer.is_null());
        let claims = json!({"iss": format!("https://login.example/{tenant}/v2.0"), "tid": tenant});
        let token = token(&json!({"alg": "EdDSA", "kid": "ed25519"}), &claims);
        verify(token.as_bytes(), &keys, policy, now(), ProofOfPossession::default()).err().map(|error| error.code())
    };
    let any = entra(Tenants::Any);
    for (key_issuer, expected) in [
        (Value::Null, None),
        (json!("https://login.example/{tenantid}/v2.0"), None),
        (json!("https://login.example/t/v2.0"), None),
        (json!("https://login.example/u/v2.0"), Some("wrong_issuer")),
        (json!("https://login.example/{tenantid}/v2.0/"), Some("wrong_issuer")),
        (json!("https://sts.example/{tenantid}/"), Some("wrong_issuer")),
        (json!("https://login.example/{tenantid"), Some("wrong_issuer")),
        (json!("{tenantid}"), Some("wrong_issuer")),
        (json!("https://login.example/t/{x}v2.0"), Some("wrong_issuer")),
        (json!(""), Some("wrong_issuer")),
        (json!(5), Some("wrong_issuer")),
    ] {
        assert_eq!(signed(&any, &key_issuer, "t"), expected, "{key_issuer}");
    }
    // If the policy names one issuer, the keys are that issuer's.
    let one = strict().with_issuers(vec!["https://login.example/t/v2.0".into()]).unwrap();
    assert_eq!(signed(&one, &json!("https://login.example/u/v2.0"), "t"), None);
}

fn entra(tenants: Tenants) -> Policy {
    strict().with_tenants(vec!["https://login.example/{tid}/v2.0".into()], tenants).unwrap()
}

#[test]
fn a_tenant_is_the_one_that_the_token_names() {
    let listed = entra(Tenants::OneOf(vec!["t-2".into(), "t-1".into()]));
    for (issuer, tenant, of_listed, of_any) in [
        ("https://login.example/t-1/v2.0", json!("t-1"), None, None),
        ("https://login.example/t-3/v2.0", json!("t-3"), Some("wrong_issuer"), None),
        ("https://login.example/t-1/v2.0", json!("t-2"), Some("wrong_issuer"), Some("wrong_issuer")),
        ("https://login.example/t-1/v2.0", Value::Null, Some("missing_claim"), Some("missing_claim")),
        ("https://login.example/1/v2.0", json!(1), Some("wrong_issuer"), Some("wrong_issuer")),
        ("https://login.example//v2.0", json!(""), Some("wrong_issuer"), Some("wrong_issuer")),
        ("https://login.example/../v2.0", json!(".."), Some("wrong_issuer"), Some("wrong_issuer")),
        ("https://login.example/a/b/v2.0", json!("a/b"), Some("wrong_issuer"), Some("wrong_issuer")),
        ("https://login.example/{tid}/v2.0", json!("{tid}"), Some("wrong_issuer"), Some("wrong_issuer")),
        ("https://login.example/t-1/v2.0/", json!("t-1"), Some("wrong_issuer"), Some("wrong_issuer")),
        ("https://login.example/t%2d1/v2.0", json!("t%2d1"), Some("wrong_issuer"), Some("wrong_issuer")),
        ("https://login.example/T-1/v2.0", json!("t-1"), Some("wrong_issuer"), Some("wrong_issuer")),
    ] {
        let changes = json!({"iss": issuer, "tid": tenant});
        assert_eq!(code(&listed, &changes), of_listed, "{changes}");
        assert_eq!(code(&entra(Tenants::Any), &changes), of_any, "{changes}");
    }
    assert_eq!(code(&listed, &json!({"iss": null})), Some("missing_claim"));
}

#[test]
fn templates_and_exact_issuers_stand_side_by_side() {
    let issuers = ["https://login.example/{tid}/v2.0", "https://sts.example/{tid}/", "https://as.example"];
    let policy = strict().with_tenants(issuers.map(str::to_owned).into(), Tenants::OneOf(vec!["t".into()])).unwrap();
    for (issuer, expected) in [
        ("https://login.example/t/v2.0", None),
        ("https://sts.example/t/", None),
        ("https://as.example", None),
        ("https://as.example/", Some("wrong_issuer")),
        ("https://sts.example/t/v2.0", Some("wrong_issuer")),
    ] {
        assert_eq!(code(&policy, &json!({"iss": issuer, "tid": "t"})), expected, "{issuer}");
    }
}

#[test]
fn policies_that_contradict_themselves() {
    let tenants = || Tenants::OneOf(vec!["t".into()]);
    for issuer in ["https://x/{tid}", "https://x/}", "{"] {
        assert!(strict().with_issuers(vec![issuer.into()]).is_err(), "{issuer}");
    }
    for issuer in [
        "https://x",
        "",
        "https://x/{}",
        "{tid}",
        "https://x/{a}{b}",
        "https://x/{iss}",
        "https://x/}a{",
        "https://x/{{a}}",
    ] {
        assert!(strict().with_tenants(vec![issuer.into()], tenants()).is_err(), "{issuer}");
    }
    for tenant in ["", "a/b", "a b", "é", ".."] {
        assert!(strict().with_tenants(vec!["https://x/{t}".into()], Tenants::OneOf(vec![tenant.into()])).is_err());
    }
    assert!(strict().with_tenants(vec!["https://x/{t}".into()], Tenants::OneOf(vec![])).is_err());
    for domain in ["", "spiffe://example.org", "Example.org", "example.org/", "é"] {
        assert!(strict().with_trust_domain(domain).is_err(), "{domain}");
    }
    for names in [vec!["scope", "scope"], vec![""], vec!["sub"], vec!["scope", "aud"]] {
        assert!(ScopeClaims::new(names.iter().map(|&name| name.to_owned()).collect()).is_err(), "{names:?}");
    }
    assert!(JwsPolicy::default().with_types::<&str>(&[]).is_err());
    assert!(JwsPolicy::default().with_algorithms(&["none"]).is_err());
    assert!(JwsPolicy::default().with_limits(Limits { token: 0, header: 1 }).is_err());
}

#[test]
fn a_jwt_svid_is_of_its_trust_domain() {
    let policy = strict().with_required(vec![]).with_trust_domain("example.org").unwrap();
    let svid = |changes: Value| {
        let mut claims = json!({"iss": null, "sub": "spiffe://example.org/web"});
        claims.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
        code(&policy, &claims)
    };
    assert_eq!(svid(json!({})), None);
    assert_eq!(svid(json!({"iss": "https://anybody.example"})), None);
    assert_eq!(svid(json!({"sub": null})), Some("missing_claim"));
    assert_eq!(svid(json!({"exp": null})), Some("missing_claim"));
    assert_eq!(svid(json!({"aud": null})), Some("missing_claim"));
    assert_eq!(svid(json!({"aud": []})), Some("missing_claim"));
    for (subject, expected) in [
        ("spiffe://example.org/ns/a/sa/b", None),
        ("spiffe://example.com/web", Some("wrong_issuer")),
        ("spiffe://example.org.evil/web", Some("wrong_issuer")),
        ("spiffe://example.org", Some("malformed_claims")),
        ("spiffe://example.org/", Some("malformed_claims")),
        ("spiffe://example.org//web", Some("malformed_claims")),
        ("spiffe://example.org/../web", Some("malformed_claims")),
        ("spiffe://example.org@evil/web", Some("malformed_claims")),
        ("spiffe://Example.org/web", Some("malformed_claims")),
        ("https://example.org/web", Some("malformed_claims")),
        ("agent-7", Some("malformed_claims")),
    ] {
        assert_eq!(svid(json!({"sub": subject})), expected, "{subject}");
    }
    // Nobody's audience is not this service's.
    let unnamed = Policy::default().with_trust_domain("example.org").unwrap();
    assert_eq!(code(&unnamed, &json!({"sub": "spiffe://example.org/web"})), Some("wrong_audience"));
    assert_eq!(code(&unnamed, &json!({"sub": "spiffe://example.org/web", "aud": null})), Some("missing_claim"));
    let any = Policy::default().with_audience(Audience::Any).unwrap().with_trust_domain("example.org").unwrap();
    assert_eq!(code(&any, &json!({"sub": "spiffe://example.org/web", "aud": null})), Some("missing_claim"));
}

#[test]
fn scopes_are_read_from_the_claims_that_are_named() {
    let read = |names: &[&str], changes: Value| {
        let names = names.iter().map(|&name| name.to_owned()).collect();
        let policy = strict().with_scope_claims(ScopeClaims::new(names).unwrap());
        verified(&policy, &changes).map(|token| token.claims().scopes().collect::<Vec<_>>().join(" "))
    };
    let all = json!({"scope": "a b", "scp": ["c", "a"], "permissions": ["d e", "b"], "roles": "f c"});
    for (names, expected) in [
        (&["scope", "scp"][..], "a b c"),
        (&["scp", "scope"], "c a b"),
        (&["scope"], "a b"),
        (&["scp"], "c a"),
        (&["permissions"], "d e b"),
        (&["roles", "permissions", "scope", "scp"], "f c d e b a"),
        (&["absent"], ""),
        (&[], ""),
    ] {
        assert_eq!(read(names, all.clone()).unwrap(), expected, "{names:?}");
    }
    assert_eq!(read(&["permissions"], json!({"permissions": 5})), Err("malformed_claims"));
    assert_eq!(read(&["permissions"], json!({"permissions": [5]})), Err("malformed_claims"));
    assert_eq!(read(&["scope"], json!({"scp": 5, "roles": {}})).unwrap(), "");
    // The registered claim keeps its type, whether it is named or not.
    assert_eq!(read(&["permissions"], json!({"scope": 5})), Err("malformed_claims"));
    assert_eq!(read(&[], json!({"scope": {}})), Err("malformed_claims"));
}

#[test]
fn a_recorded_chain_ends_with_the_scopes_of_the_token() {
    let policy = strict().with_scope_claims(ScopeClaims::new(vec!["permissions".into()]).unwrap());
    let changes = json!({
        "scope": "not:this:one",
        "permissions": ["read:a:1"],
        "delegation_chain": [{"agent": "first", "scope": ["read:a:*"], "delegated_at": "then"}],
    });
    let chain = verified(&policy, &changes).unwrap().delegation().unwrap();
    assert_eq!(chain.actors()[0].scopes.as_deref(), Some(&["read:a:1".to_owned()][..]));
}

#[test]
fn names_are_read_within_the_limits() {
    let raw = token(&json!({"alg": "EdDSA", "kid": "ed25519"}), &json!({}));
    let names = unverified_names(raw.as_bytes(), &Limits::default());
    assert_eq!((names.issuer(), names.subject()), (Some("https://as.example"), Some("agent-7")));
    assert_eq!(names.key_id().as_deref(), Some("ed25519"));
    let names = unverified_names(raw.as_bytes(), &Limits { token: raw.len() - 1, ..Limits::default() });
    assert_eq!((names.issuer(), names.subject(), names.key_id()), (None, None, None));
}

/// A table of issuers: each a name, its other spellings, and its tenants.
fn table(issuers: &[(&str, &[&str], Option<Tenants>)]) -> Result<IssuerTable, String> {
    let names = issuers.iter().map(|(name, aliases, tenants)| IssuerNames {
        name: (*name).to_owned(),
        spellings: [*name].iter().chain(*aliases).map(|&spelling| spelling.to_owned()).collect(),
        tenants: tenants.clone(),
        trust_domain: name.strip_prefix("spiffe://").map(str::to_owned),
    });
    IssuerTable::new(&names.collect::<Vec<_>>()).map_err(|error| error.to_string())
}

fn listed(tenants: &[&str]) -> Option<Tenants> {
    Some(Tenants::OneOf(tenants.iter().map(|&tenant| tenant.to_owned()).collect()))
}

#[test]
fn an_issuer_is_found_by_exact_spelling_then_by_template_then_by_trust_domain() {
    let table = table(&[
        ("https://login.example/{tid}/v2.0", &["https://sts.example/{tid}/"], Some(Tenants::Any)),
        ("https://login.example/big/v2.0", &["big"], None),
        ("https://listed.example/{tenant}", &[], listed(&["a", "b"])),
        ("spiffe://example.org", &[], None),
    ])
    .unwrap();
    for (issuer, subject, expected) in [
        (Some("https://login.example/small/v2.0"), None, Some(0)),
        (Some("https://sts.example/t/"), Some("spiffe://example.org/web"), Some(0)),
        (Some("https://login.example/big/v2.0"), None, Some(1)),
        (Some("big"), None, Some(1)),
        (Some("https://sts.example/big/"), None, Some(0)),
        (Some("https://listed.example/b"), None, Some(2)),
        (Some("https://listed.example/c"), None, None),
        (Some("https://login.example/a/b/v2.0"), None, None),
        (Some("https://login.example/../v2.0"), None, None),
        (Some("https://login.example/{tid}/v2.0"), None, None),
        (Some("https://else.example"), Some("spiffe://example.org/web"), Some(3)),
        (None, Some("spiffe://example.org/web"), Some(3)),
        (None, Some("spiffe://example.org"), Some(3)),
        (None, Some("spiffe://example.org.evil.example/web"), None),
        (None, Some("example.org/web"), None),
        (Some("example.org"), None, None),
        (None, None, None),
    ] {
        assert_eq!(table.find(issuer, subject), expected, "{issuer:?} {subject:?}");
    }
    assert_eq!(table.template_of("https://listed.example/c"), Some("https://listed.example/{tenant}"));
    assert_eq!(table.template_of("https://listed.example/c/d"), None);
    let raw = token(&json!({"alg": "EdDSA"}), &json!({"iss": "big", "sub": "alice"}));
    assert_eq!(table.find_in(raw.as_bytes(), &Limits::default()), Some(1));
    assert_eq!(table.find_in(raw.as_bytes(), &Limits { token: raw.len() - 1, ..Limits::default() }), None);
    assert_eq!(table.find_in(b"big", &Limits::default()), None);
}

#[test]
fn two_issuers_may_not_claim_the_same_tokens() {
    let template = "https://login.example/{tid}";
    for (issuers, expected) in [
        (&[("a", &["b"][..], None), ("b", &[], None)][..], "\"b\" is given twice, as an issuer, an alias or a tenant"),
        (&[(template, &[], listed(&["a"])), ("https://login.example/a", &[], None)], "given twice"),
        (&[(template, &[], listed(&["a"])), ("https://login.example/{b}", &[], listed(&["a"]))], "given twice"),
        (
            &[(template, &[], Some(Tenants::Any)), ("https://login.example/a{b}", &[], Some(Tenants::Any))],
            "one iss could match both: list the tenants of one of them",
        ),
        (&[("spiffe://b", &[], None), ("spiffe://b", &[], None)], "given twice"),
        (&[(template, &[], None)], "placeholder"),
        (&[("a", &[], Some(Tenants::Any))], "placeholder"),
        (&[("spiffe://B", &[], None)], "trust_domain"),
    ] {
        let error = table(issuers).unwrap_err();
        assert!(error.contains(expected), "{error}");
    }
    // One issuer may spell its own name in several ways, and a trust domain may be called as an issuer is.
    table(&[
        (template, &["https://login.example/a{tid}"], Some(Tenants::Any)),
        ("b", &[], None),
        ("spiffe://b", &[], None),
    ])
    .unwrap();
}

/// The same by the words of the standard: split at slashes, and look at each part.
fn is_spiffe_id(text: &str) -> bool {
    let Some(rest) = text.strip_prefix("spiffe://") else { return false };
    let mut parts = rest.split('/');
    let domain = parts.next().unwrap();
    text.len() <= 2048
        && (1..=255).contains(&domain.len())
        && domain.chars().all(|ch| ch.is_ascii_lowercase() || ch.is_ascii_digit() || "._-".contains(ch))
        && parts.all(|part| {
            !part.is_empty()
                && part != "."
                && part != ".."
                && part.chars().all(|ch| ch.is_ascii_alphanumeric() || "._-".contains(ch))
        })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn spiffe_ids(text in "(spiffe://)?[a-z0-9._A%@:é-]{0,8}(/[a-zA-Z0-9._ %?#-]{0,4}){0,4}") {
        prop_assert_eq!(SpiffeId::parse(&text).is_ok(), is_spiffe_id(&text));
    }

    #[test]
    fn nothing_but_the_expansion_of_a_template_is_accepted(
        issuer in "https://login\\.example/[a-c./-]{0,3}(/v2\\.0)?/?",
        tenant in "[a-c./-]{0,3}",
    ) {
        let expected = format!("https://login.example/{tenant}/v2.0") == issuer
            && !tenant.is_empty() && !tenant.contains('/') && tenant != "." && tenant != "..";
        let verdict = code(&entra(Tenants::Any), &json!({"iss": issuer, "tid": tenant}));
        prop_assert_eq!(verdict.is_none(), expected);
    }
}

/// The message of a rejection.
fn message(policy: &Policy, changes: &Value) -> String {
    let header = json!({"alg": "EdDSA", "kid": "ed25519"});
    verify(token(&header, changes).as_bytes(), &key_set(Backend::Default), policy, now(), ProofOfPossession::default())
        .unwrap_err()
        .to_string()
}

#[test]
fn rejections_say_what_is_expected_and_how_little_is_missing() {
    for (changes, expected) in [
        (
            json!({"iss": "https://as.example/"}),
            "\"iss\" must be \"https://as.example\"; the token's differs only by a slash at the end",
        ),
        (
            json!({"iss": "http://as.example"}),
            "\"iss\" must be \"https://as.example\"; the token's differs only in its scheme (https://, http:// or none)",
        ),
        (
            json!({"iss": "as.example"}),
            "\"iss\" must be \"https://as.example\"; the token's differs only in its scheme (https://, http:// or none)",
        ),
        (
            json!({"iss": "https://AS.example"}),
            "\"iss\" must be \"https://as.example\"; the token's differs only in upper and lower case",
        ),
        (json!({"iss": "http://as.example/"}), "\"iss\" must be \"https://as.example\""),
        (json!({"iss": "https://secret.example"}), "\"iss\" must be \"https://as.example\""),
        (json!({"iss": null}), "the claim \"iss\" is required and missing; it must be \"https://as.example\""),
        (json!({"aud": "https://secret.example"}), "\"aud\" must name \"https://api.example\""),
        (
            json!({"aud": ["secret", "https://api.example/"]}),
            "\"aud\" must name \"https://api.example\"; the token's differs only by a slash at the end",
        ),
        (json!({"aud": []}), "the claim \"aud\" is required and missing; it must name \"https://api.example\""),
    ] {
        assert_eq!(message(&strict(), &changes), expected);
    }
    let typ = token(&json!({"alg": "EdDSA", "kid": "ed25519", "typ": "secret"}), &json!({}));
    let rejection =
        verify(typ.as_bytes(), &key_set(Backend::Default), &strict(), now(), ProofOfPossession::default()).unwrap_err();
    assert_eq!(rejection.to_string(), "the header's \"typ\" must be \"JWT\", \"at+jwt\" or absent");
    let tenants = entra(Tenants::OneOf(vec!["t".into()]));
    for (issuer, tenant, hint) in [
        ("https://login.example/t/v2.0/", "t", "; the token's differs only by a slash at the end"),
        ("https://login.example/u/v2.0", "u", "; the token's names a tenant that the policy does not list"),
        ("https://login.example/t/v2.0", "u", "; the token's names another tenant than the token's own claim"),
        ("https://secret.example/t", "t", ""),
    ] {
        let expected = format!("\"iss\" must be \"https://login.example/{{tid}}/v2.0\"{hint}");
        assert_eq!(message(&tenants, &json!({"iss": issuer, "tid": tenant})), expected);
    }
    let workloads = strict().with_trust_domain("example.org").unwrap();
    let expected = "\"sub\" must be a SPIFFE ID of the trust domain \"example.org\"";
    assert_eq!(message(&workloads, &json!({"sub": "spiffe://secret.org/a"})), expected);
}

#[test]
fn what_is_expected_is_bounded_and_printable() {
    let issuers: Vec<String> =
        (0..1000).map(|number| format!("https://\u{202e}{number}.{}", "x".repeat(5000))).collect();
    let policy = strict().with_issuers(issuers).unwrap();
    let message = message(&policy, &json!({}));
    assert!(message.len() < 2000, "{}", message.len());
    assert!(message.ends_with(" or 996 others"), "{message}");
    assert!(message.chars().all(|ch| (' '..='~').contains(&ch) || ch == '…'), "{message}");
}

#[test]
fn neither_a_row_of_a_batch_nor_a_request_shows_its_token() {
    let (keys, policy) = (key_set(Backend::Default), strict());
    let shown = format!("{:?}", Row { token: b"secret", keys: &keys, policy: &policy, now: now() });
    assert!(shown.starts_with("Row { token_bytes: 6, now: "), "{shown}");
    assert!(!shown.contains("115, 101, 99"), "{shown}");
    let uri = "https://api.example/?key=secret";
    let access_token = Some(b"secret".as_slice());
    let request = ProofRequest { method: "GET", uri, access_token, expected_jkt: None, nonces: None };
    assert_eq!(format!("{request:?}"), "ProofRequest { method: \"GET\", .. }");
}

#[test]
fn a_rejection_has_what_was_signed_if_the_signature_is_valid() {
    let header = json!({"alg": "EdDSA", "kid": "ed25519"});
    let keys = key_set(Backend::Default);
    let expired = token(&header, &json!({"exp": 1, "sub": "secret"}));
    let rejection = verify(expired.as_bytes(), &keys, &strict(), now(), ProofOfPossession::default()).unwrap_err();
    let payload: Value = serde_json::from_slice(rejection.signed().unwrap().payload()).unwrap();
    assert_eq!((rejection.code(), &payload["sub"]), ("expired", &json!("secret")));
    assert!(!format!("{rejection:?} {rejection}").contains("secret"));
    let bound = token(&header, &json!({"cnf": {"jkt": "x"}}));
    assert!(
        verify(bound.as_bytes(), &keys, &strict(), now(), ProofOfPossession::default()).unwrap_err().signed().is_some()
    );
    let not_json = signer(Algorithm::EdDsa).token(header.to_string(), "secret");
    assert_eq!(
        verify(not_json.as_bytes(), &keys, &strict(), now(), ProofOfPossession::default())
            .unwrap_err()
            .signed()
            .unwrap()
            .payload(),
        b"secret"
    );

    let forged = format!("{}AAAA", &expired[..expired.len() - 4]);
    for (raw, code) in [
        (forged, "invalid_signature"),
        ("a.b.c".into(), "malformed_token"),
        (token(&json!({"alg": "EdDSA", "kid": "nobody"}), &json!({})), "unknown_key"),
        (token(&json!({"alg": "EdDSA", "kid": "ed25519", "typ": "x"}), &json!({})), "wrong_type"),
    ] {
        let rejection = verify(raw.as_bytes(), &keys, &strict(), now(), ProofOfPossession::default()).unwrap_err();
        assert_eq!(rejection.code(), code);
        assert!(rejection.signed().is_none());
    }
}
