//! The target `macro_input` as libFuzzer runs it.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| fuzz::macro_input::run(input));
