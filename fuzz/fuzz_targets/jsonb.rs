//! A JSON document.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    handoff_rows::fuzzing::jsonb(bytes);
});
