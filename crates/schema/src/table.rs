//! One table in the catalogue.

use crate::column::ColumnSchema;
use crate::mysql_type::MySqlType;
use handoff_model::TableName;

/// A storage engine, as far as the way of reading depends on it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum StorageEngine {
    /// InnoDB.
    InnoDb,
    /// MyISAM.
    MyIsam,
    /// Aria (MariaDB), transactional or not: readers lock out writers either way.
    Aria,
    /// Any other, by its name.
    Other(String),
}

impl StorageEngine {
    /// Reads the name that the catalogue gives.
    pub fn named(name: &str) -> StorageEngine {
        let known = [StorageEngine::InnoDb, StorageEngine::MyIsam, StorageEngine::Aria];
        let found = known.into_iter().find(|engine| engine.name().eq_ignore_ascii_case(name));
        found.unwrap_or_else(|| StorageEngine::Other(name.to_owned()))
    }

    /// Returns the engine's name as DDL spells it.
    pub fn name(&self) -> &str {
        match self {
            StorageEngine::InnoDb => "InnoDB",
            StorageEngine::MyIsam => "MyISAM",
            StorageEngine::Aria => "Aria",
            StorageEngine::Other(name) => name,
        }
    }

    /// Returns true if a read is a consistent snapshot that locks out no writer, and a write can
    /// be rolled back.
    pub fn is_transactional(&self) -> bool {
        matches!(self, StorageEngine::InnoDb)
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
    /// True if its values are in descending order: MySQL from 8.0 on, MariaDB from 10.8 on.
    pub descending: bool,
}

/// One index, the primary key among them.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct IndexSchema {
    /// Its name; `PRIMARY` for the primary key.
    pub name: String,
    /// True if the index is unique.
    pub unique: bool,
    /// Its columns in order.
    pub parts: Vec<IndexPart>,
}

/// The files of a table whose every write reaches them at once, as the catalogue shows them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableFiles {
    /// Their creation time in UTC, as the server prints it.
    pub made: String,
    /// The time of the last write in UTC and whole seconds, as the server prints it.
    pub written: String,
    /// Rows.
    pub rows: u64,
    /// Bytes of the data.
    pub bytes: u64,
    /// Bytes of deleted rows among them.
    pub free_bytes: u64,
}

/// One table in the catalogue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableSchema {
    /// Its name.
    pub name: TableName,
    /// Its engine.
    pub engine: StorageEngine,
    /// True if the table is `SYSTEM VERSIONED` (MariaDB); its current rows are copied.
    pub system_versioned: bool,
    /// True if the table is partitioned.
    pub partitioned: bool,
    /// Rows: exact for MyISAM and Aria, an estimate for InnoDB.
    pub rows: u64,
    /// Bytes of the data, without indexes.
    pub data_bytes: u64,
    /// The last write of its files, where files tell of every write.
    pub files: Option<TableFiles>,
    /// Its columns in order.
    pub columns: Vec<ColumnSchema>,
    /// Its indexes: the primary key, then unique ones, then others, each by name, since MySQL does
    /// not say in which order they were made.
    pub indexes: Vec<IndexSchema>,
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
            engine: StorageEngine::InnoDb,
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
    pub fn key_index(&self) -> Option<&IndexSchema> {
        self.indexes.iter().find(|index| index.unique && self.whole(index).is_some())
    }

    /// Returns true if the rows themselves are kept in the order of the key: a table that has a
    /// clustered index, by its primary key, and is in one piece.
    pub fn is_clustered_by_key(&self) -> bool {
        let key = self.indexes.iter().find(|index| index.unique && self.whole(index).is_some());
        let by_primary = key.is_some_and(|index| index.name == "PRIMARY");
        by_primary && self.engine == StorageEngine::InnoDb && !self.partitioned
    }

    /// Returns the column of that name; case does not count, as in MySQL.
    pub fn column(&self, name: &str) -> Option<&ColumnSchema> {
        self.columns.iter().find(|column| same_name(column.name.as_str(), name))
    }

    /// Returns true if [`TableSchema::rows`] is the number of rows and no estimate.
    pub fn rows_are_exact(&self) -> bool {
        matches!(self.engine, StorageEngine::MyIsam | StorageEngine::Aria)
    }

    fn whole(&self, index: &IndexSchema) -> Option<Vec<usize>> {
        let columns = index.parts.iter().map(|part| {
            let index = part.column.filter(|_| part.prefix.is_none())?;
            let column = &self.columns[index];
            (!column.nullable && column.kind != MySqlType::Json).then_some(index)
        });
        columns.collect()
    }
}

/// Returns true if MySQL takes both for one column.
pub(crate) fn same_name(one: &str, other: &str) -> bool {
    one == other || one.to_lowercase() == other.to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn index(name: &str, parts: &[(Option<usize>, Option<u32>)]) -> IndexSchema {
        let part = |&(column, prefix): &_| IndexPart { column, prefix, descending: false };
        IndexSchema { name: name.to_owned(), unique: true, parts: parts.iter().map(part).collect() }
    }

    #[track_caller]
    fn check(indexes: Vec<IndexSchema>, expected: Option<&[usize]>) {
        let column = |name, kind, nullable| ColumnSchema {
            nullable,
            ..ColumnSchema::of_type(name, kind).unwrap()
        };
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
        check(vec![IndexSchema { unique: false, ..index("k", &[(Some(0), None)]) }], None);
    }

    #[test]
    fn column_names_have_no_case() {
        let columns = vec![ColumnSchema::of_type("PatNum", "int").unwrap()];
        let table = TableSchema { columns, ..TableSchema::empty("t") };
        assert!(table.column("patnum").is_some() && table.column("patnu").is_none());
    }

    #[test]
    fn engines_are_read_in_any_case() {
        assert_eq!(StorageEngine::named("INNODB"), StorageEngine::InnoDb);
        assert_eq!(StorageEngine::named("aria"), StorageEngine::Aria);
        assert_eq!(StorageEngine::named("MEMORY").name(), "MEMORY");
        let transactional = [StorageEngine::InnoDb, StorageEngine::MyIsam, StorageEngine::Aria]
            .map(|engine| engine.is_transactional());
        assert_eq!(transactional, [true, false, false]);
    }
}
