//! What one trusted proxy says of a request, by the one family of headers that it always sets.
//!
//! A header of a family that is not configured is not read: a client may have sent it. One that is configured must occur
//! exactly once, as the proxy replaces what the client sent.

use crate::certificate::Certificate;
use crate::credentials::trimmed;
use crate::path::encoded_byte;

/// The headers that one trusted proxy sets. By default it sets none.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TrustedProxy {
    /// The headers with the scheme and host of the request.
    pub origin: Option<OriginHeaders>,
    /// The header with the certificate of the client, and its form.
    pub certificate: Option<(String, CertificateFormat)>,
}

/// The headers by which a proxy tells the origin that the client requested.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OriginHeaders {
    /// `X-Forwarded-Proto` and `X-Forwarded-Host`.
    XForwarded,
    /// `Forwarded` with `proto` and `host` (RFC 7239).
    Forwarded,
}

/// The forms in which proxies send the certificate of a client.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum CertificateFormat {
    #[default]
    /// A PEM certificate, percent-encoded: `$ssl_client_escaped_cert` of nginx.
    EscapedPem,
    /// `X-Forwarded-Client-Cert` of Envoy: an element with `Hash` or `Cert`.
    Xfcc,
}

impl TrustedProxy {
    /// The header for the origin with this name, by its position among those of the family.
    pub(crate) fn origin_position(&self, name: &[u8]) -> Option<usize> {
        self.origin.and_then(|family| family.position(name))
    }

    /// Whether the certificate is in the header with this name.
    pub(crate) fn has_certificate_in(&self, name: &[u8]) -> bool {
        self.certificate.as_ref().is_some_and(|(own, _)| own.as_bytes().eq_ignore_ascii_case(name))
    }
}

