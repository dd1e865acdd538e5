//! The tokens of a definition.

use std::ops::Range;

/// The kind of a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TokenKind {
    /// A word or number without quotes.
    Word,
    /// A name in backticks.
    Name,
    /// A text in single or double quotes.
    Text,
    /// Any other single character.
    Sign,
}

/// A piece of a statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct DdlToken<'a> {
    pub(crate) kind: TokenKind,
    /// The token's text, quotes included.
    pub(crate) text: &'a str,
    /// The token's range of bytes in the statement.
    pub(crate) range: Range<usize>,
}

impl DdlToken<'_> {
    /// Returns true for this word or sign outside of quotes, whatever its case.
    pub(crate) fn is(&self, text: &str) -> bool {
        matches!(self.kind, TokenKind::Word | TokenKind::Sign)
            && self.text.eq_ignore_ascii_case(text)
    }

    /// Returns the name in backticks, unquoted.
    pub(crate) fn name(&self) -> Option<String> {
        let inner = self.text.strip_prefix('`')?.strip_suffix('`')?;
        (self.kind == TokenKind::Name).then(|| inner.replace("``", "`"))
    }
}

/// Cuts a statement into tokens. Comments are left out, but the text of `/*!12345 … */` counts,
/// since the server runs it.
pub(crate) fn tokens(statement: &str) -> Vec<DdlToken<'_>> {
    let bytes = statement.as_bytes();
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        let start = at;
        let kind = match byte {
            b'`' => {
                at = end_of_quote(bytes, at);
                TokenKind::Name
            }
            b'\'' | b'"' => {
                at = end_of_quote(bytes, at);
                TokenKind::Text
            }
            b'/' if bytes.get(at + 1) == Some(&b'*') => {
                at = end_of_comment_head(bytes, at + 2);
                continue;
            }
            b'*' if bytes.get(at + 1) == Some(&b'/') => {
                at += 2;
                continue;
            }
            _ if byte.is_ascii_whitespace() => {
                at += 1;
                continue;
            }
            _ if is_word(byte) => {
                while bytes.get(at).copied().is_some_and(is_word) {
                    at += 1;
                }
                TokenKind::Word
            }
            _ => {
                at += 1;
                TokenKind::Sign
            }
        };
        found.push(DdlToken { kind, text: &statement[start..at], range: start..at });
    }
    found
}

/// Letters beyond ASCII count as parts of words, so that no character is ever cut.
fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'$' | 0x80..)
}

/// Returns the place behind the closing quote, or the end of a text that has none.
fn end_of_quote(bytes: &[u8], open: usize) -> usize {
    let quote = bytes[open];
    let mut at = open + 1;
    while let Some(&byte) = bytes.get(at) {
        let doubled = byte == quote && bytes.get(at + 1) == Some(&quote);
        let escaped = byte == b'\\' && quote != b'`';
        if doubled || escaped {
            at += 2;
        } else if byte == quote {
            return at + 1;
        } else {
            at += 1;
        }
    }
    bytes.len()
}

/// Skips a comment, or only the head of one that the server runs: `/*!80023 ` and `/*M!100100 `.
fn end_of_comment_head(bytes: &[u8], inside: usize) -> usize {
    let rest = &bytes[inside.min(bytes.len())..];
    let head = if rest.starts_with(b"!") {
        1
    } else if rest.starts_with(b"M!") {
        2
    } else {
        let close = rest.windows(2).position(|window| window == b"*/");
        return close.map_or(bytes.len(), |close| inside + close + 2);
    };
    inside + head + rest[head..].iter().take_while(|byte| byte.is_ascii_digit()).count()
}

/// Returns the index at which the words stand side by side outside of quotes.
pub(crate) fn find(tokens: &[DdlToken<'_>], words: &[&str]) -> Option<usize> {
    tokens
        .windows(words.len())
        .position(|window| window.iter().zip(words).all(|(token, word)| token.is(word)))
}
