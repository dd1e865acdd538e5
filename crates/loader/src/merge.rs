//! Making the published table equal to staging.

use crate::error::{Error, Result};
use crate::statements::LoadStatements;
use crate::step::step;
use postgres::{SimpleQueryMessage, Transaction};

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
    /// Those whose keys are in this table, quoted.
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
        let counted = MergeCounts::of(&answers);
        let mut changes = TargetChanges {
            inserted: counted.new,
            updated: counted.changed,
            deleted: counted.gone,
            before: (self.gone == GoneRows::Any).then_some(counted.before),
        };
        let mut inserted = counted.new;
        if self.other_unique {
            inserted = last_count(&answers);
            changes.inserted = inserted.saturating_sub(counted.changed);
        }
        if self.gone == GoneRows::Any {
            let taken =
                if self.other_unique { counted.gone + counted.changed } else { counted.gone };
            self.check(counted.before - taken + inserted)?;
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
        let mut parts = Vec::new();
        let mut part = |name: &str, sql: String| {
            parts.push(format!("{name} AS ({sql} RETURNING 1)"));
            format!("(SELECT count(*) FROM {name})")
        };
        let (gone, before) = match self.gone {
            GoneRows::Any => (
                part("gone", statements.delete_gone(staging)),
                format!("({})", statements.count(statements.rows())),
            ),
            GoneRows::Of(keys) => {
                (part("gone", statements.delete_keys(staging, keys)), "0".to_owned())
            }
            GoneRows::Never => ("0".to_owned(), "0".to_owned()),
        };
        let insert = statements.insert_new(staging);
        let (changed, new, then) = if self.other_unique {
            let changed = part("changed", statements.delete_changed(staging));
            (changed, "0".to_owned(), format!("; {insert}"))
        } else {
            let changed = part("changed", statements.update_changed(staging));
            (changed, part("new", insert), String::new())
        };
        format!("WITH {} SELECT {gone}, {changed}, {new}, {before}{then}", parts.join(", "))
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
        let Some(row) = row else { return MergeCounts::default() };
        let number = |index: usize| {
            let text = row.try_get(index).ok().flatten();
            text.and_then(|text| text.parse().ok()).unwrap_or(0)
        };
        MergeCounts { gone: number(0), changed: number(1), new: number(2), before: number(3) }
    }
}

/// Returns the number of rows that the last statement of a script concerned.
pub(crate) fn last_count(answers: &[SimpleQueryMessage]) -> u64 {
    let counts = answers.iter().rev().find_map(|answer| match answer {
        SimpleQueryMessage::CommandComplete(count) => Some(*count),
        _ => None,
    });
    counts.unwrap_or(0)
}
