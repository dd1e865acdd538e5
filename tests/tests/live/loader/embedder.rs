//! A strategy of an embedder's own, with commits of its own.

use super::{Bench, changes};
use handoff_loader::{
    Error, LandingMode, LoadInput, LoadMode, LoadStrategy, LoadedRows, ProgressMeter, Result,
    RowSource, SharedStaging,
};
use handoff_model::RowFilter;
use handoff_rows::{RowSink, TupleBuffer};
use handoff_testbed::row;

/// Commits every few kilobytes, over a connection taken for each.
pub(super) struct InBatches {
    /// Gives up once so many rows are committed.
    pub(super) fail_above: u64,
}

impl LoadStrategy for InBatches {
    fn name(&self) -> &'static str {
        "in_batches"
    }

    fn opening(&self, _: &RowSource<'_>) -> LandingMode {
        LandingMode::Committed
    }

    fn load(&self, moving: LoadInput<'_, '_>) -> Result<LoadedRows> {
        let LoadInput { source, landing, meter } = moving;
        let tuples = source.tuples();
        let select = tuples.select_list().to_vec();
        let to = landing.committed().unwrap();
        let mut batches = Batches { source, tuples, to, meter, fail_above: self.fail_above };
        source.read(source.filter, &select, &mut batches)?;
        Ok(LoadedRows::of(&batches.tuples))
    }
}

struct Batches<'a, 'c> {
    source: &'a RowSource<'a>,
    tuples: TupleBuffer,
    to: SharedStaging<'c>,
    meter: &'a ProgressMeter<'a>,
    fail_above: u64,
}

impl RowSink for Batches<'_, '_> {
    type Error = Error;

    fn row(&mut self, row: &[handoff_connect::ValueRef<'_>]) -> Result<()> {
        self.source.push(&mut self.tuples, row)
    }

    fn buffered(&self) -> usize {
        self.tuples.bytes().len()
    }

    fn threshold(&self) -> usize {
        4096
    }

    fn flush(&mut self) -> Result<()> {
        if self.tuples.sum().rows > self.fail_above {
            let (table, fault) = (
                handoff_model::TableName::new("t").unwrap(),
                handoff_connect::Fault::new(handoff_connect::Side::Target, "enough"),
            );
            return Err(Error::Write { table, rows: self.fail_above, fault });
        }
        let mut conn = self.to.pool.get().unwrap();
        let mut tx = conn.transaction().unwrap();
        let mut copy = self.to.copy_binary(&mut tx)?;
        copy.write(&self.tuples, self.meter)?;
        copy.finish(self.tuples.pending())?;
        tx.commit().unwrap();
        self.tuples.clear();
        Ok(())
    }
}

#[test]
fn a_strategy_with_commits_of_its_own_publishes_like_the_others() {
    let bench = Bench::new("load embedder");
    bench.mysql("CREATE TABLE t (id INT PRIMARY KEY, body TEXT)");
    let load =
        |fail_above| bench.load_as("t", &InBatches { fail_above }, LoadMode::Full, &RowFilter::All);
    let left = || bench.loader().leftovers().unwrap().len();
    assert_eq!(changes(&load(u64::MAX).unwrap()), (0, 0, 0));
    assert_eq!(bench.trio.rows("t").len(), 0);
    bench.pg("DROP TABLE raw.t");

    bench.mysql("INSERT INTO t SELECT seq, REPEAT('x', 100) FROM seq_1_to_500");
    load(200).unwrap_err();
    assert_eq!(bench.ask("SELECT to_regclass('raw.t')::text"), "");
    assert_eq!(left(), 0);
    assert_eq!(changes(&load(u64::MAX).unwrap()), (500, 0, 0));
    let key = "SELECT conname::text FROM pg_constraint WHERE conrelid = 'raw.t'::regclass";
    assert_eq!(bench.ask(key), "t_pkey");

    bench.mysql("DELETE FROM t WHERE id > 3; UPDATE t SET body = 'y' WHERE id = 2");
    load(1).unwrap_err();
    assert_eq!((bench.trio.rows("t").len(), left()), (500, 0));
    assert_eq!(changes(&load(u64::MAX).unwrap()), (0, 1, 497));
    let xs = "x".repeat(100);
    assert_eq!(bench.trio.rows("t"), [row!["1", &*xs], row!["2", "y"], row!["3", &*xs]]);
    assert_eq!(left(), 0);

    bench.mysql("DELETE FROM t");
    assert_eq!(changes(&load(u64::MAX).unwrap()), (0, 0, 3));
    assert_eq!(left(), 0);
}

/// Loses a row that was committed, as a server may that does not wait for its disk.
struct Loses;

impl LoadStrategy for Loses {
    fn name(&self) -> &'static str {
        "loses"
    }

    fn opening(&self, source: &RowSource<'_>) -> LandingMode {
        InBatches { fail_above: u64::MAX }.opening(source)
    }

    fn load(&self, moving: LoadInput<'_, '_>) -> Result<LoadedRows> {
        let to = moving.landing.committed()?;
        let moved = InBatches { fail_above: u64::MAX }.load(moving)?;
        let mut conn = to.pool.get().unwrap();
        let one = format!("DELETE FROM {} WHERE id = 77", to.table());
        assert_eq!(conn.execute(&one, &[]).unwrap(), 1);
        Ok(moved)
    }
}

#[test]
fn a_row_that_is_lost_before_the_table_is_published_is_missed() {
    let bench = Bench::new("load loses");
    for key in ["", "PRIMARY KEY"] {
        let fill = "INSERT INTO t SELECT seq, 'x' FROM seq_1_to_500";
        bench.mysql(&format!("CREATE OR REPLACE TABLE t (id INT {key}, body TEXT); {fill}"));
        let load = |strategy: &dyn LoadStrategy| {
            bench.load_as("t", strategy, LoadMode::Full, &RowFilter::All)
        };
        let missed =
            |error: &Error| matches!(error, Error::Miscount { sent: 500, landed: 499, .. });
        assert!(missed(&load(&Loses).unwrap_err()), "first, {key}");
        assert_eq!(bench.ask("SELECT to_regclass('raw.t')::text"), "");
        load(&InBatches { fail_above: u64::MAX }).unwrap();
        assert!(missed(&load(&Loses).unwrap_err()), "again, {key}");
        assert_eq!(bench.ask("SELECT count(*)::text FROM raw.t"), "500");
        assert_eq!(bench.loader().leftovers().unwrap(), Vec::<String>::new());
        bench.pg("DROP TABLE raw.t");
    }
}
