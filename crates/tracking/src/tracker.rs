//! The one writer of the tracking tables.

use crate::change::{BoundStatement, RowChange};
use crate::changes::{FinishedCopy, RecordEntry};
use crate::error::{Result, TrackingError};
use crate::keeper::LockKeeper;
use crate::layout::{COPIES, ColumnSpec, LOADS, RUNS, TableLayout};
use crate::origin::RunIdentities;
use crate::prepare::{self, Missing};
use crate::published_move::PublishedMove;
use crate::state::TrackedTable;
use crate::text_fields::TextFields;
use crate::watermark::to_json;
use handoff_connect::{MyPool, PgPool, SessionProfile, Side, quote_my, quote_pg};
use handoff_model::{Extraction, Reason, RunId, TableName};
use jiff::Timestamp;
use std::collections::BTreeMap;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, OnceLock, PoisonError, Weak};

/// The only writer of `etl_copy_status`, `etl_load_status` and `etl_runs`. Cheap to clone.
///
/// Without a replica all three are in the target, and a load writes the row of its copy as well.
/// Every method but [`seal`](Tracker::seal) takes a connection of its own from the pools for the
/// time of one statement.
#[derive(Clone)]
pub struct Tracker {
    pub(crate) shared: Arc<TrackerState>,
}

pub(crate) struct TrackerState {
    pub(crate) run: RunId,
    pub(crate) replica: Option<MyPool>,
    pub(crate) target: PgPool,
    pub(crate) schema: String,
    pub(crate) access: TrackerAccess,
    /// Set while this tracker holds the run lock.
    pub(crate) locked: AtomicBool,
    /// The keeper of that lock.
    pub(crate) keeper: Mutex<Weak<LockKeeper>>,
    /// The databases of this run, once they are known.
    pub(crate) identities: OnceLock<RunIdentities>,
    /// The copies of this run.
    pub(crate) copied: Mutex<BTreeMap<TableName, RememberedCopy>>,
}

/// The access of a tracker.
pub(crate) enum TrackerAccess {
    /// Read and write; every table is there.
    Write,
    /// Read these tables, which may lack some columns.
    Read(BTreeMap<&'static str, Missing>),
}

/// A copy of this run, kept until the line of its table in `etl_runs` is written.
#[derive(Debug, Clone)]
pub(crate) struct RememberedCopy {
    pub(crate) copied: FinishedCopy,
    pub(crate) extraction: Extraction,
    pub(crate) reason: Reason,
    pub(crate) watermark: Option<String>,
}

impl Tracker {
    /// Opens the tracking of one pipeline, and makes the tables that are missing: one statement
    /// each, and none at all if they are there.
    ///
    /// # Errors
    ///
    /// Returns a [`TrackingError`] if a server fails, may not make a table, or if a table with a name of
    /// ours is not ours or has another layout.
    pub fn open(
        run: RunId,
        replica: Option<MyPool>,
        target: PgPool,
        schema: &str,
    ) -> Result<Tracker> {
        prepare::make(replica.as_ref(), &target, schema)?;
        Ok(Tracker::with(run, replica, target, schema, TrackerAccess::Write))
    }

    /// Opens the tracking of one pipeline for reading. Makes nothing; tables that are missing
    /// read as empty.
    ///
    /// # Errors
    ///
    /// As [`Tracker::open`].
    pub fn open_read_only(
        run: RunId,
        replica: Option<MyPool>,
        target: PgPool,
        schema: &str,
    ) -> Result<Tracker> {
        let there = prepare::look(replica.as_ref(), &target, schema)?;
        Ok(Tracker::with(run, replica, target, schema, TrackerAccess::Read(there)))
    }

    fn with(
        run: RunId,
        replica: Option<MyPool>,
        target: PgPool,
        schema: &str,
        access: TrackerAccess,
    ) -> Tracker {
        let shared = TrackerState {
            run,
            replica,
            target,
            schema: schema.to_owned(),
            access,
            locked: AtomicBool::new(false),
            keeper: Mutex::default(),
            identities: OnceLock::new(),
            copied: Mutex::default(),
        };
        Tracker { shared: Arc::new(shared) }
    }

    /// Returns the run that this tracker writes for.
    pub fn run(&self) -> RunId {
        self.shared.run
    }

    /// Returns true if copies are tracked in a replica, false if the source is loaded directly.
    pub fn has_replica(&self) -> bool {
        self.shared.replica.is_some()
    }

    /// Reads what is known of every table: one query a side.
    ///
    /// # Errors
    ///
    /// Returns a [`TrackingError`] if a server fails, or a row was changed by hand into something that
    /// means nothing.
    pub fn states(&self) -> Result<BTreeMap<TableName, TrackedTable>> {
        let mut states: BTreeMap<TableName, TrackedTable> = BTreeMap::new();
        let (copies, place) = match self.replica() {
            Some(replica) => (self.read_replica(replica, &COPIES)?, Side::Replica),
            None => (self.read_target(&COPIES)?, Side::Target),
        };
        for row in copies {
            states.entry(row.table()?).or_default().copy = Some(row.copy(place)?);
        }
        for row in self.read_target(&LOADS)? {
            states.entry(row.table()?).or_default().load = Some(row.load()?);
        }
        Ok(states)
    }

