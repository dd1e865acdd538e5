//! What the catalogue says of one table.

use crate::MySqlType;
use handoff_model::{ColumnName, TableName};

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

/// One column.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Column {
    /// Its name.
    pub name: ColumnName,
    /// Its type, parsed.
    pub kind: MySqlType,
    /// Its type as the server spells it.
    pub column_type: String,
    /// Whether it may be NULL.
    pub nullable: bool,
    /// Its character set, for texts, ENUM and SET.
    pub charset: Option<String>,
    /// Its collation, for texts, ENUM and SET.
    pub collation: Option<String>,
    /// Whether `ON UPDATE CURRENT_TIMESTAMP` is set.
    pub on_update: bool,
    /// Whether it is generated (virtual or stored) and takes no value on insert.
    pub generated: bool,
    /// Whether `SELECT *` leaves it out.
    pub invisible: bool,
}

/// One column of an index.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct IndexPart {
    /// Index into [`TableSchema::columns`]; [`None`] for an expression.
    pub column: Option<usize>,
    /// The length of the prefix, where not the whole column is indexed.
    pub prefix: Option<u32>,
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
    /// Its columns in order.
    pub columns: Vec<Column>,
    /// Its indexes, the primary key first.
    pub indexes: Vec<Index>,
}

impl TableSchema {
    /// Returns the columns of the key by which rows are told apart: the primary key, or else the
    /// first unique index of whole NOT NULL columns. [`None`] if the table has neither.
    pub fn key(&self) -> Option<Vec<usize>> {
        self.indexes.iter().filter(|index| index.unique).find_map(|index| self.whole(index))
    }

    /// Returns true if `name` is one of the columns.
    pub fn column(&self, name: &str) -> Option<&Column> {
        self.columns.iter().find(|column| column.name.as_str().eq_ignore_ascii_case(name))
    }

    fn whole(&self, index: &Index) -> Option<Vec<usize>> {
        let part = |part: &IndexPart| {
            let column = part.column.filter(|_| part.prefix.is_none())?;
            (!self.columns[column].nullable).then_some(column)
        };
        index.parts.iter().map(part).collect()
    }
}
