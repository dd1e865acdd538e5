//! Names and causes as a person reads, copies and pastes them.

use crate::TableName;
use std::error::Error;

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

/// Writes a name so that a shell takes it as one word, which is no option.
pub fn shell_word(name: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "_-.".contains(c);
    if !name.is_empty() && !name.starts_with('-') && name.chars().all(plain) {
        name.to_owned()
    } else {
        format!("'{}'", name.replace('\'', "'\\''"))
    }
}

/// Writes a key of a TOML file: bare where TOML takes it, in quotes otherwise.
pub fn toml_key(name: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    if !name.is_empty() && name.chars().all(plain) { name.to_owned() } else { toml_string(name) }
}

/// Writes a text for a TOML file, in quotes.
pub fn toml_string(text: &str) -> String {
    let escaped = text.chars().flat_map(|c| match c {
        '"' | '\\' => vec!['\\', c],
        c if c.is_control() => format!("\\u{:04X}", u32::from(c)).chars().collect(),
        c => vec![c],
    });
    format!("\"{}\"", escaped.collect::<String>())
}

/// Writes an error and its causes in one line.
pub fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text += ": ";
        text += &error.to_string();
        cause = error.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_one_word_of_a_command() {
        assert_eq!(shell_word("patient"), "patient");
        assert_eq!(shell_word("it's $x"), "'it'\\''s $x'");
        assert_eq!(["", "-x", "a b"].map(shell_word), ["''", "'-x'", "'a b'"]);
    }

    #[test]
    fn names_are_quoted_where_they_must_be() {
        let section = |name| TableName::new(name).unwrap().section();
        assert_eq!(section("Patient"), "[tables.Patient]");
        assert_eq!(section("a.b"), "[tables.\"a.b\"]");
        assert_eq!(toml_key("a\n${b}"), "\"a\\u000A${b}\"");
        assert_eq!(toml_key(""), "\"\"");
    }
}
