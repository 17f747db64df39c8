//! See `checks/gate_config.rs`.

#![no_main]

#[path = "../checks/gate_config.rs"]
mod checks;

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    checks::gate_config(input);
});
