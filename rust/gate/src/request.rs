//! A request, as a server received it, and what of it the gate uses.

use watchword_kernel::ClientCertificate;

/// A header: its name and its value, as they were received.
pub type Header<'a> = (&'a [u8], &'a [u8]);

/// A request, as a server received it. Nothing of it is trusted.
#[derive(Clone, Copy)]
pub struct Request<'a> {
    /// The method.
    pub method: &'a str,
    /// Path and query, as they were received.
    pub target: &'a [u8],
    /// All headers, in the order in which they were received.
    pub headers: &'a [Header<'a>],
    /// The certificate that the client presented on this connection, if the server verified one.
    pub certificate: Option<ClientCertificate<'a>>,
    /// The first bytes of a form in the body, if the server has read it: only to tell a client why a token in it is not
    /// accepted.
    pub form: Option<&'a [u8]>,
}
