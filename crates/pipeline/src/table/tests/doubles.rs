//! Doubles that play the roles of servers, movers and records.

use super::plans::{ALL, NEXT, at, comparison, watermark_column};
use crate::error::TableError;
use crate::gate::Gate;
use crate::report::StructureReport;
use crate::table::delete_limit::{DeleteLimits, GuardedCommand};
use crate::table::difference::TableDifference;
use crate::table::evidence::Checksums;
use crate::table::probe::Probe;
use crate::table::roles::{
    ComparedPart, CopiedPart, CopyOrder, LoadOrder, LoadedPart, PlacedRows, PublicationCheck,
    RunRecords, TableMovers, TableQuestions,
};
use crate::table::run_scope::{RetryCounts, RunScope};
use crate::table::steps::{Between, Stages};
use handoff_connect::{Fault, PublishedRows, RetryPolicy, Side};
use handoff_loader::LoadOutcome;
use handoff_model::{
    CancelToken, CopyId, LossAudit, MoveFigures, Observer, ProofBy, RowFilter, RunEvent, TableName,
    TablePhase, TableSum, Watermark, WatermarkWindow,
};
use handoff_plan::{Hops, TablePlan, WatermarkColumn};
use handoff_replicator::CopyOutcome;
use handoff_schema::TargetTable;
use handoff_structure::StructurePlan;
use handoff_tracking::AttemptStatus;
use jiff::Zoned;
use std::collections::VecDeque;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// Something that an interpreter asks or orders.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Call {
    pub(crate) what: &'static str,
    /// The copy that is made or loaded.
    pub(crate) copy_id: Option<CopyId>,
}

/// Servers, movers and records that exist only here. Rows are numbers.
#[derive(Default)]
pub(crate) struct Double {
    /// Rows that the source has.
    pub(crate) source: u64,
    /// Rows that the replica has once a copy is in place.
    pub(crate) replica: u64,
    /// Rows that the target has once a load is in place.
    pub(crate) target: u64,
    /// Rows in the window when the source is asked.
    pub(crate) changed: u64,
    /// Rows that were written to the source since then, which are among its rows.
    pub(crate) written: u64,
    /// Rows that a load deletes.
    pub(crate) deleted: u64,
    /// The sum that hop 1 and hop 2 take; another one for hop 2 if it reads other rows.
    pub(crate) read_differs: bool,
    pub(crate) target_differs: bool,
    pub(crate) is_empty: bool,
    /// The outcomes of comparisons, in order; then nothing differs.
    pub(crate) comparisons: Mutex<VecDeque<TableDifference>>,
    /// The outcomes of comparing the bytes of source and replica, in order; then they are the same.
    pub(crate) same_bytes: Mutex<VecDeque<bool>>,
    pub(crate) slice_ends: Mutex<VecDeque<Watermark>>,
    /// The faults that calls of a name end with, in order.
    pub(crate) faults: Mutex<Vec<(&'static str, TableError)>>,
    pub(crate) lock_is_lost: bool,
    pub(crate) calls: Mutex<Vec<Call>>,
    pub(crate) recorded: Mutex<Vec<String>>,
    pub(crate) events: Arc<Events>,
}

/// The events that an observer is told of.
#[derive(Default)]
pub(crate) struct Events(pub(crate) Mutex<Vec<String>>);

impl Observer for Events {
    fn event(&self, event: &RunEvent) {
        let text = match event {
            RunEvent::PhaseStarted { phase, .. } => format!("began {phase:?}"),
            RunEvent::PhaseFinished { phase, rows, .. } => format!("ended {phase:?} of {rows}"),
            RunEvent::Retrying { .. } => "retrying".to_owned(),
            RunEvent::Notice { text, .. } => text.clone(),
            RunEvent::TableFinished { status, .. } => format!("finished {status}"),
            _ => return,
        };
        self.0.lock().unwrap().push(text);
    }
}

impl Double {
    /// A world in which all three databases have `rows` rows and nothing goes wrong.
    pub(crate) fn of(rows: u64) -> Double {
        Double { source: rows, replica: rows, target: rows, changed: 3, ..Double::default() }
    }

    /// Has the next call of this name end with `error`.
    pub(crate) fn fail(self, what: &'static str, error: TableError) -> Double {
        self.faults.lock().unwrap().push((what, error));
        self
    }

    pub(crate) fn finding(self, found: TableDifference) -> Double {
        self.comparisons.lock().unwrap().push_back(found);
        self
    }

