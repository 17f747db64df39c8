//! See `gate_checks::gate`.

#![no_main]

#[path = "../checks/gate.rs"]
mod gate_checks;

libfuzzer_sys::fuzz_target!(|input: &[u8]| gate_checks::gate(input));
