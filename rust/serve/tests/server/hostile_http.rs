//! What is not HTTP/1.1, or tries to be read in two ways.

use watchword_serve::Settings;

use crate::client::{Client, ask};
use crate::fixture::*;

const OURS: &str = "X-Original-Method: GET\r\nX-Original-URI: /health\r\n";

#[test]
fn what_is_malformed_is_rejected_and_the_connection_closed() {
    let server = started();
    let head = format!("GET / HTTP/1.1\r\nHost: gate\r\n{OURS}");
    let cases = [
        ("no version", format!("GET /\r\nHost: gate\r\n{OURS}\r\n")),
        ("HTTP/0.9", "GET /\r\n".to_owned()),
        ("HTTP/2.0", format!("GET / HTTP/2.0\r\nHost: gate\r\n{OURS}\r\n")),
        ("HTTP/2 preface", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_owned()),
        ("two spaces", format!("GET  / HTTP/1.1\r\nHost: gate\r\n{OURS}\r\n")),
        ("a tab", format!("GET\t/ HTTP/1.1\r\nHost: gate\r\n{OURS}\r\n")),
        ("no method", format!(" / HTTP/1.1\r\nHost: gate\r\n{OURS}\r\n")),
        ("bad method", format!("G(T / HTTP/1.1\r\nHost: gate\r\n{OURS}\r\n")),
        ("TLS", "\x16\x03\x01\x02\x00\x01\x00\x01\u{fc}\x03\x03\r\n\r\n".to_owned()),
        ("NUL in the target", format!("GET /\0 HTTP/1.1\r\nHost: gate\r\n{OURS}\r\n")),
        ("NUL in a value", format!("{head}X: a\0b\r\n\r\n")),
        ("NUL in a name", format!("{head}X\0: a\r\n\r\n")),
        ("a folded line", format!("{head}X: a\r\n b\r\n\r\n")),
        ("a space before the colon", format!("{head}X : a\r\n\r\n")),
        ("no colon", format!("{head}X\r\n\r\n")),
        ("no name", format!("{head}: a\r\n\r\n")),
        ("a bare CR", format!("{head}X: a\rY: b\r\n\r\n")),
        ("two lengths", format!("{head}Content-Length: 1\r\nContent-Length: 2\r\n\r\nab")),
        ("a list of lengths", format!("{head}Content-Length: 1, 2\r\n\r\nab")),
        ("a negative length", format!("{head}Content-Length: -1\r\n\r\n")),
        ("a signed length", format!("{head}Content-Length: +1\r\n\r\na")),
        ("a huge length", format!("{head}Content-Length: 99999999999999999999999\r\n\r\n")),
        ("an unknown coding", format!("{head}Transfer-Encoding: gzip\r\n\r\n")),
        ("a coding after chunked", format!("{head}Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n")),
        ("chunked in HTTP/1.0", format!("GET / HTTP/1.0\r\n{OURS}Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n")),
    ];
    let count = u64::try_from(cases.len()).unwrap();
    for (name, bytes) in cases {
        let mut client = Client::new(&address(&server));
        client.send(bytes);
        // HTTP/0.9 and the like may be the beginning of something, until nothing more comes.
        client.finish_sending();
        match client.answer() {
            None => {}
            Some(answer) => {
                assert!(matches!(answer.status, 400 | 414 | 431 | 505), "{name}: {answer:?}");
                assert!(client.is_closed(), "{name}");
            }
        }
    }
    until(|| server.stats().connections.open == 0);
    let stats = server.stats();
    assert_eq!(stats.verdicts, []);
    assert!(stats.connections.malformed + 3 >= count, "{stats:?}");
}

#[test]
fn what_is_unusual_but_has_one_meaning_is_answered() {
    let server = started();
    for (name, bytes) in [
        ("HTTP/1.0", format!("GET / HTTP/1.0\r\n{OURS}\r\n")),
        ("bare line feeds", format!("GET / HTTP/1.1\nHost: gate\n{}\n", OURS.replace("\r\n", "\n"))),
        ("empty lines before", format!("\r\n\r\nGET / HTTP/1.1\r\nHost: gate\r\n{OURS}\r\n")),
        ("an absolute target", format!("GET http://gate/ HTTP/1.1\r\nHost: gate\r\n{OURS}\r\n")),
        (
            "the same length twice",
            format!("GET / HTTP/1.1\r\nHost: gate\r\n{OURS}Content-Length: 0\r\nContent-Length: 0\r\n\r\n"),
        ),
        ("another method", format!("POST / HTTP/1.1\r\nHost: gate\r\n{OURS}Content-Length: 0\r\n\r\n")),
        ("spaces around a value", format!("GET / HTTP/1.1\r\nHost: gate\r\nX: \t a \t\r\n{OURS}\r\n")),
    ] {
        assert_eq!(ask(&address(&server), bytes).status, 200, "{name}");
    }
}

#[test]
fn a_body_is_not_a_second_request() {
    let server = started();
    let head = format!("POST / HTTP/1.1\r\nHost: gate\r\n{OURS}");
    let second = request("/orders/7", "");
    for (name, bytes) in [
        ("a length", format!("{head}Content-Length: {}\r\n\r\n{second}", second.len())),
        ("chunks", format!("{head}Transfer-Encoding: chunked\r\n\r\n{:x}\r\n{second}\r\n0\r\n\r\n", second.len())),
        ("both", format!("{head}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n{second}")),
        (
            "both, the other first",
            format!("{head}Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n{second}"),
        ),
        ("a body that never comes", format!("{head}Content-Length: 100\r\nExpect: 100-continue\r\n\r\n")),
    ] {
        let mut client = Client::new(&address(&server));
        client.send(bytes);
        assert_eq!(client.answer().unwrap().status, 200, "{name}");
        client.finish_sending();
        assert_eq!(client.answer(), None, "{name}");
    }
}

#[test]
fn a_large_body_does_not_cost_the_answer() {
    let server = started();
    let mut client = Client::new(&address(&server));
    client.send(format!("POST / HTTP/1.1\r\nHost: gate\r\n{OURS}Content-Length: 100000\r\n\r\n"));
    client.send(vec![b'x'; 100_000]);
    assert_eq!(client.answer().unwrap().status, 200);
}

#[test]
fn the_head_is_limited() {
    let server = start(Settings { max_header_bytes: 8192, ..settings() }, &["k"], memory());
    assert_eq!(ask(&address(&server), request("/health", &format!("X: {}\r\n", "a".repeat(7000)))).status, 200);
    for more in
        [format!("X: {}\r\n", "a".repeat(9000)), "X: a\r\n".repeat(120), format!("{}: a\r\n", "X".repeat(70_000))]
    {
        let mut client = Client::new(&address(&server));
        client.send(request("/health", &more));
        assert_eq!(client.answer().map(|answer| answer.status), Some(431), "{}", more.len());
        assert!(client.is_closed());
    }
    let mut client = Client::new(&address(&server));
    client.send(format!("GET /{} HTTP/1.1\r\n", "a".repeat(9000)));
    assert!(client.answer().is_none_or(|answer| matches!(answer.status, 414 | 431)));
}

#[test]
fn pipelined_requests_are_answered_in_their_order() {
    let server = started();
    let mut client = Client::new(&address(&server));
    let token = order_token("k");
    for _ in 0..50 {
        client.send([request("/health", ""), request("/nothing", ""), order(&token)].concat());
    }
    for _ in 0..50 {
        for status in [200, 403, 200] {
            assert_eq!(client.answer().unwrap().status, status);
        }
    }
}
