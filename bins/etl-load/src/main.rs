//! `etl-load`.
fn main() {}
