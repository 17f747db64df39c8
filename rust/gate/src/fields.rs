//! The headers of a request, in one pass.

use crate::credentials::{CredentialHeaders, trimmed};
use crate::names::{looks_like, starts_like};
use crate::proxy::{OriginHeaders, TrustedProxy};
use crate::request::Header;
use crate::trace::{TRACEPARENT, TraceId};

/// A header, beside the credentials, that is read in every configuration.
enum KnownHeader {
    Host,
    Traceparent,
    Connection,
}

impl KnownHeader {
    fn of_name(name: &[u8]) -> Option<Self> {
        match name.len() {
            4 if name.eq_ignore_ascii_case(b"host") => Some(Self::Host),
            10 if name.eq_ignore_ascii_case(b"connection") => Some(Self::Connection),
            11 if name.eq_ignore_ascii_case(TRACEPARENT) => Some(Self::Traceparent),
            _ => None,
        }
    }
}

/// What the gate uses of the headers.
pub(crate) struct Fields<'a> {
    pub(crate) credentials: CredentialHeaders<'a>,
    pub(crate) host: Option<&'a [u8]>,
    pub(crate) trace_id: Option<TraceId>,
    /// The values of the proxy's headers for the origin.
    pub(crate) origin: [Option<&'a [u8]>; 2],
    /// The value of the proxy's header for the certificate.
    pub(crate) certificate: Option<&'a [u8]>,
    /// Whether there is a header that must not reach the application.
    pub(crate) has_removed: bool,
    /// What is malformed, whatever the credentials are.
    pub(crate) malformed: Option<&'static str>,
}

impl<'a> Fields<'a> {
    pub(crate) fn read(headers: &[Header<'a>], proxy: &TrustedProxy, prefix: &str) -> Self {
        let mut fields = Self {
            credentials: CredentialHeaders::default(),
            host: None,
            trace_id: None,
            origin: [None, None],
            certificate: None,
            has_removed: false,
            malformed: None,
        };
        for &(name, value) in headers {
            fields.take(name, value, proxy, prefix);
        }
        fields
    }

    fn take(&mut self, name: &[u8], value: &'a [u8], proxy: &TrustedProxy, prefix: &str) {
        if self.credentials.take(name, value) {
            return;
        }
        match KnownHeader::of_name(name) {
            Some(KnownHeader::Host) => {
                // A request with two is malformed (RFC 9112 section 3.2), and servers take either of them.
                if self.host.replace(trimmed(value)).is_some_and(|other| !other.eq_ignore_ascii_case(trimmed(value))) {
                    self.malformed = Some("the request has several Host headers");
                }
                return;
            }
            Some(KnownHeader::Traceparent) => {
                self.trace_id = TraceId::of_traceparent(trimmed(value));
                return;
            }
            Some(KnownHeader::Connection) => {
                if names_ours(value, prefix) {
                    self.malformed = Some("the Connection header names a header that is not the connection's");
                }
                return;
            }
            None => {}
        }
        self.has_removed |= is_removed(name, proxy, prefix);
        self.take_from_proxy(name, value, proxy);
    }

    fn take_from_proxy(&mut self, name: &[u8], value: &'a [u8], proxy: &TrustedProxy) {
        if let Some(position) = proxy.origin_position(name)
            && let Some(origin) = self.origin.get_mut(position)
            && origin.replace(value).is_some()
        {
            self.malformed = Some("a header of the proxy with the origin is repeated");
        }
        if proxy.has_certificate_in(name) && self.certificate.replace(value).is_some() {
            self.malformed = Some("the header of the proxy with the certificate is repeated");
        }
    }
}

/// Whether the value of a header with this name is read, or the header removed: a binding need not convert any other.
pub(crate) fn is_read(name: &[u8], proxy: &TrustedProxy, prefix: &str) -> bool {
    CredentialHeaders::reads(name)
        || KnownHeader::of_name(name).is_some()
        || proxy.origin_position(name).is_some()
        || proxy.has_certificate_in(name)
        || is_removed(name, proxy, prefix)
}

/// Whether a header must not reach the application: it is below our prefix, or its name differs from one of the proxy's
/// only by what some servers do not distinguish.
pub(crate) fn is_removed(name: &[u8], proxy: &TrustedProxy, prefix: &str) -> bool {
    if starts_like(name, prefix.as_bytes()) {
        return true;
    }
    let differs = |own: &[u8]| looks_like(name, own) && !name.eq_ignore_ascii_case(own);
    let of_origin = match proxy.origin {
        None => false,
        Some(OriginHeaders::XForwarded) => differs(b"x-forwarded-proto") || differs(b"x-forwarded-host"),
        Some(OriginHeaders::Forwarded) => false,
    };
    of_origin || proxy.certificate.as_ref().is_some_and(|(own, _)| differs(own.as_bytes()))
}

/// Whether a `Connection` header names a header that the next server must not remove (RFC 9110 section 7.6.1).
fn names_ours(value: &[u8], prefix: &str) -> bool {
    value.split(|byte| *byte == b',').map(trimmed).any(|name| {
        starts_like(name, prefix.as_bytes())
            || name.eq_ignore_ascii_case(b"authorization")
            || name.eq_ignore_ascii_case(b"dpop")
    })
}
