//! Statements for a person to paste: as those that are sent, but without a character that is not seen.
//!
//! A name may hold a line break or a terminal's escape sequence. Pasted as it is, it would be cut in two
//! or do something else, at the latest without bracketed paste.

use handoff_model::is_hidden;

/// Writes a statement for psql: a quoted name or text with hidden characters becomes `U&"…"` or `U&'…'`.
pub fn paste_pg(sql: &str) -> String {
    let mut pasted = String::with_capacity(sql.len());
    let mut rest = sql;
    while let Some(start) = rest.find(['"', '\'']) {
        let (before, quoted) = rest.split_at(start);
        let (quoted, after) = quoted.split_at(quoted_len(quoted));
        pasted.push_str(before);
        pasted.push_str(&in_unicode_quotes(quoted));
        rest = after;
    }
    pasted + rest
}

/// Returns the length of the quoted piece that a text begins with.
fn quoted_len(text: &str) -> usize {
    let quote = text.as_bytes()[0];
    let mut bytes = text.bytes().enumerate().skip(1).peekable();
    while let Some((at, byte)) = bytes.next() {
        if byte == quote && bytes.next_if(|&(_, next)| next == quote).is_none() {
            return at + 1;
        }
    }
    text.len()
}

fn in_unicode_quotes(quoted: &str) -> String {
    if !quoted.contains(is_hidden) {
        return quoted.to_owned();
    }
    let escaped = quoted.chars().map(|c| match c {
        '\\' => "\\\\".to_owned(),
        c if is_hidden(c) && c > '\u{ffff}' => format!("\\+{:06X}", u32::from(c)),
        c if is_hidden(c) => format!("\\{:04X}", u32::from(c)),
        c => c.to_string(),
    });
    format!("U&{}", escaped.collect::<String>())
}

/// Returns true for a character that stands in no text: a backslash means itself or not, by the mode of the
/// client's session.
fn is_odd(c: char) -> bool {
    is_hidden(c) || c == '\\'
}

/// Writes a statement for the clients of MySQL and MariaDB, whose quoted names know no escapes: with
/// hidden characters it is put together as a text, prepared and executed.
pub fn paste_my(sql: &str) -> String {
    if !sql.contains(is_hidden) {
        return sql.to_owned();
    }
    let mut parts = Vec::new();
    let mut rest = sql;
    while !rest.is_empty() {
        let odd = rest.starts_with(is_odd);
        let end = rest.find(|c| is_odd(c) != odd).unwrap_or(rest.len());
        let (part, after) = rest.split_at(end);
        parts.push(if odd { in_hex(part) } else { format!("'{}'", part.replace('\'', "''")) });
        rest = after;
    }
    format!(
        "SET @handoff = CONCAT({}); PREPARE handoff FROM @handoff; EXECUTE handoff",
        parts.join(", ")
    )
}

fn in_hex(part: &str) -> String {
    let digits: String = part.bytes().map(|byte| format!("{byte:02X}")).collect();
    format!("_utf8mb4 0x{digits}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statements_without_hidden_characters_stay_as_they_are() {
        let sql = "GRANT SELECT ON \"a\"\"b\".\"c\\d\" TO \"é\"";
        assert_eq!(paste_pg(sql), sql);
        assert_eq!(
            paste_my("GRANT ALL ON `a``b`.* TO `x`@`%`"),
            "GRANT ALL ON `a``b`.* TO `x`@`%`"
        );
    }

    #[test]
    fn hidden_characters_are_written_out() {
        assert_eq!(
            paste_pg("ALTER TABLE \"raw\".\"a\r\n\"\"\\b\" OWNER TO \"e\u{202e}\u{e0001}\""),
            "ALTER TABLE \"raw\".U&\"a\\000D\\000A\"\"\\\\b\" OWNER TO U&\"e\\202E\\+0E0001\""
        );
        assert_eq!(
            paste_my("GRANT SELECT ON `d`.`it's\r\n\\x` TO `u`"),
            "SET @handoff = CONCAT('GRANT SELECT ON `d`.`it''s', _utf8mb4 0x0D0A5C, 'x` TO `u`'); \
             PREPARE handoff FROM @handoff; EXECUTE handoff"
        );
    }
}
