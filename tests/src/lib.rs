//! Live tests against real servers, in `tests/live/`: `cargo test -p handoff-tests`.
