//! Properties of arbitrary claims: the body of the fuzz target for delegation chains, and of the tests that replay and
//! generate inputs.
//!
//! The function takes the input and panics if a property is violated. Results are compared with serde_json, and with a
//! reader of chains written for it from the description of the forms.

#![allow(dead_code, reason = "each includer uses only some of the items")]

use std::sync::LazyLock;

use data_encoding::HEXLOWER;
use ed25519_dalek::{Signer as _, SigningKey};
use serde_json::{Value as Reference, json};
use sha2::{Digest as _, Sha256};
use watchword_kernel::delegation::{HUMAN_PREFIXES, MAX_ACTORS, MOST_ACTORS};
use watchword_kernel::json::{Object, Value};
use watchword_kernel::{
    ActorName, Backend, DelegationChain, DelegationError, KeySet, MayAct, Requirements, ScopeClaims,
};

/// RFC 8037 appendix A.1: a published private key, with which any record can be signed.
const SECRET: [u8; 32] = [
    0x9d, 0x61, 0xb1, 0x9d, 0xef, 0xfd, 0x5a, 0x60, 0xba, 0x84, 0x4a, 0xf4, 0x92, 0xec, 0x2c, 0xc4, 0x44, 0x49, 0xc5,
    0x69, 0x7b, 0x32, 0x69, 0x19, 0x70, 0x3b, 0xac, 0x03, 0x1c, 0xae, 0x7f, 0x60,
];
const JWKS: &str = r#"{"keys":[{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}"#;

static KEYS: LazyLock<KeySet> =
    LazyLock::new(|| KeySet::from_json(JWKS.as_bytes(), Backend::Default).expect("a JWK Set"));

type Chain = Result<DelegationChain, DelegationError>;

/// Reads claims as every form, with a short limit and the longest.
pub(crate) fn delegation(claims: &[u8]) {
    for limit in [1, MAX_ACTORS, MOST_ACTORS] {
        let Ok(members) = DelegationChain::read_claims(claims, limit) else { continue };
        check_nesting(&members);
        let acts = DelegationChain::from_act(&members, limit);
        let records = DelegationChain::from_records(&members, None, &ScopeClaims::default(), limit);
        for chain in [&acts, &records, &DelegationChain::from_actor_chain(&members)] {
            check_chain(chain, limit, claims);
        }
        check_forms(&members);
        check_may_act(&members);
        // serde_json reads the same document if it reads it: its limit is 128 levels, as the kernel's.
        let Ok(reference) = serde_json::from_slice::<Reference>(claims) else { continue };
        check_acts(&acts, &reference, limit);
        check_records(&records, &reference, limit);
        // A token is rejected for a malformed claim exactly if a registered claim is malformed.
        if Object::parse(claims).is_ok() && limit == MAX_ACTORS {
            check_verdict(claims, &acts, &MayAct::read(&members));
        }
    }
}

/// Whether the claims have a valid chain of any form.
pub(crate) fn is_read(claims: &[u8]) -> bool {
    DelegationChain::read_claims(claims, MAX_ACTORS).is_ok_and(|members| DelegationChain::from_claims(&members).is_ok())
}

/// One pass gives the same result as reading level by level.
fn check_nesting(members: &Object<'_>) {
    for name in ["act", "a", "agent"] {
        let mut level = members.get(name).cloned();
        let levels = members.nested(name);
        for found in &levels {
            let Some(Value::Object(raw)) = &level else { panic!("too many levels") };
            let read = raw.members();
            let rest = read.iter().filter(|(member, value)| *member != name || !matches!(value, Value::Object(_)));
            assert_eq!(shown(rest), shown(found.iter()));
            level = read.get(name).cloned();
        }
        assert!(!matches!(level, Some(Value::Object(_))), "too few levels");
    }
}

fn shown<'a>(members: impl Iterator<Item = (&'a str, &'a Value<'a>)>) -> Vec<String> {
    members.map(|member| format!("{member:?}")).collect()
}

