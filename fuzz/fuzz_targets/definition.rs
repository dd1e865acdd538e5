//! The answer to `SHOW CREATE TABLE`.

#![no_main]

libfuzzer_sys::fuzz_target!(|text: &str| {
    handoff_replicator::fuzzing::definition(text);
});
