//! What Envoy calls.

use std::ffi::{CStr, c_char, c_void};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr::null;

use super::Buffer;
use super::callbacks::{EnvoyConfig, EnvoyStream, log};
use crate::filter::{Filter, Verdict};
use crate::route_config::RouteConfig;
use crate::stream::{LogLevel, Stream};

/// The version of the ABI: Envoy compares it with its own, and warns if they differ.
const ABI_VERSION: &CStr = c"v0.2.0";

/// `Continue` and `StopIteration` of the statuses that hooks return.
const CONTINUE: u32 = 0;
const STOP_ITERATION: u32 = 1;

/// Runs a hook whose result is an object for Envoy to keep: null, and a line in the log, if there is none.
fn open<T>(what: &str, make: impl FnOnce() -> Result<T, String>) -> *const c_void {
    match catch_unwind(AssertUnwindSafe(make)) {
        Ok(Ok(object)) => Box::into_raw(Box::new(object)).cast_const().cast(),
        Ok(Err(reason)) => {
            log(LogLevel::Error, &format!("watchword: {what}: {reason}"));
            null()
        }
        Err(_) => {
            log(LogLevel::Error, &format!("watchword: {what}: internal error"));
            null()
        }
    }
}

/// Drops what [`open`] has made.
///
/// # Safety
/// `object` was returned by `open` with this type, and is not used any more.
unsafe fn close<T>(object: *const c_void) {
    if object.is_null() {
        return;
    }
    // SAFETY: the caller says so.
    let object = unsafe { Box::from_raw(object.cast_mut().cast::<T>()) };
    if catch_unwind(AssertUnwindSafe(|| drop(object))).is_err() {
        log(LogLevel::Error, "watchword: internal error while a configuration was closed");
    }
}

/// Called once, when the module is loaded. Returns the version of the ABI.
#[unsafe(no_mangle)]
extern "C" fn envoy_dynamic_module_on_program_init() -> *const c_char {
    ABI_VERSION.as_ptr()
}

/// Called when a filter is configured. Returns null if the configuration is rejected.
///
/// # Safety
/// Called by Envoy, with a configuration that it is creating and buffers that live until the hook ends.
#[unsafe(no_mangle)]
unsafe extern "C" fn envoy_dynamic_module_on_http_filter_config_new(
    config: *mut c_void,
    name: Buffer,
    text: Buffer,
) -> *const c_void {
    // SAFETY: the buffer lives until the hook ends.
    let name = unsafe { name.bytes() };
    // SAFETY: the same.
    let text = unsafe { text.bytes() };
    // SAFETY: Envoy is creating this configuration.
    let mut config = unsafe { EnvoyConfig::new(config) };
    open("filter configuration", || Filter::open(name, text, &mut config, log))
}

/// Called when a filter configuration is not needed any more.
///
/// # Safety
/// Called by Envoy, with what the hook above has returned.
#[unsafe(no_mangle)]
unsafe extern "C" fn envoy_dynamic_module_on_http_filter_config_destroy(filter: *const c_void) {
    // SAFETY: Envoy gives what `config_new` has returned, once, when no request uses it.
    unsafe { close::<Filter>(filter) }
}

/// Called when a route is configured. Returns null if the configuration is rejected.
///
/// # Safety
/// Called by Envoy, with buffers that live until the hook ends.
#[unsafe(no_mangle)]
unsafe extern "C" fn envoy_dynamic_module_on_http_filter_per_route_config_new(
    name: Buffer,
    text: Buffer,
) -> *const c_void {
    // SAFETY: the buffer lives until the hook ends.
    let name = unsafe { name.bytes() };
    // SAFETY: the same.
    let text = unsafe { text.bytes() };
    open("route configuration", || RouteConfig::read(text, name))
}

/// Called when the configuration of a route is not needed any more.
///
/// # Safety
/// Called by Envoy, with what the hook above has returned.
#[unsafe(no_mangle)]
unsafe extern "C" fn envoy_dynamic_module_on_http_filter_per_route_config_destroy(config: *const c_void) {
    // SAFETY: Envoy gives what `per_route_config_new` has returned, once, when no request uses it.
    unsafe { close::<RouteConfig>(config) }
}

/// Called for each request. A request has no state of its own: its filter is the configuration, which outlives it.
#[unsafe(no_mangle)]
extern "C" fn envoy_dynamic_module_on_http_filter_new(filter: *const c_void, _stream: *mut c_void) -> *const c_void {
    filter
}

