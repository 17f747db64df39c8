//! See `delegation_checks::delegation`.
#![no_main]

#[path = "../checks/delegation.rs"]
mod delegation_checks;

libfuzzer_sys::fuzz_target!(|claims: &[u8]| delegation_checks::delegation(claims));
