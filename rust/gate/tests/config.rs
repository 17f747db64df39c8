//! A configuration is read whole: every error and every warning has its place.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

use proptest::prelude::*;
use watchword_gate::config::{
    CacheSetting, GateConfig, Kind, ListenAddress, Position, Problem, Replay, ServerConfig, json_schema, keys,
};
use watchword_kernel::scope::ScopeGrammar;
use watchword_kernel::{ActorName, Tenants, json};

const WHOLE: &str = r#"
public_url = ["https://api.example", "https://api.example.org:8443"]
resource = "https://api.example/"
realm = "orders"
identity_prefix = "X-Id-"
identity_secret_file = "identity.secret"
scopes_supported = ["orders:read"]

[proxy]
origin = "forwarded"
certificate_header = "X-SSL-Client-Cert"
certificate_format = "escaped-pem"

[token]
audience = "https://api.example"
algorithms = ["EdDSA", "ES256"]
types = ["at+jwt", "none"]
leeway = 10
required = ["exp", "sub"]
bound_tokens = "reject"
scope_claims = ["scope"]
max_token_bytes = 8192
max_header_bytes = 2048

[[issuers]]
issuer = "https://as.example"
aliases = ["https://old.example"]
jwks_uri = "https://as.example/keys"
audience = ["orders", "files"]
leeway = 0.5

[issuers.cache]
ttl = 600
max_keys = 8

[[issuers]]
issuer = "https://login.example/{tid}/v2.0"
tenants = "any"
jwks_file = "keys.json"

[dpop]
max_age = 30
leeway = 5
algorithms = ["ES256"]
nonce_lifetime = 120
nonce_keys_file = "nonces.txt"
replay = "rediss://user:secret@redis.example/1"

[token_cache]
max_bytes = 1048576

[[routes]]
path = "/health"
public = true

[[routes]]
path = "/orders/{id}"
methods = ["GET", "PUT"]
name = "order"
issuers = ["https://as.example"]
audience = "orders"
scopes = ["orders.{id}:read", "orders:list"]
scope_grammar = "resource"
dpop = "required"
max_depth = 3
require_human_root = true
allowed_actors = ["client:planner", ["https://other.example", "client:mailer"]]
acr_values = ["urn:mace:incommon:iap:silver"]
max_age = 300

[[routes]]
path = "/files/{path...}"
optional = true

[log]
rejections = true
allowed = false
sample = 0.5
max_per_second = 10
burst = 100

[metrics]

[server]
proxy = "envoy"
listen = ["127.0.0.1:9300", "unix:/run/watchword/gate.sock"]
status_listen = "[::1]:9301"
threads = 4
max_connections = 100
header_timeout = 2.5
idle_timeout = 90
max_header_bytes = 32768
write_timeout = 3
lookup_timeout = 4
replay_timeout = 0.5
socket_mode = "0666"
stop_timeout = 0
path_prefix = "/check"
"#;

fn errors(text: &str) -> Vec<String> {
    match GateConfig::from_toml(text) {
        Ok(_) => Vec::new(),
        Err(error) => error.problems.iter().map(ToString::to_string).collect(),
    }
}

fn warnings(text: &str) -> Vec<String> {
    GateConfig::from_toml(text).unwrap().warnings.iter().map(ToString::to_string).collect()
}

/// A configuration with these lines, from line 5 on.
fn with(lines: &str) -> String {
    format!(
        "public_url = 'https://api.example'\ntoken = {{ audience = 'https://api.example' }}\n[[issuers]]\nissuer = 'https://as.example'\n{lines}"
    )
}

