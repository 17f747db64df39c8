//! The limit of connections.

use std::num::NonZeroUsize;

use watchword_serve::{Server, Settings};

use crate::client::{Client, ask};
use crate::fixture::*;

fn limited(count: usize, key_ids: &[&str]) -> Server {
    start(Settings { max_connections: NonZeroUsize::new(count).unwrap(), ..settings() }, key_ids, memory())
}

#[test]
fn idle_connections_do_not_keep_others_out() {
    let server = limited(8, &["k"]);
    let mut used = Client::new(&address(&server));
    used.send(request("/health", ""));
    assert_eq!(used.answer().unwrap().status, 200);
    let mut silent: Vec<_> = (0..7).map(|_| Client::new(&address(&server))).collect();
    until(|| server.stats().connections.open == 8);
    for client in &mut silent {
        client.send("GET / HTTP/1.1\r\n");
    }
    // More than there is room for, one after the other, each kept open.
    let more: Vec<_> = (0..20)
        .map(|_| {
            let mut client = Client::new(&address(&server));
            client.send(request("/health", ""));
            assert_eq!(client.answer().unwrap().status, 200);
            client
        })
        .collect();
    assert!(silent.iter_mut().all(Client::is_closed));
    let stats = server.stats().connections;
    assert!(stats.evicted >= 20, "{stats:?}");
    assert_eq!(stats.refused, 0);
    assert!(stats.open <= 8);
    drop(more);
}

#[test]
fn silent_connections_are_closed_before_those_of_a_proxy() {
    let server = limited(20, &["k"]);
    let mut used = Client::new(&address(&server));
    used.send(request("/health", ""));
    assert_eq!(used.answer().unwrap().status, 200);
    // Later than the proxy's last request.
    let silent: Vec<_> = (0..19).map(|_| Client::new(&address(&server))).collect();
    until(|| server.stats().connections.open == 20);
    assert_eq!(ask(&address(&server), request("/health", "")).status, 200);
    used.send(request("/health", ""));
    assert_eq!(used.answer().unwrap().status, 200);
    drop(silent);
}

#[test]
fn a_connection_is_refused_only_if_all_others_are_being_answered() {
    let server = limited(2, &[]);
    let mut waiting: Vec<_> = (0..2)
        .map(|_| {
            let mut client = Client::new(&address(&server));
            client.send(order(&order_token("k")));
            client
        })
        .collect();
    until(|| server.stats().waiting_for_keys == 2);
    assert!(Client::new(&address(&server)).is_closed());
    assert_eq!(server.stats().connections.refused, 1);
    let (lookup, _) = server.next_lookup(std::time::Duration::from_secs(60)).unwrap();
    server.set_keys(ISSUER, Some(keys(&["k"])));
    server.finish_lookup(lookup.id);
    until(|| {
        // The second may have come after the lookup was taken.
        if let Some((lookup, _)) = server.next_lookup(std::time::Duration::ZERO) {
            server.finish_lookup(lookup.id);
        }
        server.stats().waiting_for_keys == 0
    });
    for client in &mut waiting {
        assert_eq!(client.answer().unwrap().status, 200);
    }
}
