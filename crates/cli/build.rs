//! Puts the commit into `--version`.

use std::path::Path;
use std::process::Command;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-env-changed=HANDOFF_COMMIT");
    // A commit moves the branch that HEAD names, a checkout moves HEAD itself.
    for name in ["HEAD", &git(&["symbolic-ref", "-q", "HEAD"]).unwrap_or_default(), "packed-refs"] {
        if let Some(path) = git(&["rev-parse", "--git-path", name])
            && !name.is_empty()
            && Path::new(&path).exists()
        {
            println!("cargo::rerun-if-changed={path}");
        }
    }
    // Packagers who build without the repository name the commit themselves.
    let commit = std::env::var("HANDOFF_COMMIT")
        .ok()
        .or_else(|| git(&["rev-parse", "--short=12", "HEAD"]))
        .unwrap_or_else(|| "unknown".to_owned());
    let version = std::env::var("CARGO_PKG_VERSION").unwrap_or_default();
    println!("cargo::rustc-env=HANDOFF_VERSION={version} ({commit})");
}

/// Asks git; `None` where there is no git or no repository.
fn git(arguments: &[&str]) -> Option<String> {
    let output = Command::new("git").args(arguments).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?.trim().to_owned();
    (output.status.success() && !text.is_empty()).then_some(text)
}
