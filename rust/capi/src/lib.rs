//! # libwatchword
//!
//! The gate for programs that call C: `include/watchword.h` declares what this crate exports, and `lua/watchword.lua` calls
//! it from nginx. It converts for [`watchword_embedded`], and decides nothing.
//!
//! - A handle is a pointer to a structure that only this library reads. Whoever gets one from a function that makes it
//!   passes it to the function that frees it, once.
//! - A gate may be used by any number of threads at once; a decision by one at a time.
//! - A gate has a thread of its own, so it belongs to the process that opened it: in a forked child it rejects everything.
//! - No function unwinds. A panic is the decision `internal_error`, status 500.
//!
//! All functions are `unsafe` to call from Rust, as they read what their pointers point to.

mod boundary;
#[cfg(test)]
mod corpus_tests;
mod decision;
mod events;
mod gate;
mod request;
#[cfg(test)]
mod tests;
mod view;

use std::ffi::{CStr, c_char};

/// The version of this interface. Functions and constants may be added to a version; nothing of it changes or goes away.
pub const WATCHWORD_ABI_VERSION: u32 = 1;

const VERSION: &CStr = match CStr::from_bytes_with_nul(concat!(env!("CARGO_PKG_VERSION"), "\0").as_bytes()) {
    Ok(version) => version,
    Err(_) => c"",
};

/// Returns WATCHWORD_ABI_VERSION of the library that is loaded, to be compared with that of the header.
#[unsafe(no_mangle)]
pub extern "C" fn watchword_abi_version() -> u32 {
    WATCHWORD_ABI_VERSION
}

/// Returns the version of the library, a NUL-terminated text that is never freed.
#[unsafe(no_mangle)]
pub extern "C" fn watchword_version() -> *const c_char {
    VERSION.as_ptr()
}
