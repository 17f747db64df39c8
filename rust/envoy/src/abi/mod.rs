//! The part of Envoy's ABI for dynamic modules that this module uses: its types, the callbacks of Envoy, and the hooks that
//! Envoy calls.
//!
//! It is that of Envoy 1.40 (`source/extensions/dynamic_modules/abi/abi.h`). From this version on, functions of the ABI are
//! added but never changed; what this module needs and an older Envoy lacks makes loading fail, as all callbacks are
//! resolved at once.
//!
//! Nothing unwinds into Envoy: each hook catches panics, and a request during which one happens is answered with status 500.

mod callbacks;
mod hooks;

use std::ptr::null;
use std::slice;

/// `envoy_dynamic_module_type_envoy_buffer` and `envoy_dynamic_module_type_module_buffer`: borrowed bytes.
#[repr(C)]
#[derive(Clone, Copy)]
struct Buffer {
    ptr: *const u8,
    length: usize,
}

/// `envoy_dynamic_module_type_envoy_http_header` and `envoy_dynamic_module_type_module_http_header`.
#[repr(C)]
#[derive(Clone, Copy)]
struct HttpHeader {
    key: Buffer,
    value: Buffer,
}

impl Buffer {
    const NULL: Self = Self { ptr: null(), length: 0 };

    fn of(bytes: &[u8]) -> Self {
        Self { ptr: bytes.as_ptr(), length: bytes.len() }
    }

    /// # Safety
    /// The buffer is one that Envoy has given, and what it points to lives for `'a`, unchanged.
    unsafe fn bytes<'a>(self) -> &'a [u8] {
        if self.ptr.is_null() {
            return &[];
        }
        // SAFETY: the caller says so; Envoy's buffers have the length that is given with them.
        unsafe { slice::from_raw_parts(self.ptr, self.length) }
    }
}
