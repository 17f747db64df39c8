//! See `dpop_checks::proof`.

#![no_main]

#[path = "../checks/dpop.rs"]
mod dpop_checks;

libfuzzer_sys::fuzz_target!(|input: &[u8]| dpop_checks::proof(input));
