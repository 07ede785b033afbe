#![no_main]
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| dewar::https::fuzzing::proxy_protocol(bytes));
