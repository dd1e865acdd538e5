//! The one place where a name becomes part of a statement.

use std::borrow::Borrow;

/// Quotes an identifier for MySQL: backticks, doubled inside.
pub fn quote_my(name: impl Borrow<str>) -> String {
    enclose(name.borrow(), '`')
}

/// Quotes an account, `user@host` as `CURRENT_USER()` gives it, for MySQL.
pub fn quote_my_account(account: &str) -> String {
    match account.rsplit_once('@') {
        Some((user, host)) => format!("{}@{}", quote_my(user), quote_my(host)),
        None => quote_my(account),
    }
}

/// Quotes an identifier for PostgreSQL: double quotes, doubled inside.
pub fn quote_pg(name: impl Borrow<str>) -> String {
    enclose(name.borrow(), '"')
}

/// Quotes a text literal for MySQL, for statements that take no parameters, such as a label or a
/// lock name. Never for row values.
pub fn quote_my_text(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('\'');
    for c in text.chars() {
        match c {
            '\'' => quoted.push_str("''"),
            '\\' => quoted.push_str("\\\\"),
            '\0' => quoted.push_str("\\0"),
            c => quoted.push(c),
        }
    }
    quoted.push('\'');
    quoted
}

/// Quotes a text literal for PostgreSQL (`standard_conforming_strings` on). Never for row values.
pub fn quote_pg_text(text: &str) -> String {
    enclose(text, '\'')
}

fn enclose(text: &str, quote: char) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push(quote);
    for c in text.chars() {
        if c == quote {
            quoted.push(quote);
        }
        quoted.push(c);
    }
    quoted.push(quote);
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_are_doubled() {
        assert_eq!(quote_my("a`b"), "`a``b`");
        assert_eq!(quote_my_account("etl@%"), "`etl`@`%`");
        assert_eq!(quote_pg("a\"b"), "\"a\"\"b\"");
        assert_eq!(quote_my_text("a'\\b"), "'a''\\\\b'");
        assert_eq!(quote_pg_text("a'b"), "'a''b'");
    }
}
