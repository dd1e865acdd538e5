//! Changed rows of a large table, and their merge by hand.

use crate::hop2::Unrecorded;
use crate::{Amount, Described, Hop2, Psql, Result, lap};
use handoff_loader::{LoadJob, LoadMode, LoadOutcome, StreamingLoad};
use handoff_model::{ColumnName, RowFilter, Watermark, WatermarkWindow};
use mysql::prelude::Queryable;
use std::cell::Cell;
use std::path::PathBuf;
use std::time::Duration;
use tempfile::TempDir;

const TABLE: &str = "merged";

const COLUMNS: [&str; 6] = ["id", "version", "clinic", "fee", "seen", "note"];

/// Of so many rows one has changed.
const EVERY: u64 = 20;

/// A table in replica and target, of which some rows change from one version to another and back:
/// every turn finds as much to do.
pub struct Merging {
    hop: Hop2,
    described: Described,
    psql: Psql,
    /// The changed rows, as `psql` reads them, of either version.
    files: [PathBuf; 2],
    /// The version of them that the target has: 1 or 2.
    version: Cell<usize>,
    amount: Cell<Amount>,
    _folder: TempDir,
}

impl Merging {
    /// Returns how many rows of a table of `rows` change.
    pub fn changed(rows: u64) -> u64 {
        rows / EVERY
    }

    /// Starts the servers and brings the table to the target.
    ///
    /// # Errors
    ///
    /// Returns what a server said.
    pub fn start(rows: u64) -> Result<Merging> {
        let hop = Hop2::start()?;
        hop.replica()?.query_drop(format!(
            "CREATE TABLE {TABLE} (id INT PRIMARY KEY, version INT NOT NULL, clinic INT NOT NULL, \
             fee DECIMAL(10,2) NOT NULL, seen DATETIME NOT NULL, note VARCHAR(120) NOT NULL, \
             KEY (version)) ENGINE=MyISAM SELECT seq AS id, seq % {EVERY} = 0 AS version, \
             seq % 9 AS clinic, seq / 100 AS fee, '2020-01-01' + INTERVAL seq SECOND AS seen, \
             CONCAT('of the version 0: ', MD5(seq), MD5(seq + 1)) AS note FROM seq_1_to_{rows}"
        ))?;
        let described = hop.describe(TABLE)?;
        hop.load(&described, &StreamingLoad::default())?;
        let folder = tempfile::tempdir()?;
        let files = [1, 2].map(|version| folder.path().join(format!("version{version}")));
        let psql = hop.psql()?;
        let (version, amount) = (Cell::new(1), Cell::new(Amount { rows: 0, bytes: 0 }));
        let merging = Merging { hop, described, psql, files, version, amount, _folder: folder };
        for _ in 0..2 {
            merging.by_load()?;
            let changed = format!("(SELECT * FROM raw.{TABLE} WHERE version > 0 ORDER BY id)");
            merging.psql.run(&[&merging.copy(&changed, "TO", merging.version.get())])?;
        }
        Ok(merging)
    }

    /// Returns how much has changed.
    pub fn amount(&self) -> Amount {
        self.amount.get()
    }

    /// Changes the rows in the replica, and measures the load of them.
    ///
    /// # Errors
    ///
    /// Returns what a server said.
    pub fn by_load(&self) -> Result<Duration> {
        let version = self.next();
        self.hop.replica()?.query_drop(format!(
            "UPDATE {TABLE} SET version = {version}, note = INSERT(note, 16, 1, {version}) \
             WHERE version > 0"
        ))?;
        let target = self.hop.landed(TABLE)?;
        let column = ColumnName::new("version")?;
        let bound = WatermarkWindow { column, from: Watermark::Integer(1), below: None };
        let filter = RowFilter::Changed { bounds: vec![bound], nulls: Vec::new() };
        let job = LoadJob {
            filter: &filter,
            mode: LoadMode::Incremental,
            target: Some(&target),
            ..self.described.job()
        };
        self.settle()?;
        let mut outcome = None;
        let elapsed = lap(|| {
            outcome = Some(self.hop.loader().load(&job, &StreamingLoad::default(), &Unrecorded)?);
            Ok(())
        })?;
        let LoadOutcome { figures, .. } = outcome.ok_or("a load has an outcome")?;
        self.amount.set(Amount { rows: figures.updated, bytes: figures.bytes });
        self.arrived(version)?;
        Ok(elapsed)
    }

    /// Measures `psql` sending what a load sends.
    ///
    /// # Errors
    ///
    /// Returns an error if a server or `psql` fails.
    pub fn by_hand(&self) -> Result<Duration> {
        let version = self.next();
        let copy = self.copy("staged", "FROM", version);
        let merge = merge();
        let make = format!("CREATE TEMPORARY TABLE staged (LIKE raw.{TABLE}) ON COMMIT DROP");
        let lock = format!("LOCK TABLE raw.{TABLE} IN SHARE ROW EXCLUSIVE MODE");
        let gather = format!("ANALYZE raw.{TABLE}");
        let commands = [
            "BEGIN",
            &make,
            &copy,
            "SET LOCAL work_mem = '16MB'; SET LOCAL maintenance_work_mem = '64MB'",
            "ANALYZE staged (id)",
            &lock,
            &merge,
            &gather,
            "COMMIT",
        ];
        self.settle()?;
        let elapsed = lap(|| self.psql.run(&commands))?;
        self.arrived(version)?;
        Ok(elapsed)
    }

    fn next(&self) -> usize {
        3 - self.version.get()
    }

    fn copy(&self, what: &str, direction: &str, version: usize) -> String {
        let file = self.files[version - 1].display();
        format!(r"\copy {what} {direction} '{file}' (FORMAT binary)")
    }

    /// Has the server clear away what the last turn left, so that nobody pays for another.
    fn settle(&self) -> Result<()> {
        let mut target = self.hop.target()?;
        target.batch_execute(&format!("VACUUM raw.{TABLE}"))?;
        target.batch_execute("CHECKPOINT")?;
        Ok(())
    }

    /// Sees that the target has the version, of as many rows as have changed.
    fn arrived(&self, version: usize) -> Result<()> {
        let sql = format!("SELECT count(*) FROM raw.{TABLE} WHERE version = {version}");
        let rows: i64 = self.hop.target()?.query_one(&sql, &[])?.try_get(0)?;
        if rows.unsigned_abs() != self.amount.get().rows {
            return Err(format!("{rows} rows of version {version} arrived").into());
        }
        self.version.set(version);
        Ok(())
    }
}

/// Spells the merge of the rows of `staged`.
fn merge() -> String {
    let list = |prefix: &str| COLUMNS.map(|column| format!("{prefix}{column}")).join(", ");
    let set = COLUMNS.map(|column| format!("{column} = s.{column}")).join(", ");
    format!(
        "WITH changed AS (UPDATE raw.{TABLE} t SET {set} FROM staged s WHERE t.id = s.id AND \
         ROW({})::record *<> ROW({})::record RETURNING 1), \
         new AS (INSERT INTO raw.{TABLE} ({}) SELECT {} FROM staged s \
         WHERE NOT EXISTS (SELECT FROM raw.{TABLE} t WHERE t.id = s.id) RETURNING 1) \
         SELECT 0, (SELECT count(*) FROM changed), (SELECT count(*) FROM new), 0",
        list("t."),
        list("s."),
        list(""),
        list("s."),
    )
}
