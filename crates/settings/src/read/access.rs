//! Files that hold a secret.

use crate::reader::Reader;
use crate::section::Text;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

/// The bits of a file's mode that let the group and everybody else read or write it.
const OTHERS: u32 = 0o066;

/// Warns of a file of a password that others than its owner may use.
pub(super) fn warn_of_readers(text: &Text, path: &Path, reader: &mut Reader<'_>) {
    // The file was read just now; should it be gone already, its mode is no longer of interest.
    let Ok(file) = fs::metadata(path) else { return };
    let mode = file.permissions().mode();
    if file.is_file() && mode & OTHERS != 0 {
        let message = format!(
            "{}: others than its owner may use {} (mode {:03o}), which holds a password; make the \
             account that runs etl its owner, and run chmod 600 {}",
            text.subject,
            path.display(),
            mode & 0o777,
            quoted(path)
        );
        reader.warning(&text.place, message);
    }
}

/// Writes a path for a shell.
fn quoted(path: &Path) -> String {
    let path = path.display().to_string();
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "/._-".contains(c);
    if path.chars().all(is_plain) { path } else { format!("'{}'", path.replace('\'', r"'\''")) }
}
