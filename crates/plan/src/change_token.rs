//! The token by which a table of the source is known to be unwritten: `docs/decisions` has what was seen, and why
//! everything else counts as changed.

use crate::clock::SourceClock;
use crate::window::moment;
use handoff_schema::{StableHash, TableFiles, TableMapping, TableSchema};
use handoff_settings::{TableSettings, ValuePolicies};
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

/// Goes up when the description that is hashed into a token changes its meaning.
const VERSION: u8 = 1;

/// The least age of a table's last write for its token to count. Times come in whole seconds: a
/// write in the second of the token would leave it as it is. So would one in the same second of a clock
/// that was set back, which summer time gone wrong does by an hour.
const SETTLED: SignedDuration = SignedDuration::from_mins(70);

/// The reason why the source does not tell whether a table changed, as a phrase.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoChangeToken {
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

/// The facts by which a server can vouch for the times of its tables' files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerFacts {
    /// The database of the tables.
    pub database: String,
    /// The machine.
    pub host: String,
    /// The operating system that the server was compiled for.
    pub system: String,
    /// True if the server maps files into memory (`myisam_use_mmap`).
    pub maps_files: bool,
    /// The start of the server, in seconds since 1970: files may have been exchanged while it was down, and
    /// after a crash they may be older than their times.
    pub started: i64,
    /// The time since then, in seconds.
    pub up: i64,
}

impl ServerFacts {
    /// Returns why this server cannot vouch for its files, if it cannot.
    fn refusal(&self) -> Option<&'static str> {
        if !self.system.to_ascii_lowercase().contains("linux") {
            Some("the server does not run on Linux, where a file's time is set at once")
        } else if self.maps_files {
            Some("the server maps files into memory (myisam_use_mmap)")
        } else if self.up < 2 {
            // It might be started in the second of the token once more.
            Some("the server was started just now")
        } else {
            None
        }
    }
}

/// Tells tables that were not written since their last copy, by the times of their files (as an ETag does).
#[derive(Debug, Clone)]
pub struct ChangeDetector {
    server: Result<String, NoChangeToken>,
    now: DateTime,
}

impl ChangeDetector {
    /// Makes one of a server and its clock, beside the time here; a server without facts tells nothing.
    pub fn new(facts: Option<&ServerFacts>, clock: &SourceClock, own: Timestamp) -> ChangeDetector {
        ChangeDetector { server: vouched(facts, clock, own), now: clock.utc }
    }

    /// Makes one of a server that is not asked.
    pub fn unasked(clock: &SourceClock) -> ChangeDetector {
        ChangeDetector { server: Err(NoChangeToken::NotRead), now: clock.utc }
    }

    /// Returns the token of a table: as long as it is the same, nothing was written, and the rows would be carried
    /// in the same way again.
    ///
    /// # Errors
    ///
    /// Returns [`NoChangeToken`] where nothing tells.
    pub fn token(
        &self,
        table: &TableSchema,
        mapping: &TableMapping,
        settings: &TableSettings,
        values: &ValuePolicies,
    ) -> Result<String, NoChangeToken> {
        let server = self.server.clone()?;
        let files = table.files.as_ref().ok_or_else(|| untold(table))?;
        let written = moment(&files.written).ok_or_else(|| untold(table))?;
        let settled = self.now.checked_sub(SETTLED).is_ok_and(|settled| written <= settled);
        if !settled {
            return Err(NoChangeToken::Young);
        }
        let TableFiles { made, written, rows, bytes, free_bytes } = files;
        Ok(format!(
            "{server}; made {made}, written {written}, {rows} rows, {bytes} bytes, {free_bytes} \
             free; carried as {:016x}",
            carriage(env!("CARGO_PKG_VERSION"), mapping, settings, values)
        ))
    }
}

fn vouched(
    facts: Option<&ServerFacts>,
    clock: &SourceClock,
    own: Timestamp,
) -> Result<String, NoChangeToken> {
    let Some(server) = facts else {
        let why = "the server does not tell since when it is up";
        return Err(NoChangeToken::Server(why.to_owned()));
    };
    if let Some(why) = server.refusal() {
        return Err(NoChangeToken::Server(why.to_owned()));
    }
    let ServerFacts { database, host, started, .. } = server;
    let apart = hours_apart(clock.utc, own);
    Ok(format!("{database} on {host}, up since {started}, clock {apart:+} h"))
}

fn untold(table: &TableSchema) -> NoChangeToken {
    NoChangeToken::Engine { engine: table.engine.name().to_owned() }
}

