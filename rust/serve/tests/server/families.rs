//! What each proxy sends, and what it is answered.

use std::num::NonZeroUsize;
use std::sync::Arc;

use watchword_gate::IDENTITY_NAMES;
use watchword_gate::config::{GateConfig, PROXIES};
use watchword_serve::{Configured, Family, Metadata, Server, Settings};

use crate::client::{Client, ask};
use crate::fixture::*;

fn of_family(family: Family, path_prefix: &str) -> Server {
    start(Settings { family, path_prefix: path_prefix.to_owned(), ..settings() }, &["k"], memory())
}

fn described(family: Family, method: &str, target: &str) -> String {
    match family {
        Family::Nginx | Family::Haproxy => format!("X-Original-Method: {method}\r\nX-Original-URI: {target}\r\n"),
        Family::Caddy | Family::Traefik => format!("X-Forwarded-Method: {method}\r\nX-Forwarded-Uri: {target}\r\n"),
        Family::Envoy => panic!("it has none"),
    }
}

#[test]
fn an_allowed_request_gets_every_identity_header() {
    let server = started();
    let answer = ask(&address(&server), order(&order_token("k")));
    assert_eq!((answer.status, answer.body.as_str()), (200, ""));
    for name in IDENTITY_NAMES {
        assert!(answer.header(&format!("x-auth-{}", name.to_lowercase())).is_some(), "{name}");
    }
    assert_eq!(answer.header("x-auth-sub"), Some("agent-7"));
    assert_eq!(answer.header("x-auth-client-id"), Some(""));
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    let anonymous = ask(&address(&server), request("/health", "X-Auth-Sub: forged\r\n"));
    assert_eq!((anonymous.status, anonymous.header("x-auth-sub")), (200, Some("")));
}

