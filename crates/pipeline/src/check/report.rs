//! What a check found, as values and as JSON.

use handoff_connect::Side;
use jiff::Timestamp;
use serde::Serialize;
use std::fmt;

/// What [`check`](crate::check) found. Fields are added in later versions, never renamed.
#[derive(Debug, Clone, Serialize)]
pub struct CheckReport {
    /// When the check began, UTC.
    pub checked_at: Timestamp,
    /// True if nothing was found that makes a run fail.
    pub ok: bool,
    /// Everything that was looked at, side by side: source, replica, target.
    pub findings: Vec<CheckFinding>,
}

impl CheckReport {
    pub(super) fn new(checked_at: Timestamp, findings: Vec<CheckFinding>) -> CheckReport {
        let ok = findings.iter().all(|finding| finding.verdict != CheckVerdict::Fault);
        CheckReport { checked_at, ok, findings }
    }

    /// Returns how many findings have `verdict`.
    pub fn count(&self, verdict: CheckVerdict) -> usize {
        self.findings.iter().filter(|finding| finding.verdict == verdict).count()
    }
}

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CheckFinding {
    /// Whose it is.
    pub side: Side,
    /// What was looked at.
    pub subject: CheckSubject,
    /// What it means for a run.
    pub verdict: CheckVerdict,
    /// What was found, in a sentence without its full stop. Never a row's value.
    pub what: String,
    /// What mends it, in this order; empty where there is nothing to mend, or no line that does.
    pub mend: Vec<Mend>,
}

/// What a finding means for a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum CheckVerdict {
    /// As it should be, or worth knowing and no more.
    Ok,
    /// A run goes through, but slower, or less safely, than it could; or it could not be found out.
    Warning,
    /// A run, or a table in it, fails.
    Fault,
}

impl fmt::Display for CheckVerdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            CheckVerdict::Ok => "ok",
            CheckVerdict::Warning => "warning",
            CheckVerdict::Fault => "fault",
        })
    }
}

/// What was looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum CheckSubject {
    /// Whether the server can be reached and lets us in.
    Connection,
    /// How the connection is protected.
    Tls,
    /// The kind and version of the server.
    Version,
    /// Whether source and replica go together.
    Pair,
    /// What a database is encoded in.
    Encoding,
    /// The database or schema that a run writes to.
    Schema,
    /// What the account may do.
    Grants,
    /// Whether the server takes `LOAD DATA LOCAL`.
    LocalInfile,
    /// The longest row the replica takes.
    MaxAllowedPacket,
    /// The server's clock beside ours.
    Clock,
    /// The server's time zone.
    TimeZone,
    /// Room on the disk.
    Room,
    /// The tables, as the settings take them.
    Tables,
    /// What tables become in PostgreSQL.
    Mapping,
    /// Whether a run is in progress.
    Lock,
    /// Whether it is the database that the tables came from.
    Identity,
    /// What is recorded of earlier runs.
    Tracking,
    /// What interrupted runs left.
    Leftovers,
}

impl fmt::Display for CheckSubject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        use CheckSubject as S;
        f.pad(match self {
            S::Connection => "connection",
            S::Tls => "tls",
            S::Version => "version",
            S::Pair => "pair",
            S::Encoding => "encoding",
            S::Schema => "schema",
            S::Grants => "grants",
            S::LocalInfile => "local_infile",
            S::MaxAllowedPacket => "max_allowed_packet",
            S::Clock => "clock",
            S::TimeZone => "time_zone",
            S::Room => "room",
            S::Tables => "tables",
            S::Mapping => "mapping",
            S::Lock => "lock",
            S::Identity => "identity",
            S::Tracking => "tracking",
            S::Leftovers => "leftovers",
        })
    }
}

/// Something to run or to write that mends a finding.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Mend {
    /// Where it belongs.
    pub kind: MendKind,
    /// The exact text.
    pub text: String,
}

/// Where a [`Mend`] belongs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum MendKind {
    /// SQL for the finding's side, to be run as its administrator.
    Statement,
    /// Lines for `handoff.toml`.
    Setting,
    /// A command for the shell.
    Command,
}

impl fmt::Display for Mend {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)?;
        if self.kind == MendKind::Statement { f.write_str(";") } else { Ok(()) }
    }
}
