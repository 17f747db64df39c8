//! What Envoy offers, as safe functions.

use std::ffi::c_void;
use std::marker::PhantomData;

use super::{Buffer, HttpHeader};
use crate::grpc;
use crate::route_config::RouteConfig;
use crate::stream::{Counter, HeaderMap, LogLevel, Metrics, Stream};

/// `envoy_dynamic_module_type_http_header_type`.
const REQUEST_HEADERS: u32 = 0;
const REQUEST_TRAILERS: u32 = 1;

/// How many headers are read without an allocation.
const FEW_HEADERS: usize = 48;

/// `envoy_dynamic_module_type_attribute_id_ConnectionSha256PeerCertificateDigest`.
const PEER_CERTIFICATE_DIGEST: u32 = 38;

/// `envoy_dynamic_module_type_metrics_result_Success`.
const METRICS_SUCCESS: u32 = 0;

unsafe extern "C" {
    fn envoy_dynamic_module_callback_log(level: u32, message: Buffer);
    fn envoy_dynamic_module_callback_http_filter_config_define_counter(
        config: *mut c_void,
        name: Buffer,
        label_names: *const Buffer,
        label_names_length: usize,
        counter_id: *mut usize,
    ) -> u32;
    fn envoy_dynamic_module_callback_http_filter_increment_counter(
        filter: *mut c_void,
        id: usize,
        label_values: *const Buffer,
        label_values_length: usize,
        value: u64,
    ) -> u32;
    fn envoy_dynamic_module_callback_http_get_headers_size(filter: *mut c_void, map: u32) -> usize;
    fn envoy_dynamic_module_callback_http_get_headers(filter: *mut c_void, map: u32, headers: *mut HttpHeader) -> bool;
    fn envoy_dynamic_module_callback_http_add_header(filter: *mut c_void, map: u32, key: Buffer, value: Buffer)
    -> bool;
    fn envoy_dynamic_module_callback_http_set_header(filter: *mut c_void, map: u32, key: Buffer, value: Buffer)
    -> bool;
    fn envoy_dynamic_module_callback_http_send_response(
        filter: *mut c_void,
        status: u32,
        headers: *const HttpHeader,
        headers_length: usize,
        body: Buffer,
        details: Buffer,
    );
    fn envoy_dynamic_module_callback_http_set_dynamic_metadata_struct(
        filter: *mut c_void,
        namespace: Buffer,
        serialized: Buffer,
    );
    fn envoy_dynamic_module_callback_http_clear_route_cache(filter: *mut c_void);
    fn envoy_dynamic_module_callback_get_most_specific_route_config(filter: *mut c_void) -> *const c_void;
    fn envoy_dynamic_module_callback_http_filter_get_attribute_string(
        filter: *mut c_void,
        attribute: u32,
        result: *mut Buffer,
    ) -> bool;
}

/// Writes a line into Envoy's log, from any thread.
pub(super) fn log(level: LogLevel, message: &str) {
    let level = match level {
        LogLevel::Info => 2,
        LogLevel::Warning => 3,
        LogLevel::Error => 4,
    };
    // SAFETY: Envoy copies the message before it returns, and its log may be written by any thread.
    unsafe { envoy_dynamic_module_callback_log(level, Buffer::of(message.as_bytes())) }
}

/// A filter configuration that Envoy is creating.
pub(super) struct EnvoyConfig(*mut c_void);

impl EnvoyConfig {
    /// # Safety
    /// `config` is the configuration that Envoy is creating, for as long as this exists.
    pub(super) unsafe fn new(config: *mut c_void) -> Self {
        Self(config)
    }
}

impl Metrics for EnvoyConfig {
    fn define_counter(&mut self, name: &str, labels: &[&str]) -> Option<Counter> {
        let labels: Vec<Buffer> = labels.iter().map(|label| Buffer::of(label.as_bytes())).collect();
        let mut id = 0;
        // SAFETY: the configuration is the one that Envoy is creating, on the main thread; it copies name and labels, and
        // writes one number.
        let result = unsafe {
            envoy_dynamic_module_callback_http_filter_config_define_counter(
                self.0,
                Buffer::of(name.as_bytes()),
                labels.as_ptr(),
                labels.len(),
                &mut id,
            )
        };
        (result == METRICS_SUCCESS).then_some(Counter(id))
    }
}

/// A request in the hook that Envoy is calling.
///
/// What Envoy lends (headers, attributes) is valid until the hook ends or something is set; so it borrows from `self`, and
/// all functions that set something need `self` exclusively.
pub(super) struct EnvoyStream<'hook> {
    filter: *mut c_void,
    hook: PhantomData<&'hook ()>,
}

impl EnvoyStream<'_> {
    /// # Safety
    /// `filter` is the one whose hook is running, and what is returned is dropped before that ends.
    pub(super) unsafe fn new(filter: *mut c_void) -> Self {
        Self { filter, hook: PhantomData }
    }

    fn map(map: HeaderMap) -> u32 {
        match map {
            HeaderMap::Headers => REQUEST_HEADERS,
            HeaderMap::Trailers => REQUEST_TRAILERS,
        }
    }

    fn is_grpc(&self) -> bool {
        let mut is_grpc = false;
        self.each_header(HeaderMap::Headers, |name, value| is_grpc |= name == b"content-type" && grpc::is_grpc(value));
        is_grpc
    }
}