/// Called with the headers of a request.
///
/// # Safety
/// Called by Envoy, on the thread of the request, with what `filter_new` has returned.
#[unsafe(no_mangle)]
unsafe extern "C" fn envoy_dynamic_module_on_http_filter_request_headers(
    stream: *mut c_void,
    filter: *const c_void,
    _end_of_stream: bool,
) -> u32 {
    // SAFETY: Envoy is calling the hook of this stream, which ends with this function.
    let mut stream = unsafe { EnvoyStream::new(stream) };
    // SAFETY: it is what `config_new` has made; all threads share it, and nothing changes it but through its own
    // synchronization.
    let filter = unsafe { filter.cast::<Filter>().as_ref() };
    let verdict = catch_unwind(AssertUnwindSafe(|| filter.map(|filter| filter.on_headers(&mut stream))));
    match verdict {
        Ok(Some(Verdict::Continue)) => CONTINUE,
        Ok(Some(Verdict::Answered)) => STOP_ITERATION,
        Ok(None) | Err(_) => {
            log(LogLevel::Error, "watchword: internal error: a request was rejected");
            stream.respond(500, &[], "", "watchword{internal_error}");
            STOP_ITERATION
        }
    }
}

/// Called with the trailers of a request.
///
/// # Safety
/// Called by Envoy, on the thread of the request, with what `filter_new` has returned.
#[unsafe(no_mangle)]
unsafe extern "C" fn envoy_dynamic_module_on_http_filter_request_trailers(
    stream: *mut c_void,
    filter: *const c_void,
) -> u32 {
    // SAFETY: as in the hook above.
    let mut stream = unsafe { EnvoyStream::new(stream) };
    // SAFETY: as in the hook above.
    let filter = unsafe { filter.cast::<Filter>().as_ref() };
    match catch_unwind(AssertUnwindSafe(|| filter.map(|filter| filter.on_trailers(&mut stream)))) {
        Ok(Some(())) => CONTINUE,
        Ok(None) | Err(_) => {
            log(LogLevel::Error, "watchword: internal error: a request was stopped at its trailers");
            STOP_ITERATION
        }
    }
}

/// Hooks that Envoy requires and that have nothing to do: it continues.
macro_rules! continuing {
    ($($name:ident)*) => {
        $(
            /// Continues.
            #[unsafe(no_mangle)]
            extern "C" fn $name(_stream: *mut c_void, _filter: *const c_void, _end_of_stream: bool) -> u32 {
                CONTINUE
            }
        )*
    };
}

continuing! {
    envoy_dynamic_module_on_http_filter_request_body
    envoy_dynamic_module_on_http_filter_response_headers
    envoy_dynamic_module_on_http_filter_response_body
}

/// Continues.
#[unsafe(no_mangle)]
extern "C" fn envoy_dynamic_module_on_http_filter_response_trailers(_: *mut c_void, _: *const c_void) -> u32 {
    CONTINUE
}

/// A request has no state of its own.
#[unsafe(no_mangle)]
extern "C" fn envoy_dynamic_module_on_http_filter_destroy(_filter: *const c_void) {}

/// Hooks that Envoy requires and that have nothing to do.
macro_rules! ignored {
    ($($name:ident($($argument:ty),*);)*) => {
        $(
            /// Does nothing.
            #[unsafe(no_mangle)]
            extern "C" fn $name(_stream: *mut c_void, _filter: *const c_void, $(_: $argument),*) {}
        )*
    };
}

ignored! {
    envoy_dynamic_module_on_http_filter_stream_complete();
    envoy_dynamic_module_on_http_filter_scheduled(u64);
    envoy_dynamic_module_on_http_filter_downstream_above_write_buffer_high_watermark();
    envoy_dynamic_module_on_http_filter_downstream_below_write_buffer_low_watermark();
    // This module calls nobody: these are never called.
    envoy_dynamic_module_on_http_filter_http_callout_done(u64, u32, *const c_void, usize, *const c_void, usize);
    envoy_dynamic_module_on_http_filter_http_stream_headers(u64, *const c_void, usize, bool);
    envoy_dynamic_module_on_http_filter_http_stream_data(u64, *const c_void, usize, bool);
    envoy_dynamic_module_on_http_filter_http_stream_trailers(u64, *const c_void, usize);
    envoy_dynamic_module_on_http_filter_http_stream_complete(u64);
    envoy_dynamic_module_on_http_filter_http_stream_reset(u64, u32);
}