#[test]
fn every_key_is_read() {
    let config = GateConfig::from_toml(WHOLE).unwrap();
    assert_eq!(config.public_url, ["https://api.example", "https://api.example.org:8443"]);
    assert_eq!(config.resource.as_deref(), Some("https://api.example/"));
    assert_eq!(config.realm.as_deref(), Some("orders"));
    assert_eq!(config.identity_prefix.as_deref(), Some("X-Id-"));
    assert_eq!(config.identity_secret_file.as_deref(), Some("identity.secret"));
    assert_eq!(config.scopes_supported.as_deref(), Some(["orders:read".to_owned()].as_slice()));
    assert_eq!(config.proxy.origin, Some("forwarded"));
    assert_eq!(config.token.types, Some(vec![Some("at+jwt".into()), None]));
    assert_eq!(config.token.leeway, Some(10.0));
    assert_eq!(config.token.max_token_bytes, Some(8192));
    assert_eq!(config.issuers.len(), 2);
    assert_eq!(config.issuers[0].token.audience, Some(vec!["orders".into(), "files".into()]));
    assert_eq!(config.issuers[0].cache, [("ttl", CacheSetting::Number(600.0)), ("max_keys", CacheSetting::Whole(8))]);
    assert_eq!(config.issuers[1].tenants, Some(Tenants::Any));
    assert!(config.dpop.replay == Replay::Redis("rediss://user:secret@redis.example/1".into()));
    assert_eq!(config.token_cache_bytes, 1_048_576);
    let [health, order, files]: &[_; 3] = config.routes().try_into().unwrap();
    assert!(health.public && files.optional && order.dpop_required && order.require_human_root);
    assert_eq!(order.scope_grammar, ScopeGrammar::Resource);
    assert_eq!((order.max_depth, order.max_age), (Some(3), Some(300)));
    let actors = [(None, "client:planner"), (Some("https://other.example"), "client:mailer")]
        .map(|(issuer, subject)| ActorName { issuer: issuer.map(str::to_owned), subject: subject.to_owned() });
    assert_eq!(order.allowed_actors.as_deref(), Some(actors.as_slice()));
    assert_eq!(config.log.as_ref().unwrap().sample, Some(0.5));
    assert!(config.metrics);
    let server = config.server.as_ref().unwrap();
    let listen: Vec<String> = server.listen.iter().chain(&server.status_listen).map(ToString::to_string).collect();
    assert_eq!(listen, ["127.0.0.1:9300", "unix:/run/watchword/gate.sock", "[::1]:9301"]);
    assert_eq!((server.proxy, server.threads, server.max_connections), (Some("envoy"), Some(4), 100));
    assert_eq!((server.header_timeout, server.idle_timeout, server.stop_timeout), (2.5, 90.0, 0.0));
    assert_eq!((server.write_timeout, server.lookup_timeout, server.replay_timeout), (3.0, 4.0, 0.5));
    assert_eq!(server.socket_mode, 0o666);
    assert_eq!((server.max_header_bytes, server.path_prefix.as_deref()), (32768, Some("/check")));
    assert_eq!(config.warnings, []);
    assert_eq!(config.position("issuers[1].jwks_file"), Some(Position { line: 39, column: 13 }));
}

#[test]
fn json_has_the_same_names() {
    let json = r#"{"public_url": "https://api.example", "token": {"audience": "a", "types": ["none"]},
                   "issuers": [{"issuer": "https://as.example", "cache": {"ttl": 60.5}}],
                   "routes": [{"path": "/", "max_age": 10}]}"#;
    let config = GateConfig::from_json(json).unwrap();
    assert_eq!(config.token.types, Some(vec![None]));
    assert_eq!(config.issuers[0].cache, [("ttl", CacheSetting::Number(60.5))]);
    assert_eq!(config.routes[0].max_age, Some(10));
    assert_eq!(config.position("routes[0].path"), None);
    let error = GateConfig::from_json(r#"{"public_url": null, "routes": [{"path": 1}]}"#).unwrap_err();
    let found: Vec<String> = error.problems.iter().map(ToString::to_string).collect();
    assert_eq!(
        found,
        [
            "public_url: must be a string or a list of strings, not null",
            "issuers are missing: add an [[issuers]] section for each trusted issuer",
            "routes[0].path: must be a string, not a number",
        ]
    );
    let error = GateConfig::from_json("{\"public_url\":\n  nul}").unwrap_err();
    assert_eq!(error.problems[0].position, Some(Position { line: 2, column: 6 }));
}