impl Stream for EnvoyStream<'_> {
    type RouteConfig = RouteConfig;

    fn each_header<'s>(&'s self, map: HeaderMap, mut visit: impl FnMut(&'s [u8], &'s [u8])) {
        const EMPTY: HttpHeader = HttpHeader { key: Buffer::NULL, value: Buffer::NULL };
        let map = Self::map(map);
        // SAFETY: the filter is the one whose hook is running.
        let size = unsafe { envoy_dynamic_module_callback_http_get_headers_size(self.filter, map) };
        let (mut few, mut many) = ([EMPTY; FEW_HEADERS], Vec::new());
        let headers = match few.get_mut(..size) {
            Some(headers) => headers,
            None => {
                many.resize(size, EMPTY);
                many.as_mut_slice()
            }
        };
        // SAFETY: there is room for as many headers as Envoy has just counted, and no hook of this request runs elsewhere.
        if !unsafe { envoy_dynamic_module_callback_http_get_headers(self.filter, map, headers.as_mut_ptr()) } {
            return;
        }
        for header in headers {
            // SAFETY: Envoy keeps headers until one is set, which needs `self` exclusively, or until the hook ends.
            let name = unsafe { header.key.bytes() };
            // SAFETY: the same.
            let value = unsafe { header.value.bytes() };
            visit(name, value);
        }
    }

    fn remove_header(&mut self, map: HeaderMap, name: &[u8]) {
        // SAFETY: the filter is the one whose hook is running; Envoy copies the name, and no value means removal.
        unsafe {
            envoy_dynamic_module_callback_http_set_header(self.filter, Self::map(map), Buffer::of(name), Buffer::NULL);
        }
    }

    fn set_target(&mut self, target: &[u8]) {
        // SAFETY: the filter is the one whose hook is running; Envoy copies the target, which is not null.
        unsafe {
            envoy_dynamic_module_callback_http_set_header(
                self.filter,
                REQUEST_HEADERS,
                Buffer::of(b":path"),
                Buffer::of(target),
            );
        }
    }

    fn add_header(&mut self, name: &str, value: &str) -> bool {
        // SAFETY: the filter is the one whose hook is running; Envoy copies name and value. The value is never null.
        unsafe {
            envoy_dynamic_module_callback_http_add_header(
                self.filter,
                REQUEST_HEADERS,
                Buffer::of(name.as_bytes()),
                Buffer::of(value.as_bytes()),
            )
        }
    }

    fn certificate_digest(&self) -> Option<&[u8]> {
        let mut digest = Buffer::NULL;
        // SAFETY: the filter is the one whose hook is running; Envoy writes one buffer.
        let found = unsafe {
            envoy_dynamic_module_callback_http_filter_get_attribute_string(
                self.filter,
                PEER_CERTIFICATE_DIGEST,
                &mut digest,
            )
        };
        // SAFETY: the digest belongs to the connection, which lives longer than the hook.
        let digest = if found { unsafe { digest.bytes() } } else { &[] };
        (!digest.is_empty()).then_some(digest)
    }

    fn route_config(&self) -> Option<&RouteConfig> {
        // SAFETY: the filter is the one whose hook is running.
        let config = unsafe { envoy_dynamic_module_callback_get_most_specific_route_config(self.filter) };
        // SAFETY: Envoy returns what `per_route_config_new` has made, and keeps it as long as the request has the route. It
        // is never changed but through its own synchronization.
        unsafe { config.cast::<RouteConfig>().as_ref() }
    }

    fn clear_route_cache(&mut self) {
        // SAFETY: the filter is the one whose hook is running.
        unsafe { envoy_dynamic_module_callback_http_clear_route_cache(self.filter) }
    }

    fn set_metadata(&mut self, namespace: &str, serialized: &[u8]) {
        // SAFETY: the filter is the one whose hook is running; Envoy parses the bytes before it returns.
        unsafe {
            envoy_dynamic_module_callback_http_set_dynamic_metadata_struct(
                self.filter,
                Buffer::of(namespace.as_bytes()),
                Buffer::of(serialized),
            );
        }
    }

    fn count(&mut self, counter: Counter, labels: &[&str], value: u64) {
        let labels: Vec<Buffer> = labels.iter().map(|label| Buffer::of(label.as_bytes())).collect();
        // SAFETY: the counter was defined for the configuration of this filter, with as many labels as are given; Envoy
        // copies their values. A result other than success changes nothing.
        let _ = unsafe {
            envoy_dynamic_module_callback_http_filter_increment_counter(
                self.filter,
                counter.0,
                labels.as_ptr(),
                labels.len(),
                value,
            )
        };
    }

    fn respond(&mut self, status: u16, headers: &[(&str, &str)], body: &str, details: &str) {
        let of_grpc = self.is_grpc().then(|| (grpc::STATUS, grpc::status_of(status)));
        let headers: Vec<HttpHeader> = headers
            .iter()
            .chain(&of_grpc)
            .map(|(name, value)| HttpHeader { key: Buffer::of(name.as_bytes()), value: Buffer::of(value.as_bytes()) })
            .collect();
        // SAFETY: the filter is the one whose hook is running; Envoy copies everything before it returns.
        unsafe {
            envoy_dynamic_module_callback_http_send_response(
                self.filter,
                u32::from(status),
                headers.as_ptr(),
                headers.len(),
                Buffer::of(body.as_bytes()),
                Buffer::of(details.as_bytes()),
            );
        }
    }
}
