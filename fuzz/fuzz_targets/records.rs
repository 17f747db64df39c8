//! See `checks/records.rs`.

#![no_main]

#[path = "../checks/records.rs"]
mod checks;

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    checks::records(input);
});