#[test]
fn all_errors_of_a_file_with_their_places() {
    let text = "\
public_urls = 'https://api.example'
realm = \"a \\\"b\\\"\"
audience = 'https://api.example'

[proxy]
origin = 'x-forward'
certificate_format = 'xfcc'

[token]
algorithms = ['EdDSA', 'HS256']
leeway = -1
types = 'JWT'

[[issuers]]
aliases = ['https://old.example']
jwks_uri = 'https://as.example/keys'
jwks_file = 'keys.json'

[[issuers]]
issuer = 'https://login.example/{tid}/v2.0'

[[routes]]
path = '/orders/{id}.json'
methods = ['get', 'PO ST']
scope = 'orders:read'

[[routes]]
path = '/orders/{id}'
scopes = ['orders:{key}', 'orders:read', 'a b']
scope_grammar = 'slot'
issuers = ['https://as.exampel']
dpop = true
timeout = 5
realm = 'x'

[route]
";
    let found = errors(text);
    let expected = [
        "1:1: public_url is missing: set it to the scheme and host that clients use, such as \"https://api.example\"",
        "1:1: public_urls: unknown key; did you mean \"public_url\"?",
        "2:9: realm: must be printable ASCII without quotes and backslashes",
        "3:1: audience: unknown key; \"audience\" belongs to [token]",
        "6:10: proxy.origin: \"x-forward\" must be \"x-forwarded\" or \"forwarded\"; did you mean \"x-forwarded\"?",
        "7:22: proxy.certificate_format: has no effect without certificate_header: set that too",
    ];
    for (found, expected) in found.iter().zip(expected) {
        assert_eq!(found, expected);
    }
    let rest = &found[expected.len()..];
    let starts = [
        "10:24: token.algorithms[1]: \"HS256\" is not a known algorithm: choose from EdDSA,",
        "11:10: token.leeway: must be finite, and 0 or more",
        "12:9: token.types: must be a list of strings: write [\"JWT\"]",
        "14:1: issuers[0]: issuer is missing",
        "14:1: issuers[0]: jwks_uri and jwks_file are given",
        "20:10: issuers[1].issuer: issuer \"https://login.example/{tid}/v2.0\" has a placeholder",
        "23:8: routes[0].path: \"{id}.json\" is not a variable",
        "24:12: routes[0].methods[0]: \"get\": methods are case-sensitive: write \"GET\"",
        "24:19: routes[0].methods[1]: \"PO ST\": a method is a word",
        "25:1: routes[0].scope: unknown key; did you mean \"scopes\"?",
        "29:11: routes[1].scopes[0]: \"orders:{key}\" has {key}, but the path \"/orders/{id}\" has no such variable",
        "29:27: routes[1].scopes[1]: \"orders:read\" is not a scope of the grammar \"slot\": a scope must have three parts",
        "29:42: routes[1].scopes[2]: \"a b\" is not a scope of the grammar \"slot\"",
        "31:12: routes[1].issuers[0]: no issuer has the name \"https://as.exampel\"",
        "32:8: routes[1].dpop: must be a string, not true or false",
        "33:1: routes[1].timeout: unknown key; \"timeout\" belongs to [issuers.cache]",
        "34:1: routes[1].realm: unknown key; \"realm\" belongs to the top of the file",
        "36:2: route: unknown key; did you mean \"routes\"?",
    ];
    for (found, expected) in rest.iter().zip(starts) {
        assert!(found.starts_with(expected), "{found}\n{expected}");
    }
    assert_eq!(rest.len(), starts.len(), "{found:#?}");
}

#[test]
fn what_is_not_toml_is_reported_with_its_place() {
    let found = errors("public_url = 'https://api.example\nrealm = \"x\"\nrealm = \"y\"\n[[routes]\n");
    assert!(found[0].starts_with("1:"), "{found:?}");
    assert!(found.iter().all(|error| error.contains("this is not TOML: ")), "{found:?}");
    assert!(found.iter().any(|error| error.starts_with("3:1: ")), "{found:?}");
    assert_eq!(GateConfig::from_toml(&" ".repeat(2 << 20)).unwrap_err().problems.len(), 1);
}

#[test]
fn no_secret_is_in_a_message() {
    let text = with("jwks = 'SECRET'\n[dpop]\nreplay = 'https://user:SECRET@redis.example'\n");
    let text = text + "nonce_keys_file = ['SECRET']\n[[issuers]]\nissuer = 'b'\npem = 'SECRET'\n";
    let found = errors(&text);
    assert_eq!(found.len(), 4, "{found:?}");
    assert!(found.iter().all(|error| !error.contains("SECRET")), "{found:?}");
    let text = with("[dpop]\nreplay = 'redis://:SECRET@redis.example'\n");
    assert!(!format!("{:?}", GateConfig::from_toml(&text).unwrap()).contains("SECRET"));
}

