//! See `checks/scopes.rs`.

#![no_main]

#[path = "../checks/scopes.rs"]
mod checks;

libfuzzer_sys::fuzz_target!(|input: &[u8]| checks::scopes(input));