/// Properties of every chain, of any form.
fn check_chain(chain: &Chain, limit: usize, claims: &[u8]) {
    let chain = match chain {
        Ok(chain) => chain,
        Err(error) => return check_error(error, claims),
    };
    assert!(chain.depth() <= limit && chain.depth() == chain.actors().len());
    assert!(chain.actors().iter().all(|actor| actor.subject.as_deref() != Some("")));
    assert_eq!(format!("{chain:?}").replace(char::is_numeric, ""), "DelegationChain { depth: , .. }");
    check_unknown(chain);
    let named: Option<Vec<ActorName>> = chain
        .actors()
        .iter()
        .map(|actor| Some(ActorName { issuer: actor.issuer.clone(), subject: actor.subject.clone()? }))
        .collect();
    let is_known = named.is_some();
    let everybody = named.unwrap_or_default();
    let check =
        |requirements: Requirements<'_>| chain.check(&Requirements { allow_unknown_actors: true, ..requirements });
    // Only narrowing is required; further requirements that are met change nothing.
    let narrow = check(Requirements::default());
    assert!(matches!(narrow, Ok(()) | Err(DelegationError::ScopeWidened { .. })));
    let depth = Some(chain.depth());
    let is_named = everybody.iter().all(|name| name.issuer.is_some() || chain.issuer().is_none());
    assert!(is_named);
    if is_known {
        assert_eq!(
            check(Requirements { max_depth: depth, allowed_actors: Some(&everybody), ..Requirements::default() }),
            narrow
        );
    }
    // An empty list allows no actor, and a list that lacks one of them rejects it.
    if let Some((_, others)) = everybody.split_first() {
        let rejected = check(Requirements { allowed_actors: Some(&[]), ..Requirements::default() });
        assert_eq!(rejected, Err(DelegationError::ActorNotAllowed { position: 1, depth: chain.depth() }));
        if !others.contains(&everybody[0]) {
            assert!(check(Requirements { allowed_actors: Some(others), ..Requirements::default() }).is_err());
        }
        let short = Requirements { max_depth: Some(chain.depth() - 1), ..Requirements::default() };
        assert_eq!(check(short), Err(DelegationError::TooDeep { limit: chain.depth() - 1 }));
    }
    let human: &dyn Fn(&DelegationChain) -> bool = &|chain| chain.has_human_root(&HUMAN_PREFIXES);
    let rooted = check(Requirements { human_root: Some(human), ..Requirements::default() });
    assert_eq!(rooted == Err(DelegationError::NoHumanRoot), !chain.has_human_root(&HUMAN_PREFIXES));
    let circular = check(Requirements { allow_cycles: false, ..Requirements::default() });
    assert_eq!(circular == Err(DelegationError::Cycle), !chain.repeated().is_empty());
    check_repeated(chain);
    let widened = first_widened(chain);
    assert_eq!(narrow.err(), widened.map(|position| DelegationError::ScopeWidened { position, depth: chain.depth() }));
}

/// An actor without a name is rejected unless unknown actors are allowed, and by every list of allowed actors.
fn check_unknown(chain: &DelegationChain) {
    let Some(index) = chain.actors().iter().position(|actor| actor.subject.is_none()) else { return };
    let rejection = Err(DelegationError::UnknownActor { position: index + 1, depth: chain.depth() });
    assert_eq!(chain.check(&Requirements::default()), rejection);
    let allowed = [ActorName { issuer: chain.actors()[index].issuer.clone(), subject: String::new() }];
    let listed = Requirements { allow_unknown_actors: true, allowed_actors: Some(&allowed), ..Requirements::default() };
    assert_eq!(chain.check(&listed), rejection);
}

fn check_repeated(chain: &DelegationChain) {
    let mut names: Vec<_> =
        chain.actors().iter().filter_map(|actor| Some((actor.issuer.as_deref(), actor.subject.as_deref()?))).collect();
    names.extend(chain.subject().map(|subject| (chain.issuer(), subject)));
    let is_repeated = |name: &_| names.iter().filter(|other| *other == name).count() > 1;
    let mut expected: Vec<_> = names.iter().filter(|name| is_repeated(*name)).map(|(_, subject)| *subject).collect();
    let mut found = chain.repeated();
    expected.sort_unstable();
    expected.dedup();
    found.sort_unstable();
    found.dedup();
    assert_eq!(found, expected);
}