#[test]
fn urls_of_the_service() {
    let with_url = |url: &str| errors(&with("").replacen("'https://api.example'", url, 1));
    assert!(with_url("['https://api.example', 'api.example']")[0].starts_with("1:38: public_url[1]: "));
    assert!(with_url("'https://api.example/?x=1'")[0].starts_with("1:14: public_url: "));
    assert!(with_url("[]")[0].starts_with("1:14: public_url: "));
    let found = with_url("['https://api.example/a', 'https://api.example/b']");
    assert!(
        found[0].starts_with("1:14: public_url: public_url has two URLs for the host \"api.example\""),
        "{found:?}"
    );
    assert_eq!(with_url("'https://api.example'\nresource = 'https://api.example/a?x=1'"), [""; 0]);
    assert!(with_url("'https://api.example'\nresource = 'https://api.example/#a'")[0].starts_with("2:12: resource: "));
}

#[test]
fn a_public_route_has_no_requirements() {
    let found = errors(&with("[[routes]]\npath = '/'\npublic = true\nscopes = ['a']\nmax_age = 1\n"));
    assert_eq!(found, ["5:1: routes[0]: a public route reads no token: remove scopes, max_age, or public"]);
}

#[test]
fn keys_in_the_file_are_validated() {
    let key = r#"{"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#;
    let table = "jwks.keys = [{ kty = 'OKP', crv = 'Ed25519', x = '11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo' }]";
    assert_eq!(errors(&with(&format!("jwks = '{key}'\n"))), [""; 0]);
    assert_eq!(errors(&with(table)), [""; 0]);
    let found = errors(&with("jwks = '{\"keys\": [{\"kty\": \"oct\", \"k\": \"AAAA\"}]}'\n"));
    assert!(found[0].starts_with("5:8: issuers[0].jwks: has no usable key; key 0: "), "{found:?}");
    assert!(errors(&with("pem = 'x'\n"))[0].starts_with("5:7: issuers[0].pem: "));
}

#[test]
fn routes_that_no_request_reaches() {
    let found = warnings(&with(
        "[[routes]]\npath = '/files/{path...}'\npublic = true\n\
         [[routes]]\npath = '/files/secret'\n\
         [[routes]]\npath = '/orders/{id}'\nmethods = ['GET', 'POST']\n\
         [[routes]]\npath = '/orders/new'\nmethods = ['HEAD']\n",
    ));
    assert_eq!(found.len(), 2, "{found:?}");
    assert!(
        found[0].starts_with("8:1: routes[1]: no request reaches this route, because routes[0] (/files/{path...})")
    );
    assert!(found[0].contains("which lets requests without a token pass"));
    assert!(found[1].starts_with("13:1: routes[3]: no request reaches this route, because routes[2] (/orders/{id})"));
}

#[test]
fn several_routes_may_take_all_requests_of_another() {
    let found = warnings(&with(
        "[[routes]]\npath = '/a/{x}'\nmethods = ['GET']\n[[routes]]\npath = '/{y}/b'\nmethods = ['POST']\n\
         [[routes]]\npath = '/a/b'\nmethods = ['GET', 'POST']\n",
    ));
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].contains("because routes[0] (/a/{x}) and routes[1] (/{y}/b) before it take"));
}

#[test]
fn routes_that_overlap_by_accident() {
    let found = warnings(&with(
        "[[routes]]\npath = '/{kind}/1'\nscopes = ['a']\n[[routes]]\npath = '/orders/{id}'\nscopes = ['b']\n",
    ));
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].starts_with("8:1: routes[1]: overlaps routes[0] (/{kind}/1)"), "{found:?}");
    // A special case before the general one, the same requirements, and other methods are no accident.
    for lines in [
        "[[routes]]\npath = '/orders/new'\nscopes = ['a']\n[[routes]]\npath = '/orders/{id}'\nscopes = ['b']\n",
        "[[routes]]\npath = '/{kind}/1'\n[[routes]]\npath = '/orders/{id}'\n",
        "[[routes]]\npath = '/o'\nmethods = ['GET']\nscopes = ['a']\n[[routes]]\npath = '/o'\nmethods = ['POST']\n",
        "[[routes]]\npath = '/o'\nmethods = ['GET']\nscopes = ['a']\n[[routes]]\npath = '/o'\n",
    ] {
        assert_eq!(warnings(&with(lines)), [""; 0], "{lines}");
    }
}

