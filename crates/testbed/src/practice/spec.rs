//! The tables of the practice.

use super::kind::Kind;
use super::others;
use super::table::{Column, Engine, Table};
use crate::practice::figures::TABLES;

/// Returns all tables, those by hand first.
pub(super) fn tables() -> Vec<Table> {
    let mut tables = core();
    let others = others::tables(&tables);
    tables.extend(others);
    debug_assert_eq!(tables.len(), TABLES);
    tables
}

fn core() -> Vec<Table> {
    let mut tables: Vec<Table> = Vec::new();
    let lines = include_str!("core.txt").lines();
    for line in lines.filter(|line| !line.is_empty() && !line.starts_with('#')) {
        let words: Vec<&str> = line.split(' ').collect();
        match words[..] {
            ["table", name, engine, rows] => tables.push(Table {
                name: name.to_owned(),
                engine: Engine::parse(engine),
                full_rows: rows.parse().expect("core.txt has a number of rows"),
                columns: Vec::new(),
            }),
            [name, kind, ref index @ ..] => {
                let kind = Kind::parse(kind).unwrap_or_else(|| panic!("core.txt: {line}"));
                let column = Column { name: name.to_owned(), kind, indexed: *index == ["index"] };
                let table = tables.last_mut().expect("core.txt begins with a table");
                table.columns.push(column);
            }
            _ => panic!("core.txt: {line}"),
        }
    }
    tables
}
