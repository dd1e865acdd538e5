//! The definition of the shadow, made from the source's.

use crate::definition::{Definition, Element, ElementKind, Token, find, period, tokens};
use handoff_connect::quote_my;

/// Whether secondary indexes are made with the table or added to its rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Indexes {
    /// In `CREATE TABLE`.
    First,
    /// By one `ALTER TABLE` once the rows are there.
    Last,
}

/// The statements that make a shadow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ShadowSql {
    /// `CREATE TABLE`.
    pub(crate) create: String,
    /// `ALTER TABLE … ADD …` for after the rows.
    pub(crate) add_indexes: Option<String>,
    /// What the shadow lacks.
    pub(crate) notes: Vec<String>,
}

/// Spells the shadow of a table.
pub(crate) fn shadow_sql(source: &Definition, name: &str, indexes: Indexes) -> ShadowSql {
    let name = quote_my(name);
    let versioned = source.is_versioned();
    let numbered: Vec<&str> = source.numbered().collect();
    // Without a primary key InnoDB orders the rows by a unique one, and would build the table anew
    // for it.
    let has_primary = source.elements.iter().any(|e| e.kind == ElementKind::PrimaryKey);
    let mut notes = Vec::new();
    let (mut kept, mut later) = (Vec::new(), Vec::new());
    for element in &source.elements {
        match &element.kind {
            ElementKind::ForeignKey { name } => notes.push(match name {
                Some(name) => format!("the foreign key {} is not carried", quote_my(name.as_str())),
                None => "a foreign key is not carried".to_owned(),
            }),
            ElementKind::SystemTime => {}
            ElementKind::Column { .. } if versioned => kept.push(unversioned(element)),
            ElementKind::Check => kept.push(unnamed(element)),
            // The server wants a key on the column that it numbers from the start.
            ElementKind::Index { first, unique }
                if indexes == Indexes::Last
                    && (has_primary || !unique)
                    && !first.as_deref().is_some_and(|first| numbered.contains(&first)) =>
            {
                later.push(format!("ADD {}", element.text));
            }
            _ => kept.push(element.text.clone()),
        }
    }
    let options = options(&source.options, &mut notes);
    let create = format!("CREATE TABLE {name} (\n  {}\n){options}", kept.join(",\n  "));
    let add_indexes =
        (!later.is_empty()).then(|| format!("ALTER TABLE {name} {}", later.join(", ")));
    ShadowSql { create, add_indexes, notes }
}

/// Takes the name off a CHECK: on MySQL it is unique in the database, and the old table still has it.
fn unnamed(element: &Element) -> String {
    let tokens = tokens(&element.text);
    match find(&tokens, &["CHECK"]) {
        Some(at) => element.text[tokens[at].range.start..].to_owned(),
        None => element.text.clone(),
    }
}

/// Makes a column of a versioned table an ordinary one. The bounds of the period become data: the
/// replica holds the source's current rows with the source's own times.
fn unversioned(element: &Element) -> String {
    let tokens = tokens(&element.text);
    let mut text = element.text.clone();
    let mut replace = |at: usize, count: usize, by: &str| {
        text.replace_range(tokens[at].range.start..tokens[at + count - 1].range.end, by);
    };
    if let Some(at) = period(&tokens) {
        replace(at, 5, "NOT NULL DEFAULT 0");
    } else if let Some(at) = find(&tokens, &["WITHOUT", "SYSTEM", "VERSIONING"])
        .or_else(|| find(&tokens, &["WITH", "SYSTEM", "VERSIONING"]))
    {
        replace(at, 3, "");
    }
    text
}

/// Takes out what belongs to the source's machine, and its history.
fn options(options: &str, notes: &mut Vec<String>) -> String {
    let tokens = tokens(options);
    let mut kept = String::with_capacity(options.len());
    let mut at = 0;
    let mut copied = 0;
    while at < tokens.len() {
        let rest = &tokens[at..];
        let Some((words, note)) = left_out(rest) else {
            at += 1;
            continue;
        };
        kept.push_str(&options[copied..tokens[at].range.start]);
        at += words;
        copied = tokens[at - 1].range.end;
        notes.push(note.to_owned());
    }
    kept.push_str(&options[copied..]);
    notes.dedup();
    kept
}

