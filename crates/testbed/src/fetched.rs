//! Servers that the host's packages don't have: fetched by a script, kept, never installed.

use crate::error::{Result, TestbedError};
use std::{env, path::PathBuf, process::Command};

/// Runs the script that downloads and unpacks a server's programs (once), and returns their folder.
///
/// `refusal` is the variable that says beforehand why they can't be had.
pub(crate) fn programs(server: &str, script: &str, refusal: &str) -> Result<PathBuf> {
    if let Ok(reason) = env::var(refusal) {
        return Err(TestbedError::NotAvailable(reason));
    }
    let script = format!("{}/../../scripts/{script}", env!("CARGO_MANIFEST_DIR"));
    let output = Command::new(&script)
        .arg("fetch")
        .output()
        .map_err(|error| TestbedError::NotAvailable(format!("cannot run {script}: {error}")))?;
    if output.status.success() {
        let printed = String::from_utf8_lossy(&output.stdout);
        return Ok(PathBuf::from(printed.lines().last().unwrap_or_default()));
    }
    let complaint = String::from_utf8_lossy(&output.stderr);
    let reason = complaint.lines().last().unwrap_or("no reason given");
    Err(TestbedError::NotAvailable(format!("{server} can't be fetched: {reason}")))
}
