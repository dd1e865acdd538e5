//! The keys of the rows that a merge brings into line, gathered in the replica.
//!
//! The keys lie in a table of their own there, so that the server's own idea of equality selects the
//! rows, and that there may be any number of keys.

use crate::copy_context::CopyContext;
use crate::error::{CopyStage, Error, Result};
use crate::merge_sql::{by_key_index, same_key};
use handoff_connect::{MyConn, fault_point, quote_my};
use handoff_model::RowFilter;
use handoff_rows::{KeyBatch, KeyList, key_operands, key_parameter};
use handoff_schema::{ColumnSchema, TableSchema};
use mysql::{Params, Value};

/// The column that numbers the keys.
const NUMBER: &str = "__handoff_number";

/// The keys of a merge in the replica.
pub(crate) struct StagedKeys<'a> {
    list: &'a KeyList,
    /// Keys there: those that the server tells apart.
    pub(crate) kept: u64,
    /// The numbers of those keys, where the list has others too.
    numbers: Option<Vec<u64>>,
}

/// The statements around the keys `k`.
pub(crate) struct StagedKeysSql {
    /// Drops the keys of the staged rows `s`.
    pub(crate) drop_found: String,
    /// Deletes the rows of the keys that are left.
    pub(crate) delete_gone: String,
}

impl StagedKeysSql {
    pub(crate) fn new(table: &TableSchema, staging: &str, keys: &str) -> StagedKeysSql {
        let (into, staging, keys) =
            (quote_my(table.name.as_str()), quote_my(staging), quote_my(keys));
        StagedKeysSql {
            drop_found: format!(
                "DELETE k FROM {staging} AS s STRAIGHT_JOIN {keys} AS k \
                 FORCE INDEX FOR JOIN (PRIMARY) ON {}",
                same_key(table, "s", "k")
            ),
            delete_gone: format!(
                "DELETE t FROM {keys} AS k STRAIGHT_JOIN {into} AS t {} ON {}",
                by_key_index(table),
                same_key(table, "k", "t")
            ),
        }
    }
}

/// Renders the text behind `CREATE [TEMPORARY] TABLE `: the key's columns as the table has them, so that
/// keys are told apart as the table does.
pub(crate) fn keys_sql(table: &TableSchema, name: &str) -> String {
    let columns: Vec<&ColumnSchema> = key_columns(table).collect();
    let names: Vec<String> = columns.iter().map(|column| quote_my(column.name.as_str())).collect();
    let clauses: Vec<String> = columns
        .iter()
        .zip(&names)
        .map(|(column, name)| {
            format!("{name} {}{} NOT NULL", column.column_type, text_clause(column))
        })
        .collect();
    format!(
        "{} ({} BIGINT UNSIGNED NOT NULL, {}, PRIMARY KEY ({})) ENGINE={}",
        quote_my(name),
        quote_my(NUMBER),
        clauses.join(", "),
        names.join(", "),
        table.engine.plain().name()
    )
}

/// Renders the character set and collation of a column; an empty text for one that has none.
fn text_clause(column: &ColumnSchema) -> String {
    match (&column.charset, &column.collation) {
        (Some(charset), Some(collation)) if column.kind.has_charset() => {
            format!(
                " CHARACTER SET {} COLLATE {}",
                quote_my(charset.as_str()),
                quote_my(collation.as_str())
            )
        }
        _ => String::new(),
    }
}

fn key_columns(table: &TableSchema) -> impl Iterator<Item = &ColumnSchema> {
    table.key().unwrap_or_default().into_iter().map(|column| &table.columns[column])
}

impl<'a> StagedKeys<'a> {
    /// Fills the empty table `into`. Two keys of the list may be one to the server, such as two
    /// spellings of a text.
    pub(crate) fn stage(
        copy: CopyContext<'_>,
        conn: &mut MyConn,
        list: &'a KeyList,
        into: &str,
    ) -> Result<StagedKeys<'a>> {
        let insert = KeyInsert::new(copy.job.table, into);
        let (mut sent, mut kept, mut number) = (0, 0, 0);
        list.batches(|batch| {
            copy.check_cancel()?;
            let (rows, params) = insert.params(batch, &mut number);
            if rows > 0 {
                let done = conn.exec_drop(insert.statement(rows), params);
                done.map_err(|error| copy.failed(conn, copy.at(CopyStage::Gather, sent), &error))?;
                sent += rows as u64;
                kept += conn.affected_rows();
            }
            Ok::<_, Error>(())
        })?;
        let numbers = if kept < sent { Some(numbers(copy, conn, into)?) } else { None };
        fault_point("replicator.keys_staged", &copy.job.table.name);
        Ok(StagedKeys { list, kept, numbers })
    }

    /// Notes that `dropped` of the keys left the table `from`, since their rows are staged already.
    pub(crate) fn sift(
        &mut self,
        copy: CopyContext<'_>,
        conn: &mut MyConn,
        from: &str,
        dropped: u64,
    ) -> Result<()> {
        if dropped > 0 {
            self.kept -= dropped;
            self.numbers = Some(numbers(copy, conn, from)?);
        }
        Ok(())
    }

    /// Returns true if rows are to be deleted, where the source has the rows of `found` keys: it lacks
    /// some, and the replica does not keep such rows.
    pub(crate) fn deletes_gone(&self, found: u64) -> bool {
        found < self.kept && !self.list.keeps_gone()
    }

    /// Hands the filters that select the keys' rows to `each`, one after the other. No two of them
    /// select the same row.
    pub(crate) fn filters(&self, mut each: impl FnMut(&RowFilter) -> Result<()>) -> Result<()> {
        let mut numbers = self.numbers.iter().flatten().copied().peekable();
        let mut number = 0;
        self.list.batches(|batch| {
            let mut keys = Vec::with_capacity(batch.len());
            for key in batch.key_values() {
                number += 1;
                let is_kept = self.numbers.is_none() || numbers.next_if_eq(&number).is_some();
                keys.extend(key.filter(|_| is_kept));
            }
            if keys.is_empty() { Ok(()) } else { each(&RowFilter::Keys(keys)) }
        })
    }
}