    fn call(&self, what: &'static str, copy_id: Option<CopyId>) -> Result<(), TableError> {
        self.calls.lock().unwrap().push(Call { what, copy_id });
        let mut faults = self.faults.lock().unwrap();
        match faults.iter().position(|(name, _)| *name == what) {
            Some(index) => Err(faults.remove(index).1),
            None => Ok(()),
        }
    }

    /// Returns the names of all calls so far.
    pub(crate) fn names(&self) -> Vec<&'static str> {
        self.calls.lock().unwrap().iter().map(|call| call.what).collect()
    }

    pub(crate) fn copy_ids(&self, what: &str) -> Vec<CopyId> {
        let calls = self.calls.lock().unwrap();
        calls.iter().filter(|call| call.what == what).filter_map(|call| call.copy_id).collect()
    }

    /// Makes a run of these doubles.
    pub(crate) fn scope<'a>(&'a self, gate: &'a Gate, stages: Stages) -> RunScope<'a> {
        RunScope {
            stages,
            chunk_rows: 10,
            limits: DeleteLimits {
                asked: None,
                configured: 20,
                command: GuardedCommand::Move(stages.hops),
            },
            spool: None,
            questions: self,
            movers: self,
            records: self,
            gate,
            lock_lost: AtomicBool::new(false),
            retried: RetryCounts::default(),
            retries: RetryPolicy {
                attempts: 3,
                first_wait: Duration::ZERO,
                ..RetryPolicy::default()
            },
            cancel: CancelToken::new(),
            observer: Arc::clone(&self.events) as Arc<dyn Observer>,
        }
    }
}

/// An open gate.
pub(crate) fn gate() -> Gate {
    Gate::open(CancelToken::new(), Arc::new(Zoned::now), None)
}

pub(crate) fn stages(hops: Hops, has_replica: bool, proof: ProofBy) -> Stages {
    Stages { hops, has_replica, proof }
}

fn sum(rows: u64, is_other: bool) -> TableSum {
    TableSum { rows, hash: 11 + u128::from(is_other) }
}

fn figures(rows: u64, deleted: u64) -> MoveFigures {
    let duration = Duration::from_millis(1);
    MoveFigures { rows, inserted: rows, deleted, bytes: 10 * rows, duration, ..Default::default() }
}

impl TableQuestions for Double {
    fn probe(&self, _: &TablePlan, _: &RowFilter) -> Result<Probe, TableError> {
        self.call("probe", None)?;
        let next = vec![(watermark_column(), at(NEXT))];
        Ok(Probe { rows: self.source - self.written, changed: Some(self.changed), next })
    }

    fn slice_end(
        &self,
        _: &TablePlan,
        _: &WatermarkColumn,
        _: &WatermarkWindow,
        _: u64,
    ) -> Result<Option<Watermark>, TableError> {
        self.call("slice end", None)?;
        Ok(self.slice_ends.lock().unwrap().pop_front())
    }

    fn count(&self, side: Side, _: &TablePlan, filter: &RowFilter) -> Result<u64, TableError> {
        match (side, filter) {
            (Side::Source, RowFilter::All) => self.call("count source", None).map(|()| self.source),
            (Side::Source, _) => self.call("count written", None).map(|()| self.written),
            (_, RowFilter::All) => self.call("count replica", None).map(|()| self.replica),
            _ => self.call("count window of replica", None).map(|()| 0),
        }
    }

    fn count_read(&self, plan: &TablePlan) -> Result<u64, TableError> {
        self.call("count read", None)?;
        Ok(if plan.replica.is_some() { self.replica } else { self.source })
    }

    fn sum_read(&self, _: &TablePlan) -> Result<TableSum, TableError> {
        self.call("sum read", None)?;
        Ok(sum(self.target, false))
    }

    fn is_empty(&self, _: &TablePlan) -> Result<bool, TableError> {
        self.call("is empty", None).map(|()| self.is_empty)
    }

    fn checksums(&self, _: &TablePlan) -> Result<Checksums, TableError> {
        self.call("checksums", None)?;
        let same = self.same_bytes.lock().unwrap().pop_front().unwrap_or(true);
        Ok(Checksums { source: sum(self.source, false), replica: sum(self.replica, !same) })
    }

