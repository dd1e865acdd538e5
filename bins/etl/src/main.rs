//! `etl`.
fn main() {}