/// Reads the numbers of the keys that were kept, in order.
fn numbers(copy: CopyContext<'_>, conn: &mut MyConn, from: &str) -> Result<Vec<u64>> {
    let read = conn.query::<u64, _>(format!("SELECT {} FROM {}", quote_my(NUMBER), quote_my(from)));
    let at = copy.at(CopyStage::Gather, 0);
    let mut numbers = read.map_err(|error| copy.failed(conn, at, &error))?;
    numbers.sort_unstable();
    Ok(numbers)
}

/// Writes keys.
struct KeyInsert {
    start: String,
    row: String,
}

impl KeyInsert {
    fn new(table: &TableSchema, into: &str) -> KeyInsert {
        let names: Vec<String> =
            key_columns(table).map(|column| quote_my(column.name.as_str())).collect();
        let operands = key_operands(table).unwrap_or_default();
        // A key that is there already is passed over.
        let start = format!(
            "INSERT IGNORE INTO {} ({}, {}) VALUES ",
            quote_my(into),
            quote_my(NUMBER),
            names.join(", ")
        );
        KeyInsert { start, row: format!("(?, {})", operands.join(", ")) }
    }

    fn statement(&self, rows: usize) -> String {
        format!("{}{}", self.start, vec![&*self.row; rows].join(", "))
    }

    /// Returns the number of keys to be written, and their values; `number` counts all.
    fn params(&self, batch: &KeyBatch<'_>, number: &mut u64) -> (usize, Params) {
        let (mut rows, mut values) = (0, Vec::new());
        for key in batch.key_values() {
            *number += 1;
            let Some(key) = key else { continue };
            rows += 1;
            values.push(Value::UInt(*number));
            values.extend(key.iter().map(key_parameter));
        }
        (rows, Params::Positional(values))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use handoff_schema::{IndexPart, IndexSchema, StorageEngine, TableMapping};
    use handoff_settings::{TableSettings, ValuePolicies};

    #[test]
    fn keys_are_held_as_the_table_holds_them() {
        let text = ColumnSchema {
            charset: Some("latin1".to_owned()),
            collation: Some("latin1_swedish_ci".to_owned()),
            ..ColumnSchema::of_type("k`", "varchar(9)").unwrap()
        };
        let columns = vec![text, ColumnSchema::of_type("id", "int(10) unsigned").unwrap()];
        let columns = columns.into_iter().map(|column| ColumnSchema { nullable: false, ..column });
        let parts = [1, 0]
            .map(|column| IndexPart { column: Some(column), prefix: None, descending: false })
            .into();
        let table = TableSchema {
            engine: StorageEngine::MyIsam,
            columns: columns.collect(),
            indexes: vec![IndexSchema { name: "PRIMARY".to_owned(), unique: true, parts }],
            ..TableSchema::empty("t")
        };
        assert_eq!(
            keys_sql(&table, "keys"),
            "`keys` (`__handoff_number` BIGINT UNSIGNED NOT NULL, `id` int(10) unsigned NOT NULL, \
             `k``` varchar(9) CHARACTER SET `latin1` COLLATE `latin1_swedish_ci` NOT NULL, \
             PRIMARY KEY (`id`, `k```)) ENGINE=MyISAM"
        );
        let sql = StagedKeysSql::new(&table, "new", "keys");
        assert_eq!(
            sql.drop_found,
            "DELETE k FROM `new` AS s STRAIGHT_JOIN `keys` AS k FORCE INDEX FOR JOIN (PRIMARY) \
             ON s.`id` = k.`id` AND s.`k``` = k.`k```"
        );
        assert_eq!(
            sql.delete_gone,
            "DELETE t FROM `keys` AS k STRAIGHT_JOIN `t` AS t FORCE INDEX FOR JOIN (`PRIMARY`) \
             ON k.`id` = t.`id` AND k.`k``` = t.`k```"
        );
    }

    #[test]
    fn rows_are_deleted_only_where_keys_are_missing_and_not_kept() {
        let id = ColumnSchema { nullable: false, ..ColumnSchema::of_type("id", "int").unwrap() };
        let parts = vec![IndexPart { column: Some(0), prefix: None, descending: false }];
        let table = TableSchema {
            columns: vec![id],
            indexes: vec![IndexSchema { name: "PRIMARY".to_owned(), unique: true, parts }],
            ..TableSchema::empty("t")
        };
        let mapping =
            TableMapping::new(&table, &TableSettings::default(), &ValuePolicies::default())
                .unwrap();
        for keeps in [false, true] {
            let list = KeyList::new(&mapping).unwrap().keeping_gone(keeps);
            let keys = StagedKeys { list: &list, kept: 3, numbers: None };
            assert_eq!((keys.deletes_gone(2), keys.deletes_gone(3)), (!keeps, false));
        }
    }
}
