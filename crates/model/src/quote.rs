//! Names and causes as a person reads, copies and pastes them.

use crate::name::TableName;
use crate::visible;
use crate::visible::is_hidden;
use std::error::Error;
use std::path::Path;

impl TableName {
    /// Writes the name so that a shell takes it as one word of a command.
    pub fn in_shell(&self) -> String {
        shell_word(self.as_str())
    }

    /// Writes the head of the table's section in the settings, such as `[tables.patient]`.
    pub fn section(&self) -> String {
        format!("[tables.{}]", toml_key(self.as_str()))
    }
}

/// Writes a name so that a shell takes it as one word, which is no option. What is not seen is written as
/// the escape of its bytes, which bash, zsh and ksh read.
pub fn shell_word(name: &str) -> String {
    if !name.is_empty() && !name.starts_with('-') && name.chars().all(is_plain_in_shell) {
        name.to_owned()
    } else if name.contains(is_hidden) {
        format!("$'{}'", name.chars().map(in_ansi_quotes).collect::<String>())
    } else {
        format!("'{}'", name.replace('\'', "'\\''"))
    }
}

/// Writes a path as one word of a shell: as [`shell_word`] does, and slashes stay bare.
pub fn shell_path(path: &Path) -> String {
    let mut text = path.display().to_string();
    if text.starts_with('-') {
        text.insert_str(0, "./");
    }
    let is_plain = text.chars().all(|c| c == '/' || is_plain_in_shell(c));
    if is_plain && !text.is_empty() { text } else { shell_word(&text) }
}

fn is_plain_in_shell(c: char) -> bool {
    c.is_ascii_alphanumeric() || "_-.".contains(c)
}

fn in_ansi_quotes(c: char) -> String {
    match c {
        '\'' | '\\' => format!("\\{c}"),
        c if is_hidden(c) => {
            c.encode_utf8(&mut [0; 4]).bytes().map(|byte| format!("\\x{byte:02x}")).collect()
        }
        c => c.to_string(),
    }
}

/// Writes a key of a TOML file: bare where TOML takes it, in quotes otherwise.
pub fn toml_key(name: &str) -> String {
    if !name.is_empty() && name.chars().all(is_bare_in_toml) {
        name.to_owned()
    } else {
        toml_string(name)
    }
}

fn is_bare_in_toml(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_' || c == '-'
}

/// Writes a text for a TOML file, in quotes.
pub fn toml_string(text: &str) -> String {
    let escaped: String = text.chars().map(in_toml).collect();
    format!("\"{escaped}\"")
}

fn in_toml(c: char) -> String {
    match c {
        '"' | '\\' => format!("\\{c}"),
        c if is_hidden(c) && c > '\u{ffff}' => format!("\\U{:08X}", u32::from(c)),
        c if is_hidden(c) => format!("\\u{:04X}", u32::from(c)),
        c => c.to_string(),
    }
}

/// Writes an error and its causes in one line, as it may be shown.
pub fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text += ": ";
        text += &error.to_string();
        cause = error.source();
    }
    visible(&text).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_one_word_of_a_command() {
        assert_eq!(shell_word("patient"), "patient");
        assert_eq!(shell_word("it's $x"), "'it'\\''s $x'");
        assert_eq!(shell_word("a\r\nb'\u{202e}"), "$'a\\x0d\\x0ab\\'\\xe2\\x80\\xae'");
        assert_eq!(["", "-x", "a b"].map(shell_word), ["''", "'-x'", "'a b'"]);
    }

    #[test]
    fn names_are_quoted_where_they_must_be() {
        let section = |name| TableName::new(name).unwrap().section();
        assert_eq!(section("Patient"), "[tables.Patient]");
        assert_eq!(section("a.b"), "[tables.\"a.b\"]");
        assert_eq!(toml_key("a\n${b}"), "\"a\\u000A${b}\"");
        assert_eq!(toml_key("\u{202e}\u{e0001}"), "\"\\u202E\\U000E0001\"");
        assert_eq!(toml_key(""), "\"\"");
    }
}
