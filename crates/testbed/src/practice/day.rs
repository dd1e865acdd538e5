//! Changes the practice as a day of work does.

use super::create::{Session, Writer, is_changeable};
use super::kind::Kind;
use super::others::fnv;
use super::spec;
use super::table::{Key, Table};
use crate::endpoint::quoted;
use crate::error::Result;
use crate::practice::size::Practice;
use mysql::Conn;

/// A day, and its load.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Day {
    /// Counted from 1; another day changes other rows.
    pub number: u32,
    /// The share of a table's rows that are added, and that are changed. A tenth of it is deleted.
    pub share: f64,
}

impl Day {
    /// Returns a day on which a hundredth of the rows changes.
    pub fn number(number: u32) -> Day {
        Day { number, share: 0.01 }
    }
}

/// The changes of a day to one table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableDay {
    /// The table.
    pub table: String,
    /// Rows added.
    pub inserted: u64,
    /// Rows changed in a way that moved their timestamp.
    pub updated: u64,
    /// Rows changed while their timestamp stayed, or in a table without one.
    pub updated_silently: u64,
    /// Rows deleted.
    pub deleted: u64,
}

/// The changes of a day, table by table; tables without any are not there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DayOfWork {
    /// The tables that changed.
    pub tables: Vec<TableDay>,
}

impl DayOfWork {
    /// Returns the sums over all tables, under the name `all`.
    pub fn total(&self) -> TableDay {
        let sum = |of: fn(&TableDay) -> u64| self.tables.iter().map(of).sum();
        TableDay {
            table: "all".to_owned(),
            inserted: sum(|t| t.inserted),
            updated: sum(|t| t.updated),
            updated_silently: sum(|t| t.updated_silently),
            deleted: sum(|t| t.deleted),
        }
    }
}

/// Adds, changes and deletes rows in two thirds of the tables that have any.
///
/// `practice` is what [`create`](super::create) was given. A row is counted under at most one of
/// `updated` and `updated_silently`; it may be deleted afterwards on the same day.
///
/// # Errors
///
/// Returns what the server said, with the table it was about.
pub fn a_day_of_work(conn: &mut Conn, practice: &Practice, day: &Day) -> Result<DayOfWork> {
    let tables = spec::tables();
    let writer = Writer::new(practice, &tables);
    let mut session = Session::open(conn)?;
    let mut done = Vec::new();
    for table in tables.iter().filter(|table| table.full_rows > 0 && is_touched(table, day)) {
        let action = format!("work on `{}`", table.name);
        let work = TableWork { table, day, session: &mut session, action };
        let worked = work.run(writer.values(table))?;
        done.push(worked);
    }
    session.close()?;
    Ok(DayOfWork { tables: done })
}

fn is_touched(table: &Table, day: &Day) -> bool {
    fnv(&format!("{} {}", table.name, day.number)) % 3 < 2
}

struct TableWork<'a, 'b> {
    table: &'a Table,
    day: &'a Day,
    session: &'a mut Session<'b>,
    /// For errors.
    action: String,
}

impl TableWork<'_, '_> {
    fn run(mut self, values: Vec<String>) -> Result<TableDay> {
        let name = quoted(&self.table.name);
        let rows = self.session.number(&format!("SELECT COUNT(*) FROM {name}"), &self.action)?;
        // Of tables this small far fewer than 2^52 rows.
        let share = ((rows as f64 * self.day.share).round() as u64).max(1);
        let inserted = self.insert(values, rows, share)?;
        let (updated, updated_silently) = self.update(rows, share)?;
        let deleted = if rows < 8 { 0 } else { self.delete(rows, share)? };
        let table = self.table.name.clone();
        Ok(TableDay { table, inserted, updated, updated_silently, deleted })
    }

    fn insert(&mut self, mut values: Vec<String>, rows: u64, count: u64) -> Result<u64> {
        let name = quoted(&self.table.name);
        let first = match self.table.key() {
            Key::Single(key) => self.highest(key)? + 1,
            // Row n has the keys (n DIV 4 + 1, n % 4).
            Key::Composite(key, _) => self.highest(key)? * 4,
            Key::None => rows + u64::from(self.day.number) * count,
        };
        for (value, column) in values.iter_mut().zip(&self.table.columns) {
            if column.kind == Kind::Stamp {
                *value = "CURRENT_TIMESTAMP".to_owned();
            }
        }
        log::debug!("{count} rows into {name}");
        let insert = self.session.insert(self.table, &values, first, first + count - 1);
        self.session.run(&insert, &self.action)
    }

    fn highest(&mut self, key: &str) -> Result<u64> {
        let (key, name) = (quoted(key), quoted(&self.table.name));
        self.session.number(&format!("SELECT MAX({key}) FROM {name}"), &self.action)
    }

    /// Returns how many changes moved a timestamp, and how many didn't.
    fn update(&mut self, rows: u64, count: u64) -> Result<(u64, u64)> {
        let Some(column) = self.table.columns.iter().find(|c| is_changeable(&c.kind)) else {
            return Ok((0, 0));
        };
        let (name, changed) = (quoted(&self.table.name), quoted(&column.name));
        let number = self.day.number;
        let value = match &column.kind {
            Kind::Flag => format!("1 - {changed}"),
            kind if kind.takes_one_more() => format!("{changed} + 1"),
            _ => format!("CONCAT('Day {number}: ', LEFT({changed}, 20))"),
        };
        let modulus = (rows / count).max(1) * 2;
        let set = format!("UPDATE {name} SET {changed} = {value}");
        let one = self.chosen(modulus, u64::from(number));
        let other = self.chosen(modulus, u64::from(number) + 1);
        let Some(stamp) = self.table.stamp().map(|stamp| quoted(&stamp.name)) else {
            let either = format!("{set} WHERE {one} OR {other}");
            return Ok((0, self.session.run(&either, &self.action)?));
        };
        let silent = format!("{set}, {stamp} = {stamp} WHERE {one}");
        let silently = self.session.run(&silent, &self.action)?;
        let updated = self.session.run(&format!("{set} WHERE {other}"), &self.action)?;
        Ok((updated, silently))
    }

    fn delete(&mut self, rows: u64, count: u64) -> Result<u64> {
        let name = quoted(&self.table.name);
        let chosen = self.chosen((rows / count).max(1) * 10, u64::from(self.day.number) + 2);
        self.session.run(&format!("DELETE FROM {name} WHERE {chosen}"), &self.action)
    }

    /// Returns the condition that chooses one row in `modulus`.
    fn chosen(&self, modulus: u64, place: u64) -> String {
        let number = match self.table.key() {
            Key::Single(key) => quoted(key),
            Key::Composite(first, second) => {
                format!("({} * 4 + {})", quoted(first), quoted(second))
            }
            Key::None => {
                let columns: Vec<String> =
                    self.table.columns.iter().map(|c| quoted(&c.name)).collect();
                format!("CRC32(CONCAT_WS('|', {}))", columns.join(", "))
            }
        };
        format!("{number} % {modulus} = {}", place % modulus)
    }
}
