//! Where the metadata of a protected resource is published (RFC 9728).

/// The well-known path, which precedes the resource's own (section 3.1).
pub const WELL_KNOWN: &str = "/.well-known/oauth-protected-resource";

/// The URL of the metadata of a resource; `None` unless it is an absolute `http` or `https` URL without a fragment (section
/// 1.2).
pub fn metadata_url(resource: &str) -> Option<String> {
    let (scheme, rest) = resource.split_once("://")?;
    if !["http", "https"].contains(&scheme) || resource.contains('#') {
        return None;
    }
    let (rest, query) = rest.find('?').and_then(|at| rest.split_at_checked(at)).unwrap_or((rest, ""));
    let (host, path) = rest.find('/').and_then(|at| rest.split_at_checked(at)).unwrap_or((rest, ""));
    let path = if path == "/" { "" } else { path };
    (!host.is_empty()).then(|| format!("{scheme}://{host}{WELL_KNOWN}{path}{query}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_well_known_path_precedes_the_resources_own() {
        const BASE: &str = "://api.example/.well-known/oauth-protected-resource";
        for (resource, url) in [
            ("https://api.example", format!("https{BASE}")),
            ("https://api.example/", format!("https{BASE}")),
            ("https://api.example/v1?a=b", format!("https{BASE}/v1?a=b")),
            ("http://api.example?a=/", format!("http{BASE}?a=/")),
        ] {
            assert_eq!(metadata_url(resource), Some(url), "{resource}");
        }
        for resource in ["api.example", "ftp://api.example", "https://", "https:///v1", "https://api.example#a"] {
            assert_eq!(metadata_url(resource), None, "{resource}");
        }
    }
}
