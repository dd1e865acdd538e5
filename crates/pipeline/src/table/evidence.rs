//! All that was seen of a table, and the one place where it is judged.
//!
//! Steps add to [`Evidence`] and never decide by themselves: the verdict, its sentence and the error that
//! follows from it are functions of the evidence and of the rule of the run. The proof of the report is made
//! of it at the end.

use crate::error::TableError;
use crate::report::{Covers, Proof, Verdict};
use handoff_model::human::grouped;
use handoff_model::{ProofBy, TableSum, millis};
use jiff::Timestamp;
use std::time::Duration;

/// The rows of a table in each database, as far as they are known.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct SideRows {
    pub(crate) source: Option<u64>,
    pub(crate) replica: Option<u64>,
    pub(crate) target: Option<u64>,
}

/// The sums of the bytes of all rows, read again in source and replica.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Checksums {
    pub(crate) source: TableSum,
    pub(crate) replica: TableSum,
}

/// The sums of canonical rows, as far as they were taken.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct RowSums {
    /// Taken while hop 1 read the source.
    pub(crate) source: Option<TableSum>,
    /// Taken while hop 2 read its rows.
    pub(crate) read: Option<TableSum>,
    /// Of the rows that the target holds.
    pub(crate) target: Option<TableSum>,
}

/// The writes to the source that may explain why it has more rows than arrived.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct WrittenSince {
    /// Rows that the source had when the run first looked.
    pub(crate) first_look: u64,
    /// Rows that were written since, as far as their watermarks tell.
    pub(crate) rows: u64,
}

/// The rule by which evidence is judged: one for a run and a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ProofRule {
    pub(crate) by: ProofBy,
    /// True if rows stay in the target that are gone from the source.
    pub(crate) retains: bool,
}

/// All that was seen of a table in an attempt.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Evidence {
    /// The time of the first look; [`None`] if nothing was looked at.
    pub(crate) at: Option<Timestamp>,
    pub(crate) took: Duration,
    pub(crate) rows: SideRows,
    /// True if databases were asked for the numbers of rows. Otherwise each server has confirmed the number
    /// that it took.
    pub(crate) counted: bool,
    pub(crate) written: Option<WrittenSince>,
    pub(crate) checksums: Option<Checksums>,
    pub(crate) sums: RowSums,
    /// Rows that differ anywhere, where a comparison read all of them.
    pub(crate) differing: Option<u64>,
    /// True if it is about the rows that were moved, and of the others about the number alone.
    pub(crate) is_of_moved: bool,
}

/// The first thing that is not as it has to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Difference {
    /// Hop 2 read other rows than hop 1.
    Moved,
    /// Source and replica hold other rows.
    Copied,
    /// The target holds other rows than were read.
    Loaded,
    /// The numbers of rows do not fit.
    Counts,
    /// A comparison of every row named some.
    Rows,
}

impl Evidence {
    /// Begins evidence of which the first look is now.
    pub(crate) fn begun() -> Evidence {
        Evidence { at: Some(Timestamp::now()), ..Evidence::default() }
    }

    /// Makes the evidence of numbers of rows that databases were asked for.
    pub(crate) fn of_counts(rows: SideRows) -> Evidence {
        Evidence { rows, counted: true, ..Evidence::begun() }
    }

    /// Notes that something is looked at, and that it took so long.
    pub(crate) fn looked(&mut self, took: Duration) {
        self.at.get_or_insert_with(Timestamp::now);
        self.took += took;
    }

    /// Adds the sums of the bytes of all rows of source and replica.
    pub(crate) fn take_checksums(&mut self, checksums: Checksums) {
        self.counted = true;
        self.rows.source = Some(checksums.source.rows);
        self.rows.replica = Some(checksums.replica.rows);
        self.checksums = Some(checksums);
    }

    /// Adds the sums of the rows that a load has read and of those that the target holds.
    pub(crate) fn take_read_back(&mut self, read: TableSum, target: TableSum) {
        self.counted = true;
        self.rows.target = Some(target.rows);
        self.sums.read = Some(read);
        self.sums.target = Some(target);
    }

    /// Returns the first difference, if there is one.
    pub(crate) fn difference(&self, rule: ProofRule) -> Option<Difference> {
        if let Some(rows) = self.differing {
            return (rows > 0).then_some(Difference::Rows);
        }
        let RowSums { source, read, target } = self.sums;
        if read.is_some() && source.is_some_and(|source| Some(source) != read) {
            return Some(Difference::Moved);
        }
        if self.checksums.is_some_and(|sums| sums.source != sums.replica) {
            return Some(Difference::Copied);
        }
        if read.is_some() && target.is_some_and(|target| Some(target) != read) {
            return Some(Difference::Loaded);
        }
        (!self.counts_fit(rule)).then_some(Difference::Counts)
    }

    /// Judges.
    pub(crate) fn verdict(&self, rule: ProofRule) -> Verdict {
        match self.difference(rule) {
            Some(_) => Verdict::Differs,
            None if self.has_contents(rule) => Verdict::Equal,
            None => Verdict::SameCount,
        }
    }

