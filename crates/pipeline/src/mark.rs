//! What tells for sure that nothing was written to a table of the source: `docs/decisions` has what was
//! seen, and why everything else counts as changed.

use crate::SourceClock;
use crate::window::moment;
use handoff_connect::{MyConn, ServerFlavor};
use handoff_schema::{TableFiles, TableMapping, TableSchema};
use handoff_settings::{TableSettings, ValuePolicies};
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use mysql::prelude::Queryable;
use xxhash_rust::xxh3::xxh3_64;

/// How long ago a table must have been written for its mark to count. Times come in whole seconds: a
/// write in the second of the mark would leave it as it is. So would one in the same second of a clock
/// that was set back, which summer time gone wrong does by an hour.
const SETTLED: SignedDuration = SignedDuration::from_mins(70);

/// Why the source does not tell whether a table changed, as a phrase.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoMark {
    /// Nobody asked, since nothing is read from the source.
    #[error("the source is not read")]
    NotRead,
    /// The server as a whole does not tell.
    #[error("{0}")]
    Server(String),
    /// The engine does not.
    #[error("{engine} does not tell when it was last written")]
    Engine {
        /// The engine.
        engine: String,
    },
    /// It was written too short a time ago.
    #[error("it was written less than {} minutes ago", SETTLED.as_mins())]
    Young,
}

/// A server that is asked when its tables were written.
#[derive(Debug, Clone)]
pub(crate) struct Witness {
    server: Result<String, NoMark>,
    now: DateTime,
}

impl Witness {
    /// Asks the server what it is; one that does not answer tells nothing.
    pub(crate) fn ask(conn: &mut MyConn, clock: &SourceClock, own: Timestamp) -> Witness {
        let server = answers(conn).map(|(host, started)| {
            let database = conn.pool().database();
            let apart = hours_apart(clock.utc, own);
            format!("{database} on {host}, up since {started}, clock {apart:+} h")
        });
        Witness { server, now: clock.utc }
    }

    /// Makes one of a server that is not asked.
    pub(crate) fn nobody(clock: &SourceClock) -> Witness {
        Witness { server: Err(NoMark::NotRead), now: clock.utc }
    }

    /// Returns what tells the state of a table: as long as it is the same, nothing was written, and
    /// what was carried would be carried in the same way again.
    pub(crate) fn mark(
        &self,
        table: &TableSchema,
        mapping: &TableMapping,
        settings: (&TableSettings, &ValuePolicies),
    ) -> Result<String, NoMark> {
        let server = self.server.clone()?;
        let engine = || NoMark::Engine { engine: table.engine.name().to_owned() };
        let files = table.files.as_ref().ok_or_else(engine)?;
        let written = moment(&files.written).ok_or_else(engine)?;
        let settled = self.now.checked_sub(SETTLED).is_ok_and(|settled| written <= settled);
        if !settled {
            return Err(NoMark::Young);
        }
        let TableFiles { made, written, rows, bytes, free_bytes } = files;
        let way = format!("{} {mapping:?} {settings:?}", env!("CARGO_PKG_VERSION"));
        Ok(format!(
            "{server}; made {made}, written {written}, {rows} rows, {bytes} bytes, {free_bytes} \
             free; carried as {:016x}",
            xxh3_64(way.as_bytes())
        ))
    }
}

/// Asks where the server runs and since when, to the second: files may have been exchanged while it was
/// down, and after a crash they may be older than their times.
fn answers(conn: &mut MyConn) -> Result<(String, i64), NoMark> {
    let status = match conn.pool().version().flavor {
        ServerFlavor::MariaDb => "information_schema.GLOBAL_STATUS",
        ServerFlavor::MySql => "performance_schema.global_status",
    };
    let ask = format!(
        "SELECT @@version_compile_os, @@hostname, @@global.myisam_use_mmap, \
         CAST(UNIX_TIMESTAMP() - VARIABLE_VALUE AS SIGNED), CAST(VARIABLE_VALUE AS SIGNED) \
         FROM {status} WHERE VARIABLE_NAME = 'Uptime'"
    );
    let refused = |why: &str| NoMark::Server(why.to_owned());
    let told = conn.query_first::<(String, String, bool, i64, i64), _>(ask);
    let (system, host, mapped, started, up) = told
        .ok()
        .flatten()
        .ok_or_else(|| refused("the server does not tell since when it is up"))?;
    if !system.to_ascii_lowercase().contains("linux") {
        return Err(refused(
            "the server does not run on Linux, where a file's time is set at once",
        ));
    }
    if mapped {
        return Err(refused("the server maps files into memory (myisam_use_mmap)"));
    }
    // It might be started in the second of the mark once more.
    if up < 2 {
        return Err(refused("the server was started just now"));
    }
    Ok((host, started))
}