impl OriginHeaders {
    /// The names of the families, as configurations have them.
    pub const NAMES: [&'static str; 2] = ["x-forwarded", "forwarded"];

    /// The family of this name.
    pub fn from_name(name: &str) -> Option<Self> {
        match name {
            "x-forwarded" => Some(Self::XForwarded),
            "forwarded" => Some(Self::Forwarded),
            _ => None,
        }
    }

    /// The header with this name, by its position among those of the family.
    fn position(self, name: &[u8]) -> Option<usize> {
        let names: &[&[u8]] = match self {
            Self::XForwarded => &[b"x-forwarded-proto", b"x-forwarded-host"],
            Self::Forwarded => &[b"forwarded"],
        };
        names.iter().position(|own| own.eq_ignore_ascii_case(name))
    }
}

impl CertificateFormat {
    /// The names of the forms, as configurations have them.
    pub const NAMES: [&'static str; 2] = ["escaped-pem", "xfcc"];

    /// The form of this name.
    pub fn from_name(name: &str) -> Option<Self> {
        match name {
            "escaped-pem" => Some(Self::EscapedPem),
            "xfcc" => Some(Self::Xfcc),
            _ => None,
        }
    }
}

/// The scheme and the host that a proxy names, as `https://api.example`.
pub(crate) fn origin(family: OriginHeaders, values: [Option<&[u8]>; 2]) -> Option<String> {
    let (scheme, host) = match family {
        OriginHeaders::XForwarded => (text(values[0]?)?, text(values[1]?)?),
        OriginHeaders::Forwarded => forwarded(text(values[0]?)?)?,
    };
    let scheme = ["https", "http"].into_iter().find(|known| known.eq_ignore_ascii_case(scheme))?;
    let is_host = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~:[]".contains(&byte);
    (!host.is_empty() && host.bytes().all(is_host)).then(|| format!("{scheme}://{host}"))
}

fn text(value: &[u8]) -> Option<&str> {
    std::str::from_utf8(trimmed(value)).ok()
}

/// `proto` and `host` of the only element of a `Forwarded` header (RFC 7239 section 4).
fn forwarded(value: &str) -> Option<(&str, &str)> {
    let (mut scheme, mut host) = (None, None);
    if value.contains(',') {
        return None;
    }
    for pair in value.split(';') {
        let (name, value) = pair.trim().split_once('=')?;
        let value = match value.strip_prefix('"') {
            Some(quoted) => quoted.strip_suffix('"')?,
            None => value,
        };
        let found = match name {
            name if name.eq_ignore_ascii_case("proto") => &mut scheme,
            name if name.eq_ignore_ascii_case("host") => &mut host,
            _ => continue,
        };
        if found.replace(value).is_some() {
            return None;
        }
    }
    Some((scheme?, host?))
}

/// The certificate in a proxy's header: `Ok(None)` if the client presented none.
pub(crate) fn certificate(format: CertificateFormat, value: &[u8]) -> Result<Option<Certificate>, &'static str> {
    let value = trimmed(value);
    if value.is_empty() {
        return Ok(None);
    }
    match format {
        CertificateFormat::EscapedPem => of_pem(value).map(Some).ok_or("the certificate is not a percent-encoded PEM"),
        CertificateFormat::Xfcc => of_element(value)
            .map(Some)
            .ok_or("the proxy's X-Forwarded-Client-Cert must have one element with Hash or Cert"),
    }
}

fn of_pem(value: &[u8]) -> Option<Certificate> {
    // A comma joins repeated headers; encoded PEM has none.
    if value.contains(&b',') {
        return None;
    }
    let mut pem = Vec::with_capacity(value.len());
    let mut bytes = value.iter().copied();
    while let Some(byte) = bytes.next() {
        pem.push(if byte == b'%' { encoded_byte(&mut bytes)? } else { byte });
    }
    Certificate::from_pem(std::str::from_utf8(&pem).ok()?).ok()
}

/// The certificate of the only element, `By=…;Hash=…;Cert="…";Subject="…"`. Several elements come from several proxies, of
/// which only one is trusted.
fn of_element(value: &[u8]) -> Option<Certificate> {
    let text = std::str::from_utf8(value).ok()?;
    let (mut hash, mut pem) = (None, None);
    let mut rest = text;
    loop {
        let (name, after) = rest.split_once('=').filter(|(name, _)| !name.contains(','))?;
        let (value, after) = match after.strip_prefix('"') {
            // A quoted value may have escaped quotes; those that are read here have none.
            Some(quoted) => {
                let end = closing_quote(quoted)?;
                (quoted.get(..end)?, quoted.get(end.saturating_add(1)..)?)
            }
            None => after.split_at(after.find([';', ',']).unwrap_or(after.len())),
        };
        let found = match name {
            name if name.eq_ignore_ascii_case("hash") => Some(&mut hash),
            name if name.eq_ignore_ascii_case("cert") => Some(&mut pem),
            _ => None,
        };
        if let Some(found) = found
            && found.replace(value).is_some()
        {
            return None;
        }
        match after.strip_prefix(';') {
            Some(next) => rest = next,
            None if after.is_empty() => break,
            None => return None,
        }
    }
    match (hash, pem) {
        (Some(hash), _) => of_hash(hash),
        (None, Some(pem)) => of_pem(pem.as_bytes()),
        (None, None) => None,
    }
}

fn closing_quote(quoted: &str) -> Option<usize> {
    let mut escaped = false;
    quoted.bytes().position(|byte| {
        let closes = byte == b'"' && !escaped;
        escaped = byte == b'\\' && !escaped;
        closes
    })
}

/// The SHA-256 of the certificate in hexadecimal digits.
fn of_hash(hash: &str) -> Option<Certificate> {
    let mut bytes = hash.bytes();
    let mut digest = [0; 32];
    for byte in &mut digest {
        *byte = encoded_byte(&mut bytes)?;
    }
    bytes.next().is_none().then_some(Certificate::Sha256(digest))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(family: OriginHeaders, values: [Option<&str>; 2]) -> Option<String> {
        origin(family, values.map(|value| value.map(str::as_bytes)))
    }

    #[test]
    fn the_origin_of_one_family() {
        let x = |proto, host| read(OriginHeaders::XForwarded, [proto, host]);
        assert_eq!(x(Some("HTTPS"), Some("api.example:8443")).as_deref(), Some("https://api.example:8443"));
        assert_eq!(x(Some("http"), Some("[::1]")).as_deref(), Some("http://[::1]"));
        for (proto, host) in [
            (None, Some("api.example")),
            (Some("https"), None),
            (Some("ftp"), Some("api.example")),
            (Some("https, http"), Some("api.example")),
            (Some("https"), Some("api.example, evil.example")),
            (Some("https"), Some("api.example/path")),
            (Some("https"), Some("user@api.example")),
            (Some("https"), Some("")),
        ] {
            assert_eq!(x(proto, host), None, "{proto:?} {host:?}");
        }
        let forwarded = |value| read(OriginHeaders::Forwarded, [Some(value), None]);
        assert_eq!(
            forwarded("for=192.0.2.1; Proto=https;host=\"api.example:1\"").as_deref(),
            Some("https://api.example:1")
        );
        for value in [
            "",
            "proto=https",
            "host=api.example",
            "proto=https;host=a, proto=http;host=b",
            "proto=https;host=a;host=b",
            "proto=https;host=\"a",
            "proto",
        ] {
            assert_eq!(forwarded(value), None, "{value}");
        }
    }

    #[test]
    fn one_element_with_the_certificate_of_one_proxy() {
        let hash = "ab".repeat(32);
        let read = |value: &str| certificate(CertificateFormat::Xfcc, value.as_bytes());
        for value in [format!("Hash={hash}"), format!("By=spiffe://a/b;hash={hash};Subject=\"CN=a,O=\\\"b\\\"\"")] {
            assert!(matches!(read(&value), Ok(Some(Certificate::Sha256([0xab, ..])))), "{value}");
        }
        assert!(matches!(read(" "), Ok(None)));
        for value in [
            "x".to_owned(),
            "Subject=\"CN=a\"".to_owned(),
            format!("Hash={hash},Hash={hash}"),
            format!("Hash={hash};Hash={hash}"),
            format!("x,Hash={hash}"),
            format!("x,By=y;Hash={hash}"),
            format!("Hash={hash},x"),
            format!("Hash={hash}ab"),
            format!("Hash=\"{hash}"),
        ] {
            assert!(read(&value).is_err(), "{value}");
        }
    }

    #[test]
    fn what_was_joined_to_an_escaped_certificate_is_rejected() {
        let pem = "-----BEGIN%20CERTIFICATE-----%0AMAA%3D%0A-----END%20CERTIFICATE-----%0A";
        let read = |value: &str| certificate(CertificateFormat::EscapedPem, value.as_bytes());
        assert!(matches!(read(pem), Ok(Some(Certificate::Der(_)))));
        for value in [format!("x,{pem}"), format!("{pem},{pem}"), format!("{pem}{pem}"), "%".to_owned()] {
            assert!(read(&value).is_err(), "{value}");
        }
    }
}
