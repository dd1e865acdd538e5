//! The packets of a MySQL server.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    handoff_connect::fuzzing::packets(bytes);
});
