//! The status pages.

use crate::client::ask;
use crate::fixture::*;

#[test]
fn pages_are_rendered_outside() {
    let server = started();
    let status = server.status_addresses()[0].to_string();
    let get = |line: &str| ask(&status, format!("{line} HTTP/1.1\r\nHost: status\r\n\r\n"));
    let page = get("GET /metrics?format=text");
    assert_eq!((page.status, page.body.as_str()), (200, "/metrics"));
    assert_eq!(page.header("content-type"), Some("text/plain"));
    assert_eq!(page.header("x-frame-options"), Some("DENY"));
    assert_eq!(get("POST /metrics").status, 405);
    assert_eq!(get("GET /failing").status, 503);
    assert_eq!(get("GET /panicking").status, 503);
    for _ in 0..20 {
        assert_eq!(get("GET /panicking").status, 503);
    }
    assert_eq!(get("GET /").status, 200);
    assert_eq!(server.stats().verdicts, []);
    // They are not on the proxies' port.
    assert_eq!(ask(&address(&server), "GET /metrics HTTP/1.1\r\nHost: gate\r\n\r\n").code(), "malformed_request");
}
