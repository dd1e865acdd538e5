//! Source and replica, where both are MySQL.

use crate::compared_table::ComparedTable;
use crate::error::{Error, Result};
use handoff_connect::{Fault, MyConn, MyPool, SessionProfile};
use handoff_model::{CancelToken, RowThrottle, TableName};
use handoff_rows::{Locking, key_operands};
use handoff_schema::TableSchema;

/// One MySQL side.
#[derive(Clone, Copy)]
pub(crate) struct MySqlSide<'a> {
    pub(crate) pool: &'a MyPool,
    pub(crate) table: &'a TableSchema,
    pub(crate) locking: Locking,
    pub(crate) throttle: Option<&'a RowThrottle>,
}

impl<'a> MySqlSide<'a> {
    /// Returns the first two tables, if both are MySQL of one kind and the table has the same key in
    /// both, to cut it by.
    pub(crate) fn pair(tables: &[ComparedTable<'a>]) -> Option<[MySqlSide<'a>; 2]> {
        let one = MySqlSide::of(tables.first()?)?;
        let other = MySqlSide::of(tables.get(1)?)?;
        let same_kind = one.pool.version().flavor == other.pool.version().flavor;
        (same_kind && have_same_key(one.table, other.table)).then_some([one, other])
    }

    fn of(place: &ComparedTable<'a>) -> Option<MySqlSide<'a>> {
        match *place {
            ComparedTable::My { pool, table, locking, throttle } => {
                Some(MySqlSide { pool, table, locking, throttle })
            }
            ComparedTable::Pg { .. } => None,
        }
    }

    pub(crate) fn rows(&self) -> u64 {
        self.table.rows
    }

    pub(crate) fn connect(&self, profile: SessionProfile) -> Result<MyConn> {
        self.pool.get(profile).map_err(|fault| self.failed(fault, None))
    }

    pub(crate) fn failed(&self, fault: Fault, cancel: Option<&CancelToken>) -> Error {
        let cancelled = cancel.and_then(|cancel| cancel.check().err());
        let table: TableName = self.table.name.clone();
        cancelled.map_or_else(
            || handoff_rows::Error::Read { table, rows: 0, fault }.into(),
            Error::Cancelled,
        )
    }
}

/// Returns true if both tables have a key, and the same: a range of one key is none of another.
fn have_same_key(one: &TableSchema, other: &TableSchema) -> bool {
    key_operands(one).is_some() && key_operands(other).is_some() && one.key() == other.key()
}