/// Returns the number of tokens to leave out from here, and what to say about it.
fn left_out(tokens: &[Token<'_>]) -> Option<(usize, &'static str)> {
    let starts = |words: &[&str]| {
        tokens.len() >= words.len() && words.iter().zip(tokens).all(|(word, token)| token.is(word))
    };
    let valued = |words: usize| {
        let equals = usize::from(tokens.get(words).is_some_and(|token| token.is("=")));
        words + equals + 1
    };
    if starts(&["DATA", "DIRECTORY"]) || starts(&["INDEX", "DIRECTORY"]) {
        Some((valued(2).min(tokens.len()), "DATA DIRECTORY and INDEX DIRECTORY are not carried"))
    } else if starts(&["TABLESPACE"]) {
        Some((valued(1).min(tokens.len()), "the TABLESPACE is not carried"))
    } else if starts(&["WITH", "SYSTEM", "VERSIONING"]) {
        Some((3, "the history of the rows is not carried"))
    } else if starts(&["PARTITION", "BY", "SYSTEM_TIME"]) {
        Some((tokens.len(), "the history of the rows is not carried"))
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(source: &str, indexes: Indexes, expected: &str, later: Option<&str>, notes: &[&str]) {
        let definition = Definition::parse(source).unwrap();
        let sql = shadow_sql(&definition, "new", indexes);
        assert_eq!(sql.create, expected);
        assert_eq!(sql.add_indexes.as_deref(), later);
        assert_eq!(sql.notes, notes);
    }

    #[test]
    fn foreign_keys_names_of_checks_and_folders_are_left_out() {
        check(
            "CREATE TABLE `t` (\n  `a` int(11) DEFAULT NULL,\n  KEY `fk` (`a`),\n  \
             CONSTRAINT `fk` FOREIGN KEY (`a`) REFERENCES `p` (`CHECK`),\n  \
             CONSTRAINT `x CHECK` CHECK ((`a` < 100))\n) ENGINE=InnoDB DATA DIRECTORY='/x y/' \
             /*!50100 TABLESPACE `ts` */ COMMENT='DATA DIRECTORY=''x'''",
            Indexes::First,
            "CREATE TABLE `new` (\n  `a` int(11) DEFAULT NULL,\n  KEY `fk` (`a`),\n  \
             CHECK ((`a` < 100))\n) ENGINE=InnoDB  /*!50100  */ COMMENT='DATA DIRECTORY=''x'''",
            None,
            &[
                "the foreign key `fk` is not carried",
                "DATA DIRECTORY and INDEX DIRECTORY are not carried",
                "the TABLESPACE is not carried",
            ],
        );
    }

    #[test]
    fn indexes_come_last_but_for_keys_and_the_numbered_column() {
        check(
            "CREATE TABLE `t` (\n  `a` int(11) NOT NULL AUTO_INCREMENT,\n  `b` text,\n  \
             PRIMARY KEY (`b`(9)),\n  UNIQUE KEY `u` (`b`(3)),\n  KEY `a` (`a`),\n  KEY `e` ((`a` + 1)),\n  \
             FULLTEXT KEY `f` (`b`)\n) ENGINE=InnoDB AUTO_INCREMENT=7",
            Indexes::Last,
            "CREATE TABLE `new` (\n  `a` int(11) NOT NULL AUTO_INCREMENT,\n  `b` text,\n  \
             PRIMARY KEY (`b`(9)),\n  KEY `a` (`a`),\n  FULLTEXT KEY `f` (`b`)\n) \
             ENGINE=InnoDB AUTO_INCREMENT=7",
            Some("ALTER TABLE `new` ADD UNIQUE KEY `u` (`b`(3)), ADD KEY `e` ((`a` + 1))"),
            &[],
        );
    }

    #[test]
    fn without_a_primary_key_a_unique_one_stays() {
        check(
            "CREATE TABLE `t` (\n  `a` int(11) NOT NULL,\n  UNIQUE KEY `u` (`a`),\n  KEY `k` (`a`)\n) \
             ENGINE=InnoDB",
            Indexes::Last,
            "CREATE TABLE `new` (\n  `a` int(11) NOT NULL,\n  UNIQUE KEY `u` (`a`)\n) ENGINE=InnoDB",
            Some("ALTER TABLE `new` ADD KEY `k` (`a`)"),
            &[],
        );
    }

    #[test]
    fn a_versioned_table_becomes_an_ordinary_one() {
        check(
            "CREATE TABLE `v` (\n  `id` int(11) NOT NULL,\n  `a` int(11) DEFAULT NULL WITHOUT SYSTEM VERSIONING,\n  \
             `rs` timestamp(6) GENERATED ALWAYS AS ROW START INVISIBLE,\n  \
             `re` timestamp(6) GENERATED ALWAYS AS ROW END,\n  PRIMARY KEY (`id`,`re`),\n  \
             PERIOD FOR SYSTEM_TIME (`rs`, `re`)\n) ENGINE=InnoDB WITH SYSTEM VERSIONING\n \
             PARTITION BY SYSTEM_TIME INTERVAL 1 DAY\nPARTITIONS 3",
            Indexes::First,
            "CREATE TABLE `new` (\n  `id` int(11) NOT NULL,\n  `a` int(11) DEFAULT NULL ,\n  \
             `rs` timestamp(6) NOT NULL DEFAULT 0 INVISIBLE,\n  `re` timestamp(6) NOT NULL DEFAULT 0,\n  \
             PRIMARY KEY (`id`,`re`)\n) ENGINE=InnoDB \n ",
            None,
            &["the history of the rows is not carried"],
        );
    }
}
