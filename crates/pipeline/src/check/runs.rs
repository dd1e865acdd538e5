//! What other runs are doing, and what earlier ones left.

use super::findings::Findings;
use super::mysql::MySide;
use super::report::CheckSubject as S;
use super::source::Source;
use super::target::Target;
use crate::chain;
use crate::wording::{counted, some};
use handoff_connect::{LockHolder, Result, Side};
use handoff_model::own::{is_own_table, replica_lock, target_lock};
use handoff_model::{CopyId, RunId, TableName};
use handoff_schema::{Catalogue, TargetCatalogue, pg_table_name};
use handoff_settings::Settings;
use handoff_tracking::{Error, Finding, Tracker, reconcile};
use mysql::prelude::Queryable;
use std::collections::BTreeSet;

/// What is known of the databases that runs write to.
pub(super) struct Past<'a> {
    pub(super) run: RunId,
    pub(super) settings: &'a Settings,
    pub(super) source: Option<&'a Source>,
    /// [`None`] if there is none, or if its database is not there yet.
    pub(super) replica: Option<&'a MySide>,
    pub(super) target: &'a Target,
}

/// The findings of both sides that runs write to.
pub(super) struct BothSides {
    pub(super) replica: Findings,
    pub(super) target: Findings,
}

impl BothSides {
    fn of(&mut self, side: Side) -> &mut Findings {
        if side == Side::Replica { &mut self.replica } else { &mut self.target }
    }
}

impl Past<'_> {
    pub(super) fn look(&self, findings: &mut BothSides) {
        let running = self.locks(findings);
        findings.target.look(S::Grants, |findings| {
            self.foreign(findings);
            Ok(())
        });
        let tracker = Tracker::open_read_only(
            self.run,
            self.replica.map(|replica| replica.pool.clone()),
            self.target.pool.clone(),
            &self.settings.target.schema,
        );
        let states = tracker.and_then(|tracker| tracker.states());
        let states = match states {
            Ok(states) => states,
            Err(error) => return tracking(&error, findings),
        };
        let there = match There::read(self.replica, self.target, &self.settings.target.schema) {
            Ok(there) => there,
            Err(fault) => return findings.of(fault.side()).unknown(S::Tracking, &fault),
        };
        let disagreements = there.disagreements(&states);
        findings.target.ok(
            S::Tracking,
            match states.len() {
                0 => "no table was carried before".to_owned(),
                some => format!("{} known from earlier runs", counted(some, "table")),
            },
        );
        self.not_ours(&disagreements, findings);
        // What a run that is in progress has not finished yet is no leftover.
        if !running {
            there.leftovers(&disagreements, findings);
        }
    }

    /// Says whether another run is in progress, and returns whether one is.
    fn locks(&self, findings: &mut BothSides) -> bool {
        let target = &self.target.pool;
        let name = target_lock(target.database(), &self.settings.target.schema);
        let mut running = lock(target.lock_holder(&name), &mut findings.target);
        if let Some(MySide { pool, .. }) = self.replica {
            let holder = pool.lock_holder(&replica_lock(pool.database()));
            running |= lock(holder, &mut findings.replica);
        }
        running
    }

    /// Says which tables of ours the target's role cannot write to.
    fn foreign(&self, findings: &mut Findings) {
        let Some(tables) = self.source.and_then(|source| source.tables.as_ref()) else { return };
        let ours: BTreeSet<String> = tables.taken.iter().map(pg_table_name).collect();
        let foreign: Vec<&str> = self
            .target
            .foreign
            .iter()
            .map(String::as_str)
            .filter(|name| ours.contains(*name) || is_own_table(name))
            .collect();
        if foreign.is_empty() {
            return;
        }
        let target = &self.settings.target;
        let role = handoff_connect::quote_pg(target.server.user.as_str());
        let many = counted(foreign.len(), "table");
        let what = format!("{role} may not write to {many} of the schema: {}", some(&foreign));
        let finding = findings.fault(S::Grants, what);
        for name in foreign {
            let table = handoff_schema::ddl::qualified(&target.schema, name);
            finding.statement(format!("ALTER TABLE {table} OWNER TO {role}"));
        }
    }

    fn not_ours(&self, disagreements: &[Finding], findings: &mut BothSides) {
        let Some(tables) = self.source.and_then(|source| source.tables.as_ref()) else { return };
        for side in [Side::Replica, Side::Target] {
            let foreign: Vec<&str> = disagreements
                .iter()
                .filter(|finding| {
                    matches!(finding, Finding::NotOurs { table, side: found }
                        if *found == side && tables.taken.contains(table))
                })
                .filter_map(|finding| Some(finding.table()?.as_str()))
                .collect();
            if foreign.is_empty() {
                continue;
            }
            let many = counted(foreign.len(), "table");
            let what = format!(
                "{many} that Handoff did not make stand in the way: {}; rename them, or have them \
                 taken over",
                some(&foreign)
            );
            let names: Vec<String> = foreign.iter().map(|name| for_shell(name)).collect();
            findings
                .of(side)
                .fault(S::Tracking, what)
                .command(format!("etl run {} --adopt", names.join(" ")));
        }
    }
}

