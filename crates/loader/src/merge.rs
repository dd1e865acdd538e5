//! Making the published table equal to staging.

use crate::error::{Error, Result};
use crate::statements::LoadStatements;
use crate::step::{last_count, step};
use postgres::{SimpleQueryMessage, SimpleQueryRow, Transaction};

/// Rows of staging from which on the planner is told of its keys: without, it may take a nested
/// loop over a table of millions.
pub(crate) const ANALYZE_ABOVE: u64 = 10_000;

/// The changes that a publication made.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct TargetChanges {
    pub(crate) inserted: u64,
    pub(crate) updated: u64,
    pub(crate) deleted: u64,
    /// Rows that were there before, where they were counted.
    pub(crate) before: Option<u64>,
}

impl TargetChanges {
    /// Returns how many rows were written or deleted.
    pub(crate) fn rows(self) -> u64 {
        self.inserted + self.updated + self.deleted
    }
}

/// The rows of the table that are to be deleted if staging lacks their key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum GoneRows<'a> {
    /// All.
    Any,
    /// The rows whose keys are in this table, quoted.
    Of(&'a str),
    /// None.
    Never,
}

/// A merge to be done.
pub(crate) struct StagingMerge<'a> {
    pub(crate) statements: &'a LoadStatements,
    /// The staging table, quoted.
    pub(crate) staging: &'a str,
    pub(crate) gone: GoneRows<'a>,
    /// True if the table has another unique index, so that changed rows are deleted and inserted again.
    pub(crate) other_unique: bool,
    /// Rows in staging.
    pub(crate) staged: u64,
}

impl StagingMerge<'_> {
    /// Deletes, changes and inserts the rows that differ.
    ///
    /// One statement does it all where it can: the three sets have no key in common, so that none
    /// has to see another's work, and their numbers and the number of rows before are taken from
    /// one snapshot. A second unique index wants the old values gone before the new ones come.
    pub(crate) fn run(&self, tx: &mut Transaction<'_>) -> Result<TargetChanges> {
        let failed = step(self.statements, "merge the new rows of");
        let answers = tx.simple_query(&self.sql()).map_err(failed)?;
        self.changes(&MergeCounts::of(&answers), last_count(&answers))
    }

    /// Returns the changes by the counts of the first statement and of the last, and sees to it that
    /// after a full load the table has as many rows as staging.
    fn changes(&self, counts: &MergeCounts, last: u64) -> Result<TargetChanges> {
        let mut changes = TargetChanges {
            inserted: counts.new,
            updated: counts.changed,
            deleted: counts.gone,
            before: (self.gone == GoneRows::Any).then_some(counts.before),
        };
        let (mut taken, mut inserted) = (counts.gone, counts.new);
        if self.other_unique {
            // Changed rows were deleted, and inserted by the last statement.
            taken += counts.changed;
            inserted = last;
            changes.inserted = inserted.saturating_sub(counts.changed);
        }
        if self.gone == GoneRows::Any {
            self.check(counts.before - taken + inserted)?;
        }
        Ok(changes)
    }

    fn check(&self, landed: u64) -> Result<()> {
        if landed == self.staged {
            return Ok(());
        }
        Err(Error::Miscount {
            table: self.statements.table(),
            sent: self.staged,
            landed,
            place: "after the merge",
        })
    }

    fn sql(&self) -> String {
        let StagingMerge { statements, staging, .. } = *self;
        let mut parts = MergeParts::default();
        let (gone, before) = match self.gone {
            GoneRows::Any => (
                parts.count_of("gone", &statements.delete_gone(staging)),
                format!("({})", statements.count(statements.rows())),
            ),
            GoneRows::Of(keys) => {
                (parts.count_of("gone", &statements.delete_keys(staging, keys)), "0".to_owned())
            }
            GoneRows::Never => ("0".to_owned(), "0".to_owned()),
        };
        let insert = statements.insert_new(staging);
        let (changed, new, then) = if self.other_unique {
            let changed = parts.count_of("changed", &statements.delete_changed(staging));
            (changed, "0".to_owned(), format!("; {insert}"))
        } else {
            let changed = parts.count_of("changed", &statements.update_changed(staging));
            (changed, parts.count_of("new", &insert), String::new())
        };
        let with = parts.clauses.join(", ");
        format!("WITH {with} SELECT {gone}, {changed}, {new}, {before}{then}")
    }
}