    fn compare(
        &self,
        plan: &TablePlan,
        between: Between,
        part: ComparedPart,
    ) -> Result<TableDifference, TableError> {
        self.call(if part == ComparedPart::Keys { "compare keys" } else { "compare" }, None)?;
        let sides: Vec<Side> = ALL
            .into_iter()
            .filter(|side| *side != Side::Replica || plan.replica.is_some())
            .skip_while(|side| *side != between.first)
            .take_while(|side| *side != between.last)
            .chain([between.last])
            .collect();
        let next = self.comparisons.lock().unwrap().pop_front();
        Ok(next.unwrap_or_else(|| comparison(&sides, self.source, &[])))
    }

    fn unreachable(&self, side: Side) -> Option<Fault> {
        let _ = self.call("unreachable", None);
        Some(Fault::new(side, "is gone"))
    }
}

/// The rows of a double that are about to be published.
pub(crate) struct Placed<'a> {
    pub(crate) double: &'a Double,
    pub(crate) side: Side,
}

impl PlacedRows for Placed<'_> {
    fn count(&mut self) -> Result<u64, TableError> {
        self.double.call("count placed", None)?;
        Ok(if self.side == Side::Target { self.double.target } else { self.double.replica })
    }

    fn sum(&mut self) -> Result<TableSum, TableError> {
        self.double.call("sum placed", None)?;
        Ok(sum(self.double.target, self.double.target_differs))
    }
}

impl TableMovers for Double {
    fn change(&self, _: &TablePlan, _: &StructurePlan) -> Result<TargetTable, TableError> {
        Err(TableError::Prove(Fault::new(Side::Target, "a double changes no table")))
    }

    fn take_changes(&self, _: &TableName) -> Vec<StructureReport> {
        Vec::new()
    }

    fn copy(
        &self,
        order: &CopyOrder<'_>,
        check: &dyn PublicationCheck,
    ) -> Result<CopyOutcome, TableError> {
        let (what, rows) = match order.part {
            CopiedPart::Rows(RowFilter::All) => ("copy all", self.replica),
            CopiedPart::Rows(_) => ("copy window", self.changed),
            CopiedPart::RowsAndKeys(..) => ("copy window and keys", self.changed),
            CopiedPart::Keys(keys) => ("copy keys", keys.len()),
        };
        self.call(what, Some(order.id))?;
        let published = PublishedRows { rows, inserted: rows, ..PublishedRows::default() };
        check.check(&published, &mut Placed { double: self, side: Side::Replica })?;
        self.call("publish copy", None)?;
        let filter_sum = order.sums.then(|| sum(rows, false));
        Ok(CopyOutcome {
            figures: figures(rows, 0),
            unchanged: 0,
            strategy: "load_data_local",
            omissions: Vec::new(),
            notes: vec!["a note of the copy".to_owned()],
            checked: false,
            sum: filter_sum,
            filter_sum,
        })
    }

    fn load(
        &self,
        order: &LoadOrder<'_>,
        check: &dyn PublicationCheck,
    ) -> Result<LoadOutcome, TableError> {
        let (what, rows) = match order.part {
            LoadedPart::Rows(RowFilter::All) => ("load all", self.target),
            LoadedPart::Rows(_) => ("load window", self.changed),
            LoadedPart::RowsAndKeys(..) => ("load window and keys", self.changed),
            LoadedPart::Keys(keys) => ("load keys", keys.len()),
            LoadedPart::File(_) => ("load file", self.target),
        };
        self.call(what, order.copy_id)?;
        let read = sum(rows, self.read_differs);
        let published = PublishedRows {
            rows,
            deleted: self.deleted,
            sum: Some(read),
            filter_sum: Some(read),
            before: Some(self.target + self.deleted),
            ..PublishedRows::default()
        };
        check.check(&published, &mut Placed { double: self, side: Side::Target })?;
        self.call("publish load", None)?;
        Ok(LoadOutcome {
            figures: figures(rows, self.deleted),
            strategy: "streaming",
            sum: read,
            unchanged: false,
            audit: LossAudit::default(),
            notes: Vec::new(),
        })
    }
}

impl RunRecords for Double {
    fn demand_lock(&self) -> Result<(), Fault> {
        match self.lock_is_lost {
            true => Err(Fault::new(Side::Target, "the lock is lost")),
            false => Ok(()),
        }
    }

    fn check_lock(&self) -> Result<(), Fault> {
        Ok(())
    }

    fn failed(
        &self,
        _: &TableName,
        phase: TablePhase,
        status: AttemptStatus,
        text: &str,
    ) -> Result<(), handoff_tracking::TrackingError> {
        self.recorded.lock().unwrap().push(format!("{} in {phase:?}: {text}", status.name()));
        Ok(())
    }
}
