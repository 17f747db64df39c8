//! The origin by which clients know a service: scheme, host and port, as its operator configured them.
//!
//! A proof is for one URI (RFC 9449 section 4.3, check 9). If the host of that URI were taken from the request's `Host`,
//! which its sender chooses, a proof that was made for another service would be valid here.

use std::fmt;

use watchword_kernel::dpop::TargetUri;

/// The URL of a service, or several if it is known by several. Its path is a prefix of every path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicOrigin {
    bases: Vec<Base>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Base {
    /// The URL in normal form, without a slash at its end.
    url: String,
    /// Host and port, as a client may write them.
    hosts: Vec<String>,
}

/// Why a list of URLs is not a [`PublicOrigin`]: one sentence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OriginError(String);

impl PublicOrigin {
    /// The origin of a service with these URLs, the most important first.
    ///
    /// # Errors
    /// [`OriginError`] if there is none, if one is not an `http` or `https` URL without user name, query and fragment, or
    /// if two of them have the same host.
    pub fn new<S: AsRef<str>>(urls: &[S]) -> Result<Self, OriginError> {
        if urls.is_empty() {
            return Err(OriginError(
                "public_url is missing: set it to the scheme and host that clients use, such as \
                 public_url=\"https://api.example\", or to a list of them. DPoP proofs are made for that URL, and the \
                 sender of a request chooses its Host header"
                    .to_owned(),
            ));
        }
        let mut bases: Vec<Base> = Vec::with_capacity(urls.len());
        for url in urls {
            let base = Base::parse(url.as_ref())?;
            let is_taken = |host: &&String| bases.iter().any(|other| other != &base && other.hosts.contains(host));
            if let Some(host) = base.hosts.iter().find(is_taken) {
                return Err(OriginError(format!("public_url has two URLs for the host {host:?}: give one of them")));
            }
            bases.push(base);
        }
        Ok(Self { bases })
    }

    /// The URIs, in normal form, without a slash at the end.
    pub fn urls(&self) -> impl Iterator<Item = &str> {
        self.bases.iter().map(|base| base.url.as_str())
    }

    /// The first of them.
    pub fn first(&self) -> &str {
        self.bases.first().map_or("", |base| &base.url)
    }

    /// The path of the first of them, a prefix of every path: empty, or without a slash at its end.
    pub fn prefix(&self) -> &str {
        let rest = self.first().split_once("://").map_or("", |(_, rest)| rest);
        rest.find('/').and_then(|start| rest.get(start..)).unwrap_or("")
    }

    /// The URI that a client requested: of several origins, `host`, the request's `Host`, selects one; any other selects
    /// the first. `path` may have a query.
    pub fn uri(&self, path: &str, host: Option<&[u8]>) -> String {
        let found = match host {
            Some(host) if self.bases.len() > 1 => self
                .bases
                .iter()
                .find(|base| base.hosts.iter().any(|own| own.as_bytes().eq_ignore_ascii_case(host)))
                .map_or(self.first(), |base| &base.url),
            _ => self.first(),
        };
        // Only a slash ends the authority for certain: "@elsewhere.example" would extend it.
        let slash = if path.starts_with('/') { "" } else { "/" };
        [found, slash, path].concat()
    }
}

impl Base {
    fn parse(url: &str) -> Result<Self, OriginError> {
        if url.contains(['?', '#']) {
            return Err(OriginError(format!("public_url is {url:?}: it must have no query and no fragment")));
        }
        let parsed = TargetUri::parse(url).map_err(|error| {
            OriginError(format!("public_url is {url:?}: it must be a URL such as \"https://api.example\" ({error})"))
        })?;
        let url = parsed.as_str().trim_end_matches('/').to_owned();
        let (scheme, rest) = url.split_once("://").unwrap_or_default();
        let authority = rest.split('/').next().unwrap_or_default();
        let has_port = authority.rsplit(']').next().is_some_and(|end| end.contains(':'));
        let mut hosts = vec![authority.to_owned()];
        if !has_port {
            // A client may write the default port or omit it; normal forms omit it.
            hosts.push(format!("{authority}:{}", if scheme == "http" { 80 } else { 443 }));
        }
        Ok(Self { url, hosts })
    }
}

impl fmt::Display for OriginError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for OriginError {}
