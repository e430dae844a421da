//! The target `frame` as libFuzzer runs it.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| fuzz::frame::run(input));
