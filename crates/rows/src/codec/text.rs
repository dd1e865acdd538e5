//! Texts: from the bytes of a character set to UTF-8 without NUL.

use super::cell::{CellWriter, PolicyUses, close, open};
use crate::refusal::ValueRefusal;
use handoff_model::LossPolicy;
use handoff_schema::TextEncoding;
use handoff_settings::{BadJson, BadText, NulBytes, ValuePolicies};
use std::borrow::Cow;

const REPLACEMENT: &str = "\u{fffd}";

/// Appends a text as `text`.
pub(super) fn text(
    encoding: TextEncoding,
    text: &[u8],
    exact: bool,
    cell: &mut CellWriter<'_>,
) -> Result<(), ValueRefusal> {
    let CellWriter { out, policies, uses, scratch } = cell;
    let text = decode(encoding, text, exact, policies, uses, &mut scratch.decoded)?;
    let text = without_nul(text, policies, uses)?;
    super::cell::put(out, &text);
    Ok(())
}

/// Appends the replacement of a text that the server could not convert at all: MySQL then answers
/// NULL.
pub(super) fn unconverted(cell: &mut CellWriter<'_>) -> Result<(), ValueRefusal> {
    bad_text(cell.policies, cell.uses)?;
    cell.put(REPLACEMENT.as_bytes());
    Ok(())
}

/// Appends a JSON document as `jsonb`.
pub(super) fn jsonb(
    encoding: TextEncoding,
    text: &[u8],
    exact: bool,
    cell: &mut CellWriter<'_>,
) -> Result<(), ValueRefusal> {
    let CellWriter { out, policies, uses, scratch } = cell;
    let text = decode(encoding, text, exact, policies, uses, &mut scratch.decoded)?;
    let start = open(out);
    // The version of the format.
    out.push(1);
    match scratch.jsonb.normalise(text, out) {
        Ok(()) => close(out, start),
        Err(problem) if policies.bad_json == BadJson::Fail => {
            return Err(ValueRefusal::policy(LossPolicy::BadJson, problem));
        }
        Err(_) => {
            // What `open` has put there is NULL.
            out.truncate(start);
            uses.count(LossPolicy::BadJson);
        }
    }
    Ok(())
}

/// Returns the text in UTF-8: `bytes` itself or the content of `buffer`.
pub(super) fn decode<'b>(
    encoding: TextEncoding,
    bytes: &'b [u8],
    exact: bool,
    policies: &ValuePolicies,
    uses: &mut PolicyUses,
    buffer: &'b mut Vec<u8>,
) -> Result<&'b [u8], ValueRefusal> {
    let valid = match encoding {
        TextEncoding::Latin1 if bytes.is_ascii() => true,
        TextEncoding::Latin1 => return Ok(from_latin1(bytes, buffer)),
        TextEncoding::Ascii => bytes.is_ascii(),
        TextEncoding::Utf8 | TextEncoding::Server => {
            if !exact {
                bad_text(policies, uses)?;
            }
            simdutf8::basic::from_utf8(bytes).is_ok()
        }
    };
    if valid {
        return Ok(bytes);
    }
    if exact {
        bad_text(policies, uses)?;
    }
    Ok(replaced(encoding, bytes, buffer))
}

fn bad_text(policies: &ValuePolicies, uses: &mut PolicyUses) -> Result<(), ValueRefusal> {
    if policies.bad_text == BadText::Fail {
        let problem = "a text that is not valid in its character set";
        return Err(ValueRefusal::policy(LossPolicy::BadText, problem));
    }
    uses.count(LossPolicy::BadText);
    Ok(())
}

fn replaced<'b>(encoding: TextEncoding, bytes: &[u8], buffer: &'b mut Vec<u8>) -> &'b [u8] {
    buffer.clear();
    if encoding == TextEncoding::Ascii {
        for &byte in bytes {
            match byte {
                0..=0x7f => buffer.push(byte),
                _ => buffer.extend_from_slice(REPLACEMENT.as_bytes()),
            }
        }
    } else {
        buffer.extend_from_slice(String::from_utf8_lossy(bytes).as_bytes());
    }
    buffer
}

pub(super) fn without_nul<'b>(
    text: &'b [u8],
    policies: &ValuePolicies,
    uses: &mut PolicyUses,
) -> Result<Cow<'b, [u8]>, ValueRefusal> {
    if !text.contains(&0) {
        return Ok(Cow::Borrowed(text));
    }
    let instead: &[u8] = match policies.nul_bytes {
        NulBytes::Fail => {
            return Err(ValueRefusal::policy(LossPolicy::NulBytes, "a text with a NUL byte"));
        }
        NulBytes::Strip => &[],
        NulBytes::Replace => REPLACEMENT.as_bytes(),
    };
    uses.count(LossPolicy::NulBytes);
    Ok(Cow::Owned(text.split(|&byte| byte == 0).collect::<Vec<_>>().join(instead)))
}

fn from_latin1<'b>(bytes: &[u8], buffer: &'b mut Vec<u8>) -> &'b [u8] {
    buffer.clear();
    let mut utf8 = [0; 4];
    for &byte in bytes {
        match byte {
            0..=0x7f => buffer.push(byte),
            0x80..=0x9f => {
                let c = CP1252[usize::from(byte - 0x80)];
                buffer.extend_from_slice(c.encode_utf8(&mut utf8).as_bytes());
            }
            _ => buffer.extend_from_slice(char::from(byte).encode_utf8(&mut utf8).as_bytes()),
        }
    }
    buffer
}

/// Returns a text in MySQL's latin1; [`None`] if that has no byte for one of its characters.
pub(crate) fn to_latin1(text: &str) -> Option<Vec<u8>> {
    text.chars().map(latin1_byte).collect()
}

fn latin1_byte(c: char) -> Option<u8> {
    match c {
        '\0'..='\x7f' | '\u{a0}'..='\u{ff}' => u8::try_from(c).ok(),
        _ => (0x80..).zip(CP1252).find(|(_, other)| *other == c).map(|(byte, _)| byte),
    }
}

/// The characters of the bytes 80 to 9F in MySQL's latin1.
const CP1252: [char; 32] = [
    '\u{20ac}', '\u{81}', '\u{201a}', '\u{192}', '\u{201e}', '\u{2026}', '\u{2020}', '\u{2021}',
    '\u{2c6}', '\u{2030}', '\u{160}', '\u{2039}', '\u{152}', '\u{8d}', '\u{17d}', '\u{8f}',
    '\u{90}', '\u{2018}', '\u{2019}', '\u{201c}', '\u{201d}', '\u{2022}', '\u{2013}', '\u{2014}',
    '\u{2dc}', '\u{2122}', '\u{161}', '\u{203a}', '\u{153}', '\u{9d}', '\u{17e}', '\u{178}',
];
