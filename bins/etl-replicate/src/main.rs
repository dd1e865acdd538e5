//! `etl-replicate`.
fn main() {}
