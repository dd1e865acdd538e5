//! Makes and fills the tables.

use super::kind::{Context, Kind};
use super::others::fnv;
use super::spec;
use super::table::{Column, Engine, Key, Table};
use crate::endpoint::quoted;
use crate::error::{Result, TestbedError};
use crate::practice::size::Practice;
use mysql::{Conn, prelude::Queryable};
use std::collections::HashMap;

/// The tables and rows that [`create`] made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Created {
    /// The number of tables.
    pub tables: usize,
    /// The number of rows of all tables, as the server counted them.
    pub rows: u64,
}

/// Makes the practice in the connection's database, which should be empty.
///
/// # Errors
///
/// Returns what the server said, with the table it was about.
pub fn create(conn: &mut Conn, practice: &Practice) -> Result<Created> {
    let tables = spec::tables();
    let mut session = Session::open(conn)?;
    let writer = Writer::new(practice, &tables);
    let mut created = Created { tables: 0, rows: 0 };
    for table in &tables {
        let action = format!("make `{}`", table.name);
        session.run(&session.definition(table), &action)?;
        created.tables += 1;
        let rows = table.rows(practice.scale);
        if rows > 0 {
            let insert = session.insert(table, &writer.values(table), 1, rows);
            created.rows += session.run(&insert, &action)?;
        }
    }
    session.close()?;
    Ok(created)
}

/// Knows how the values of a table follow from the numbers of its rows.
pub(super) struct Writer<'a> {
    practice: &'a Practice,
    rows: HashMap<&'a str, u64>,
}

impl<'a> Writer<'a> {
    pub(super) fn new(practice: &'a Practice, tables: &'a [Table]) -> Writer<'a> {
        let rows = tables.iter().map(|t| (t.name.as_str(), t.rows(practice.scale))).collect();
        Writer { practice, rows }
    }

    /// Returns the expressions of a table's columns.
    pub(super) fn values(&self, table: &Table) -> Vec<String> {
        let rows_of = |name: &str| self.rows.get(name).copied().unwrap_or(0);
        let value = |column: &Column| {
            // Below 2^31, so that no server takes the exclusive or of it for a negative number.
            let salt = fnv(&format!("{} {} {}", self.practice.seed, table.name, column.name)) >> 1;
            column.kind.expression(&Context {
                table: &table.name,
                salt,
                rows: rows_of(&table.name),
                rows_of: &rows_of,
                emoji: has_emoji(table),
            })
        };
        table.columns.iter().map(value).collect()
    }
}

/// Every third table is in the older, three-byte character set, as in a database that has grown.
fn has_emoji(table: &Table) -> bool {
    !fnv(&table.name).is_multiple_of(3)
        || ["patient", "procnote", "commlog"].contains(&table.name.as_str())
}

/// A connection set up so that every server takes every value as it is.
pub(super) struct Session<'a> {
    conn: &'a mut Conn,
    mariadb: bool,
}

impl<'a> Session<'a> {
    pub(super) fn open(conn: &'a mut Conn) -> Result<Session<'a>> {
        let version: Option<String> = conn
            .query_first("SELECT VERSION()")
            .map_err(TestbedError::mysql("ask for the version"))?;
        let mariadb = version.is_some_and(|version| version.contains("MariaDB"));
        let mut session = Session { conn, mariadb };
        session.run(
            "SET @handoff_sql_mode = @@sql_mode, @handoff_time_zone = @@time_zone, \
             sql_mode = 'NO_AUTO_VALUE_ON_ZERO,ALLOW_INVALID_DATES', time_zone = '+00:00', \
             foreign_key_checks = 0, unique_checks = 0",
            "set up the session",
        )?;
        if !mariadb {
            session.run("SET cte_max_recursion_depth = 4294967295", "set up the session")?;
        }
        Ok(session)
    }

    pub(super) fn close(mut self) -> Result<()> {
        let restore = "SET sql_mode = @handoff_sql_mode, time_zone = @handoff_time_zone, \
                       foreign_key_checks = 1, unique_checks = 1";
        self.run(restore, "restore the session").map(drop)
    }

    /// Runs a statement and returns the number of rows it changed.
    pub(super) fn run(&mut self, sql: &str, action: &str) -> Result<u64> {
        self.conn.query_drop(sql).map_err(TestbedError::mysql(action))?;
        Ok(self.conn.affected_rows())
    }

    /// Returns the one number that a query answers; NULL is 0.
    pub(super) fn number(&mut self, sql: &str, action: &str) -> Result<u64> {
        let answer: Option<Option<u64>> =
            self.conn.query_first(sql).map_err(TestbedError::mysql(action))?;
        Ok(answer.flatten().unwrap_or(0))
    }

    /// Returns the statement that fills rows `first` to `last` of a table.
    pub(super) fn insert(&self, table: &Table, values: &[String], first: u64, last: u64) -> String {
        let columns: Vec<String> = table.columns.iter().map(|c| quoted(&c.name)).collect();
        let (columns, values) = (columns.join(", "), values.join(", "));
        let name = quoted(&table.name);
        if self.mariadb {
            return format!(
                "INSERT INTO {name} ({columns}) SELECT {values} FROM seq_{first}_to_{last}"
            );
        }
        format!(
            "INSERT INTO {name} ({columns}) WITH RECURSIVE numbers (seq) AS \
             (SELECT {first} UNION ALL SELECT seq + 1 FROM numbers WHERE seq < {last}) \
             SELECT {values} FROM numbers"
        )
    }

    fn definition(&self, table: &Table) -> String {
        let mut parts: Vec<String> = table
            .columns
            .iter()
            .map(|column| format!("{} {}", quoted(&column.name), column.kind.definition()))
            .collect();
        match table.key() {
            Key::Single(column) => parts.push(format!("PRIMARY KEY ({})", quoted(column))),
            Key::Composite(first, second) => {
                parts.push(format!("PRIMARY KEY ({}, {})", quoted(first), quoted(second)));
            }
            Key::None => {}
        }
        for column in table.columns.iter().filter(|column| column.indexed) {
            let name = quoted(&column.name);
            parts.push(format!("KEY {name} ({name}{})", column.kind.index_prefix()));
        }
        let charset = if has_emoji(table) { "utf8mb4" } else { "utf8mb3" };
        let (name, engine) = (quoted(&table.name), self.engine(table));
        format!("CREATE TABLE {name} ({}) ENGINE={engine} CHARSET={charset}", parts.join(", "))
    }

    fn engine(&self, table: &Table) -> &'static str {
        match table.engine {
            Engine::InnoDb => "InnoDB",
            Engine::Aria if self.mariadb => "Aria",
            Engine::MyIsam | Engine::Aria => "MyISAM",
        }
    }
}

/// Returns true if a day's work may change the column.
pub(super) fn is_changeable(kind: &Kind) -> bool {
    kind.takes_a_sentence() || kind.takes_one_more() || *kind == Kind::Flag
}
