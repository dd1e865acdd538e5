//! What the catalogue says of one table.

use crate::{Column, MySqlType};
use handoff_model::TableName;

/// A storage engine, as far as the way of reading depends on it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Engine {
    /// InnoDB.
    InnoDb,
    /// MyISAM.
    MyIsam,
    /// Aria (MariaDB), transactional or not: readers lock out writers either way.
    Aria,
    /// Any other, by its name.
    Other(String),
}

impl Engine {
    /// Reads the name that the catalogue gives.
    pub fn named(name: &str) -> Engine {
        let known = [Engine::InnoDb, Engine::MyIsam, Engine::Aria];
        let found = known.into_iter().find(|engine| engine.name().eq_ignore_ascii_case(name));
        found.unwrap_or_else(|| Engine::Other(name.to_owned()))
    }

    /// Returns the engine's name as DDL spells it.
    pub fn name(&self) -> &str {
        match self {
            Engine::InnoDb => "InnoDB",
            Engine::MyIsam => "MyISAM",
            Engine::Aria => "Aria",
            Engine::Other(name) => name,
        }
    }

    /// Returns true if a read is a consistent snapshot that locks out no writer, and a write can
    /// be rolled back.
    pub fn is_transactional(&self) -> bool {
        matches!(self, Engine::InnoDb)
    }
}

/// One column of an index.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct IndexPart {
    /// Index into [`TableSchema::columns`]; [`None`] for an expression, and in an index that finds
    /// rows otherwise than by their values (VECTOR).
    pub column: Option<usize>,
    /// The length of the prefix, where not the whole column is indexed.
    pub prefix: Option<u32>,
    /// Whether its values are in descending order: MySQL from 8.0 on, MariaDB from 10.8 on.
    pub descending: bool,
}

/// One index, the primary key among them.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Index {
    /// Its name; `PRIMARY` for the primary key.
    pub name: String,
    /// Whether it is unique.
    pub unique: bool,
    /// Its columns in order.
    pub parts: Vec<IndexPart>,
}

/// What the catalogue says of the files of a table whose every write is in them at once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableFiles {
    /// When they were made, in UTC, as the server prints it.
    pub made: String,
    /// When rows were last written, in UTC and whole seconds, as the server prints it.
    pub written: String,
    /// Rows.
    pub rows: u64,
    /// Bytes of the data.
    pub bytes: u64,
    /// Bytes of deleted rows among them.
    pub free_bytes: u64,
}

/// What the catalogue says of one table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableSchema {
    /// Its name.
    pub name: TableName,
    /// Its engine.
    pub engine: Engine,
    /// Whether it is `SYSTEM VERSIONED` (MariaDB); its current rows are carried.
    pub system_versioned: bool,
    /// Whether it is partitioned.
    pub partitioned: bool,
    /// Rows: exact for MyISAM and Aria, an estimate for InnoDB.
    pub rows: u64,
    /// Bytes of the data, without indexes.
    pub data_bytes: u64,
    /// What its files tell of the last write, where they tell of every one.
    pub files: Option<TableFiles>,
    /// Its columns in order.
    pub columns: Vec<Column>,
    /// Its indexes: the primary key, then unique ones, then others, each by name, since MySQL does
    /// not say in which order they were made.
    pub indexes: Vec<Index>,
}

impl TableSchema {
    /// Describes an InnoDB table without columns, rows and indexes, to be filled in by code that
    /// knows no server.
    ///
    /// # Panics
    ///
    /// Panics if `name` is no name.
    pub fn empty(name: &str) -> TableSchema {
        TableSchema {
            name: TableName::new(name).expect("a written name is valid"),
            engine: Engine::InnoDb,
            system_versioned: false,
            partitioned: false,
            rows: 0,
            data_bytes: 0,
            files: None,
            columns: Vec::new(),
            indexes: Vec::new(),
        }
    }

    /// Returns the columns of the key by which rows are told apart: the primary key, or else the
    /// first unique index of whole NOT NULL columns. [`None`] if the table has neither.
    ///
    /// An index over JSON is never a key: two documents that differ in MySQL, by a blank for
    /// instance, may be one jsonb value.
    pub fn key(&self) -> Option<Vec<usize>> {
        self.indexes.iter().filter(|index| index.unique).find_map(|index| self.whole(index))
    }

    /// Returns the index of that key.
    pub fn key_index(&self) -> Option<&Index> {
        self.indexes.iter().find(|index| index.unique && self.whole(index).is_some())
    }

    /// Returns true if the rows themselves are kept in the order of the key: a table that has a
    /// clustered index, by its primary key, and is in one piece.
    pub fn is_clustered_by_key(&self) -> bool {
        let key = self.indexes.iter().find(|index| index.unique && self.whole(index).is_some());
        let by_primary = key.is_some_and(|index| index.name == "PRIMARY");
        by_primary && self.engine == Engine::InnoDb && !self.partitioned
    }

    /// Returns the column of that name; case does not count, as in MySQL.
    pub fn column(&self, name: &str) -> Option<&Column> {
        self.columns.iter().find(|column| same_name(column.name.as_str(), name))
    }

    /// Returns true if [`TableSchema::rows`] is the number of rows and no estimate.
    pub fn rows_are_exact(&self) -> bool {
        matches!(self.engine, Engine::MyIsam | Engine::Aria)
    }

    fn whole(&self, index: &Index) -> Option<Vec<usize>> {
        let part = |part: &IndexPart| {
            let index = part.column.filter(|_| part.prefix.is_none())?;
            let column = &self.columns[index];
            (!column.nullable && column.kind != MySqlType::Json).then_some(index)
        };
        index.parts.iter().map(part).collect()
    }
}

/// Returns true if MySQL takes both for one column.
pub(crate) fn same_name(one: &str, other: &str) -> bool {
    one == other || one.to_lowercase() == other.to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn index(name: &str, parts: &[(Option<usize>, Option<u32>)]) -> Index {
        let part = |&(column, prefix): &_| IndexPart { column, prefix, descending: false };
        Index { name: name.to_owned(), unique: true, parts: parts.iter().map(part).collect() }
    }

    #[track_caller]
    fn check(indexes: Vec<Index>, expected: Option<&[usize]>) {
        let column =
            |name, kind, nullable| Column { nullable, ..Column::of_type(name, kind).unwrap() };
        let table = TableSchema {
            columns: vec![
                column("a", "int", false),
                column("b", "int", true),
                column("c", "varchar(10)", false),
                column("d", "json", false),
            ],
            indexes,
            ..TableSchema::empty("t")
        };
        assert_eq!(table.key().as_deref(), expected);
    }

    #[test]
    fn a_key_is_unique_and_of_whole_columns_that_are_never_null() {
        check(vec![], None);
        check(vec![index("PRIMARY", &[(Some(2), None), (Some(0), None)])], Some(&[2, 0]));
        check(vec![index("u", &[(Some(0), None), (Some(1), None)])], None);
        check(vec![index("u", &[(Some(2), Some(4))]), index("v", &[(Some(0), None)])], Some(&[0]));
        check(vec![index("expression", &[(None, None)])], None);
        check(vec![index("json", &[(Some(3), None)])], None);
        check(vec![Index { unique: false, ..index("k", &[(Some(0), None)]) }], None);
    }

    #[test]
    fn column_names_have_no_case() {
        let columns = vec![Column::of_type("PatNum", "int").unwrap()];
        let table = TableSchema { columns, ..TableSchema::empty("t") };
        assert!(table.column("patnum").is_some() && table.column("patnu").is_none());
    }
}