/// The position, from the nearest, of the farthest actor with a scope that the one before it lacks: each scope compared
/// with each.
fn first_widened(chain: &DelegationChain) -> Option<usize> {
    let parts = |scope: &str| -> Option<[String; 3]> {
        let parts: Vec<&str> = scope.splitn(3, ':').collect();
        let [action, resource, identifier]: [&str; 3] = parts.try_into().ok()?;
        let is_good = ![action, resource].contains(&"*") && ![action, resource, identifier].contains(&"");
        is_good.then(|| [action, resource, identifier].map(str::to_owned))
    };
    let covers = |held: &str, asked: &str| match (parts(held), parts(asked)) {
        (Some(held), Some(asked)) => held[..2] == asked[..2] && (held[2] == "*" || held[2] == asked[2]),
        _ => false,
    };
    let mut held = chain.scopes()?;
    for (index, actor) in chain.actors().iter().enumerate().rev() {
        let asked = actor.scopes.as_deref()?;
        if !asked.iter().all(|asked| held.iter().any(|held| covers(held, asked))) {
            return Some(index + 1);
        }
        held = asked;
    }
    None
}

fn check_error(error: &DelegationError, claims: &[u8]) {
    let text = error.to_string();
    assert!(text.len() < 200 && error.code().starts_with("delegation_"));
    // No part of the claims that is too long to be there by chance.
    let known = ["delegation_chain", "delegated_at", "principal_id"];
    for part in claims.split(|byte| !byte.is_ascii_alphanumeric() && *byte != b'_') {
        let part = std::str::from_utf8(part).expect("ASCII");
        assert!(part.len() < 12 || known.iter().any(|name| name.contains(part)) || !text.contains(part), "{text:?}");
    }
}

/// The form is detected; two forms at once are an error.
fn check_forms(members: &Object<'_>) {
    let found = DelegationChain::from_claims(members);
    let there = ["act", "delegation_chain", "actor_chain"].map(|form| members.contains(form));
    match there {
        [_, false, false] => assert_eq!(found, DelegationChain::from_act(members, MAX_ACTORS)),
        [false, true, false] => {
            assert_eq!(found, DelegationChain::from_records(members, None, &ScopeClaims::default(), MAX_ACTORS))
        }
        [false, false, true] => assert_eq!(found, DelegationChain::from_actor_chain(members)),
        _ => assert!(matches!(found, Err(DelegationError::Malformed(_)))),
    }
}

fn check_may_act(members: &Object<'_>) {
    let Ok(Some(claim)) = MayAct::read(members) else { return };
    for subject in claim.subjects() {
        let name = |issuer: Option<&str>| ActorName { issuer: issuer.map(str::to_owned), subject: subject.clone() };
        assert!(claim.permits(&name(claim.issuer())));
        assert!(!claim.permits(&ActorName { subject: format!("{subject}x{subject}"), ..name(claim.issuer()) }));
        assert!(
            !claim.permits(&name(Some("https://nobody.example"))) || claim.issuer() == Some("https://nobody.example")
        );
    }
    assert!(!claim.permits(&ActorName { issuer: None, subject: String::new() }));
}