/// What is in the databases that runs write to.
struct There {
    replica_tables: BTreeSet<TableName>,
    target_tables: BTreeSet<TableName>,
    /// `true` for a shadow, `false` for a table that was replaced.
    shadows: Vec<(CopyId, bool)>,
    target_leftovers: Vec<String>,
}

impl There {
    fn read(replica: Option<&MySide>, target: &Target, schema: &str) -> Result<There> {
        let mut there = There {
            replica_tables: BTreeSet::new(),
            target_tables: BTreeSet::new(),
            shadows: Vec::new(),
            target_leftovers: Vec::new(),
        };
        if let Some(replica) = replica {
            there.read_replica(replica)?;
        }
        let catalogue = TargetCatalogue::read(&mut target.pool.get()?, schema)?;
        there.target_tables =
            catalogue.tables.keys().filter_map(|name| TableName::new(name).ok()).collect();
        there.target_leftovers = catalogue.leftovers;
        Ok(there)
    }

    fn read_replica(&mut self, replica: &MySide) -> Result<()> {
        let mut conn = replica.conn()?;
        let names: Vec<String> = conn
            .query("SHOW TABLES LIKE '\\_\\_handoff\\_%'")
            .map_err(|error| conn.fault(&error))?;
        let shadow = |name: &String| {
            let of = |prefix| name.strip_prefix(prefix).and_then(CopyId::parse);
            let new = of("__handoff_new_").map(|copy| (copy, true));
            new.or_else(|| of("__handoff_old_").map(|copy| (copy, false)))
        };
        self.shadows = names.iter().filter_map(shadow).collect();
        let catalogue = Catalogue::read(&mut conn, &replica.database);
        let tables = catalogue.map(|catalogue| catalogue.tables.into_keys().collect());
        self.replica_tables = tables.unwrap_or_default();
        Ok(())
    }

    fn disagreements(
        &self,
        states: &std::collections::BTreeMap<TableName, handoff_tracking::Tracked>,
    ) -> Vec<Finding> {
        reconcile(states, &self.shadows, &self.replica_tables, &self.target_tables)
    }

    fn leftovers(&self, disagreements: &[Finding], findings: &mut BothSides) {
        for finding in disagreements {
            if let Finding::Interrupted { .. } | Finding::TrackedButMissing { .. } = finding {
                findings.replica.warning(S::Leftovers, format!("{finding} by the next run"));
            }
        }
        let left = |count, findings: &mut Findings| {
            if count > 0 {
                let tables = counted(count, "table");
                let what = format!("an interrupted run left {tables}: the next run ends that");
                findings.warning(S::Leftovers, what);
            }
        };
        left(self.shadows.len(), &mut findings.replica);
        left(self.target_leftovers.len(), &mut findings.target);
    }
}

fn lock(holder: Result<Option<LockHolder>>, findings: &mut Findings) -> bool {
    match holder {
        Ok(None) => {
            findings.ok(S::Lock, "no run is in progress");
            false
        }
        Ok(Some(holder)) => {
            findings
                .fault(S::Lock, format!("another run is in progress: {holder} holds its lock"))
                .command("etl run --wait");
            true
        }
        Err(fault) => {
            findings.unknown(S::Lock, &fault);
            false
        }
    }
}

fn tracking(error: &Error, findings: &mut BothSides) {
    let side = match error {
        Error::NotOurs { side, .. } | Error::Layout { side, .. } => *side,
        Error::Engine { .. } => Side::Replica,
        Error::Server { fault, .. } => fault.side(),
        _ => Side::Target,
    };
    let finding = findings.of(side).fault(S::Tracking, chain(error));
    if let Error::Engine { table, .. } = error {
        finding.statement(format!("ALTER TABLE {table} ENGINE=InnoDB"));
    }
}

/// Quotes a name for the shell.
fn for_shell(name: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "_-.".contains(c);
    if !name.is_empty() && !name.starts_with('-') && name.chars().all(plain) {
        name.to_owned()
    } else {
        format!("'{}'", name.replace('\'', "'\\''"))
    }
}