/// The statements that one query runs as its WITH clauses.
#[derive(Default)]
struct MergeParts {
    clauses: Vec<String>,
}

impl MergeParts {
    /// Adds a statement under a name, and returns the expression that counts its rows.
    fn count_of(&mut self, name: &str, sql: &str) -> String {
        self.clauses.push(format!("{name} AS ({sql} RETURNING 1)"));
        format!("(SELECT count(*) FROM {name})")
    }
}

/// The answer of the first statement.
#[derive(Default)]
struct MergeCounts {
    gone: u64,
    changed: u64,
    new: u64,
    before: u64,
}

impl MergeCounts {
    fn of(answers: &[SimpleQueryMessage]) -> MergeCounts {
        let row = answers.iter().find_map(|answer| match answer {
            SimpleQueryMessage::Row(row) => Some(row),
            _ => None,
        });
        row.map_or_else(MergeCounts::default, |row| MergeCounts {
            gone: number(row, 0),
            changed: number(row, 1),
            new: number(row, 2),
            before: number(row, 3),
        })
    }
}

fn number(row: &SimpleQueryRow, index: usize) -> u64 {
    let text = row.try_get(index).ok().flatten();
    text.and_then(|text| text.parse().ok()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::mapping;
    use handoff_model::CopyId;

    fn with_merge<T>(
        gone: GoneRows<'_>,
        other_unique: bool,
        f: impl Fn(StagingMerge<'_>) -> T,
    ) -> T {
        let statements = &LoadStatements::new("raw", &mapping(true), CopyId::new());
        f(StagingMerge { statements, staging: "\"s\"", gone, other_unique, staged: 10 })
    }

    #[test]
    fn one_statement_merges_a_full_load_and_counts_the_rows_before() {
        let sql = with_merge(GoneRows::Any, false, |merge| merge.sql());
        assert!(sql.starts_with("WITH gone AS (DELETE FROM "), "{sql}");
        assert!(sql.contains(" RETURNING 1), changed AS (UPDATE "), "{sql}");
        assert!(sql.contains(" RETURNING 1), new AS (INSERT INTO "), "{sql}");
        let counts = "SELECT (SELECT count(*) FROM gone), (SELECT count(*) FROM changed), \
                      (SELECT count(*) FROM new), (SELECT count(*) FROM ONLY ";
        assert!(sql.contains(counts), "{sql}");
    }

    #[test]
    fn another_unique_index_has_changed_rows_deleted_before_any_is_inserted() {
        let sql = with_merge(GoneRows::Never, true, |merge| merge.sql());
        assert!(sql.starts_with("WITH changed AS (DELETE FROM "), "{sql}");
        let (first, last) = sql.split_once("; ").unwrap();
        assert!(first.ends_with("SELECT 0, (SELECT count(*) FROM changed), 0, 0"), "{sql}");
        assert!(last.starts_with("INSERT INTO "), "{sql}");
    }

    #[test]
    fn an_incremental_load_deletes_the_rows_of_given_keys_at_most() {
        let sql = with_merge(GoneRows::Of("\"k\""), false, |merge| merge.sql());
        assert!(sql.contains(" USING \"k\" s WHERE "), "{sql}");
        assert!(sql.ends_with("(SELECT count(*) FROM new), 0"), "{sql}");
        let none = with_merge(GoneRows::Never, false, |merge| merge.sql());
        assert!(!none.contains("DELETE"), "{none}");
    }

    #[test]
    fn a_full_load_leaves_as_many_rows_as_staging_has() {
        let counts = MergeCounts { gone: 2, changed: 3, new: 4, before: 8 };
        let changes = |gone, other_unique, last| {
            with_merge(gone, other_unique, |merge| merge.changes(&counts, last))
        };
        let full = changes(GoneRows::Any, false, 1).unwrap();
        let expected = TargetChanges { inserted: 4, updated: 3, deleted: 2, before: Some(8) };
        assert_eq!((full, full.rows()), (expected, 9));
        // Of seven rows that were inserted in the end, three had been deleted as changed.
        assert_eq!(changes(GoneRows::Any, true, 7).unwrap(), expected);
        let error = changes(GoneRows::Any, true, 6).unwrap_err();
        assert!(matches!(error, Error::Miscount { sent: 10, landed: 9, .. }), "{error}");
        let some = changes(GoneRows::Never, false, 1).unwrap();
        assert_eq!(some, TargetChanges { before: None, ..expected });
    }
}
