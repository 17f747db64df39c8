//! Requests that wait for keys.

use std::thread;
use std::time::Duration;

use watchword_serve::{Lookup, Server, Settings};

use crate::client::{Client, ask};
use crate::fixture::*;

const LONG: Duration = Duration::from_secs(60);

#[test]
fn requests_wait_for_one_lookup() {
    let server = start(settings(), &["a"], memory());
    let mut clients: Vec<_> = (0..20)
        .map(|index| {
            let mut client = Client::new(&address(&server));
            client.send(order(&order_token(if index % 2 == 0 { "b" } else { "c" })));
            client
        })
        .collect();
    until(|| server.stats().waiting_for_keys == 20);
    let (lookup, seen) = server.next_lookup(LONG).unwrap();
    assert_eq!(lookup.issuer, ISSUER);
    assert!(seen.is_some());
    let mut key_ids = lookup.key_ids;
    key_ids.sort();
    assert_eq!(key_ids, [Some("b".to_owned()), Some("c".to_owned())]);
    // Others are answered meanwhile.
    assert_eq!(ask(&address(&server), order(&order_token("a"))).status, 200);
    assert!(server.set_keys(ISSUER, Some(keys(&["a", "b"]))));
    server.finish_lookup(lookup.id);
    for (index, client) in clients.iter_mut().enumerate() {
        let answer = client.answer().unwrap();
        match index % 2 {
            0 => assert_eq!(answer.status, 200),
            _ => assert_eq!((answer.status, answer.code()), (401, "unknown_key")),
        }
    }
    assert_eq!(server.stats().lookups, 1);
    assert!(server.next_lookup(Duration::ZERO).is_none());
}

/// The client of a token by the key `b`, the lookup that it waits for, and the client of one by `c`, which came meanwhile.
fn during_a_lookup(server: &Server) -> (Client, Lookup, Client) {
    let mut first = Client::new(&address(server));
    first.send(order(&order_token("b")));
    let (lookup, _) = server.next_lookup(LONG).unwrap();
    let mut second = Client::new(&address(server));
    second.send(order(&order_token("c")));
    until(|| server.stats().waiting_for_keys == 2);
    (first, lookup, second)
}

#[test]
fn a_request_that_comes_during_a_lookup_gets_one_of_its_own() {
    let server = start(settings(), &["a"], memory());
    let (mut first, lookup, mut second) = during_a_lookup(&server);
    assert!(server.next_lookup(Duration::ZERO).is_none());
    server.finish_lookup(lookup.id);
    assert_eq!(first.answer().unwrap().code(), "unknown_key");
    let (lookup, _) = server.next_lookup(LONG).unwrap();
    assert_eq!(lookup.key_ids, [Some("c".to_owned())]);
    server.set_keys(ISSUER, Some(keys(&["c"])));
    server.finish_lookup(lookup.id);
    assert_eq!(second.answer().unwrap().status, 200);
}

#[test]
fn a_request_that_comes_during_a_lookup_needs_none_if_that_finds_its_key() {
    let server = start(settings(), &["a"], memory());
    let (mut first, lookup, mut second) = during_a_lookup(&server);
    server.set_keys(ISSUER, Some(keys(&["b", "c"])));
    server.finish_lookup(lookup.id);
    assert!(server.next_lookup(Duration::ZERO).is_none());
    assert_eq!(first.answer().unwrap().status, 200);
    assert_eq!(second.answer().unwrap().status, 200);
    assert_eq!(server.stats().lookups, 1);
}

#[test]
fn a_wait_is_bounded() {
    let timeout = Duration::from_millis(100);
    let server = start(Settings { lookup_timeout: timeout, ..settings() }, &["a"], memory());
    let answer = ask(&address(&server), order(&order_token("b")));
    assert_eq!((answer.status, answer.code()), (503, "keys_unavailable"));
    assert!(answer.header("retry-after").is_some());
    let stats = server.stats();
    assert_eq!((stats.waits_failed, stats.waiting_for_keys), (1, 0));
    // Nobody waits for it any more.
    assert!(server.next_lookup(Duration::ZERO).is_none());
}

#[test]
fn a_client_that_leaves_waits_no_longer() {
    let server = start(settings(), &[], memory());
    let mut client = Client::new(&address(&server));
    client.send(order(&order_token("b")));
    until(|| server.stats().waiting_for_keys == 1);
    drop(client);
    until(|| server.stats().waiting_for_keys == 0);
    until(|| server.stats().connections.open == 0);
}

#[test]
fn a_token_that_is_invalid_whatever_the_keys_are_causes_no_lookup() {
    let server = start(settings(), &[], memory());
    let other = order_token("b").replace("eyJ", "eyK");
    for token in ["a.b.c", "", "x", &other, &"a".repeat(20_000)] {
        let answer = ask(&address(&server), order(token));
        assert!(matches!(answer.status, 400 | 401), "{answer:?}");
    }
    assert_eq!(server.stats().lookups, 0);
    assert!(server.next_lookup(Duration::ZERO).is_none());
}

#[test]
fn many_key_ids_are_one_lookup() {
    let server = start(settings(), &["a"], memory());
    thread::scope(|scope| {
        for number in 0..100 {
            let (address, token) = (address(&server), order_token(&format!("b{number}")));
            scope.spawn(move || assert_eq!(ask(&address, order(&token)).code(), "unknown_key"));
        }
        until(|| server.stats().waiting_for_keys == 100);
        let (lookup, _) = server.next_lookup(LONG).unwrap();
        assert_eq!(lookup.key_ids.len(), 64);
        server.finish_lookup(lookup.id);
    });
    assert_eq!(server.stats().lookups, 1);
}
