//! Looking at everything that a run needs, before it runs.
//!
//! Nothing is changed on any server: no database, schema or table is made. A side that cannot be
//! reached does not keep the others from being looked at, and everything that is wrong is reported
//! at once, each with the exact statement, setting or command that mends it.

mod clock;
mod findings;
mod grants;
mod mysql;
mod replica;
mod report;
mod room;
mod runs;
mod source;
mod surroundings;
mod tables;
mod target;
mod tls;
mod version;

pub use report::{CheckFinding, CheckReport, CheckSubject, CheckVerdict, Mend, MendKind};

use self::mysql::MySide;
use self::runs::{BothSides, Past};
use self::source::Source;
use self::target::Target;
use crate::stopping::pool_options;
use findings::Findings;
use handoff_connect::{PoolOptions, Result, Side};
use handoff_model::{CancelToken, RunId};
use handoff_settings::Settings;
use handoff_tracking::Tracker;
use jiff::Timestamp;
use room::{Disk, Room, Wanted};
use std::panic::resume_unwind;
use std::thread;

/// Looks at the servers, the accounts and the tables that a run with `settings` would meet.
///
/// The report is [`ok`](CheckReport::ok) if such a run can be expected to go through.
pub fn check(settings: &Settings) -> CheckReport {
    let checked_at = Timestamp::now();
    let options = pool_options(&settings.run, 3, RunId::new(), &CancelToken::new());
    let sides = Sides::look(settings, &options);
    CheckReport::new(checked_at, sides.finish(settings, options.run))
}

/// What was found on each side, and the sides that can be asked further.
struct Sides {
    source: (Option<Source>, Findings),
    replica: Option<(Option<MySide>, Findings)>,
    target: (Option<Target>, Findings),
}

impl Sides {
    /// Looks at the three sides at the same time, since one that does not answer takes its while.
    fn look(settings: &Settings, options: &PoolOptions) -> Sides {
        thread::scope(|scope| {
            let source = scope.spawn(|| source::look(settings, options));
            let replica = settings.replica.as_ref();
            let replica = replica.map(|server| scope.spawn(|| replica::look(server, options)));
            let target = target::look(&settings.target, options);
            Sides {
                source: source.join().unwrap_or_else(|panic| resume_unwind(panic)),
                replica: replica
                    .map(|replica| replica.join().unwrap_or_else(|panic| resume_unwind(panic))),
                target,
            }
        })
    }

    /// Looks at what the sides have to do with each other, and puts the findings in order.
    fn finish(self, settings: &Settings, run: RunId) -> Vec<CheckFinding> {
        let (source, source_findings) = self.source;
        let (target, target_findings) = self.target;
        let has_replica = self.replica.is_some();
        let (replica, replica_findings) =
            self.replica.unwrap_or_else(|| (None, Findings::of(Side::Replica)));
        let mut source_findings = source_findings;
        let mut findings = BothSides { replica: replica_findings, target: target_findings };
        if let (Some(source), Some(replica)) = (&source, &replica) {
            version::pair(&source.my, replica, &mut findings.replica);
        }
        if let Some(source) = &source {
            room(source, replica.as_ref(), target.as_ref(), settings, &mut findings);
        }
        let usable = replica.as_ref().filter(|replica| replica.closed.is_none());
        // What is known of a table is spread over both sides.
        let whole = !has_replica || replica.is_some();
        if let (Some(target), true) = (&target, whole) {
            let source = source.as_ref();
            Past { run, settings, source, replica: usable, target }.look(&mut findings);
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
        }
        let mut all = source_findings.into_vec();
        all.extend(findings.replica.into_vec());
        all.extend(findings.target.into_vec());
        all
    }
}

fn room(
    source: &Source,
    replica: Option<&MySide>,
    target: Option<&Target>,
    settings: &Settings,
    findings: &mut BothSides,
) {
    let Some(tables) = &source.tables else { return };
    let room = |there, disk| {
        let wanted = Wanted { source: tables.bytes, there, largest: tables.largest };
        Room { wanted, disk }
    };
    let replica = replica.and_then(|replica| {
        let there = there(replica);
        let there = there.inspect_err(|fault| findings.replica.unknown(CheckSubject::Room, fault));
        Some(room(there.ok()?, replica.disk(settings)))
    });
    let target = target.and_then(|target| {
        let near = tls::is_near(&settings.target.server.host);
        let folder = target.data_folder.as_deref().filter(|_| near);
        Some(room(target.bytes?, folder.and_then(Disk::of)))
    });
    if let Some(replica) = &replica {
        room::finding(replica, target.as_ref(), &mut findings.replica);
    }
    if let Some(target) = &target {
        room::finding(target, replica.as_ref(), &mut findings.target);
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
    fn disk(&self, settings: &Settings) -> Option<Disk> {
        let near = tls::is_near(&settings.replica.as_ref()?.host);
        let server = self.server.as_ref().filter(|_| near)?;
        // A container's port is near, and its disk is not.
        let here = std::fs::read_to_string("/proc/sys/kernel/hostname").ok()?;
        (here.trim() == server.host).then(|| Disk::of(&server.data_folder)).flatten()
    }
}
