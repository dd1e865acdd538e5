//! The answer to `SHOW CREATE TABLE`, in pieces that can be left out or moved.
//!
//! The text is cut into tokens first, so that quotes, parentheses, commas and line ends inside
//! names, labels, defaults and comments mean nothing.

mod column;
mod element;
mod options;
mod token;

pub(crate) use column::ColumnClause;
pub(crate) use element::{DefinitionElement, ElementKind, IndexClause, IndexWord};
pub(crate) use options::TableOptions;
pub(crate) use token::{TokenKind, tokens};

use handoff_model::own;
use std::ops::Range;

/// A parsed `CREATE TABLE` statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TableDefinition {
    /// Columns, indexes and constraints in order.
    pub(crate) elements: Vec<DefinitionElement>,
    /// The text behind the closing parenthesis: engine, options, partitions.
    pub(crate) options: String,
}

impl TableDefinition {
    /// Parses the statement as either server prints it with an empty `sql_mode`.
    ///
    /// # Errors
    ///
    /// Returns a description of the oddity.
    pub(crate) fn parse(statement: &str) -> Result<TableDefinition, &'static str> {
        let all = tokens(statement);
        let mut rest = all.iter();
        let start = ["CREATE", "TABLE"].iter().all(|word| rest.next().is_some_and(|t| t.is(word)));
        let named = rest.next().is_some_and(|token| token.kind == TokenKind::Name);
        let open = rest.next().filter(|token| token.is("("));
        let Some(open) = open.filter(|_| start && named) else {
            return Err("it does not begin with CREATE TABLE and a name");
        };
        let mut elements = Vec::new();
        let mut piece = open.range.end;
        let mut depth = 1_usize;
        for token in rest {
            match (token.text, depth) {
                ("(", _) if token.kind == TokenKind::Sign => depth += 1,
                (")", 1) if token.kind == TokenKind::Sign => {
                    elements.push(element(statement, piece..token.range.start)?);
                    let options = statement[token.range.end..].to_owned();
                    return Ok(TableDefinition { elements, options });
                }
                (")", _) if token.kind == TokenKind::Sign => depth -= 1,
                (",", 1) if token.kind == TokenKind::Sign => {
                    elements.push(element(statement, piece..token.range.start)?);
                    piece = token.range.end;
                }
                _ => {}
            }
        }
        Err("its parentheses do not match")
    }

    /// Returns the names of the columns in order.
    pub(crate) fn columns(&self) -> impl Iterator<Item = &str> {
        let columns = self.elements.iter().filter_map(|element| match &element.kind {
            ElementKind::Column(column) => Some(column.name.as_str()),
            _ => None,
        });
        columns.filter(|name| *name != own::ROW_NUMBER)
    }

    /// Returns the columns that the server numbers by itself.
    pub(crate) fn numbered(&self) -> impl Iterator<Item = &str> {
        self.elements.iter().filter_map(|element| match &element.kind {
            ElementKind::Column(column) if column.numbered => Some(column.name.as_str()),
            _ => None,
        })
    }

    /// Returns true if rows of the other definition are of the same columns, types and character
    /// sets. The options differ in the next number of AUTO_INCREMENT with every row.
    pub(crate) fn holds_rows_like(&self, other: &TableDefinition) -> bool {
        let (one, other_options) = (self.options(), other.options());
        self.elements == other.elements && one.charset() == other_options.charset()
    }

    /// Returns the options.
    pub(crate) fn options(&self) -> TableOptions {
        TableOptions::parse(&self.options)
    }
}

fn element(statement: &str, range: Range<usize>) -> Result<DefinitionElement, &'static str> {
    DefinitionElement::parse(statement[range].trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signs_in_names_labels_and_comments_mean_nothing() {
        let parsed = TableDefinition::parse(
            "CREATE TABLE `t ``(,` (\n  `id` int(11) NOT NULL AUTO_INCREMENT,\n  \
             `we``ird, (name)` varchar(20) DEFAULT 'it''s, (a)\\\\ ' COMMENT 'x) \\'z\\' \"q\" `b`',\n  \
             `d` decimal(5,2) DEFAULT (1 + (2)) CHECK (`d` > 1),\n  \
             `v` int /*!80023 INVISIBLE */ /* a ) b */,\n  \
             PRIMARY KEY (`id`),\n  UNIQUE KEY `u,(` (`we``ird, (name)`(3)),\n  \
             CONSTRAINT `x y` CHECK (`d` < 100)\n) ENGINE=InnoDB COMMENT='DATA DIRECTORY=''x'')'",
        )
        .unwrap();
        assert_eq!(parsed.columns().collect::<Vec<_>>(), ["id", "we`ird, (name)", "d", "v"]);
        assert_eq!(parsed.numbered().collect::<Vec<_>>(), ["id"]);
        assert_eq!(parsed.elements.len(), 7);
        assert_eq!(parsed.options, " ENGINE=InnoDB COMMENT='DATA DIRECTORY=''x'')'");
        assert!(!parsed.options().versioned);
    }

    #[test]
    fn another_character_set_of_the_table_is_one_of_its_columns() {
        let parse = |options| {
            TableDefinition::parse(&format!("CREATE TABLE `t` (\n `a` text\n) {options}")).unwrap()
        };
        let one = parse("ENGINE=InnoDB AUTO_INCREMENT=3 DEFAULT CHARSET=utf8mb4 COMMENT='x'");
        let next = parse("ENGINE=InnoDB AUTO_INCREMENT=4 DEFAULT CHARSET=utf8mb4 COMMENT='x'");
        let other = parse("ENGINE=InnoDB AUTO_INCREMENT=3 DEFAULT CHARSET=latin1 COMMENT='x'");
        let collated =
            parse("ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin COMMENT='x'");
        assert!(one.holds_rows_like(&next));
        assert!(!one.holds_rows_like(&other) && !one.holds_rows_like(&collated));
    }

    #[test]
    fn half_a_statement_is_refused() {
        assert!(TableDefinition::parse("CREATE TABLE `t` (\n `a` int").is_err());
        assert!(TableDefinition::parse("CREATE VIEW `t` AS SELECT 1").is_err());
    }

    #[test]
    fn the_options_are_read_by_name() {
        let options = TableOptions::parse(
            " ENGINE=InnoDB DEFAULT CHARSET=utf8mb3 COLLATE=utf8mb3_bin DATA DIRECTORY='/x = y' \
             WITH SYSTEM VERSIONING PARTITION BY HASH (`a`)",
        );
        assert_eq!(options.charset(), [Some("utf8mb3"), Some("utf8mb3_bin")]);
        assert_eq!(options.get("DATA DIRECTORY"), Some("'/x = y'"));
        assert_eq!(options.get("COMMENT"), None);
        assert!(options.versioned && options.partitioned);
        let history = TableOptions::parse(" ENGINE=InnoDB PARTITION BY SYSTEM_TIME");
        assert!(!history.partitioned);
    }
}
