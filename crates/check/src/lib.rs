//! Looking at everything that a run needs, before it runs.
//!
//! Nothing is changed on any server: no database, schema or table is made. A side that cannot be
//! reached does not keep the others from being looked at, and everything that is wrong is reported
//! at once, each with the exact statement, setting or command that fixes it.

mod clock;
mod disk_space;
mod findings;
mod grants;
mod human;
mod mysql;
mod pair;
mod peculiar;
mod replica;
mod report;
mod runs;
mod source;
mod surroundings;
mod tables;
mod target;
mod tls;
mod version;

pub use report::{CheckFinding, CheckReport, CheckSubject, CheckVerdict, Fix, FixKind};

use crate::disk_space::{DiskNeed, DiskView, WantedSpace};
use crate::findings::Findings;
use crate::mysql::MySide;
use crate::report::ReportParts;
use crate::runs::{BothSides, RunDatabases};
use crate::source::ReachedSource;
use crate::tables::SourceTables;
use crate::target::ReachedTarget;
use handoff_connect::{PoolOptions, Result, Side};
use handoff_model::{CancelToken, RunId};
use handoff_plan::OmissionReport;
use handoff_session::{SessionOptions, pool_options};
use handoff_settings::Settings;
use handoff_tracking::Tracker;
use jiff::Timestamp;
use std::panic::resume_unwind;
use std::thread;

/// Looks at the servers, the accounts and the tables that a run with `settings` would meet.
///
/// The report is [`ok`](CheckReport::ok) if such a run can be expected to go through.
pub fn check(settings: &Settings) -> CheckReport {
    let checked_at = Timestamp::now();
    let session = SessionOptions { run: RunId::new(), connections: 3, cancel: CancelToken::new() };
    let options = pool_options(&settings.run, &session);
    let sides = FoundSides::look(settings, &options);
    CheckReport::new(checked_at, sides.finish(settings, options.run))
}

/// The findings of each side, and the sides that can be asked further.
struct FoundSides {
    source: (Option<ReachedSource>, Findings),
    replica: Option<(Option<MySide>, Findings)>,
    target: (Option<ReachedTarget>, Findings),
}

impl FoundSides {
    /// Looks at the three sides at the same time, since one that does not answer takes its while.
    fn look(settings: &Settings, options: &PoolOptions) -> FoundSides {
        thread::scope(|scope| {
            let source = scope.spawn(|| source::look(settings, options));
            let server = settings.replica.as_ref();
            let replica = server.map(|server| scope.spawn(|| replica::look(server, options)));
            FoundSides {
                target: target::look(&settings.target, options),
                source: source.join().unwrap_or_else(|panic| resume_unwind(panic)),
                replica: replica
                    .map(|replica| replica.join().unwrap_or_else(|panic| resume_unwind(panic))),
            }
        })
    }

    /// Looks at what the sides have to do with each other, and puts the findings in order.
    fn finish(self, settings: &Settings, run: RunId) -> ReportParts {
        let (source, mut source_findings) = self.source;
        let (target, target_findings) = self.target;
        let has_replica = self.replica.is_some();
        let (replica, replica_findings) =
            self.replica.unwrap_or_else(|| (None, Findings::of(Side::Replica)));
        let mut omissions = OmissionReport::default();
        let mut findings = BothSides { replica: replica_findings, target: target_findings };
        if let (Some(source), Some(replica)) = (&source, &replica) {
            pair::finding(&source.my, replica, &mut findings.replica);
        }
        if let Some(source) = &source {
            room(source, replica.as_ref(), target.as_ref(), settings, &mut findings);
        }
        let usable = replica.as_ref().filter(|replica| replica.closed.is_none());
        // What is known of a table is spread over both sides.
        let whole = !has_replica || replica.is_some();
        if let (Some(target), true) = (&target, whole) {
            RunDatabases { run, settings, source: source.as_ref(), replica: usable, target }
                .look(&mut findings);
        }
        if let Some(source) = &source {
            let schema = &settings.target.schema;
            let of_replica = usable.map(|replica| replica.pool.clone());
            let states = target.as_ref().and_then(|target| {
                let of_target = target.pool.clone();
                let tracker = Tracker::open_read_only(run, of_replica, of_target, schema);
                tracker.and_then(|tracker| tracker.states()).ok()
            });
            source_findings.look(CheckSubject::Tables, |findings| {
                source.names(settings, &states.unwrap_or_default(), findings)
            });
            omissions = source.omissions(settings);
            if let Some(tables) = &source.tables {
                tables.omissions(&omissions, &mut source_findings);
            }
        }
        peculiar::secrets(settings, Side::Source, &mut source_findings);
        peculiar::secrets(settings, Side::Replica, &mut findings.replica);
        peculiar::secrets(settings, Side::Target, &mut findings.target);
        let mut all = source_findings.into_vec();
        all.extend(findings.replica.into_vec());
        all.extend(findings.target.into_vec());
        ReportParts { findings: all, omissions }
    }
}

fn room(
    source: &ReachedSource,
    replica: Option<&MySide>,
    target: Option<&ReachedTarget>,
    settings: &Settings,
    findings: &mut BothSides,
) {
    let Some(tables) = &source.tables else { return };
    let of_replica = replica.and_then(|replica| {
        let taken = there(replica)
            .inspect_err(|fault| findings.replica.unknown(CheckSubject::Room, fault))
            .ok()?;
        Some(DiskNeed::new(tables, taken, replica.disk(settings)))
    });
    let of_target = target.and_then(|target| {
        let near = tls::is_near(&settings.target.server.host);
        let folder = target.data_folder.as_deref().filter(|_| near);
        Some(DiskNeed::new(tables, target.bytes?, folder.and_then(DiskView::of)))
    });
    if let Some(room) = &of_replica {
        disk_space::finding(room, of_target.as_ref(), &mut findings.replica);
    }
    if let Some(room) = &of_target {
        disk_space::finding(room, of_replica.as_ref(), &mut findings.target);
    }
}

impl DiskNeed {
    /// Returns the need of a side that has `there` bytes of the tables already.
    fn new(tables: &SourceTables, there: u64, disk: Option<DiskView>) -> DiskNeed {
        let wanted = WantedSpace { source: tables.bytes, there, largest: tables.largest };
        DiskNeed { wanted, disk }
    }
}

/// Returns the bytes that the replica's database takes already.
fn there(replica: &MySide) -> Result<u64> {
    if replica.closed.is_some() {
        return Ok(0);
    }
    let sizes = tables::sizes(&mut replica.conn()?, &replica.database);
    Ok(sizes?.values().sum())
}

impl MySide {
    /// Returns the disk of the server's data, if the server is on this machine.
    fn disk(&self, settings: &Settings) -> Option<DiskView> {
        let near = tls::is_near(&settings.replica.as_ref()?.host);
        let server = self.server.as_ref().filter(|_| near)?;
        // A container's port is near, and its disk is not.
        let here = std::fs::read_to_string("/proc/sys/kernel/hostname").ok()?;
        (here.trim() == server.host).then(|| DiskView::of(&server.data_folder)).flatten()
    }
}