/// Returns by how many hours the server's clock is apart from ours: one that was set tells nothing.
fn hours_apart(server: DateTime, own: Timestamp) -> i64 {
    let apart = server.duration_since(TimeZone::UTC.to_datetime(own));
    (apart.as_secs() + apart.as_secs().signum() * 1_800) / 3_600
}

#[cfg(test)]
mod tests {
    use super::*;
    use handoff_schema::{ColumnSchema, StorageEngine};

    const NOW: DateTime = DateTime::constant(2026, 1, 31, 12, 0, 0, 0);

    fn table(written: &str) -> TableSchema {
        TableSchema {
            engine: StorageEngine::MyIsam,
            files: Some(TableFiles {
                made: "2025-01-01 00:00:00".to_owned(),
                written: written.to_owned(),
                rows: 2,
                bytes: 40,
                free_bytes: 0,
            }),
            columns: vec![ColumnSchema::of_type("a", "int").unwrap()],
            ..TableSchema::empty("t")
        }
    }

    fn mark_of(
        server: &str,
        table: &TableSchema,
        values: &ValuePolicies,
    ) -> Result<String, NoMark> {
        let witness = Witness { server: Ok(server.to_owned()), now: NOW };
        let settings = TableSettings::default();
        let mapping = TableMapping::new(table, &settings, values).unwrap();
        witness.mark(table, &mapping, (&settings, values))
    }

    fn mark(table: &TableSchema) -> Result<String, NoMark> {
        mark_of("server", table, &ValuePolicies::default())
    }

    #[test]
    fn what_was_written_a_while_ago_is_marked() {
        let quiet = table("2026-01-31 10:50:00");
        assert_eq!(mark(&quiet), mark(&quiet.clone()));
        assert!(mark(&quiet).unwrap().contains("written 2026-01-31 10:50:00, 2 rows"));
        // In the second of the mark, or in one that may come again.
        assert_eq!(mark(&table("2026-01-31 10:50:01")), Err(NoMark::Young));
        assert_eq!(mark(&table("2026-01-31 12:00:00")), Err(NoMark::Young));
        assert_eq!(mark(&table("2027-01-01 00:00:00")), Err(NoMark::Young));
        let engine = "InnoDB".to_owned();
        assert_eq!(mark(&TableSchema::empty("t")), Err(NoMark::Engine { engine }));
    }

    #[test]
    fn whatever_is_another_makes_another_mark() {
        let before = table("2026-01-31 10:00:00");
        let changed = |change: fn(&mut TableFiles)| {
            let mut after = before.clone();
            change(after.files.as_mut().unwrap());
            assert_ne!(mark(&after), mark(&before));
        };
        changed(|files| files.written = "2026-01-31 10:00:01".to_owned());
        changed(|files| files.made = "2026-01-01 00:00:00".to_owned());
        changed(|files| files.rows = 3);
        changed(|files| files.bytes = 60);
        changed(|files| files.free_bytes = 20);
        let values = ValuePolicies {
            zero_dates: handoff_settings::ZeroDates::Fail,
            ..ValuePolicies::default()
        };
        assert_ne!(mark_of("server", &before, &values), mark(&before));
        assert_ne!(mark_of("server, up again", &before, &ValuePolicies::default()), mark(&before));
    }

    #[test]
    fn clocks_that_were_set_are_hours_apart() {
        let apart = |own: &str| hours_apart(NOW, own.parse().unwrap());
        assert_eq!(apart("2026-01-31T12:20:00Z"), 0);
        assert_eq!(apart("2026-01-31T11:40:00Z"), 0);
        assert_eq!(apart("2026-01-31T13:10:00Z"), -1);
        assert_eq!(apart("2026-01-31T04:00:00Z"), 8);
    }
}