#[test]
fn headers_are_those_of_the_token_the_route_and_the_request() {
    let server = start(Settings { threads: NonZeroUsize::MIN, ..settings() }, &["k"], memory());
    let tokens: Vec<_> = (0..50).map(|n| token("k", &format!(r#","scope":"orders:read","jti":"{n}""#))).collect();
    let trace = "traceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01\r\n";
    let mut client = Client::new(&address(&server));
    for turn in 0..3 {
        for (number, token) in tokens.iter().enumerate() {
            let authorization = format!("Authorization: Bearer {token}\r\n");
            client.send(request("/orders/7", &format!("{authorization}{}", if turn == 1 { trace } else { "" })));
            let answer = client.answer().unwrap();
            assert_eq!(answer.header("x-auth-jti"), Some(number.to_string().as_str()));
            assert_eq!(answer.header("x-auth-route"), Some("/orders/{id}"));
            let is_traced = answer.header("x-auth-trace-id") == Some("4bf92f3577b34da6a3ce929d0e0e4736");
            assert_eq!(is_traced, turn == 1);
            client.send(request("/health", &authorization));
            let anonymous = client.answer().unwrap();
            assert_eq!((anonymous.header("x-auth-jti"), anonymous.header("x-auth-route")), (Some(""), Some("/health")));
        }
    }
}

#[test]
fn headers_are_those_of_the_rules_that_allowed_the_request() {
    let server = start(Settings { threads: NonZeroUsize::MIN, ..settings() }, &["k"], memory());
    let request = order(&order_token("k"));
    let mut client = Client::new(&address(&server));
    for prefix in ["X-Auth-", "X-Gate-", "X-Auth-"] {
        let compiled = GateConfig::from_toml(&format!("identity_prefix = {prefix:?}\n{CONFIG}")).unwrap().compile();
        let rules = Arc::new(compiled.unwrap().rules);
        server.replace(Configured { rules, cache: server.gate().token_cache(), ..configured(&["k"]) });
        for _ in 0..2 {
            client.send(&request);
            let answer = client.answer().unwrap();
            assert_eq!(answer.header("x-auth-sub").is_some(), prefix == "X-Auth-");
            assert_eq!(answer.header("x-gate-sub").is_some(), prefix == "X-Gate-");
        }
    }
}

#[test]
fn each_family_reads_its_own_headers_and_no_others() {
    let families = PROXIES.iter().map(|name| (name, Family::of_name(name).unwrap()));
    for (name, family) in families.filter(|(_, family)| *family != Family::Envoy) {
        let server = of_family(family, "");
        let other = if matches!(family, Family::Nginx | Family::Haproxy) { Family::Caddy } else { Family::Nginx };
        let (own, others) = (described(family, "GET", "/health"), described(other, "GET", "/health"));
        let get = |headers: &str| ask(&address(&server), format!("GET / HTTP/1.1\r\nHost: gate\r\n{headers}\r\n"));
        assert_eq!(get(&own).status, 200, "{name}");
        assert_eq!(get(&others).code(), "malformed_request", "{name}");
        let misled = get(&format!("{}{others}", described(family, "GET", "/payments")));
        assert_eq!(misled.code(), "missing_token", "{name}");
        assert_eq!(misled.header("x-watchword-problem").is_some(), family == Family::Nginx, "{name}");
    }
}

#[test]
fn a_header_of_the_family_must_occur_exactly_once() {
    let server = started();
    let (method, target) = ("X-Original-Method: GET\r\n", "X-Original-URI: /health\r\n");
    for headers in [
        String::new(),
        method.to_owned(),
        target.to_owned(),
        format!("{method}{target}{target}"),
        format!("{method}{method}{target}"),
        format!("{method}{target}x-original-uri: /payments\r\n"),
        format!("{method}X-Original-URI:\r\n"),
        format!("{method}X-Original_URI: /health\r\n"),
        format!("X-Original-Method: G\u{e9}T\r\n{target}").replace('\u{e9}', "\u{ff}"),
    ] {
        let answer = ask(&address(&server), format!("GET / HTTP/1.1\r\nHost: gate\r\n{headers}\r\n"));
        assert_ne!(answer.status, 200, "{headers:?}");
        assert!(["malformed_request", "no_route", "missing_token"].contains(&answer.code()), "{headers:?}");
    }
    let answer = ask(&address(&server), request("/health", target));
    assert_eq!((answer.status, answer.code()), (400, "malformed_request"));
    assert_eq!(answer.header("content-type"), Some("application/problem+json"));
}

#[test]
fn the_target_is_checked_as_it_was_sent() {
    let server = started();
    for target in
        ["/%68ealth/../payments", "//health", "/health;x", "/health%2f", "health", "http://api.example/health"]
    {
        let answer = ask(&address(&server), request(target, ""));
        assert_eq!((answer.status, answer.code()), (400, "ambiguous_path"), "{target}");
    }
    assert_eq!(ask(&address(&server), request("/health?access_token=x", "")).code(), "token_in_query");
    assert_eq!(ask(&address(&server), request("/%68ealth", "")).status, 200);
}

#[test]
fn envoys_own_method_and_target_are_the_clients() {
    let server = of_family(Family::Envoy, "/check");
    let send = |line: &str| ask(&address(&server), format!("{line} HTTP/1.1\r\nHost: gate\r\n\r\n"));
    assert_eq!(send("GET /check/health").status, 200);
    assert_eq!(send("BREW /check/health").status, 200);
    assert_eq!(send("GET /check/payments").code(), "missing_token");
    assert_eq!(send("GET /check//health").code(), "ambiguous_path");
    assert_eq!(send("GET /check").code(), "ambiguous_path");
    for line in ["GET /health", "GET http://gate/check/health", "CONNECT gate:443", "OPTIONS *"] {
        assert_eq!(send(line).code(), "malformed_request", "{line}");
    }
}

#[test]
fn a_tunnel_is_never_opened() {
    let server = started();
    let mut client = Client::new(&address(&server));
    client.send("CONNECT gate:443 HTTP/1.1\r\nHost: gate\r\nX-Original-Method: GET\r\nX-Original-URI: /health\r\n\r\n");
    assert_eq!(client.answer().unwrap().status, 400);
    let upgrade = ask(&address(&server), request("/health", "Connection: upgrade\r\nUpgrade: websocket\r\n"));
    assert_eq!(upgrade.status, 200);
}

#[test]
fn a_rejection_is_complete() {
    let server = started();
    let answer = ask(&address(&server), order(&token("k", r#","scope":"orders:write""#)));
    assert_eq!((answer.status, answer.code()), (403, "insufficient_scope"));
    assert!(answer.header("www-authenticate").unwrap().contains("scope=\"orders:read\""));
    assert_eq!(answer.header("x-watchword-problem"), Some(answer.body.as_str()));
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    let repeated =
        ask(&address(&server), request("/orders/7", "Authorization: Bearer a\r\nAuthorization: Bearer b\r\n"));
    assert_eq!(repeated.code(), "malformed_request");
}

#[test]
fn the_metadata_is_published_and_its_path_is_never_a_check() {
    let path = "/.well-known/oauth-protected-resource";
    for family in [Family::Nginx, Family::Caddy, Family::Haproxy, Family::Traefik] {
        let server = with_metadata(family, "", path);
        let get =
            |line: &str, more: &str| ask(&address(&server), format!("{line} HTTP/1.1\r\nHost: gate\r\n{more}\r\n"));
        // What a client sends, as the proxy passes it on.
        for more in [String::new(), described(family, "GET", "/health"), described(family, "GET", path)] {
            let answer = get(&format!("GET {path}"), &more);
            assert_eq!((answer.status, answer.body.as_str(), answer.header("x-auth-route")), (200, "{}", None));
            assert_eq!(get(&format!("POST {path}"), &more).status, 405);
            // Which a proxy may compare with the path only once it is decoded, merged, or in lower case.
            for target in [
                format!("{path}?x=/health"),
                format!("{path}/other"),
                format!("{path}/"),
                format!("/{path}"),
                "/%2ewell-known/oauth-protected-resource".to_owned(),
                "/.well-known/%6Fauth-protected-resource".to_owned(),
                "/.well-known/x/../oauth-protected-resource".to_owned(),
                "/.well-known%2foauth-protected-resource".to_owned(),
                path.to_uppercase(),
                format!("http://gate{path}"),
            ] {
                let answer = get(&format!("GET {target}"), &more);
                let expected = if target.contains('?') { 200 } else { 404 };
                let expected = if target.starts_with("http:") { 405 } else { expected };
                assert_eq!((answer.status, answer.header("x-auth-route")), (expected, None), "{family:?} {target}");
            }
        }
    }
}

#[test]
fn for_envoy_the_metadata_is_outside_the_prefix() {
    let path = "/.well-known/oauth-protected-resource";
    for (prefix, published) in [("", false), ("/c", true)] {
        let server = with_metadata(Family::Envoy, prefix, path);
        let get = |target: &str| ask(&address(&server), format!("GET {target} HTTP/1.1\r\nHost: gate\r\n\r\n"));
        let answer = get(path);
        assert_eq!((answer.status, answer.body == "{}"), if published { (200, true) } else { (403, false) });
        assert_eq!(get(&format!("{prefix}{path}")).status, 403);
    }
}

fn with_metadata(family: Family, prefix: &str, path: &str) -> Server {
    let server = of_family(family, prefix);
    let metadata = Metadata { path: path.to_owned(), document: b"{}".to_vec() };
    server.replace(Configured { metadata: Some(metadata), ..configured(&["k"]) });
    server
}
