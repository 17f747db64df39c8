//! How each proxy tells the method and the target that a client sent.

use hyper::HeaderMap;
use hyper::http::request::Parts;
use watchword_gate::WELL_KNOWN;
use watchword_gate::methods::{MethodError, check_method};
use watchword_gate::path::decoded;

/// The proxy whose headers are read; those of all others are ignored, as a client may have sent them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Family {
    /// nginx, `auth_request`: `X-Original-Method` and `X-Original-URI`.
    Nginx,
    /// Caddy, `forward_auth`: `X-Forwarded-Method` and `X-Forwarded-Uri`.
    Caddy,
    /// Envoy, `ext_authz` over HTTP: the method and the target of the request itself.
    Envoy,
    /// HAProxy with its Lua client: `X-Original-Method` and `X-Original-URI`.
    Haproxy,
    /// Traefik, `ForwardAuth`: `X-Forwarded-Method` and `X-Forwarded-Uri`.
    Traefik,
}

const ORIGINAL: [&str; 2] = ["x-original-method", "x-original-uri"];
const FORWARDED: [&str; 2] = ["x-forwarded-method", "x-forwarded-uri"];

impl Family {
    /// The family of this name, one of [`watchword_gate::config::PROXIES`].
    pub fn of_name(name: &str) -> Option<Self> {
        match name {
            "nginx" => Some(Self::Nginx),
            "caddy" => Some(Self::Caddy),
            "envoy" => Some(Self::Envoy),
            "haproxy" => Some(Self::Haproxy),
            "traefik" => Some(Self::Traefik),
            _ => None,
        }
    }

    /// The headers with the method and the target; `None`: they are those of the request itself.
    fn headers(self) -> Option<[&'static str; 2]> {
        match self {
            Self::Nginx | Self::Haproxy => Some(ORIGINAL),
            Self::Caddy | Self::Traefik => Some(FORWARDED),
            Self::Envoy => None,
        }
    }

    /// Whether a header is one of any family, which is no header of the client's.
    pub(crate) fn is_private(name: &str) -> bool {
        ORIGINAL.contains(&name) || FORWARDED.contains(&name)
    }

    /// Whether a request is for the metadata of a resource, and no check, whatever headers it has: proxies pass on what
    /// clients send there, and the answer to a check, with the identity headers and their secret, is not for clients.
    pub(crate) fn is_for_metadata(self, path: &str, path_prefix: &str) -> bool {
        // A proxy may have compared the decoded path, ignoring case, and pass on the one that was sent.
        let segment = well_known_segment();
        let is_well_known = || path.len() > segment.len() && decoded(path).to_ascii_lowercase().contains(segment);
        match self.headers() {
            Some(_) => is_well_known(),
            // Its own path is the client's: without a prefix, every request is a check of itself.
            None => !path.starts_with(path_prefix) && is_well_known(),
        }
    }

    /// The method and the target that the client sent, as it sent them.
    pub(crate) fn described<'a>(
        self,
        parts: &'a Parts,
        path_prefix: &str,
    ) -> Result<(&'a str, &'a [u8]), &'static str> {
        if let Some([method, target]) = self.headers() {
            let method = one(&parts.headers, method)?;
            let method = std::str::from_utf8(method).ok().filter(|method| is_method(method));
            let method = method.ok_or("the method that the proxy names is not a method")?;
            return Ok((method, one(&parts.headers, target)?));
        }
        if parts.uri.authority().is_some() {
            return Err("the target of the proxy's request must be a path");
        }
        let target = parts.uri.path_and_query().map_or("", |target| target.as_str());
        match target.strip_prefix(path_prefix) {
            Some(target) => Ok((parts.method.as_str(), target.as_bytes())),
            None => Err("the target of the proxy's request does not begin with path_prefix"),
        }
    }
}

/// The last segment of [`WELL_KNOWN`]: all of it could be sent with further slashes or dots.
fn well_known_segment() -> &'static str {
    WELL_KNOWN.rsplit('/').next().unwrap_or(WELL_KNOWN)
}

/// Whether hyper would accept this method, too.
fn is_method(text: &str) -> bool {
    check_method(text) != Err(MethodError::NotAToken)
}

/// The value of a header that must occur exactly once.
fn one<'a>(headers: &'a HeaderMap, name: &str) -> Result<&'a [u8], &'static str> {
    let mut values = headers.get_all(name).iter();
    match (values.next(), values.next()) {
        (Some(value), None) if !value.is_empty() => Ok(value.as_bytes()),
        (None, _) => Err("a header of the proxy with the method or the target is missing"),
        (Some(_), None) => Err("a header of the proxy with the method or the target is empty"),
        (Some(_), Some(_)) => Err("a header of the proxy with the method or the target is repeated"),
    }
}
