//! Files that hold a secret.

use crate::error::FilePlace;
use crate::reader::SettingsReader;
use crate::section::Text;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

/// The bits of a file's mode that let the group and everybody else read or write it.
const OTHERS: u32 = 0o066;

/// Warns of a file of a password that others than its owner may use.
pub(super) fn warn_of_readers(text: &Text, path: &Path, reader: &mut SettingsReader<'_>) {
    warn(text, path, "which holds a password", reader);
}

/// Warns of a configuration file that holds a password in this URL, and that others may use.
pub(super) fn warn_of_url(text: &Text, reader: &mut SettingsReader<'_>) {
    let FilePlace::File(file, _) = &text.place else { return };
    if holds_password(&text.written) {
        warn(text, file, "which holds the password in the URL", reader);
    }
}

/// Returns true if a URL holds a password as it is written, and not by a variable.
fn holds_password(written: &str) -> bool {
    let account = written.split_once("://").and_then(|(_, rest)| rest.rsplit_once('@'));
    let password = account.and_then(|(account, _)| account.split_once(':'));
    password.is_some_and(|(_, password)| !password.is_empty() && !password.starts_with("${"))
}

fn warn(text: &Text, path: &Path, why: &str, reader: &mut SettingsReader<'_>) {
    // Settings may be read from a text, and a file be gone again.
    let Ok(file) = fs::metadata(path) else { return };
    let mode = file.permissions().mode();
    if file.is_file() && mode & OTHERS != 0 {
        let message = format!(
            "{}: others than its owner may use {} (mode {:03o}), {why}; make the account that runs \
             etl its owner, and run chmod 600 {}",
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
    let text = path.display().to_string();
    if text.chars().all(|c| c.is_ascii_alphanumeric() || "/._-".contains(c)) {
        return text;
    }
    format!("'{}'", text.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_that_is_written_is_told_from_one_of_a_variable() {
        for url in
            ["mysql://a:b@c/d", "postgres://a:b${C}@c/d", "mysql://a:$${b@c/d", "x://a:b@c@d"]
        {
            assert!(holds_password(url), "{url}");
        }
        for url in ["mysql://a@b:3306/c", "mysql://a:@b/c", "mysql://a:${PW}@b/c", "b:c@d", ""] {
            assert!(!holds_password(url), "{url}");
        }
    }
}
