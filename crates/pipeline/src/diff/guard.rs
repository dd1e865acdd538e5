//! Keeping a comparison from emptying a table.

use super::Found;
use crate::TableError;
use handoff_connect::Side;
use handoff_model::TableName;
use handoff_schema::Mapping;

/// How many rows of a table a comparison may have deleted.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Guard {
    /// The most, in percent of the rows that are there.
    pub(crate) percent: u8,
    /// Whether a person asked for the move on the command line, and may allow more there.
    pub(crate) asked: bool,
}

impl Guard {
    /// Sees to it that no copy of the table would lose more.
    ///
    /// # Errors
    ///
    /// Returns [`TableError::TooManyDeletes`] if one would.
    pub(crate) fn check(&self, found: &Found, mapping: &Mapping) -> Result<(), TableError> {
        for (pair, rows) in found.pairs() {
            let deleted = found.surplus(mapping, pair.second);
            self.check_side(&mapping.table, pair.second, (deleted, rows))?;
        }
        Ok(())
    }

    /// Sees to it for one copy of the table: the rows to delete from it, and those that it has.
    ///
    /// # Errors
    ///
    /// Returns [`TableError::TooManyDeletes`] if more would be deleted.
    pub(crate) fn check_side(
        &self,
        table: &TableName,
        side: Side,
        (deleted, rows): (u64, u64),
    ) -> Result<(), TableError> {
        if u128::from(deleted) * 100 <= u128::from(rows) * u128::from(self.percent) {
            return Ok(());
        }
        let name = table.in_shell();
        let remedy = if self.asked {
            format!("etl repair {name} --max-delete-percent 100")
        } else {
            format!("etl run {name} --full")
        };
        let (table, percent) = (table.clone(), self.percent);
        Err(TableError::TooManyDeletes { table, side, deleted, rows, percent, remedy })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_limit_itself_is_allowed() {
        let allows = |percent, deleted, rows| {
            let guard = Guard { percent, asked: false };
            let table = TableName::new("t").unwrap();
            guard.check_side(&table, Side::Replica, (deleted, rows)).is_ok()
        };
        assert!(allows(20, 20, 100) && !allows(20, 21, 100));
        assert!(allows(0, 0, 0) && allows(0, 0, 5) && !allows(0, 1, 1_000_000));
        assert!(allows(100, u64::MAX, u64::MAX));
    }
}
