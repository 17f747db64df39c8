//! See `capi_checks::boundary`.

#![no_main]

// Its functions are found by their names.
use watchword as _;

#[path = "../checks/capi.rs"]
mod capi_checks;

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    capi_checks::boundary(input);
});