    fn read_replica(
        &self,
        replica: &MyPool,
        layout: &'static TableLayout,
    ) -> Result<Vec<TextFields>> {
        if !self.has(layout) {
            return Ok(Vec::new());
        }
        let failed = TrackingError::server("read", layout.name);
        let mut conn = replica.get(SessionProfile::Read).map_err(&failed)?;
        let table = self.in_replica(replica, layout);
        let query = format!("SELECT {} FROM {table}", layout.select_in_mysql(self.missing(layout)));
        let rows: Vec<mysql::Row> =
            conn.query(query).map_err(|error| failed(conn.fault(&error)))?;
        Ok(rows.into_iter().map(|row| TextFields::new(layout, texts_of(row))).collect())
    }

    fn read_target(&self, layout: &'static TableLayout) -> Result<Vec<TextFields>> {
        if !self.has(layout) {
            return Ok(Vec::new());
        }
        let failed = TrackingError::server("read", layout.name);
        let mut conn = self.shared.target.get().map_err(&failed)?;
        let query = format!(
            "SELECT {} FROM {}",
            layout.select_in_postgres(self.missing(layout)),
            self.in_target(layout)
        );
        let rows = conn.query_typed(&query, &[]).map_err(|error| failed(conn.fault(&error)))?;
        let mut read = Vec::with_capacity(rows.len());
        for row in &rows {
            let texts = (0..row.len()).map(|column| row.try_get(column)).collect::<Result<_, _>>();
            read.push(TextFields::new(layout, texts.map_err(|error| failed(conn.fault(&error)))?));
        }
        Ok(read)
    }

    pub(crate) fn has(&self, layout: &TableLayout) -> bool {
        match &self.shared.access {
            TrackerAccess::Write => true,
            TrackerAccess::Read(there) => there.contains_key(layout.name),
        }
    }

    fn missing(&self, layout: &TableLayout) -> &[&'static ColumnSpec] {
        match &self.shared.access {
            TrackerAccess::Write => &[],
            TrackerAccess::Read(there) => there.get(layout.name).map_or(&[], Vec::as_slice),
        }
    }

    pub(crate) fn demand_write(&self) -> Result<()> {
        match self.shared.access {
            TrackerAccess::Write => Ok(()),
            TrackerAccess::Read(_) => Err(TrackingError::ReadOnly),
        }
    }

    pub(crate) fn replica(&self) -> Option<&MyPool> {
        self.shared.replica.as_ref()
    }

    pub(crate) fn entry<'a>(&self, table: &'a TableName) -> RecordEntry<'a> {
        RecordEntry { run: self.shared.run, table, at: Timestamp::now() }
    }

    /// Returns the quoted name of a table in the replica.
    pub(crate) fn in_replica(&self, replica: &MyPool, layout: &TableLayout) -> String {
        format!("{}.{}", quote_my(replica.database()), quote_my(layout.name))
    }

    /// Returns the quoted name of a table in the target.
    pub(crate) fn in_target(&self, layout: &TableLayout) -> String {
        format!("{}.{}", quote_pg(self.shared.schema.as_str()), quote_pg(layout.name))
    }

    /// Returns one statement for PostgreSQL that makes all of `changes`, which must be for
    /// different tables or rows.
    pub(crate) fn in_one_statement(&self, changes: &[RowChange]) -> BoundStatement {
        let mut values = Vec::new();
        let mut parts: Vec<String> = changes
            .iter()
            .map(|change| change.for_postgres(&self.in_target(change.layout()), &mut values))
            .collect();
        let last = parts.pop().unwrap_or_default();
        let mut sql = String::new();
        for (number, part) in parts.iter().enumerate() {
            sql += if number == 0 { "WITH " } else { ", " };
            sql += &format!("change_{number} AS ({part})");
        }
        if !sql.is_empty() {
            sql.push(' ');
        }
        BoundStatement { sql: sql + &last, values }
    }

    /// Keeps what a copy made until the line of its table in `etl_runs` is written.
    pub(crate) fn remember(
        &self,
        table: &TableName,
        copied: FinishedCopy,
        work: &PublishedMove<'_>,
    ) {
        let remembered = RememberedCopy {
            copied,
            extraction: work.extraction,
            reason: work.reason,
            watermark: work.watermark.map(to_json),
        };
        let mut all = self.shared.copied.lock().unwrap_or_else(PoisonError::into_inner);
        all.insert(table.clone(), remembered);
    }

    pub(crate) fn remembered(&self, table: &TableName) -> Option<FinishedCopy> {
        let all = self.shared.copied.lock().unwrap_or_else(PoisonError::into_inner);
        all.get(table).map(|remembered| remembered.copied.clone())
    }

    pub(crate) fn forget(&self, table: &TableName) {
        self.shared.copied.lock().unwrap_or_else(PoisonError::into_inner).remove(table);
    }

    pub(crate) fn runs(&self) -> String {
        self.in_target(&RUNS)
    }
}

fn texts_of(row: mysql::Row) -> Vec<Option<String>> {
    row.unwrap().into_iter().map(|value| mysql::from_value_opt(value).ok().flatten()).collect()
}
