//! Strings: decoded if they have escapes, printed with the fewest.

use super::tape::{Bad, LONE_SURROGATE, NO_JSON, NUL};

/// A string's place, in `strings` if it was decoded, else in the document.
pub(super) struct StringToken {
    pub(super) from: usize,
    pub(super) to: usize,
    pub(super) decoded: bool,
}

/// Reads the string whose quote is at `at`; returns it and the position behind its closing quote.
pub(super) fn read(
    text: &[u8],
    at: usize,
    strings: &mut Vec<u8>,
) -> Result<(StringToken, usize), Bad> {
    let from = at + 1;
    let mut end = from + plain_length(&text[from..]);
    if text.get(end) == Some(&b'"') {
        return Ok((StringToken { from, to: end, decoded: false }, end + 1));
    }
    let decoded_from = strings.len();
    strings.extend_from_slice(&text[from..end]);
    loop {
        match text.get(end) {
            Some(b'"') => break,
            Some(b'\\') => end = escape(text, end + 1, strings)?,
            // A control character, or the end of the document.
            _ => return Err(NO_JSON),
        }
        let run = plain_length(&text[end..]);
        strings.extend_from_slice(&text[end..end + run]);
        end += run;
    }
    Ok((StringToken { from: decoded_from, to: strings.len(), decoded: true }, end + 1))
}

/// Counts the bytes before the first that ends or escapes, or that may not stand in a string.
fn plain_length(text: &[u8]) -> usize {
    text.iter().position(|&byte| is_special(byte)).unwrap_or(text.len())
}

fn is_special(byte: u8) -> bool {
    byte < 0x20 || byte == b'"' || byte == b'\\'
}

/// Decodes the escape whose backslash is before `at`; returns the position behind it.
fn escape(text: &[u8], at: usize, strings: &mut Vec<u8>) -> Result<usize, Bad> {
    let byte = match text.get(at) {
        Some(&byte @ (b'"' | b'\\' | b'/')) => byte,
        Some(b'b') => 0x08,
        Some(b'f') => 0x0c,
        Some(b'n') => b'\n',
        Some(b'r') => b'\r',
        Some(b't') => b'\t',
        Some(b'u') => return unicode(text, at + 1, strings),
        _ => return Err(NO_JSON),
    };
    strings.push(byte);
    Ok(at + 1)
}

/// Decodes four hex digits, and those of the other half of a surrogate pair.
fn unicode(text: &[u8], at: usize, strings: &mut Vec<u8>) -> Result<usize, Bad> {
    let first = hex4(text, at)?;
    let mut end = at + 4;
    let code = match first {
        0 => return Err(NUL),
        0xd800..=0xdbff => {
            if text.get(end..end + 2) != Some(b"\\u") {
                return Err(LONE_SURROGATE);
            }
            let second = hex4(text, end + 2)?;
            if !(0xdc00..=0xdfff).contains(&second) {
                return Err(LONE_SURROGATE);
            }
            end += 6;
            0x1_0000 + ((first - 0xd800) << 10) + (second - 0xdc00)
        }
        code => code,
    };
    let c = char::from_u32(code).ok_or(LONE_SURROGATE)?;
    strings.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
    Ok(end)
}

fn hex4(text: &[u8], at: usize) -> Result<u32, Bad> {
    let digits = text.get(at..at + 4).ok_or(NO_JSON)?;
    digits.iter().try_fold(0, |code, &byte| {
        let digit = char::from(byte).to_digit(16).ok_or(NO_JSON)?;
        Ok(code << 4 | digit)
    })
}

/// Appends a decoded string as PostgreSQL's `escape_json` prints it.
pub(super) fn print(mut string: &[u8], out: &mut Vec<u8>) {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    out.push(b'"');
    loop {
        let (plain, rest) = string.split_at(plain_length(string));
        out.extend_from_slice(plain);
        let Some((&byte, rest)) = rest.split_first() else { break };
        match byte {
            b'"' | b'\\' => out.extend_from_slice(&[b'\\', byte]),
            0x08 => out.extend_from_slice(b"\\b"),
            0x0c => out.extend_from_slice(b"\\f"),
            b'\n' => out.extend_from_slice(b"\\n"),
            b'\r' => out.extend_from_slice(b"\\r"),
            b'\t' => out.extend_from_slice(b"\\t"),
            _ => {
                out.extend_from_slice(b"\\u00");
                out.push(HEX[usize::from(byte >> 4)]);
                out.push(HEX[usize::from(byte & 15)]);
            }
        }
        string = rest;
    }
    out.push(b'"');
}