#[test]
fn other_warnings() {
    for (text, expected) in [
        (with(""), "routes: there are no routes"),
        (
            with("[[routes]]\npath = '/'\nscopes = ['orders:*']\n"),
            "7:11: routes[0].scopes[0]: \"orders:*\": in the grammar \"plain\" a star is an ordinary character",
        ),
        (
            with("[[routes]]\npath = '/'\n").replace("'https://api.example'\ntoken", "'http://api.example'\ntoken"),
            "1:14: public_url: \"http://api.example\" is not https",
        ),
        (
            with("[[routes]]\npath = '/'\n").replace("audience = 'https://api.example'", ""),
            "3:1: issuers[0]: no audience is set",
        ),
        (with("[[routes]]\npath = '/'\npublic = true\n"), "3:1: issuers[0]: no route accepts tokens"),
        (
            with("[dpop]\nreplay = 'none'\n[[routes]]\npath = '/'\ndpop = 'required'\n"),
            "6:10: dpop.replay: proofs can be used again",
        ),
        (
            with("[dpop]\nnonce_lifetime = 60\n[[routes]]\npath = '/'\n"),
            "6:18: dpop.nonce_lifetime: each process makes its own nonces",
        ),
        (
            with("[dpop]\nmax_age = 1\nleeway = 2\n[[routes]]\npath = '/'\n"),
            "7:10: dpop.leeway: is longer than max_age",
        ),
    ] {
        let found = warnings(&text);
        assert_eq!(found.len(), 1, "{text}\n{found:?}");
        assert!(found[0].starts_with(expected), "{found:?}");
    }
    let local =
        with("[[routes]]\npath = '/'\n").replace("'https://api.example'\ntoken", "'http://localhost:8000'\ntoken");
    assert_eq!(warnings(&local), [""; 0]);
}

#[test]
fn a_server_has_defaults() {
    let config = GateConfig::from_toml(&with("[server]\nproxy = 'nginx'\n[[routes]]\npath = '/'\n")).unwrap();
    assert_eq!(config.warnings, []);
    assert_eq!(config.server, Some(ServerConfig { proxy: Some("nginx"), ..ServerConfig::default() }));
    assert_eq!(GateConfig::from_toml(&with("")).unwrap().server, None);
    let without_status = "[server]\nproxy = 'nginx'\nstatus_listen = []\n";
    assert_eq!(GateConfig::from_toml(&with(without_status)).unwrap().server.unwrap().status_listen, []);
}

#[test]
fn errors_of_a_server() {
    for (lines, expected) in [
        ("", "5:1: server: proxy is missing"),
        ("proxy = 'ngnix'", "6:9: server.proxy: \"ngnix\" must be \"nginx\", \"caddy\", \"envoy\", \"haproxy\" or"),
        ("proxy = 'nginx'\nlisten = []", "7:10: server.listen: must have at least one address"),
        ("proxy = 'nginx'\nlisten = 'localhost:9200'", "7:10: server.listen: \"localhost:9200\" must be an IP address"),
        ("proxy = 'nginx'\nlisten = ['[::1]:1', 9]", "7:22: server.listen[1]: must be a string"),
        ("proxy = 'nginx'\nlisten = ['[::1]:1', '[0::1]:1']", "7:22: server.listen[1]: \"[0::1]:1\" is listed twice"),
        ("proxy = 'nginx'\nlisten = 'unix:gate.sock'", "7:10: server.listen: \"unix:gate.sock\" must name the socket"),
        (
            "proxy = 'nginx'\nstatus_listen = '127.0.0.1:9200'",
            "7:17: server.status_listen: listen and status_listen both have",
        ),
        (
            "proxy = 'nginx'\nlisten = '127.0.0.1:9201'",
            "5:1: server: listen and status_listen both have \"127.0.0.1:9201\"",
        ),
        (
            "proxy = 'nginx'\nsocket_mode = '0680'",
            "7:15: server.socket_mode: must be the permissions of a file in octal",
        ),
        (
            "proxy = 'nginx'\nsocket_mode = '1777'",
            "7:15: server.socket_mode: must be the permissions of a file in octal",
        ),
        (
            "proxy = 'nginx'\nsocket_mode = '+660'",
            "7:15: server.socket_mode: must be the permissions of a file in octal",
        ),
        ("proxy = 'nginx'\nsocket_mode = 660", "7:15: server.socket_mode: must be a string"),
        ("proxy = 'nginx'\nlookup_timeout = 0", "7:18: server.lookup_timeout: must be more than 0"),
        ("proxy = 'nginx'\nthreads = 0", "7:11: server.threads: must be a whole number, 1 or more"),
        ("proxy = 'nginx'\nthreads = 1025", "7:11: server.threads: must be at most 1024"),
        ("proxy = 'nginx'\nheader_timeout = 0", "7:18: server.header_timeout: must be more than 0"),
        ("proxy = 'nginx'\nstop_timeout = 1e9", "7:16: server.stop_timeout: must be at most 86400 seconds"),
        ("proxy = 'nginx'\nmax_header_bytes = 100", "7:20: server.max_header_bytes: must be from 8192 to 1048576"),
        ("proxy = 'nginx'\npath_prefix = '/check'", "7:15: server.path_prefix: is for proxy = \"envoy\" only"),
        ("proxy = 'envoy'\npath_prefix = '/check/'", "7:15: server.path_prefix: must be a path"),
        ("proxy = 'nginx'\nport = 9200", "7:1: server.port: unknown key"),
        ("proxy = 'nginx'\nlissen = '127.0.0.1:1'", "7:1: server.lissen: unknown key; did you mean \"listen\"?"),
    ] {
        let found = errors(&with(&format!("[server]\n{lines}\n")));
        assert_eq!(found.len(), 1, "{lines}\n{found:?}");
        assert!(found[0].starts_with(expected), "{found:?}");
    }
    let long = format!("unix:/{}", "x".repeat(107));
    assert!(ListenAddress::parse(&long).unwrap_err().contains("at most 107 bytes"));
    assert!(ListenAddress::parse(&long[..long.len() - 1]).is_ok());
}

