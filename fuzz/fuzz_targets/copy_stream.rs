//! A COPY BINARY stream of PostgreSQL.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    handoff_rows::fuzzing::copy_stream(bytes);
});
