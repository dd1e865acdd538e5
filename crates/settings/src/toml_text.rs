//! Texts in lines of a settings file.

use handoff_model::toml_string;

/// Quotes a text for TOML. What the settings would take for a variable stays as it is.
pub fn text(text: &str) -> String {
    toml_string(&text.replace("${", "$${"))
}

/// Escapes a name for a glob.
pub fn glob(name: &str) -> String {
    let special = |c| matches!(c, '*' | '?' | '[' | ']' | '{' | '}' | '\\');
    name.chars().flat_map(|c| special(c).then_some('\\').into_iter().chain([c])).collect()
}

/// Writes a sentence as a comment, in one line whatever names are in it.
pub fn comment(sentence: &str) -> String {
    let line: String = sentence.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    format!("# {line}\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_quoted_as_the_settings_read_them() {
        assert_eq!(text("a${b}\"\\"), "\"a$${b}\\\"\\\\\"");
        assert_eq!(text(&glob("c[1]*")), "\"c\\\\[1\\\\]\\\\*\"");
        assert_eq!(comment("`a\nb`"), "# `a b`\n");
    }
}
