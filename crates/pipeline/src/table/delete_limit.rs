//! The limit on the rows that a move may delete.

use super::difference::TableDifference;
use crate::error::TableError;
use handoff_connect::Side;
use handoff_model::{TableName, shell_path};
use handoff_plan::Hops;
use handoff_schema::TableMapping;
use std::path::PathBuf;

/// The most rows that a full move may delete whatever share of the table they are: small tables, such as
/// queues and lists of choices, lose most of their rows on an ordinary day.
const FEW: u64 = 20;

/// The most rows of a table that a move may delete.
#[derive(Debug, Clone)]
pub(crate) struct DeleteLimit {
    /// The most, in percent of the rows that are there.
    pub(crate) percent: u8,
    /// The command that moves the table, by which a person may allow more.
    pub(crate) command: GuardedCommand,
}

/// The limits of a run on the rows that its moves may delete.
#[derive(Debug, Clone)]
pub(crate) struct DeleteLimits {
    /// The percentage that the command line allows of every table.
    pub(crate) asked: Option<u8>,
    /// The percentage of tables for which nothing else is said.
    pub(crate) configured: u8,
    /// The command that moves the tables.
    pub(crate) command: GuardedCommand,
}

impl DeleteLimits {
    /// Returns the limit of a table, of which the settings may say its own.
    pub(crate) fn of_table(&self, own: Option<u8>) -> DeleteLimit {
        let percent = self.asked.or(own).unwrap_or(self.configured);
        DeleteLimit { percent, command: self.command.clone() }
    }
}

/// A command that moves tables.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum GuardedCommand {
    /// `etl run`, or one of the hops.
    Move(Hops),
    /// The same with `--full`.
    MoveInFull(Hops),
    /// `etl load` with the rows of a file.
    LoadFile(PathBuf),
    /// `etl repair`.
    Repair,
}

impl GuardedCommand {
    /// Returns the command line that lets rows of `table` go, however many they are.
    fn allowing(&self, table: &TableName) -> String {
        let from_spool = match self {
            GuardedCommand::LoadFile(file) => format!(" --from-spool {}", shell_path(file)),
            _ => String::new(),
        };
        let (verb, full) = match self {
            GuardedCommand::Move(hops) => (hops.command(), ""),
            GuardedCommand::MoveInFull(hops) => (hops.command(), " --full"),
            GuardedCommand::LoadFile(_) => ("load", from_spool.as_str()),
            GuardedCommand::Repair => ("repair", ""),
        };
        format!("etl {verb} {}{full} --max-delete-percent 100", table.in_shell())
    }
}

impl DeleteLimit {
    /// Sees to it that no copy of the table would lose more.
    ///
    /// # Errors
    ///
    /// Returns [`TableError::TooManyDeletes`] if one would.
    pub(crate) fn check(
        &self,
        found: &TableDifference,
        mapping: &TableMapping,
    ) -> Result<(), TableError> {
        for (pair, rows) in found.pairs() {
            let deleted = found.surplus(mapping, pair.second);
            self.check_side(&mapping.table, pair.second, deleted, rows)?;
        }
        Ok(())
    }

    /// Sees to it that one copy of the table, which has `rows` rows, does not lose more to a move of
    /// everything. A few may always go.
    ///
    /// # Errors
    ///
    /// Returns [`TableError::TooManyDeletes`] if it would.
    pub(crate) fn check_full(
        &self,
        table: &TableName,
        side: Side,
        deleted: u64,
        rows: u64,
    ) -> Result<(), TableError> {
        if deleted <= FEW { Ok(()) } else { self.check_side(table, side, deleted, rows) }
    }

    /// Sees to it that one copy of the table, which has `rows` rows, does not lose more.
    ///
    /// # Errors
    ///
    /// Returns [`TableError::TooManyDeletes`] if it would.
    pub(crate) fn check_side(
        &self,
        table: &TableName,
        side: Side,
        deleted: u64,
        rows: u64,
    ) -> Result<(), TableError> {
        if u128::from(deleted) * 100 <= u128::from(rows) * u128::from(self.percent) {
            return Ok(());
        }
        let remedy = self.command.allowing(table);
        let (table, percent) = (table.clone(), self.percent);
        Err(TableError::TooManyDeletes { table, side, deleted, rows, percent, remedy })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limit(percent: u8, command: GuardedCommand) -> DeleteLimit {
        DeleteLimit { percent, command }
    }

    #[test]
    fn the_limit_itself_is_allowed() {
        let table = TableName::new("t").unwrap();
        for (percent, deleted, rows, allowed) in [
            (20, 20, 100, true),
            (20, 21, 100, false),
            (0, 0, 0, true),
            (0, 0, 5, true),
            (0, 1, 1_000_000, false),
            (100, u64::MAX, u64::MAX, true),
        ] {
            let limit = limit(percent, GuardedCommand::Repair);
            let done = limit.check_side(&table, Side::Replica, deleted, rows);
            assert_eq!(done.is_ok(), allowed, "{deleted} of {rows} at {percent} %");
        }
    }

    #[test]
    fn a_full_move_may_always_delete_a_few() {
        let table = TableName::new("t").unwrap();
        for (deleted, rows, allowed) in
            [(2, 3, true), (20, 20, true), (21, 21, false), (21, 105, true), (21, 104, false)]
        {
            let limit = limit(20, GuardedCommand::Move(Hops::Both));
            let done = limit.check_full(&table, Side::Target, deleted, rows);
            assert_eq!(done.is_ok(), allowed, "{deleted} of {rows}");
        }
    }

    #[test]
    fn the_command_line_is_before_the_table_and_the_table_before_the_run() {
        let command = GuardedCommand::Repair;
        for (asked, own, expected) in
            [(None, None, 20), (None, Some(50), 50), (Some(100), Some(50), 100), (Some(0), None, 0)]
        {
            let limits = DeleteLimits { asked, configured: 20, command: command.clone() };
            assert_eq!(limits.of_table(own).percent, expected);
        }
    }

    #[test]
    fn the_remedy_is_the_command_that_allows_it() {
        let table = TableName::new("a b").unwrap();
        for (command, expected) in [
            (GuardedCommand::Move(Hops::Both), "etl run 'a b' --max-delete-percent 100"),
            (GuardedCommand::Move(Hops::Copy), "etl replicate 'a b' --max-delete-percent 100"),
            (
                GuardedCommand::MoveInFull(Hops::Load),
                "etl load 'a b' --full --max-delete-percent 100",
            ),
            (
                GuardedCommand::LoadFile("kept/a b.csv".into()),
                "etl load 'a b' --from-spool 'kept/a b.csv' --max-delete-percent 100",
            ),
            (GuardedCommand::Repair, "etl repair 'a b' --max-delete-percent 100"),
        ] {
            assert_eq!(command.allowing(&table), expected);
        }
    }
}
