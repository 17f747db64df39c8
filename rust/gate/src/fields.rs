//! The headers of a request, in one pass.

use crate::credentials::{CredentialHeaders, trimmed};
use crate::names::{looks_like, starts_like};
use crate::proxy::{OriginHeaders, TrustedProxy};
use crate::request::Header;
use crate::trace::{TRACEPARENT, TraceId};

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
        match name.first().map(u8::to_ascii_lowercase) {
            Some(b'a' | b'd') if self.credentials.take(name, value) => return,
            Some(b'h') if name.eq_ignore_ascii_case(b"host") => {
                // A request with two is malformed (RFC 9112 section 3.2), and servers take either of them.
                if self.host.replace(trimmed(value)).is_some_and(|other| !other.eq_ignore_ascii_case(trimmed(value))) {
                    self.malformed = Some("the request has several Host headers");
                }
                return;
            }
            Some(b't') if name.eq_ignore_ascii_case(TRACEPARENT) => {
                self.trace_id = TraceId::of_traceparent(trimmed(value));
                return;
            }
            Some(b'c') if name.eq_ignore_ascii_case(b"connection") => {
                if names_ours(value, prefix) {
                    self.malformed = Some("the Connection header names a header that is not the connection's");
                }
                return;
            }
            _ => {}
        }
        self.has_removed |= is_removed(name, proxy, prefix);
        self.take_from_proxy(name, value, proxy);
    }

    fn take_from_proxy(&mut self, name: &[u8], value: &'a [u8], proxy: &TrustedProxy) {
        if let Some(position) = proxy.origin.and_then(|family| family.position(name))
            && let Some(origin) = self.origin.get_mut(position)
            && origin.replace(value).is_some()
        {
            self.malformed = Some("a header of the proxy with the origin is repeated");
        }
        if let Some((own, _)) = &proxy.certificate
            && own.as_bytes().eq_ignore_ascii_case(name)
            && self.certificate.replace(value).is_some()
        {
            self.malformed = Some("the header of the proxy with the certificate is repeated");
        }
    }
}

/// Whether the value of a header with this name is read, or the header removed: a binding need not convert any other.
pub(crate) fn is_read(name: &[u8], proxy: &TrustedProxy, prefix: &str) -> bool {
    let has_own_name = match name.first().map(u8::to_ascii_lowercase) {
        Some(b'a') => name.len() == 13 && name.eq_ignore_ascii_case(b"authorization"),
        Some(b'c') => name.len() == 10 && name.eq_ignore_ascii_case(b"connection"),
        Some(b'd') => name.len() == 4 && name.eq_ignore_ascii_case(b"dpop"),
        Some(b'h') => name.len() == 4 && name.eq_ignore_ascii_case(b"host"),
        Some(b't') => name.len() == 11 && name.eq_ignore_ascii_case(TRACEPARENT),
        _ => false,
    };
    has_own_name
        || proxy.origin.is_some_and(|family| family.position(name).is_some())
        || proxy.certificate.as_ref().is_some_and(|(own, _)| own.as_bytes().eq_ignore_ascii_case(name))
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
