//! A request, as a C program describes it.

use std::borrow::Cow;
use std::ffi::c_char;

use watchword_gate::Request as GateRequest;
use watchword_kernel::ClientCertificate;

use crate::boundary::borrowed;

/// A header: of a request, its name and its value as they were received, without the line's end; of a decision, as they are
/// to be sent or set.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Header {
    /// The name.
    pub name: *const c_char,
    /// The length of the name, in bytes.
    pub name_length: usize,
    /// The value.
    pub value: *const c_char,
    /// The length of the value, in bytes.
    pub value_length: usize,
}

/// A request. The library reads it during watchword_check, and keeps no pointer to it.
#[repr(C)]
pub struct Request {
    /// sizeof(watchword_request), by which the library knows the version of this structure.
    pub size: usize,
    /// The method, as it was received.
    pub method: *const c_char,
    /// The length of the method, in bytes.
    pub method_length: usize,
    /// Path and query, as they were received: neither decoded nor normalised.
    pub target: *const c_char,
    /// The length of the target, in bytes.
    pub target_length: usize,
    /// All headers, in the order in which they were received, each occurrence of a repeated one for itself. One that is left
    /// out may be one that has to be removed.
    pub headers: *const Header,
    /// The number of headers.
    pub header_count: usize,
    /// The certificate in DER that the client presented on this connection and that the server verified; NULL: none.
    pub certificate: *const c_char,
    /// The length of the certificate, in bytes.
    pub certificate_length: usize,
}

/// A request whose pointers were checked.
pub(crate) struct Borrowed<'a> {
    method: Cow<'a, str>,
    target: &'a [u8],
    pub(crate) headers: Vec<(&'a [u8], &'a [u8])>,
    certificate: Option<&'a [u8]>,
}

impl<'a> Borrowed<'a> {
    /// What the request points to; `None` if its size is not that of this version, or if a pointer is NULL but its length is
    /// not 0.
    ///
    /// # Safety
    /// Unless they are NULL, `request` points to a request, and each pointer in it to as many bytes or headers as the length
    /// beside it says. Nobody changes them during `'a`.
    pub(crate) unsafe fn read(request: *const Request) -> Option<Self> {
        if request.is_null() || !request.is_aligned() {
            return None;
        }
        // SAFETY: not NULL and aligned. The size comes first in every version, so it is there in a smaller structure, too.
        let size = unsafe { request.cast::<usize>().read() };
        if size != size_of::<Request>() {
            return None;
        }
        // SAFETY: as above, and it has this version's size.
        let request = unsafe { &*request };
        // SAFETY: the caller's promise.
        let method = unsafe { bytes(request.method, request.method_length) }?;
        // SAFETY: the caller's promise.
        let target = unsafe { bytes(request.target, request.target_length) }?;
        // SAFETY: the caller's promise.
        let fields = unsafe { borrowed(request.headers, request.header_count) }?;
        let certificate = match request.certificate.is_null() {
            true if request.certificate_length > 0 => return None,
            true => None,
            // SAFETY: the caller's promise.
            false => Some(unsafe { bytes(request.certificate, request.certificate_length) }?),
        };
        let mut headers = Vec::with_capacity(fields.len());
        for field in fields {
            // SAFETY: the caller's promise.
            let name = unsafe { bytes(field.name, field.name_length) }?;
            // SAFETY: the caller's promise.
            let value = unsafe { bytes(field.value, field.value_length) }?;
            headers.push((name, value));
        }
        // A method that is not ASCII is that of no route and of no proof.
        Some(Self { method: String::from_utf8_lossy(method), target, headers, certificate })
    }

    /// The same for the gate.
    pub(crate) fn for_gate(&self) -> GateRequest<'_> {
        GateRequest {
            method: &self.method,
            target: self.target,
            headers: &self.headers,
            certificate: self.certificate.map(ClientCertificate::Der),
            form: None,
        }
    }
}

/// # Safety
/// As for [`borrowed`].
unsafe fn bytes<'a>(data: *const c_char, length: usize) -> Option<&'a [u8]> {
    // SAFETY: the caller's promise.
    unsafe { borrowed(data.cast(), length) }
}