/// Nested acts, read with another parser and by hand.
fn check_acts(chain: &Chain, claims: &Reference, limit: usize) {
    let mut expected = Some(Vec::new());
    let mut level = claims.get("act");
    while let Some(act) = level {
        let text = |value: &Reference| value.as_str().is_some_and(|text| !text.is_empty());
        let members = act.as_object().into_iter().flatten();
        let name = match act.get("sub") {
            Some(sub) => sub.as_str().filter(|name| !name.is_empty()).map(|name| Some(name.to_owned())),
            None => members.filter(|(name, _)| *name != "iss").any(|(_, value)| text(value)).then_some(None),
        };
        let is_identity = ["aud", "exp", "iat", "nbf"].iter().all(|claim| act.get(claim).is_none());
        let is_issuer = act.get("iss").is_none_or(Reference::is_string);
        match (name, &mut expected) {
            (Some(name), Some(names)) if is_identity && is_issuer => names.push(name),
            _ => expected = None,
        }
        level = act.get("act");
    }
    let expected = expected.filter(|names| names.len() <= limit && has_named_parties(claims));
    let found = chain.as_ref().ok().map(|chain| chain.actors().iter().map(|actor| actor.subject.clone()).collect());
    assert_eq!(found, expected);
    if let Ok(chain) = chain {
        let subject = claims.get("sub").and_then(Reference::as_str);
        assert_eq!(chain.subject(), subject);
        let is_person = subject.is_some_and(|subject| subject.len() > 5 && subject.starts_with("user:"));
        assert_eq!(
            chain.has_human_root(&HUMAN_PREFIXES),
            is_person || claims.get("human_root") == Some(&Reference::Bool(true))
        );
    }
}

fn has_named_parties(claims: &Reference) -> bool {
    ["iss", "sub"].iter().all(|name| claims.get(name).is_none_or(Reference::is_string))
}

/// Well-formed records, hashed and signed again, verify; with any change, they do not.
fn check_records(chain: &Chain, claims: &Reference, limit: usize) {
    let Some(records) = claims.get("delegation_chain").and_then(Reference::as_array).filter(|all| !all.is_empty())
    else {
        return;
    };
    if chain.is_ok() {
        let hash = claims.get("chain_hash").and_then(Reference::as_str);
        assert!(hash.is_none_or(|hash| hash == hash_of(records)));
        assert!(records.len() <= limit);
    }
    let Some(signed) = records.iter().map(sign).collect::<Option<Vec<Reference>>>() else {
        return assert!(chain.is_err());
    };
    let mut claims = claims.clone();
    claims["chain_hash"] = json!(hash_of(&signed));
    claims["delegation_chain"] = json!(signed);
    let proved = read(&claims, limit);
    // With the right hash, a chain that was read is still read; one that was not may fail a later check.
    let is_read = read_unproved(&claims, limit).is_ok();
    assert!(is_read || chain.is_err());
    assert!(!is_read || chain.is_ok() || is_good_but_for_the_hash(chain));
    let is_ambiguous = signed.iter().any(|record| {
        ["agent", "delegated_at"].iter().any(|name| record[name].as_str().is_some_and(|text| text.contains('|')))
            || record["scope"]
                .as_array()
                .is_some_and(|all| all.iter().any(|one| one.as_str().is_some_and(|one| one.contains(','))))
    });
    assert_eq!(proved.is_ok(), read_unproved(&claims, limit).is_ok() && !is_ambiguous);
    if let Ok(proved) = &proved {
        assert_eq!(proved.depth(), signed.len());
        assert_eq!(proved.subject(), signed[0]["agent"].as_str());
        assert_eq!(proved.actors()[0].subject.as_deref(), claims["sub"].as_str());
        let mut unhashed = claims.clone();
        unhashed.as_object_mut().expect("an object").remove("chain_hash");
        assert!(matches!(read(&unhashed, limit), Err(DelegationError::Malformed(_))));
        assert_eq!(read_unproved(&unhashed, limit).as_ref(), Ok(proved));
        for (name, change) in
            [("agent", json!("somebody else")), ("delegated_at", json!("1970")), ("signature", json!(""))]
        {
            let mut forged = claims.clone();
            let last = signed.len() - 1;
            forged["delegation_chain"][last][name] = change;
            assert_eq!(read_unproved(&forged, limit), Err(DelegationError::HashMismatch));
            forged["chain_hash"] = json!(hash_of(forged["delegation_chain"].as_array().expect("an array")));
            assert!(matches!(read(&forged, limit), Err(DelegationError::InvalidSignature(_))));
        }
    }
}

fn is_good_but_for_the_hash(chain: &Chain) -> bool {
    match chain {
        Err(DelegationError::HashMismatch) => true,
        Err(DelegationError::Malformed(what)) => what.to_string().contains("chain_hash"),
        _ => false,
    }
}

