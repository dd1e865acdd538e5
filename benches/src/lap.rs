use crate::Result;
use std::time::{Duration, Instant};

/// Measures how long `work` takes.
///
/// # Errors
///
/// Returns the error of `work`.
pub fn lap(work: impl FnOnce() -> Result<()>) -> Result<Duration> {
    let begun = Instant::now();
    work()?;
    Ok(begun.elapsed())
}
