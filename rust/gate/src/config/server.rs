//! The section of the server that answers a proxy.

use std::net::{IpAddr, SocketAddr};

use super::problem::Problems;
use super::section::{Located, Section};

/// `[server]`: where the server of verdicts listens, and for which proxy.
#[derive(Debug, Clone, PartialEq)]
pub struct ServerConfig {
    /// The family of headers with the method and target of a request; `None`: not configured.
    pub proxy: Option<&'static str>,
    /// Where it listens, at least one address.
    pub listen: Vec<ListenAddress>,
    /// Where metrics, readiness and the status page are; empty: nowhere.
    pub status_listen: Vec<ListenAddress>,
    /// The permissions of Unix sockets.
    pub socket_mode: u32,
    /// How many threads answer; `None`: one for each processor.
    pub threads: Option<u64>,
    /// How many connections are open at most.
    pub max_connections: u64,
    /// How long the headers of a request may take, in seconds.
    pub header_timeout: f64,
    /// How long a connection without a request stays open, in seconds.
    pub idle_timeout: f64,
    /// How long the proxy may take to receive an answer, in seconds.
    pub write_timeout: f64,
    /// How long a request waits for keys, in seconds.
    pub lookup_timeout: f64,
    /// How long a request waits for the shared replay store, in seconds.
    pub replay_timeout: f64,
    /// The longest head of a request, in bytes.
    pub max_header_bytes: u64,
    /// How long requests in flight may take after a stop, in seconds.
    pub stop_timeout: f64,
    /// What precedes every path: Envoy's `path_prefix`.
    pub path_prefix: Option<String>,
}

/// An address to listen at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ListenAddress {
    /// An IP address and a port; port 0: one that the system chooses.
    Tcp(SocketAddr),
    /// The path of a Unix socket.
    Unix(String),
}

/// The proxies whose headers are known.
pub const PROXIES: &[&str] = &["nginx", "caddy", "envoy", "haproxy", "traefik"];

/// The path of a Unix socket has room for so many bytes on Linux, and a zero after them.
const MAX_UNIX_PATH: usize = 107;

/// More processors than any machine has.
const MAX_THREADS: u64 = 1024;

/// The sizes of a head: hyper reads the smallest at once, more than the largest is no request of a browser.
pub const HEADER_BYTES: std::ops::RangeInclusive<u64> = 8192..=1024 * 1024;

/// All permissions of a file.
pub const MAX_SOCKET_MODE: u32 = 0o777;

const UNIX: &str = "unix:";

impl Default for ServerConfig {
    fn default() -> Self {
        let loopback = |port| vec![ListenAddress::Tcp(SocketAddr::from(([127, 0, 0, 1], port)))];
        Self {
            proxy: None,
            listen: loopback(9200),
            status_listen: loopback(9201),
            socket_mode: 0o660,
            threads: None,
            max_connections: 16384,
            header_timeout: 5.0,
            idle_timeout: 75.0,
            write_timeout: 10.0,
            lookup_timeout: 10.0,
            replay_timeout: 1.0,
            max_header_bytes: 65536,
            stop_timeout: 10.0,
            path_prefix: None,
        }
    }
}

impl ServerConfig {
    pub(super) fn read(section: &mut Section<'_>) -> Self {
        let problems = section.problems();
        let default = Self::default();
        let proxy = section.one_of("proxy", PROXIES);
        if proxy.is_none() && !section.has("proxy") {
            section.place().reject(
                problems,
                "proxy is missing: set it to the proxy in front, \"nginx\", \"caddy\", \"envoy\", \"haproxy\" or \
                 \"traefik\", whose headers say what the client requested",
            );
        }
        let listen = section.text_or_texts("listen");
        if let Some(none) = listen.as_ref().filter(|listen| listen.value.is_empty()) {
            none.reject(problems, "must have at least one address");
        }
        let status_listen = section.text_or_texts("status_listen");
        let place = section.place();
        let located = |given: Option<_>, default: Vec<ListenAddress>| match given {
            None => default.into_iter().map(|address| (place.clone(), address)).collect(),
            Some(given) => addresses(&given, problems),
        };
        let listen = located(listen, default.listen);
        let status_listen = located(status_listen, default.status_listen);
        for (place, address) in &status_listen {
            if listen.iter().any(|(_, other)| address.is_same_socket(other)) {
                let message = format!("listen and status_listen both have \"{address}\": give each its own");
                place.reject(problems, message);
            }
        }
        let socket_mode = section.text("socket_mode").and_then(|text| mode(&text, problems));
        let threads = section.whole("threads", 1);
        if let Some(threads) = threads.as_ref().filter(|threads| threads.value > MAX_THREADS) {
            threads.reject(problems, format!("must be at most {MAX_THREADS}"));
        }
        let max_connections = section.whole("max_connections", 1);
        let header_timeout = positive(section, "header_timeout");
        let idle_timeout = positive(section, "idle_timeout");
        let write_timeout = positive(section, "write_timeout");
        let lookup_timeout = positive(section, "lookup_timeout");
        let replay_timeout = positive(section, "replay_timeout");
        let max_header_bytes = section.whole("max_header_bytes", 0);
        if let Some(bytes) = max_header_bytes.as_ref().filter(|bytes| !HEADER_BYTES.contains(&bytes.value)) {
            let (least, most) = (HEADER_BYTES.start(), HEADER_BYTES.end());
            bytes.reject(problems, format!("must be from {least} to {most}"));
        }
        let stop_timeout = seconds(section, "stop_timeout");
        let path_prefix = section.text("path_prefix");
        if let Some(prefix) = &path_prefix {
            check_prefix(prefix, proxy.as_ref().map(|proxy| proxy.value), problems);
        }
        let without_places = |listen: Vec<(_, ListenAddress)>| listen.into_iter().map(|(_, address)| address).collect();
        Self {
            proxy: proxy.map(|found| found.value),
            listen: without_places(listen),
            status_listen: without_places(status_listen),
            socket_mode: socket_mode.unwrap_or(default.socket_mode),
            threads: threads.map(|found| found.value),
            max_connections: max_connections.map_or(default.max_connections, |found| found.value),
            header_timeout: header_timeout.unwrap_or(default.header_timeout),
            idle_timeout: idle_timeout.unwrap_or(default.idle_timeout),
            write_timeout: write_timeout.unwrap_or(default.write_timeout),
            lookup_timeout: lookup_timeout.unwrap_or(default.lookup_timeout),
            replay_timeout: replay_timeout.unwrap_or(default.replay_timeout),
            max_header_bytes: max_header_bytes.map_or(default.max_header_bytes, |found| found.value),
            stop_timeout: stop_timeout.map_or(default.stop_timeout, |found| found.value),
            path_prefix: path_prefix.map(|found| found.value),
        }
    }
}