/// Returns a hash of all that decides how the rows of a table are carried: the version of Handoff, the mapping, and the
/// settings that reach the rows.
fn carriage(
    version: &str,
    mapping: &TableMapping,
    settings: &TableSettings,
    values: &ValuePolicies,
) -> u64 {
    let mut hash = StableHash::new(VERSION);
    hash.text(version);
    hash.mapping(mapping);
    hash.option(settings.extraction.map(|extraction| extraction.name()));
    hash.number(settings.watermark.len());
    for column in &settings.watermark {
        hash.text(column.as_str());
    }
    hash.flag(settings.lookback.is_some());
    if let Some(lookback) = &settings.lookback {
        hash.number(lookback.days as usize);
        hash.number(lookback.columns.len());
        for column in &lookback.columns {
            hash.text(column.as_str());
        }
    }
    hash.text(settings.deletes.name());
    hash.option(settings.loader.map(|loader| loader.name()));
    hash.flag(settings.keep_spool);
    hash.text(&values.canonical());
    hash.digest()
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

    fn token_of(
        server: &str,
        table: &TableSchema,
        values: &ValuePolicies,
    ) -> Result<String, NoChangeToken> {
        let detector = ChangeDetector { server: Ok(server.to_owned()), now: NOW };
        let settings = TableSettings::default();
        let mapping = TableMapping::new(table, &settings, values).unwrap();
        detector.token(table, &mapping, &settings, values)
    }

    fn token(table: &TableSchema) -> Result<String, NoChangeToken> {
        token_of("server", table, &ValuePolicies::default())
    }

    #[test]
    fn what_was_written_a_while_ago_has_a_token() {
        let quiet = table("2026-01-31 10:50:00");
        assert_eq!(token(&quiet), token(&quiet.clone()));
        assert!(token(&quiet).unwrap().contains("written 2026-01-31 10:50:00, 2 rows"));
        // In the second of the token, or in one that may come again.
        assert_eq!(token(&table("2026-01-31 10:50:01")), Err(NoChangeToken::Young));
        assert_eq!(token(&table("2026-01-31 12:00:00")), Err(NoChangeToken::Young));
        assert_eq!(token(&table("2027-01-01 00:00:00")), Err(NoChangeToken::Young));
        let engine = "InnoDB".to_owned();
        assert_eq!(token(&TableSchema::empty("t")), Err(NoChangeToken::Engine { engine }));
    }

    #[test]
    fn whatever_is_another_makes_another_token() {
        let before = table("2026-01-31 10:00:00");
        let changed = |change: fn(&mut TableFiles)| {
            let mut after = before.clone();
            change(after.files.as_mut().unwrap());
            assert_ne!(token(&after), token(&before));
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
        assert_ne!(token_of("server", &before, &values), token(&before));
        assert_ne!(
            token_of("server, up again", &before, &ValuePolicies::default()),
            token(&before)
        );
    }

    #[test]
    fn clocks_that_were_set_are_hours_apart() {
        let apart = |own: &str| hours_apart(NOW, own.parse().unwrap());
        assert_eq!(apart("2026-01-31T12:20:00Z"), 0);
        assert_eq!(apart("2026-01-31T11:40:00Z"), 0);
        assert_eq!(apart("2026-01-31T11:10:00Z"), 1);
        assert_eq!(apart("2026-01-31T13:10:00Z"), -1);
        assert_eq!(apart("2026-01-31T13:40:00Z"), -2);
        assert_eq!(apart("2026-01-31T04:00:00Z"), 8);
    }

    fn facts() -> ServerFacts {
        ServerFacts {
            database: "x".to_owned(),
            host: "clinic".to_owned(),
            system: "Linux".to_owned(),
            maps_files: false,
            started: 1_700_000_000,
            up: 60,
        }
    }

    fn told(facts: Option<&ServerFacts>) -> Result<String, NoChangeToken> {
        let clock = SourceClock { utc: NOW, local: NOW };
        let detector = ChangeDetector::new(facts, &clock, "2026-01-31T12:00:00Z".parse().unwrap());
        let (table, settings) = (table("2026-01-31 10:00:00"), TableSettings::default());
        let mapping = TableMapping::new(&table, &settings, &ValuePolicies::default()).unwrap();
        detector.token(&table, &mapping, &settings, &ValuePolicies::default())
    }

    #[track_caller]
    fn refused(change: impl FnOnce(&mut ServerFacts), why: &str) {
        let mut changed = facts();
        change(&mut changed);
        assert!(told(Some(&changed)).unwrap_err().to_string().contains(why));
    }

    #[test]
    fn a_token_names_the_server_and_its_start() {
        let token = told(Some(&facts())).unwrap();
        assert!(
            token.starts_with("x on clinic, up since 1700000000, clock +0 h; made "),
            "{token}"
        );
    }

    #[test]
    fn a_server_that_is_silent_tells_nothing() {
        let why = told(None).unwrap_err().to_string();
        assert_eq!(why, "the server does not tell since when it is up");
    }

    #[test]
    fn a_system_that_sets_times_late_tells_nothing() {
        refused(|facts| facts.system = "Win64".to_owned(), "does not run on Linux");
        refused(|facts| facts.system = "osx10".to_owned(), "does not run on Linux");
    }

    #[test]
    fn files_in_memory_tell_nothing() {
        refused(|facts| facts.maps_files = true, "myisam_use_mmap");
    }

    #[test]
    fn a_server_that_was_just_started_tells_nothing() {
        refused(|facts| facts.up = 1, "started just now");
        let mut older = facts();
        older.up = 2;
        assert!(told(Some(&older)).is_ok());
    }

    #[test]
    fn a_source_that_is_not_read_tells_nothing() {
        let detector = ChangeDetector::unasked(&SourceClock { utc: NOW, local: NOW });
        let (table, settings) = (table("2026-01-31 10:00:00"), TableSettings::default());
        let mapping = TableMapping::new(&table, &settings, &ValuePolicies::default()).unwrap();
        let token = detector.token(&table, &mapping, &settings, &ValuePolicies::default());
        assert_eq!(token, Err(NoChangeToken::NotRead));
    }

    #[test]
    fn a_file_whose_time_is_none_tells_nothing() {
        let engine = "MyISAM".to_owned();
        assert_eq!(token(&table("0000-00-00 00:00:00")), Err(NoChangeToken::Engine { engine }));
    }

    fn carried(change: impl FnOnce(&mut TableSettings)) -> u64 {
        let mut settings = TableSettings::default();
        change(&mut settings);
        let table = table("2026-01-31 10:00:00");
        let mapping = TableMapping::new(&table, &settings, &ValuePolicies::default()).unwrap();
        carriage("0.1.0", &mapping, &settings, &ValuePolicies::default())
    }

    /// The hash is recorded: were it another without a reason, every table would be moved again.
    #[test]
    fn the_hash_of_the_carriage_is_pinned() {
        assert_eq!(carried(|_| {}), 8_091_001_833_720_636_539);
    }

    #[test]
    fn settings_that_reach_the_rows_change_the_hash() {
        use handoff_model::{ColumnName, Deletes, Extraction, Strategy};
        use handoff_settings::Lookback;
        let name = |name| ColumnName::new(name).unwrap();
        let lookback = |days| Some(Lookback { days, columns: vec![name("a")] });
        let all = [
            carried(|_| {}),
            carried(|settings| settings.extraction = Some(Extraction::FullTable)),
            carried(|settings| settings.extraction = Some(Extraction::Diff)),
            carried(|settings| settings.watermark = vec![name("a")]),
            carried(|settings| settings.watermark = vec![name("a"), name("b")]),
            carried(|settings| settings.lookback = lookback(3)),
            carried(|settings| settings.lookback = lookback(4)),
            carried(|settings| settings.deletes = Deletes::Sweep),
            carried(|settings| settings.loader = Some(Strategy::CopyCsv)),
            carried(|settings| settings.keep_spool = true),
            carried(|settings| drop(settings.columns.insert(name("a"), "bigint".to_owned()))),
        ];
        let distinct: std::collections::BTreeSet<u64> = all.into_iter().collect();
        assert_eq!(distinct.len(), all.len());
    }

    /// The place of a table in the settings file, its turn and its limits do not reach the rows.
    #[test]
    fn other_settings_leave_the_hash_alone() {
        use handoff_model::Priority;
        let plain = carried(|_| {});
        assert_eq!(carried(|settings| settings.priority = Priority::ALL[0]), plain);
        assert_eq!(carried(|settings| settings.max_delete_percent = Some(7)), plain);
        let lines = "[source]\nurl = \"mysql://a@b/c\"\n[target]\nurl = \"postgres://a@b/c\"\n";
        let written = |before: &str| {
            let file = format!("{lines}{before}[tables.t]\nextraction = \"full_table\"\n");
            let path = std::path::Path::new("handoff.toml");
            let settings = handoff_settings::Settings::from_toml(&file, path).unwrap();
            let of_table = settings.table(&handoff_model::TableName::new("t").unwrap());
            carried(|settings| *settings = of_table)
        };
        assert_eq!(written(""), written("\n\n"));
    }
}
