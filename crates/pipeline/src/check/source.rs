//! What is looked at in the source.

use super::findings::Findings;
use super::mysql::MySide;
use super::report::CheckSubject as S;
use super::tables::Tables;
use crate::denied::{Access, access};
use crate::names;
use crate::omissions;
use crate::wording::{counted, some};
use handoff_connect::{Fault, PoolOptions, Result, Side, quote_my};
use handoff_model::TableName;
use handoff_settings::{Settings, TableFilter};
use handoff_tracking::TrackedTable;
use std::collections::BTreeMap;

/// The source, as far as it could be reached.
pub(super) struct Source {
    pub(super) my: MySide,
    pub(super) tables: Option<Tables>,
}

impl Source {
    pub(super) fn look(
        settings: &Settings,
        options: &PoolOptions,
        findings: &mut Findings,
    ) -> Option<Source> {
        let my = MySide::look(&settings.source, options, findings)?;
        findings.look(S::TimeZone, |findings| my.zone(findings));
        if let Some(fault) = &my.closed {
            closed(&my, fault, findings);
            return Some(Source { my, tables: None });
        }
        let tables = read_tables(&my, settings, findings);
        let denied = tables.as_ref().map(|tables| readable(&my, tables, findings));
        writable(&my, findings);
        if let (Some(tables), Some(denied)) = (&tables, denied) {
            tables.findings(settings, &denied, findings);
        }
        Some(Source { my, tables })
    }
}

impl Source {
    /// Says which names in the settings match nothing, and what the target does not get; `states` is what was
    /// carried before.
    pub(super) fn names(
        &self,
        settings: &Settings,
        states: &BTreeMap<TableName, TrackedTable>,
        findings: &mut Findings,
    ) -> Result<()> {
        let Some(tables) = &self.tables else { return Ok(()) };
        let taken = tables.taken.iter().cloned().collect();
        if let Ok(filter) = TableFilter::new(&settings.run)
            && let Ok(omissions) =
                omissions::read(Some(&self.my.pool), &tables.catalogue, &taken, &filter)
        {
            tables.omissions(&omissions, findings);
        }
        let found = names::unmatched(settings, &tables.catalogue);
        if !found.is_empty() {
            let mut conn = self.my.conn()?;
            tables.names(&names::excused(found, states, Some(&mut conn))?, findings);
        }
        Ok(())
    }
}

fn closed(my: &MySide, fault: &Fault, findings: &mut Findings) {
    let finding = findings.fault(S::Schema, fault.message());
    if fault.code() == Some("1044") {
        finding.statement(grant(&my.database, &my.account));
    }
}

fn read_tables(my: &MySide, settings: &Settings, findings: &mut Findings) -> Option<Tables> {
    let read = || Tables::read(&mut my.conn()?, &my.database, &settings.run);
    match read() {
        Ok(tables) => Some(tables),
        Err(fault) => {
            let what = format!("the catalogue cannot be read: {}", fault.message());
            findings.fault(S::Tables, what);
            None
        }
    }
}

/// Says whether every table may be read, and returns those that may not.
fn readable(my: &MySide, tables: &Tables, findings: &mut Findings) -> Vec<TableName> {
    let Some(grants) = &my.grants else { return Vec::new() };
    let Tables { taken, .. } = tables;
    if grants.allow("SELECT", &my.database) {
        findings.ok(S::Grants, format!("{} may read every table", my.account));
        return Vec::new();
    }
    let denied = match denied(my, taken) {
        Ok(denied) => denied,
        Err(fault) => {
            findings.unknown(S::Grants, &fault);
            return Vec::new();
        }
    };
    if !denied.is_empty() {
        let names: Vec<&str> = denied.iter().map(TableName::as_str).collect();
        let many = counted(denied.len(), "table");
        let what = format!("{} may not read {many} in full: {}", my.account, some(&names));
        let finding = findings.fault(S::Grants, what);
        for table in &denied {
            let table = quote_my(table.as_str());
            let database = quote_my(my.database.as_str());
            finding.statement(format!("GRANT SELECT ON {database}.{table} TO {}", my.account));
        }
    }
    let seen = counted(taken.len() - denied.len(), "table");
    let what = format!(
        "{} may read {seen} one by one and not the database as a whole: a table without a grant of \
         its own is neither seen nor moved",
        my.account
    );
    findings.warning(S::Grants, what).statement(grant(&my.database, &my.account));
    denied
}

/// Returns the tables of which not every column may be read.
fn denied(my: &MySide, taken: &[TableName]) -> Result<Vec<TableName>> {
    let mut conn = my.conn()?;
    let mut denied = Vec::new();
    for table in taken {
        if access(&mut conn, table)? == Access::Denied {
            denied.push(table.clone());
        }
    }
    Ok(denied)
}

/// Warns of an account that may change what it is only to read.
fn writable(my: &MySide, findings: &mut Findings) {
    let Some(grants) = &my.grants else { return };
    let writes = grants.writes(&my.database);
    if writes.is_empty() {
        findings.ok(S::Grants, format!("{} may not change the source", my.account));
        return;
    }
    let what: Vec<&str> = writes.iter().map(|(what, _)| what.as_str()).collect();
    let what = format!(
        "{} may change the source, which is only ever read: it has {}",
        my.account,
        what.join("; ")
    );
    // An administrator's rights are not ours to take away.
    if grants.allow_everywhere("CREATE USER") {
        let reader = "`handoff_reader`@`%`";
        findings
            .warning(S::Grants, format!("{what}; it administers the server, so use another"))
            .statement(format!("CREATE USER {reader} IDENTIFIED BY 'a password of your choice'"))
            .statement(grant(&my.database, reader));
        return;
    }
    let finding = findings.warning(S::Grants, what);
    for (_, revoke) in &writes {
        finding.statement(revoke);
    }
    if grants.writes_hold_select(&my.database) {
        finding.statement(grant(&my.database, &my.account));
    }
}

fn grant(database: &str, account: &str) -> String {
    format!("GRANT SELECT, SHOW VIEW ON {}.* TO {account}", quote_my(database))
}

/// Looks at the source on a thread of its own.
pub(super) fn look(settings: &Settings, options: &PoolOptions) -> (Option<Source>, Findings) {
    let mut findings = Findings::of(Side::Source);
    let source = Source::look(settings, options, &mut findings);
    (source, findings)
}
