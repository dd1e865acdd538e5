//! The tokens of an expression as MySQL and MariaDB print it.

use super::not_shared::NotShared;

/// A token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Token {
    /// A word in lower case: an operator, a function, a constant.
    Word(String),
    /// A name in backticks.
    Name(String),
    /// A text.
    Text(String),
    /// A number, as it is written.
    Number(String),
    /// A sign.
    Sign(&'static str),
}

/// The signs that may follow one another, longest first.
const SIGNS: [&str; 12] = ["<>", "!=", "<=", ">=", "&&", "(", ")", ",", "=", "<", ">", "+"];
const MORE_SIGNS: [&str; 3] = ["-", "*", "/"];

/// Signs that begin with one of those above and mean something that is not shared.
const UNSHARED: [&str; 7] = ["<=>", "<<", ">>", "->", "||", ":=", "/*"];

/// Takes an expression apart.
pub(super) fn tokens(text: &str) -> Result<Vec<Token>, NotShared> {
    let mut scanner = Scanner { rest: text };
    let mut found = Vec::new();
    while let Some(token) = scanner.next()? {
        found.push(token);
    }
    Ok(found)
}

struct Scanner<'t> {
    rest: &'t str,
}

impl<'t> Scanner<'t> {
    fn next(&mut self) -> Result<Option<Token>, NotShared> {
        self.rest = self.rest.trim_start();
        let Some(first) = self.rest.chars().next() else { return Ok(None) };
        let token = match first {
            '`' => Token::Name(self.quoted('`')?),
            '\'' => Token::Text(self.text()?),
            '0'..='9' | '.' => self.number()?,
            'a'..='z' | 'A'..='Z' | '_' => self.word()?,
            _ => Token::Sign(self.sign()?),
        };
        Ok(Some(token))
    }

    fn take(&mut self, bytes: usize) -> &'t str {
        let (taken, rest) = self.rest.split_at(bytes);
        self.rest = rest;
        taken
    }

    /// Takes a name or text whose quotes are doubled inside.
    fn quoted(&mut self, quote: char) -> Result<String, NotShared> {
        self.take(1);
        let mut inside = String::new();
        loop {
            let Some(end) = self.rest.find(quote) else { return Err(NotShared::unclosed()) };
            inside.push_str(self.take(end));
            self.take(1);
            if !self.rest.starts_with(quote) {
                return Ok(inside);
            }
            inside.push(quote);
            self.take(1);
        }
    }

    /// Takes a text. The meaning of a backslash depends on the mode of the session, and the catalogue prints `?` for
    /// characters that it cannot hold.
    fn text(&mut self) -> Result<String, NotShared> {
        checked(self.quoted('\'')?)
    }

    fn number(&mut self) -> Result<Token, NotShared> {
        let end = self.rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '.');
        let mut written = self.take(end.unwrap_or(self.rest.len())).to_owned();
        if written.ends_with(['e', 'E']) && self.rest.starts_with(['+', '-']) {
            written += self.take(1);
            let digits = self.rest.find(|c: char| !c.is_ascii_digit());
            written += self.take(digits.unwrap_or(self.rest.len()));
        }
        let is_plain = written.chars().all(|c| c.is_ascii_digit() || ".eE+-".contains(c));
        match is_plain && written.parse::<f64>().is_ok() {
            true => Ok(Token::Number(written)),
            false => Err(NotShared::new(format!("the number {written}"))),
        }
    }

    fn word(&mut self) -> Result<Token, NotShared> {
        let end = self.rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_');
        let word = self.take(end.unwrap_or(self.rest.len())).to_ascii_lowercase();
        let introduces = self.rest.starts_with('\'') || self.rest.starts_with("\\'");
        match word.as_str() {
            "_utf8mb4" | "_utf8mb3" | "_utf8" | "_ascii" if introduces => {
                self.introduced().map(Token::Text)
            }
            _ if introduces => Err(NotShared::new(format!("a text behind {word}"))),
            _ => Ok(Token::Word(word)),
        }
    }

    /// Takes the text behind a character set. MySQL's catalogue has backslashes before its quotes.
    fn introduced(&mut self) -> Result<String, NotShared> {
        if self.rest.starts_with('\'') {
            return self.text();
        }
        self.take(2);
        let Some(end) = self.rest.find('\\') else { return Err(NotShared::unclosed()) };
        let inside = self.take(end).to_owned();
        let is_closed = self.rest.starts_with("\\'");
        self.take(2.min(self.rest.len()));
        let goes_on = self.rest.starts_with("\\'") || self.rest.starts_with('\'');
        if !is_closed || goes_on { Err(NotShared::backslash()) } else { checked(inside) }
    }

    fn sign(&mut self) -> Result<&'static str, NotShared> {
        if let Some(sign) = UNSHARED.iter().find(|sign| self.rest.starts_with(**sign)) {
            return Err(NotShared::new(format!("the sign {sign}")));
        }
        let mut known = SIGNS.iter().chain(&MORE_SIGNS);
        let Some(sign) = known.find(|sign| self.rest.starts_with(**sign)) else {
            let sign = self.rest.chars().next().unwrap_or_default();
            return Err(NotShared::new(format!("the sign {sign}")));
        };
        self.take(sign.len());
        Ok(sign)
    }
}

fn checked(text: String) -> Result<String, NotShared> {
    if text.contains('\\') {
        return Err(NotShared::backslash());
    }
    if text.contains('?') {
        return Err(NotShared::new("a text with a character that the catalogue may not know"));
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use Token::{Name, Number, Sign, Text, Word};

    #[track_caller]
    fn check(text: &str, expected: &[Token]) {
        assert_eq!(tokens(text).as_deref(), Ok(expected), "{text}");
    }

    #[test]
    fn both_servers_are_understood() {
        let (name, text) = (|name: &str| Name(name.to_owned()), |text: &str| Text(text.to_owned()));
        let (word, number) = (|w: &str| Word(w.to_owned()), |n: &str| Number(n.to_owned()));
        check("`a` >= 1.5e-3", &[name("a"), Sign(">="), number("1.5e-3")]);
        check("(`a``b` = 'it''s')", &[Sign("("), name("a`b"), Sign("="), text("it's"), Sign(")")]);
        check(
            "`s` in (_utf8mb4\\'x\\',_utf8mb4'y')",
            &[name("s"), word("in"), Sign("("), text("x"), Sign(","), text("y"), Sign(")")],
        );
        check("CHAR_LENGTH(`a`)", &[word("char_length"), Sign("("), name("a"), Sign(")")]);
        check("", &[]);
    }

    #[test]
    fn a_token_that_means_different_things_is_refused() {
        for text in [
            "`a` || `b`",
            "`a` <=> 1",
            "'a\\nb'",
            "_utf8mb4\\'it\\\\\\'s\\'",
            "_latin1'x'",
            "b'101'",
            "x'41'",
            "0x41",
            "'open",
            "`a` % 2",
            "!`a`",
            "@a",
            "'?'",
            "1.2.3",
            "`a`->'$.b'",
            "\"a\"",
        ] {
            assert!(tokens(text).is_err(), "{text}");
        }
    }
}
