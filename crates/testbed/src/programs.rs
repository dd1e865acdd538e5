//! Finds the servers' programs.

use crate::error::{Result, TestbedError};
use std::{
    fs,
    path::{Path, PathBuf},
};

/// The one command that installs what is missing. It starts no service where a policy forbids it;
/// `scripts/demo` sets one.
pub const INSTALL: &str =
    "apt-get install --no-install-recommends mariadb-server mariadb-client postgresql";

/// Returns the path of `program`, from the folder the caller named or the usual ones.
pub(crate) fn find(
    server: &'static str,
    program: &'static str,
    named: Option<&Path>,
    usual: &[PathBuf],
) -> Result<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders: Vec<PathBuf> = match named {
        Some(folder) => vec![folder.to_owned()],
        None => usual.iter().cloned().chain(std::env::split_paths(&path)).collect(),
    };
    folders
        .iter()
        .map(|folder| folder.join(program))
        .find(|candidate| candidate.is_file())
        .ok_or(TestbedError::NotInstalled { server, program, install: INSTALL })
}

/// Returns where Debian keeps PostgreSQL's programs, the newest version first.
pub(crate) fn postgres_folders() -> Vec<PathBuf> {
    let entries = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let mut versions: Vec<(u32, PathBuf)> = entries
        .filter_map(|e| Some((e.file_name().to_str()?.parse().ok()?, e.path().join("bin"))))
        .collect();
    versions.sort_by_key(|(version, _)| std::cmp::Reverse(*version));
    versions.into_iter().map(|(_, folder)| folder).collect()
}
