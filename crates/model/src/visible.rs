//! Texts as a terminal, a log or a page may show them.
//!
//! Names and servers' messages come from databases that others write to. A name may hold a line break
//! and a forged line behind it, a terminal's escape sequence, or characters that reverse what is read or
//! are not seen at all. Each of these is shown as its escape: `\n`, `\u{1b}`, `\u{202e}`.

use std::borrow::Cow;

/// Returns a name or message as it may be shown within one line.
pub fn visible(text: &str) -> Cow<'_, str> {
    escaped(text, is_hidden)
}

/// Returns a text of several lines as it may be shown: line breaks and tabs are our own.
pub fn visible_lines(text: &str) -> Cow<'_, str> {
    escaped(text, |c| is_hidden(c) && c != '\n' && c != '\t')
}

fn escaped(text: &str, is_odd: fn(char) -> bool) -> Cow<'_, str> {
    if !text.contains(is_odd) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        match c {
            c if !is_odd(c) => shown.push(c),
            '\n' | '\r' | '\t' => shown.extend(c.escape_default()),
            c => shown.extend(c.escape_unicode()),
        }
    }
    Cow::Owned(shown)
}

/// Returns true for a character that moves the cursor or is not seen: control characters, line and
/// paragraph separators, and the format characters of Unicode (category Cf), bidirectional ones among
/// them.
pub fn is_hidden(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{600}'..='\u{605}' | '\u{61c}' | '\u{6dd}' | '\u{70f}'
            | '\u{890}'..='\u{891}' | '\u{8e2}' | '\u{115f}'..='\u{1160}' | '\u{180b}'..='\u{180f}'
            | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
            | '\u{2800}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}'
            | '\u{fff9}'..='\u{fffb}' | '\u{110bd}' | '\u{110cd}' | '\u{13430}'..='\u{1343f}'
            | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
}

fn is_hidden_in_json(c: char) -> bool {
    is_hidden(c) && c != '\n'
}

/// Returns a JSON document in which no character is hidden, and every text is what it was.
pub fn visible_json(document: &str) -> Cow<'_, str> {
    if !document.contains(is_hidden_in_json) {
        return Cow::Borrowed(document);
    }
    let mut shown = String::with_capacity(document.len() + 8);
    for c in document.chars() {
        if is_hidden_in_json(c) {
            let units = c
                .encode_utf16(&mut [0; 2])
                .iter()
                .map(|unit| format!("\\u{unit:04x}"))
                .collect::<String>();
            shown.push_str(&units);
        } else {
            shown.push(c);
        }
    }
    Cow::Owned(shown)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_moves_the_cursor_or_is_not_seen_is_shown_as_its_escape() {
        for (text, shown) in [
            ("a\r\nERROR [forged]", "a\\r\\nERROR [forged]"),
            ("\u{1b}]0;x\u{7}", "\\u{1b}]0;x\\u{7}"),
            ("\u{9b}31m\u{7f}", "\\u{9b}31m\\u{7f}"),
            (
                "a\u{202e}b\u{2066}c\u{200b}\u{feff}\u{2028}",
                "a\\u{202e}b\\u{2066}c\\u{200b}\\u{feff}\\u{2028}",
            ),
            ("e\u{301}ö日\u{1f600} \\n", "e\u{301}ö日\u{1f600} \\n"),
        ] {
            assert_eq!(visible(text), shown);
        }
        assert_eq!(visible_lines("a\n\tb\rc"), "a\n\tb\\rc");
    }

    #[test]
    fn a_document_keeps_its_texts() {
        assert_eq!(
            visible_json("{\n \"a\u{202e}\": \"\u{e0001}\u{7f}\"}"),
            "{\n \"a\\u202e\": \"\\udb40\\udc01\\u007f\"}"
        );
    }
}
