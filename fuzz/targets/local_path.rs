#![no_main]
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| dewar::forms::fuzzing::local_path(text));