    /// Returns the error of a table that differs.
    pub(crate) fn error(&self, rule: ProofRule) -> Option<TableError> {
        let difference = self.difference(rule)?;
        let text = self.sentence(difference);
        Some(match difference {
            Difference::Counts if rule.by != ProofBy::Rows => TableError::Miscounted(text),
            _ => TableError::Differs(text),
        })
    }

    /// Returns one sentence on the difference, with counts and without values.
    pub(crate) fn sentence(&self, difference: Difference) -> String {
        let SideRows { source, replica, target } = self.rows;
        let sides = [("source", source), ("replica", replica), ("target", target)];
        let known = sides.into_iter().filter_map(|(side, rows)| Some((side, rows?)));
        let texts: Vec<String> =
            known.map(|(side, rows)| format!("{rows} rows in the {side}")).collect();
        let counts = texts.join(", ");
        match difference {
            Difference::Moved => format!(
                "the rows read in the source are not the rows read in the replica ({counts})"
            ),
            Difference::Copied => format!(
                "the rows of source and replica are not the same ({counts}); if the source was \
                 written to meanwhile, run the table again"
            ),
            Difference::Loaded => {
                format!("the rows read are not the rows in the target ({counts})")
            }
            Difference::Counts | Difference::Rows => {
                format!("the row counts are not the same ({counts})")
            }
        }
    }

    /// Returns true if writes to the source since the first look could explain that it has more rows than
    /// `arrived`, so that they are worth counting: every row that was there then has arrived.
    pub(crate) fn may_be_explained(source: u64, arrived: u64, first_look: u64) -> bool {
        source > arrived && arrived >= first_look
    }

    /// Returns the number of rows that stay in the target and are gone from the source.
    pub(crate) fn retained(&self, rule: ProofRule) -> Option<u64> {
        let source = self.rows.source.filter(|_| rule.retains)?;
        self.rows.target?.checked_sub(source)
    }

    /// Returns a remark with the number of rows that stay, if any do.
    pub(crate) fn retained_note(&self, rule: ProofRule) -> Option<String> {
        let retained = self.retained(rule).filter(|&rows| rows > 0)?;
        Some(format!(
            "the target holds {} rows more than the source, which are gone from there (deletes = \
             \"ignore\")",
            grouped(retained)
        ))
    }

    /// Makes the proof of a report; [`None`] if nothing was looked at.
    pub(crate) fn proof(&self, rule: ProofRule) -> Option<Proof> {
        Some(Proof {
            verdict: self.verdict(rule),
            by: self.told_by(rule),
            covers: if self.is_of_moved { Covers::MovedRows } else { Covers::Table },
            at: self.at?,
            counted: self.counted,
            source_rows: self.rows.source,
            replica_rows: self.rows.replica,
            target_rows: self.rows.target,
            kept_rows: self.retained(rule),
            source_checksum: self.checksums.map(|sums| sums.source),
            replica_checksum: self.checksums.map(|sums| sums.replica),
            source_sum: self.sums.source,
            read_sum: self.sums.read,
            target_sum: self.sums.target,
            duration_ms: millis(self.took),
        })
    }

    /// Returns the evidence that the verdict rests on.
    fn told_by(&self, rule: ProofRule) -> ProofBy {
        match rule.by {
            ProofBy::Rows if self.checksums.is_some() || self.has_contents(rule) => ProofBy::Rows,
            ProofBy::Sums if self.has_contents(rule) => ProofBy::Sums,
            _ => ProofBy::Counts,
        }
    }

    /// Returns true if the contents of rows were compared as far as they were to be: of the target as well, where
    /// every row is.
    fn has_contents(&self, rule: ProofRule) -> bool {
        let RowSums { source, read, target } = self.sums;
        match rule.by {
            ProofBy::Rows => self.differing.is_some() || (read.is_some() && target.is_some()),
            ProofBy::Sums => read.is_some() && (source.is_some() || target.is_some()),
            ProofBy::Counts => false,
        }
    }

    /// Returns true if the numbers of rows fit, as far as databases were asked for them. Nobody else writes to
    /// replica and target; the source may have got rows since the run first looked, and lost those that stay.
    fn counts_fit(&self, rule: ProofRule) -> bool {
        let SideRows { source, replica, target } = self.rows;
        if !self.counted {
            return true;
        }
        if replica.is_some() && target.is_some_and(|target| Some(target) != replica) {
            return false;
        }
        match (source, replica.or(target)) {
            (Some(source), Some(arrived)) if rule.by == ProofBy::Rows => source == arrived,
            (Some(source), Some(arrived)) if source <= arrived => source == arrived || rule.retains,
            (Some(source), Some(arrived)) => self.is_explained(source, arrived),
            _ => true,
        }
    }

    /// Counts may differ only by rows written after the first look; every row that was there then has to have
    /// arrived, since the rows above a watermark that is its column's highest value are not all new.
    fn is_explained(&self, source: u64, arrived: u64) -> bool {
        self.written.is_some_and(|written| {
            Evidence::may_be_explained(source, arrived, written.first_look)
                && source - arrived <= written.rows
        })
    }
}

#[cfg(test)]
mod tests;