#[test]
fn addresses_that_others_than_the_proxy_can_reach() {
    for (address, is_exposed) in [
        ("127.0.0.1:9300", false),
        ("[::1]:9300", false),
        ("10.1.2.3:9300", false),
        ("192.168.0.1:9300", false),
        ("[fd00::1]:9300", false),
        ("unix:/run/gate.sock", false),
        ("0.0.0.0:9300", true),
        ("[::]:9300", true),
        ("203.0.113.7:9300", true),
        ("[::ffff:203.0.113.7]:9300", true),
    ] {
        for key in ["listen", "status_listen"] {
            let lines =
                format!("[[routes]]\npath = '/'\n[server]\nproxy = 'nginx'\n{key} = ['unix:/a', '{address}']\n");
            let found = warnings(&with(&lines));
            assert_eq!(found.len(), usize::from(is_exposed), "{found:?}");
            let place = format!("server.{key}[1]: \"{address}\": others than the proxy");
            assert!(found.iter().all(|warning| warning.contains(&place)), "{found:?}");
        }
    }
}

#[test]
fn the_schema_names_every_key_once() {
    let keys = keys();
    let mut names: Vec<(&str, &str)> = keys.iter().map(|key| (key.section.as_str(), key.name)).collect();
    names.sort_unstable();
    let count = names.len();
    names.dedup();
    assert_eq!(names.len(), count);
    let schema = json_schema();
    let schema = json::Object::parse(schema.as_bytes()).unwrap();
    assert!(schema.contains("properties"));
    assert!(keys.iter().any(|key| key.section == "issuers[].cache" && key.name == "ttl" && key.kind == Kind::Number));
}

/// Text that is nearly a configuration.
fn documents() -> impl Strategy<Value = String> {
    let lines: Vec<&'static str> = WHOLE.lines().collect();
    let line = prop_oneof![
        8 => prop::sample::select(lines),
        1 => Just("jwks = { keys = [{ kty = 'OKP' }] }"),
        1 => Just("path = 1979-05-27"),
        1 => Just("x = [[['"),
        1 => Just("leeway = nan"),
        1 => Just("max_age = 0xffffffffffffffffff"),
    ];
    prop::collection::vec(line, 0..40).prop_map(|lines| lines.join("\n"))
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_text_makes_the_parser_panic(text in prop_oneof![documents(), "[\\[\\]{}=\"'a-z0-9.\n ,]{0,200}", ".{0,100}"]) {
        let in_text = |problem: &Problem| {
            problem.position.is_none_or(|at| at.line >= 1 && at.line <= text.matches('\n').count() + 1)
        };
        match GateConfig::from_toml(&text) {
            Ok(config) => prop_assert!(config.warnings.iter().all(in_text)),
            Err(error) => prop_assert!(!error.problems.is_empty() && error.problems.iter().all(in_text)),
        }
        let _ = GateConfig::from_json(&text);
    }
}
