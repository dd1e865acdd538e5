//! A column of a definition, read piece by piece: a piece that is not known by name is left out.

use crate::definition::token::{DdlToken, TokenKind};
use handoff_schema::OmissionKind;

/// The parts of the source's definition that a replica's column takes over. Its nullability comes
/// from the catalogue.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct ColumnClause {
    pub(crate) name: String,
    /// The type with its character set and collation, as printed.
    pub(crate) type_text: String,
    /// The DEFAULT, if it is a constant or the time of writing.
    pub(crate) default: Option<String>,
    /// The expression of ON UPDATE.
    pub(crate) on_update: Option<String>,
    /// AUTO_INCREMENT.
    pub(crate) numbered: bool,
    /// The text of COMMENT, quoted.
    pub(crate) comment: Option<String>,
    /// `SRID 4326` or `REF_SYSTEM_ID=4326`.
    pub(crate) reference_system: Option<String>,
    /// The parts that are left out.
    pub(crate) left_out: Vec<OmissionKind>,
}

impl ColumnClause {
    /// Parses the tokens behind the column's name. The tokens were cut from `text`.
    pub(super) fn parse(name: String, text: &str, tokens: &[DdlToken<'_>]) -> ColumnClause {
        let end = end_of_type(tokens);
        let type_text = source_text(text, &tokens[..end]);
        let mut clause = ColumnClause { name, type_text, ..ColumnClause::default() };
        let mut rest = &tokens[end..];
        while let taken @ 1.. = clause.character_set(text, rest) {
            rest = &rest[taken..];
        }
        while !rest.is_empty() {
            let taken = clause.attribute(text, rest);
            rest = &rest[taken.clamp(1, rest.len())..];
        }
        clause.left_out.sort_unstable();
        clause.left_out.dedup();
        clause
    }

    /// Takes in a character set between the type and its attributes, and returns the number of its tokens.
    fn character_set(&mut self, text: &str, tokens: &[DdlToken<'_>]) -> usize {
        let wanted = if starts(tokens, &["CHARACTER", "SET"]) {
            3
        } else if starts(tokens, &["COLLATE"]) {
            2
        } else if starts(tokens, &["COMPRESSED"]) {
            self.left_out.push(OmissionKind::ColumnAttribute);
            return unknown(tokens).min(tokens.len());
        } else {
            return 0;
        };
        let words = wanted.min(tokens.len());
        self.type_text.push(' ');
        self.type_text.push_str(&source_text(text, &tokens[..words]));
        words
    }

    /// Takes one attribute in, and returns the number of its tokens.
    fn attribute(&mut self, text: &str, tokens: &[DdlToken<'_>]) -> usize {
        if starts(tokens, &["NOT", "NULL"]) {
            2
        } else if starts(tokens, &["NULL"]) {
            1
        } else if starts(tokens, &["DEFAULT"]) {
            self.default_of(text, &tokens[1..])
        } else if starts(tokens, &["ON", "UPDATE"]) {
            let words = now(&tokens[2..]);
            self.on_update = (words > 0).then(|| source_text(text, &tokens[2..2 + words]));
            2 + words
        } else if starts(tokens, &["AUTO_INCREMENT"]) {
            self.numbered = true;
            1
        } else if starts(tokens, &["COMMENT"]) && tokens.get(1).is_some_and(DdlToken::is_text) {
            self.comment = Some(tokens[1].text.to_owned());
            2
        } else if starts(tokens, &["SRID"]) && tokens.len() > 1 {
            self.reference_system = Some(source_text(text, &tokens[..2]));
            2
        } else if starts(tokens, &["REF_SYSTEM_ID", "="]) && tokens.len() > 2 {
            self.reference_system = Some(source_text(text, &tokens[..3]));
            3
        } else if starts(tokens, &["GENERATED", "ALWAYS", "AS", "ROW"]) {
            5
        } else if starts(tokens, &["GENERATED", "ALWAYS", "AS"]) {
            self.left_out.push(OmissionKind::Expression);
            // What the server computed is data; how it kept that does not matter.
            let expression = group(&tokens[3..]);
            let kept = ["STORED", "VIRTUAL"];
            let is_kept = tokens.get(3 + expression).is_some_and(|token| token.is_any(&kept));
            3 + expression + usize::from(is_kept)
        } else if starts(tokens, &["CHECK"]) {
            self.left_out.push(OmissionKind::Check);
            1 + group(&tokens[1..])
        } else {
            self.left_out.push(OmissionKind::ColumnAttribute);
            unknown(tokens)
        }
    }

    /// Takes a DEFAULT in, unless it is an expression: that may ask a sequence or a function which the
    /// replica does not have.
    fn default_of(&mut self, text: &str, tokens: &[DdlToken<'_>]) -> usize {
        let words = constant(tokens);
        // A byte that is no character was read as one that no text has.
        let whole = source_text(text, &tokens[..words]);
        if words > 0 && !whole.contains(char::REPLACEMENT_CHARACTER) {
            self.default = Some(whole);
            return 1 + words;
        }
        self.left_out.push(OmissionKind::Default);
        1 + words.max(expression(tokens))
    }
}

impl DdlToken<'_> {
    fn is_text(&self) -> bool {
        self.kind == TokenKind::Text
    }

    /// Returns true for one of these words or signs outside of quotes.
    fn is_any(&self, texts: &[&str]) -> bool {
        texts.iter().any(|text| self.is(text))
    }

    /// Returns true for a token that goes on with a number: digits, letters as of `1e5`, a sign, a point.
    fn continues_number(&self) -> bool {
        let word = self.kind == TokenKind::Word;
        self.is_any(&["-", "+", "."])
            || word && self.text.bytes().all(|byte| byte.is_ascii_alphanumeric())
    }

    fn begins_number(&self) -> bool {
        self.text.starts_with(|c: char| c.is_ascii_digit())
    }
}

pub(super) fn starts(tokens: &[DdlToken<'_>], words: &[&str]) -> bool {
    tokens.len() >= words.len() && words.iter().zip(tokens).all(|(word, token)| token.is(word))
}

/// Returns the text from the first of the tokens to the last.
fn source_text(text: &str, tokens: &[DdlToken<'_>]) -> String {
    let (Some(first), Some(last)) = (tokens.first(), tokens.last()) else { return String::new() };
    text[first.range.start..last.range.end].to_owned()
}

/// Returns the number of tokens of the type.
fn end_of_type(tokens: &[DdlToken<'_>]) -> usize {
    let word = tokens.len().min(1);
    let end = word + group(&tokens[word..]);
    let signs = ["UNSIGNED", "SIGNED", "ZEROFILL", "PRECISION"];
    end + tokens[end..].iter().take_while(|token| token.is_any(&signs)).count()
}

/// Returns the number of tokens of a group in parentheses; 0 if there is none.
pub(super) fn group(tokens: &[DdlToken<'_>]) -> usize {
    let mut depth = 0_usize;
    for (at, token) in tokens.iter().enumerate() {
        if token.is("(") {
            depth += 1;
        } else if token.is(")") {
            depth = depth.saturating_sub(1);
        }
        if depth == 0 {
            return if at == 0 { 0 } else { at + 1 };
        }
    }
    tokens.len()
}

/// Returns the number of tokens of `CURRENT_TIMESTAMP`, with its digits or without; 0 for anything
/// else.
fn now(tokens: &[DdlToken<'_>]) -> usize {
    if starts(tokens, &["CURRENT_TIMESTAMP"]) { 1 + group(&tokens[1..]) } else { 0 }
}

/// Returns the number of tokens of a constant, or of the time of writing; 0 for anything else.
fn constant(tokens: &[DdlToken<'_>]) -> usize {
    let Some(first) = tokens.first() else { return 0 };
    // b'101', x'ff', _utf8mb4'text'.
    let marked =
        first.kind == TokenKind::Word && (first.text.starts_with('_') || first.is_any(&["b", "x"]));
    if first.is_text() || first.is_any(&["NULL", "TRUE", "FALSE"]) {
        return 1;
    }
    if marked && tokens.get(1).is_some_and(DdlToken::is_text) {
        return 2;
    }
    let signed = usize::from(first.is_any(&["-", "+"]));
    if !tokens.get(signed).is_some_and(DdlToken::begins_number) {
        return now(tokens);
    }
    let behind = tokens
        .windows(2)
        .position(|pair| pair[0].range.end != pair[1].range.start || !pair[1].continues_number());
    behind.map_or(tokens.len(), |at| at + 1)
}

/// Returns the number of tokens of an expression: a group, or a name with its arguments.
fn expression(tokens: &[DdlToken<'_>]) -> usize {
    let grouped = group(tokens);
    if grouped > 0 {
        return grouped;
    }
    let name = tokens.len().min(1);
    name + group(&tokens[name..])
}

/// Returns the number of tokens of an attribute that is not known, with its value.
fn unknown(tokens: &[DdlToken<'_>]) -> usize {
    let two = [["COLUMN_FORMAT"], ["STORAGE"]].iter().any(|word| starts(tokens, word));
    if two || starts(tokens, &["NOT"]) {
        2
    } else if tokens.get(1).is_some_and(|token| token.is("=")) {
        3
    } else {
        group(tokens).max(1)
    }
}

#[cfg(test)]
mod tests {
    use super::super::{DefinitionElement, ElementKind};
    use super::*;

    #[track_caller]
    fn clause(text: &str) -> ColumnClause {
        match DefinitionElement::parse(&format!("`c` {text}")).unwrap().kind {
            ElementKind::Column(clause) => clause,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn the_type_ends_where_its_attributes_begin() {
        let check = |text: &str, expected: &str| assert_eq!(clause(text).type_text, expected);
        check("int(10) unsigned zerofill NOT NULL", "int(10) unsigned zerofill");
        check(
            "enum('a)','b''(') CHARACTER SET latin1 DEFAULT 'b''('",
            "enum('a)','b''(') CHARACTER SET latin1",
        );
        check(
            "varchar(9) /*M!100301 COMPRESSED*/ CHARACTER SET utf8mb3 COLLATE utf8mb3_bin DEFAULT NULL",
            "varchar(9) CHARACTER SET utf8mb3 COLLATE utf8mb3_bin",
        );
        check("date /* mariadb-5.3 */ DEFAULT NULL", "date");
        check("vector(3)", "vector(3)");
    }

    #[test]
    fn constants_stay_and_expressions_do_not() {
        let check = |text: &str, kept: Option<&str>| {
            let clause = clause(&format!("int NOT NULL DEFAULT {text} COMMENT 'c'"));
            assert_eq!(clause.default.as_deref(), kept, "{text}");
            assert_eq!(clause.left_out.contains(&OmissionKind::Default), kept.is_none(), "{text}");
            assert_eq!(clause.comment.as_deref(), Some("'c'"), "{text}");
        };
        for constant in [
            "NULL",
            "'it''s, (a)'",
            "-1.50",
            "7",
            "1e-3",
            "b'101'",
            "0xFFF0",
            "_utf8mb4'x'",
            "'-1.50'",
            "current_timestamp()",
            "CURRENT_TIMESTAMP(3)",
            "CURRENT_TIMESTAMP",
        ] {
            check(constant, Some(constant));
        }
        for expression in [
            "nextval(`d`.`sq`)",
            "uuid()",
            "(1 + 2)",
            "(concat(_utf8mb3'a',`b`))",
            "`id`",
            "curdate()",
            "'\u{fffd}'",
            "(`a` collate utf8mb4_bin)",
            "user()",
        ] {
            check(expression, None);
        }
    }

    #[test]
    fn attributes_are_known_by_name_or_left_out() {
        use OmissionKind as O;
        let check = |text: &str, left_out: &[OmissionKind]| {
            let clause = clause(text);
            assert_eq!(clause.left_out, left_out, "{text}");
            clause
        };
        let plain = check("int NOT NULL AUTO_INCREMENT COMMENT 'AUTO_INCREMENT /*! x */'", &[]);
        assert!(plain.numbered);
        let now = "CURRENT_TIMESTAMP ON UPDATE current_timestamp(3)";
        let updated = check(&format!("timestamp(3) NOT NULL DEFAULT {now}"), &[]);
        assert_eq!(updated.on_update.as_deref(), Some("current_timestamp(3)"));
        let point = check("point NOT NULL /*!80003 SRID 4326 */", &[]);
        assert_eq!(point.reference_system.as_deref(), Some("SRID 4326"));
        check("int GENERATED ALWAYS AS ((`a` * (2))) STORED NOT NULL", &[O::Expression]);
        check("int AS (`a`) VIRTUAL", &[O::ColumnAttribute]);
        check("timestamp(6) GENERATED ALWAYS AS ROW START INVISIBLE", &[O::ColumnAttribute]);
        check("text DEFAULT NULL CHECK (octet_length(`tt`) > 3)", &[O::Check]);
        check("int NOT SECONDARY DEFAULT NULL", &[O::ColumnAttribute]);
        check(
            "int /*!50606 STORAGE DISK */ /*!50606 COLUMN_FORMAT DYNAMIC */ DEFAULT '1'",
            &[O::ColumnAttribute],
        );
        let flag = check("int NOT NULL `flag`='AUTO_INCREMENT' COMMENT 'x'", &[O::ColumnAttribute]);
        assert!(!flag.numbered && flag.comment.as_deref() == Some("'x'"));
    }
}
