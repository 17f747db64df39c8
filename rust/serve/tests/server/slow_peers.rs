//! Peers that are slow, or silent.

use std::io::Write as _;
use std::time::Duration;

use watchword_serve::Settings;

use crate::client::Client;
use crate::fixture::*;

const SHORT: Duration = Duration::from_millis(200);

#[test]
fn a_head_that_comes_byte_by_byte_is_cut_off() {
    let server = start(Settings { header_timeout: SHORT, ..settings() }, &["k"], memory());
    // On a new connection, and on one that is used again.
    for is_used in [false, true] {
        let mut client = Client::new(&address(&server));
        if is_used {
            client.send(request("/health", ""));
            assert_eq!(client.answer().unwrap().status, 200);
        }
        let before = server.stats().connections.timed_out;
        client.send("GET / HTTP/1.1\r\nX: ");
        until(|| {
            // It never ends by itself.
            let _ = client.stream.write_all(b"a");
            server.stats().connections.timed_out > before
        });
        assert!(client.is_closed());
    }
    assert_eq!(server.stats().verdicts.len(), 1);
}

#[test]
fn a_silent_connection_is_closed() {
    let server = start(Settings { header_timeout: SHORT, ..settings() }, &["k"], memory());
    assert!(Client::new(&address(&server)).is_closed());
    let server = start(Settings { idle_timeout: SHORT, ..settings() }, &["k"], memory());
    let mut client = Client::new(&address(&server));
    client.send(request("/health", ""));
    assert_eq!(client.answer().unwrap().status, 200);
    assert!(client.is_closed());
    until(|| server.stats().connections.timed_out == 1);
}

#[test]
fn a_peer_that_does_not_read_is_cut_off() {
    let server = start(Settings { write_timeout: SHORT, ..settings() }, &["k"], memory());
    let mut client = Client::new(&address(&server));
    let requests = request("/nothing", "").repeat(1000);
    client.stream.set_write_timeout(Some(Duration::from_millis(50))).unwrap();
    until(|| {
        let _ = client.stream.write_all(requests.as_bytes());
        server.stats().connections.timed_out == 1
    });
    assert_eq!(server.stats().connections.open, 0);
}

#[test]
fn a_request_in_parts_is_one_request() {
    let server = started();
    let mut client = Client::new(&address(&server));
    for byte in order(&order_token("k")).bytes() {
        client.send([byte]);
    }
    assert_eq!(client.answer().unwrap().status, 200);
}
