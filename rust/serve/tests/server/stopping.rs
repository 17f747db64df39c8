//! The end of a server.

use std::net::TcpStream;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use watchword_serve::Server;

use crate::client::Client;
use crate::fixture::*;

#[test]
fn requests_in_flight_are_answered_and_idle_connections_closed() {
    let server = start(settings(), &["a"], memory());
    let mut idle = Client::new(&address(&server));
    idle.send(request("/health", ""));
    assert_eq!(idle.answer().unwrap().status, 200);
    let mut silent = Client::new(&address(&server));
    let mut waiting = Client::new(&address(&server));
    waiting.send(order(&order_token("b")));
    let (lookup, _) = server.next_lookup(Duration::from_secs(60)).unwrap();
    until(|| server.stats().connections.open == 3);
    thread::scope(|scope| {
        let stopping = scope.spawn(|| server.stop(Duration::from_secs(60)));
        assert!(idle.is_closed());
        assert!(silent.is_closed());
        assert!(!stopping.is_finished());
        // All have been told once this can count them.
        server.stats();
        server.set_keys(ISSUER, Some(keys(&["b"])));
        server.finish_lookup(lookup.id);
        let answer = waiting.answer().unwrap();
        assert_eq!((answer.status, answer.header("connection")), (200, Some("close")));
        assert!(waiting.is_closed());
        stopping.join().unwrap();
    });
    assert!(TcpStream::connect(address(&server)).is_err());
    assert!(server.next_lookup(Duration::from_secs(60)).is_none());
    server.stop(Duration::ZERO);
    assert!(server.start().is_err());
}

#[test]
fn after_the_grace_nothing_waits_for_keys() {
    let server = start(settings(), &[], memory());
    let mut waiting = Client::new(&address(&server));
    waiting.send(order(&order_token("b")));
    until(|| server.stats().waiting_for_keys == 1);
    server.stop(Duration::from_millis(50));
    assert_eq!(waiting.answer().unwrap().code(), "keys_unavailable");
    assert!(waiting.is_closed());
}

#[test]
fn a_server_that_is_dropped_is_stopped() {
    let server = started();
    let address = address(&server);
    drop(server);
    assert!(TcpStream::connect(address).is_err());
}

#[test]
fn a_server_that_was_not_started_listens_and_can_be_stopped() {
    let server = Server::bind(settings(), configured(&["k"]), memory(), Arc::new(page)).unwrap();
    let mut early = Client::new(&address(&server));
    early.send(request("/health", ""));
    server.start().unwrap();
    server.start().unwrap();
    assert_eq!(early.answer().unwrap().status, 200);
    let other = Server::bind(settings(), configured(&["k"]), memory(), Arc::new(page)).unwrap();
    other.stop(Duration::ZERO);
    assert!(TcpStream::connect(address(&other)).is_err());
}
