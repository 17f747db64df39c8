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

impl<'a> Request<'a> {
    /// The path, and the query without the question mark.
    pub(crate) fn split_target(&self) -> (&'a [u8], Option<&'a [u8]>) {
        match self.target.iter().position(|byte| *byte == b'?') {
            Some(end) => {
                let (path, query) = self.target.split_at(end);
                (path, query.get(1..))
            }
            None => (self.target, None),
        }
    }
}