fn read(claims: &Reference, limit: usize) -> Chain {
    let text = claims.to_string();
    let members = DelegationChain::read_claims(text.as_bytes(), limit)?;
    DelegationChain::from_records(&members, Some(&KEYS), &ScopeClaims::default(), limit)
}

fn read_unproved(claims: &Reference, limit: usize) -> Chain {
    let text = claims.to_string();
    let members = DelegationChain::read_claims(text.as_bytes(), limit)?;
    DelegationChain::from_records(&members, None, &ScopeClaims::default(), limit)
}

/// The record with our signature, if it is well-formed.
fn sign(record: &Reference) -> Option<Reference> {
    let name = |member: &str| record.get(member)?.as_str().filter(|text| !text.is_empty());
    let scopes: Vec<&str> = record.get("scope")?.as_array()?.iter().map(Reference::as_str).collect::<Option<_>>()?;
    if scopes.contains(&"") || !record.get("signature").is_none_or(Reference::is_string) {
        return None;
    }
    let text = format!("{}|{}|{}", name("agent")?, scopes.join(","), name("delegated_at")?);
    let mut signed = record.clone();
    signed["signature"] = json!(HEXLOWER.encode(&SigningKey::from_bytes(&SECRET).sign(text.as_bytes()).to_bytes()));
    Some(signed)
}

/// The hash as the format defines it: over Go's JSON, which is serde_json's with five more characters escaped.
fn hash_of(records: &[Reference]) -> String {
    let member = |record: &Reference, name: &str| record.get(name).cloned().unwrap_or_else(|| json!("")).to_string();
    let written: Vec<String> = records
        .iter()
        .map(|record| {
            let [agent, scope, at, signature] =
                ["agent", "scope", "delegated_at", "signature"].map(|name| member(record, name));
            format!(r#"{{"agent":{agent},"scope":{scope},"delegated_at":{at},"signature":{signature}}}"#)
        })
        .collect();
    let mut json = format!("[{}]", written.join(","));
    for ch in ['<', '>', '&', '\u{2028}', '\u{2029}'] {
        json = json.replace(ch, &format!("\\u{:04x}", u32::from(ch)));
    }
    HEXLOWER.encode(&Sha256::digest(json))
}

/// The same claims in a token: `act` and `may_act` are checked with the other claims.
fn check_verdict(claims: &[u8], acts: &Chain, may_act: &Result<Option<MayAct>, DelegationError>) {
    use watchword_kernel::{
        Audience, BoundTokens, Error, JwsPolicy, Limits, Policy, ProofOfPossession, UnixTime, verify,
    };
    let limits = Limits { token: usize::MAX, header: usize::MAX };
    let policy = Policy::default()
        .with_jws(JwsPolicy::default().with_any_type().with_limits(limits).expect("good"))
        .with_audience(Audience::Any)
        .expect("good")
        .with_required(vec![])
        .with_bound_tokens(BoundTokens::Accept);
    let encode = |bytes: &[u8]| data_encoding::BASE64URL_NOPAD.encode(bytes);
    let input = format!("{}.{}", encode(br#"{"alg":"EdDSA"}"#), encode(claims));
    let signature = encode(&SigningKey::from_bytes(&SECRET).sign(input.as_bytes()).to_bytes());
    let token = format!("{input}.{signature}");
    match verify(token.as_bytes(), &KEYS, &policy, UnixTime::new(0.0).expect("finite"), ProofOfPossession::default())
        .map_err(Error::from)
    {
        Ok(token) => {
            assert!(acts.is_ok() && may_act.is_ok());
            let members = Object::parse(claims).expect("claims");
            assert_eq!(token.delegation(), DelegationChain::from_claims(&members));
            assert_eq!(&token.may_act(), may_act);
        }
        Err(Error::MalformedClaims(what)) => {
            let text = what.to_string();
            let is_about_delegation = text.starts_with("\"act\"") || text.starts_with("\"may_act\"");
            assert!(!is_about_delegation || acts.is_err() || may_act.is_err(), "{text}");
        }
        Err(_) => {}
    }
}
