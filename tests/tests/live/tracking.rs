//! Tracking: three tables with one writer, the run lock, and what dead runs leave.

mod locking;
mod sealing;
mod states;
mod tables;

use handoff_connect::{
    MyPool, PgPool, PoolOptions, PublishHook, PublishedRows, SessionProfile, Side,
};
use handoff_model::{
    ColumnName, CopyId, Extraction, Reason, RunId, TableName, TableSum, Watermark,
};
use handoff_settings::{MySqlServer, PgServer};
use handoff_testbed::Trio;
use handoff_tracking::{CopyState, LoadState, PublishedMove, TrackedTable, Tracker, WatermarkAt};
use std::sync::LazyLock;

static T: LazyLock<TableName> = LazyLock::new(|| TableName::new("Procedure `log` \"ü\"").unwrap());

const STRUCTURE: &str = "00112233445566778899aabbccddeeff";

/// Where a pipeline keeps its states.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    ThroughReplica,
    Direct,
}

/// One pipeline: the databases of a test, and the two pools of one run.
struct Pipeline<'a> {
    trio: &'a Trio,
    run: RunId,
    way: Way,
}

impl<'a> Pipeline<'a> {
    fn new(trio: &'a Trio, way: Way) -> Pipeline<'a> {
        let pipeline = Pipeline { trio, run: RunId::new(), way };
        pipeline.target().ensure_schema("raw", &[]).unwrap();
        pipeline
    }

    /// The same pipeline in another run.
    fn again(&self) -> Pipeline<'a> {
        Pipeline { run: RunId::new(), ..*self }
    }

    fn options(&self) -> PoolOptions {
        PoolOptions { size: 3, run: self.run, ..PoolOptions::default() }
    }

    fn replica(&self) -> MyPool {
        let server = MySqlServer::from_url(&self.trio.replica_url()).unwrap();
        MyPool::open(&server, Side::Replica, &self.options()).unwrap()
    }

    fn target(&self) -> PgPool {
        let server = PgServer::from_url(&self.trio.target_url()).unwrap();
        PgPool::open(&server, &self.options()).unwrap()
    }

    fn replica_if_any(&self) -> Option<MyPool> {
        (self.way == Way::ThroughReplica).then(|| self.replica())
    }

    fn open(&self) -> Tracker {
        self.try_open().unwrap()
    }

    fn try_open(&self) -> handoff_tracking::Result<Tracker> {
        Tracker::open(self.run, self.replica_if_any(), self.target(), "raw")
    }

    fn open_read_only(&self) -> Tracker {
        let replica = self.replica_if_any();
        Tracker::open_read_only(self.run, replica, self.target(), "raw").unwrap()
    }

    /// Seals a copy as a mover does after the swap.
    fn seal_copy(&self, tracker: &Tracker, work: PublishedMove<'_>) {
        let pool = self.replica();
        let mut conn = pool.get(SessionProfile::Write).unwrap();
        tracker.seal(work).on_replica(&mut conn, &published()).unwrap();
    }

    /// Seals a load as a mover does, and commits.
    fn seal_load(&self, tracker: &Tracker, work: PublishedMove<'_>) {
        let mut conn = self.target().get().unwrap();
        let mut tx = conn.transaction().unwrap();
        tracker.seal(work).on_target(&mut tx, &published()).unwrap();
        tx.commit().unwrap();
    }

    /// One value of a table of the target, as text.
    #[track_caller]
    fn ask(&self, sql: &str) -> Option<String> {
        let row = self.trio.target().query_one(&format!("SELECT ({sql})::text"), &[]).unwrap();
        row.get(0)
    }
}

fn work(copy_id: CopyId, watermark: Option<&[WatermarkAt]>) -> PublishedMove<'_> {
    PublishedMove {
        table: &T,
        copy_id: Some(copy_id),
        copied_at: None,
        copied_from: None,
        watermark,
        fingerprint: STRUCTURE,
        columns: "[\"id\"]",
        source_mark: Some("as it was"),
        reason: Reason::FirstRun,
        extraction: Extraction::FullTable,
        is_whole: true,
    }
}

fn published() -> PublishedRows {
    PublishedRows {
        rows: 12,
        inserted: 5,
        updated: 4,
        deleted: 3,
        bytes: 4_096,
        strategy: "streaming",
        sum: Some(TableSum { rows: 12, hash: 255 }),
        ..PublishedRows::default()
    }
}

fn until(day: u8) -> [WatermarkAt; 2] {
    [
        WatermarkAt {
            column: ColumnName::new("DateTStamp").unwrap(),
            watermark: Watermark::Timestamp(format!("2026-01-{day:02} 23:00:00.000001")),
            base: CopyId::parse("00000000000000ab").unwrap(),
        },
        WatermarkAt {
            column: ColumnName::new("Größe").unwrap(),
            watermark: Watermark::Integer(i128::from(u64::MAX)),
            base: CopyId::parse("00000000000000ab").unwrap(),
        },
    ]
}

#[track_caller]
fn tracked(tracker: &Tracker) -> TrackedTable {
    tracker.states().unwrap().remove(&*T).unwrap_or_default()
}

#[track_caller]
fn copy(tracker: &Tracker) -> CopyState {
    tracked(tracker).copy.expect("a row of etl_copy_status")
}

#[track_caller]
fn load(tracker: &Tracker) -> LoadState {
    tracked(tracker).load.expect("a row of etl_load_status")
}

/// The error and its causes, as people read them.
fn chain(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(Some(error), |error| error.source());
    causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}
