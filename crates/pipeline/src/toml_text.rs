//! Names in lines for the settings.

use handoff_model::TableName;

/// Quotes a text for TOML. What the settings would take for a variable stays as it is.
pub(crate) fn text(text: &str) -> String {
    quoted(&text.replace("${", "$${"))
}

/// Writes a key: bare where TOML takes it, in quotes otherwise.
pub(crate) fn key(name: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    if name.chars().all(plain) { name.to_owned() } else { quoted(name) }
}

/// Writes the head of a table's section.
pub(crate) fn section(table: &TableName) -> String {
    format!("[tables.{}]", key(table.as_str()))
}

/// Escapes a name for a glob.
pub(crate) fn glob(name: &str) -> String {
    let special = |c| matches!(c, '*' | '?' | '[' | ']' | '{' | '}' | '\\');
    name.chars().flat_map(|c| special(c).then_some('\\').into_iter().chain([c])).collect()
}

/// Writes a sentence as a comment, in one line whatever names are in it.
pub(crate) fn comment(sentence: &str) -> String {
    let line: String = sentence.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    format!("# {line}\n")
}

fn quoted(text: &str) -> String {
    let escaped = text.chars().flat_map(|c| match c {
        '"' | '\\' => vec!['\\', c],
        c if c.is_control() => format!("\\u{:04X}", u32::from(c)).chars().collect(),
        c => vec![c],
    });
    format!("\"{}\"", escaped.collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_quoted_where_they_must_be() {
        let table = |name| TableName::new(name).unwrap();
        assert_eq!(section(&table("Patient")), "[tables.Patient]");
        assert_eq!(section(&table("a.b")), "[tables.\"a.b\"]");
        assert_eq!(key("a\n${b}"), "\"a\\u000A${b}\"");
        assert_eq!(text("a${b}\"\\"), "\"a$${b}\\\"\\\\\"");
        assert_eq!(text(&glob("c[1]*")), "\"c\\\\[1\\\\]\\\\*\"");
        assert_eq!(comment("`a\nb`"), "# `a b`\n");
    }
}
