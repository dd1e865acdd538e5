//! The findings of a check, as values and as JSON.

use handoff_connect::Side;
use handoff_plan::OmissionReport;
use jiff::Timestamp;
use serde::Serialize;
use std::fmt;

/// The findings of all sides, and the parts of the source that are left out.
pub(crate) struct ReportParts {
    pub(crate) findings: Vec<CheckFinding>,
    pub(crate) omissions: OmissionReport,
}

/// The findings of [`check`](crate::check). Fields are added in later versions, never renamed.
#[derive(Debug, Clone, Serialize)]
pub struct CheckReport {
    /// The start of the check, UTC.
    pub checked_at: Timestamp,
    /// True if nothing was found that makes a run fail.
    pub ok: bool,
    /// Everything that was looked at, side by side: source, replica, target.
    pub findings: Vec<CheckFinding>,
    /// The parts of the source that the target does not get.
    pub omissions: OmissionReport,
}

impl CheckReport {
    pub(crate) fn new(checked_at: Timestamp, parts: ReportParts) -> CheckReport {
        let ReportParts { findings, omissions } = parts;
        let ok = findings.iter().all(|finding| finding.verdict != CheckVerdict::Fault);
        CheckReport { checked_at, ok, findings, omissions }
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
    /// The subject of the check.
    pub subject: CheckSubject,
    /// Its meaning for a run.
    pub verdict: CheckVerdict,
    /// The finding, in a sentence without its full stop. Never a row's value.
    pub what: String,
    /// The fixes, in this order; empty where there is nothing to fix, or no line that does.
    #[serde(rename = "mend")]
    pub fixes: Vec<Fix>,
}

/// The meaning of a finding for a run.
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

/// The subject of the check.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum CheckSubject {
    /// The connection: the server can be reached and lets us in.
    Connection,
    /// The protection of the connection.
    Tls,
    /// The files that hold a password.
    Secrets,
    /// The kind and version of the server.
    Version,
    /// The fit of source and replica.
    Pair,
    /// The encoding of a database.
    Encoding,
    /// The database or schema that a run writes to.
    Schema,
    /// The privileges of the account.
    Grants,
    /// The server's `LOAD DATA LOCAL`.
    LocalInfile,
    /// The longest row the replica takes.
    MaxAllowedPacket,
    /// The server's clock beside ours.
    Clock,
    /// The server's time zone.
    TimeZone,
    /// The defaults of the server that concern a session.
    Defaults,
    /// Room on the disk.
    Room,
    /// The tables, as the settings take them.
    Tables,
    /// The types of the tables in PostgreSQL.
    Mapping,
    /// A run that is in progress.
    Lock,
    /// The database that the tables came from.
    Identity,
    /// The records of earlier runs.
    Tracking,
    /// The leftovers of interrupted runs.
    Leftovers,
}

impl fmt::Display for CheckSubject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        use CheckSubject as S;
        f.pad(match self {
            S::Connection => "connection",
            S::Tls => "tls",
            S::Secrets => "secrets",
            S::Version => "version",
            S::Pair => "pair",
            S::Encoding => "encoding",
            S::Schema => "schema",
            S::Grants => "grants",
            S::LocalInfile => "local_infile",
            S::MaxAllowedPacket => "max_allowed_packet",
            S::Clock => "clock",
            S::TimeZone => "time_zone",
            S::Defaults => "defaults",
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

/// Something to run or to write that fixes a finding.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Fix {
    /// The place where it belongs.
    pub kind: FixKind,
    /// The exact text.
    pub text: String,
}

/// The place where a [`Fix`] belongs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum FixKind {
    /// SQL for the finding's side, to be run as its administrator.
    Statement,
    /// Lines for `handoff.toml`.
    Setting,
    /// A command for the shell.
    Command,
}

impl fmt::Display for Fix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)?;
        if self.kind == FixKind::Statement { f.write_str(";") } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn finding(verdict: CheckVerdict) -> CheckFinding {
        let (side, subject) = (Side::Source, CheckSubject::Tls);
        CheckFinding { side, subject, verdict, what: String::new(), fixes: Vec::new() }
    }

    #[test]
    fn a_warning_makes_no_run_fail_and_a_fault_does() {
        let report = |verdicts: &[CheckVerdict]| {
            let findings = verdicts.iter().map(|&verdict| finding(verdict)).collect();
            let parts = ReportParts { findings, omissions: OmissionReport::default() };
            CheckReport::new(Timestamp::UNIX_EPOCH, parts)
        };
        use CheckVerdict::{Fault, Ok, Warning};
        assert!(report(&[]).ok && report(&[Ok, Warning]).ok);
        let failing = report(&[Fault, Ok, Fault]);
        assert!(!failing.ok);
        assert_eq!([Ok, Warning, Fault].map(|verdict| failing.count(verdict)), [1, 0, 2]);
    }
}