impl ListenAddress {
    /// Reads an address, `127.0.0.1:9200` or `unix:/run/watchword.sock`.
    ///
    /// # Errors
    /// What is wrong, and what to write instead.
    pub fn parse(text: &str) -> Result<Self, String> {
        let Some(path) = text.strip_prefix(UNIX) else {
            return text.parse().map(Self::Tcp).map_err(|_| {
                format!(
                    "{text:?} must be an IP address and a port, \"127.0.0.1:9200\" or \"[::1]:9200\", or a Unix \
                         socket, \"unix:/run/watchword/gate.sock\""
                )
            });
        };
        if !path.starts_with('/') || path.ends_with('/') || path.contains('\0') {
            return Err(format!("{text:?} must name the socket by its whole path, \"unix:/run/watchword/gate.sock\""));
        }
        if path.len() > MAX_UNIX_PATH {
            return Err(format!("the path of a Unix socket has at most {MAX_UNIX_PATH} bytes"));
        }
        Ok(Self::Unix(path.to_owned()))
    }

    /// Whether others than this machine and private networks may connect, as far as the address says.
    pub(super) fn is_exposed(&self) -> bool {
        let Self::Tcp(address) = self else { return false };
        match address.ip().to_canonical() {
            IpAddr::V4(ip) => !(ip.is_loopback() || ip.is_private() || ip.is_link_local()),
            IpAddr::V6(ip) => !(ip.is_loopback() || ip.is_unique_local() || ip.is_unicast_link_local()),
        }
    }

    fn is_same_socket(&self, other: &Self) -> bool {
        // The system chooses another port each time.
        self == other && !matches!(self, Self::Tcp(address) if address.port() == 0)
    }
}

impl std::fmt::Display for ListenAddress {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Tcp(address) => address.fmt(f),
            Self::Unix(path) => write!(f, "{UNIX}{path}"),
        }
    }
}

/// The addresses that are valid, each with its place.
fn addresses(listen: &Located<Vec<Located<String>>>, problems: &Problems) -> Vec<(Located<()>, ListenAddress)> {
    let mut found: Vec<(Located<()>, ListenAddress)> = Vec::with_capacity(listen.value.len());
    for text in &listen.value {
        match ListenAddress::parse(&text.value) {
            Err(message) => text.reject(problems, message),
            Ok(address) if found.iter().any(|(_, before)| address.is_same_socket(before)) => {
                text.reject(problems, format!("{:?} is listed twice", text.value));
            }
            Ok(address) => found.push((text.place(), address)),
        }
    }
    found
}

/// The permissions of a file in octal digits.
fn mode(text: &Located<String>, problems: &Problems) -> Option<u32> {
    let is_octal = text.value.bytes().all(|digit| matches!(digit, b'0'..=b'7'));
    let mode = u32::from_str_radix(&text.value, 8).ok().filter(|mode| is_octal && *mode <= MAX_SOCKET_MODE);
    if mode.is_none() {
        text.reject(problems, "must be the permissions of a file in octal digits, such as \"0660\"");
    }
    mode
}

/// Seconds that can be waited for: a day at most.
fn seconds(section: &mut Section<'_>, key: &'static str) -> Option<Located<f64>> {
    let found = section.number(key)?;
    if found.value > 86400.0 {
        found.reject(section.problems(), "must be at most 86400 seconds");
    }
    Some(found)
}

fn positive(section: &mut Section<'_>, key: &'static str) -> Option<f64> {
    let found = seconds(section, key)?;
    if found.value == 0.0 {
        found.reject(section.problems(), "must be more than 0");
    }
    Some(found.value)
}

fn check_prefix(prefix: &Located<String>, proxy: Option<&str>, problems: &Problems) {
    let is_path = |text: &str| text.bytes().all(|byte| byte.is_ascii_graphic() && !b"?#%\"\\".contains(&byte));
    if proxy.is_some_and(|proxy| proxy != "envoy") {
        prefix.reject(problems, "is for proxy = \"envoy\" only: remove it");
    } else if !prefix.value.starts_with('/') || prefix.value.ends_with('/') || !is_path(&prefix.value) {
        prefix.reject(problems, "must be a path with a slash at its start and none at its end, such as \"/check\"");
    }
}
