//! Reads `COLUMN_TYPE`.

use crate::mysql_type::kinds::{IntegerSign, MySqlType};
use std::fmt::{self, Write};
use std::str::FromStr;

/// A column type that Handoff does not know.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0} is no known column type")]
pub struct UnknownType(pub String);

impl FromStr for MySqlType {
    type Err = UnknownType;

    fn from_str(text: &str) -> Result<MySqlType, UnknownType> {
        parse(text).ok_or_else(|| UnknownType(text.to_owned()))
    }
}

/// A type cut into its name, what stands in parentheses, and the words after it.
struct TypeText<'a> {
    name: String,
    arguments: Option<&'a str>,
    words: Vec<String>,
}

impl<'a> TypeText<'a> {
    fn cut(spelled: &'a str) -> Option<TypeText<'a>> {
        let text = spelled.trim();
        let name_end = text.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(text.len());
        let (name, rest) = text.split_at(name_end);
        let (arguments, rest) = match rest.strip_prefix('(') {
            Some(inside) => {
                let end = closing(inside)?;
                (Some(&inside[..end]), &inside[end + 1..])
            }
            None => (None, rest),
        };
        let words = without_comment(rest)?.split_whitespace().map(str::to_ascii_lowercase);
        Some(TypeText { name: name.to_ascii_lowercase(), arguments, words: words.collect() })
    }

    /// Returns the numbers in parentheses; empty without any.
    fn numbers(&self) -> Option<Vec<u16>> {
        let Some(arguments) = self.arguments else { return Some(Vec::new()) };
        arguments.split(',').map(|number| number.trim().parse().ok()).collect()
    }

    /// Returns the one number in parentheses, or what stands for none.
    fn number(&self, default: u16) -> Option<u16> {
        match self.numbers()?[..] {
            [] => Some(default),
            [number] => Some(number),
            _ => None,
        }
    }

    /// Reads `unsigned` and `zerofill`, which implies it, and nothing else.
    fn sign(&self) -> Option<IntegerSign> {
        let mut sign = IntegerSign::Signed;
        for word in &self.words {
            match word.as_str() {
                "unsigned" | "zerofill" => sign = IntegerSign::Unsigned,
                "signed" => {}
                _ => return None,
            }
        }
        Some(sign)
    }

    /// Returns true if nothing but a character set and a collation follows the type.
    fn only_charset(&self) -> bool {
        let mut words = self.words.iter().map(String::as_str);
        while let Some(word) = words.next() {
            let known = match word {
                "character" => words.next() == Some("set") && words.next().is_some(),
                "charset" | "collate" => words.next().is_some(),
                "binary" | "ascii" | "unicode" => true,
                _ => false,
            };
            if !known {
                return false;
            }
        }
        true
    }
}

/// Returns where the parenthesis closes that was opened before `text`, skipping quoted labels.
fn closing(text: &str) -> Option<usize> {
    let (mut quoted, mut escaped) = (false, false);
    for (index, c) in text.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            // A doubled quote closes and opens again.
            '\'' => quoted = !quoted,
            ')' if !quoted => return Some(index),
            _ => {}
        }
    }
    None
}

/// Cuts off what MariaDB adds to compressed columns and to temporal types of old tables.
fn without_comment(text: &str) -> Option<&str> {
    match text.split_once("/*") {
        Some((before, comment)) => comment.trim_end().ends_with("*/").then_some(before),
        None => Some(text),
    }
}

fn parse(text: &str) -> Option<MySqlType> {
    use MySqlType as M;
    let spelling = TypeText::cut(text)?;
    let kind = match spelling.name.as_str() {
        "tinyint" => M::TinyInt(integer(&spelling)?),
        "smallint" => M::SmallInt(integer(&spelling)?),
        "mediumint" => M::MediumInt(integer(&spelling)?),
        "int" => M::Int(integer(&spelling)?),
        "bigint" => M::BigInt(integer(&spelling)?),
        "decimal" => decimal(&spelling)?,
        "float" => floating(&spelling, M::Float)?,
        "double" => floating(&spelling, M::Double)?,
        "char" => text_of(&spelling, M::Char)?,
        "varchar" => text_of(&spelling, M::VarChar)?,
        "tinytext" | "text" | "mediumtext" | "longtext" => text_of(&spelling, M::Text)?,
        "enum" if spelling.only_charset() => M::Enum(labels(spelling.arguments?)?),
        "set" if spelling.only_charset() => M::Set(labels(spelling.arguments?)?),
        _ if spelling.words.is_empty() => without_words(&spelling)?,
        _ => return None,
    };
    Some(kind)
}

/// Reads the types after which no word can stand.
fn without_words(spelling: &TypeText<'_>) -> Option<MySqlType> {
    use MySqlType as M;
    Some(match spelling.name.as_str() {
        "bit" => M::Bit(within(spelling.number(1)?, 1, 64)?),
        "datetime" => M::DateTime(fraction(spelling)?),
        "timestamp" => M::Timestamp(fraction(spelling)?),
        "time" => M::Time(fraction(spelling)?),
        "binary" => M::Binary(spelling.number(1)?),
        "vector" => M::Vector(spelling.number(2048)?),
        "year" => plain(M::Year, spelling.number(4))?,
        "varbinary" => plain(M::VarBinary, spelling.number(0))?,
        "tinyblob" | "blob" | "mediumblob" | "longblob" => plain(M::Blob, spelling.number(0))?,
        _ if spelling.arguments.is_some() => return None,
        "date" => M::Date,
        "json" => M::Json,
        "uuid" => M::Uuid,
        "inet4" => M::Inet4,
        "inet6" => M::Inet6,
        "geometry" | "point" | "linestring" | "polygon" | "multipoint" | "multilinestring"
        | "multipolygon" | "geometrycollection" | "geomcollection" => M::Geometry,
        _ => return None,
    })
}

fn integer(spelling: &TypeText<'_>) -> Option<IntegerSign> {
    spelling.number(0)?;
    spelling.sign()
}

fn decimal(spelling: &TypeText<'_>) -> Option<MySqlType> {
    spelling.sign()?;
    let (precision, scale) = match spelling.numbers()?[..] {
        [] => (10, 0),
        [precision] => (precision, 0),
        [precision, scale] => (precision, scale),
        _ => return None,
    };
    let scale = within(scale, 0, precision)?;
    Some(MySqlType::Decimal { precision: within(precision, 1, 65)?, scale })
}

fn floating(spelling: &TypeText<'_>, kind: MySqlType) -> Option<MySqlType> {
    spelling.sign()?;
    (spelling.numbers()?.len() <= 2).then_some(kind)
}

fn text_of(spelling: &TypeText<'_>, kind: MySqlType) -> Option<MySqlType> {
    // A length of TEXT and VARCHAR may exceed 16 bits in no server, but nothing here needs it.
    let has_length = spelling.arguments.is_none_or(|text| text.bytes().all(|b| b.is_ascii_digit()));
    (spelling.only_charset() && has_length).then_some(kind)
}

fn plain(kind: MySqlType, length: Option<u16>) -> Option<MySqlType> {
    length.map(|_| kind)
}

fn fraction(spelling: &TypeText<'_>) -> Option<u8> {
    within(spelling.number(0)?, 0, 6)
}

fn within(number: u16, low: u16, high: u16) -> Option<u8> {
    (low..=high).contains(&number).then(|| u8::try_from(number).ok()).flatten()
}

/// Reads `'a','b'`. Both servers double a quote and escape a backslash, NUL, newline and return.
fn labels(text: &str) -> Option<Vec<String>> {
    let mut labels = Vec::new();
    let mut rest = text;
    loop {
        let (label, after) = label(rest.trim_start().strip_prefix('\'')?)?;
        labels.push(label);
        rest = after.trim_start();
        match rest.strip_prefix(',') {
            Some(next) => rest = next,
            None => return rest.is_empty().then_some(labels),
        }
    }
}

/// Reads one label behind its opening quote; returns it and what follows its closing quote.
fn label(text: &str) -> Option<(String, &str)> {
    let mut label = String::new();
    let mut chars = text.char_indices();
    while let Some((index, c)) = chars.next() {
        match c {
            '\'' if text[index + 1..].starts_with('\'') => {
                chars.next();
                label.push('\'');
            }
            '\'' => return Some((label, &text[index + 1..])),
            '\\' => label.push(unescaped(chars.next()?.1)),
            c => label.push(c),
        }
    }
    None
}

fn unescaped(c: char) -> char {
    match c {
        '0' => '\0',
        'n' => '\n',
        'r' => '\r',
        c => c,
    }
}

/// Writes a label as the servers spell it.
pub(super) fn escape(label: &str, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    for c in label.chars() {
        match c {
            '\'' => f.write_str("''")?,
            '\\' => f.write_str("\\\\")?,
            '\0' => f.write_str("\\0")?,
            '\n' => f.write_str("\\n")?,
            '\r' => f.write_str("\\r")?,
            c => f.write_char(c)?,
        }
    }
    Ok(())
}
