//! The checks of the source.

use crate::findings::Findings;
use crate::grants::Grants;
use crate::human::some;
use crate::mysql::MySide;
use crate::report::CheckSubject as S;
use crate::tables::SourceTables;
use handoff_connect::{Fault, PoolOptions, Result, Side, quote_my};
use handoff_model::TableName;
use handoff_model::human::counted;
use handoff_plan::{OmissionReport, unmatched};
use handoff_session::{
    TableAccess, decide_objects, excused_names, read_omissions, table_access, without_objects,
};
use handoff_settings::{Settings, TableFilter};
use handoff_tracking::TrackedTable;
use std::collections::BTreeMap;

/// The source, as far as it could be reached.
pub(crate) struct ReachedSource {
    pub(crate) my: MySide,
    pub(crate) tables: Option<SourceTables>,
}

impl ReachedSource {
    pub(crate) fn look(
        settings: &Settings,
        options: &PoolOptions,
        findings: &mut Findings,
    ) -> Option<ReachedSource> {
        let my = MySide::look(&settings.source, options, findings)?;
        findings.look(S::TimeZone, |findings| my.zone(findings));
        if let Some(fault) = &my.closed {
            closed(&my, fault, findings);
            return Some(ReachedSource { my, tables: None });
        }
        let tables = read_tables(&my, settings, findings);
        let denied = tables.as_ref().map(|tables| readable(&my, tables, findings));
        if let Some(grants) = &my.grants {
            writable(&my.database, &my.account, grants, findings);
        }
        if let (Some(tables), Some(denied)) = (&tables, denied) {
            tables.findings(settings, &denied, findings);
            tables.peculiar(settings.replica.is_some(), findings);
            findings.look(S::Mapping, |findings| {
                tables.zero_dates(&mut my.conn()?, settings, findings)
            });
        }
        Some(ReachedSource { my, tables })
    }
}

impl ReachedSource {
    /// Says which names in the settings match nothing; `states` is what was carried before.
    pub(crate) fn names(
        &self,
        settings: &Settings,
        states: &BTreeMap<TableName, TrackedTable>,
        findings: &mut Findings,
    ) -> Result<()> {
        let Some(tables) = &self.tables else { return Ok(()) };
        let found = unmatched(settings, &tables.catalogue);
        if !found.is_empty() {
            let mut conn = self.my.conn()?;
            tables.names(&excused_names(found, states, Some(&mut conn))?, findings);
        }
        Ok(())
    }

    /// Returns the parts of the source that the target does not get.
    pub(crate) fn omissions(&self, settings: &Settings) -> OmissionReport {
        let Some(tables) = &self.tables else { return OmissionReport::default() };
        let Ok(filter) = TableFilter::new(&settings.run) else { return OmissionReport::default() };
        let taken = tables.taken.iter().cloned().collect();
        let (pool, catalogue) = (&self.my.pool, &tables.catalogue);
        let omissions = read_omissions(Some(pool), catalogue, &taken, &filter).unwrap_or_default();
        match decide_objects(pool, settings, catalogue, &taken) {
            Ok(wanted) => without_objects(omissions, &wanted),
            Err(_) => omissions,
        }
    }
}

fn closed(my: &MySide, fault: &Fault, findings: &mut Findings) {
    let finding = findings.fault(S::Schema, fault.message());
    if fault.code() == Some("1044") {
        finding.statement(grant(&my.database, &my.account));
    }
}

fn read_tables(my: &MySide, settings: &Settings, findings: &mut Findings) -> Option<SourceTables> {
    let read =
        my.conn().and_then(|mut conn| SourceTables::read(&mut conn, &my.database, &settings.run));
    match read {
        Ok(tables) => Some(tables),
        Err(fault) => {
            let what = format!("the catalogue cannot be read: {}", fault.message());
            findings.fault(S::Tables, what);
            None
        }
    }
}

/// Says whether every table may be read, and returns those that may not.
fn readable(my: &MySide, tables: &SourceTables, findings: &mut Findings) -> Vec<TableName> {
    let Some(grants) = &my.grants else { return Vec::new() };
    let SourceTables { taken, .. } = tables;
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
    read_one_by_one(&my.database, &my.account, taken.len(), &denied, findings);
    denied
}

/// Says which tables an account may not read that has no right on the database as a whole.
fn read_one_by_one(
    database: &str,
    account: &str,
    tables: usize,
    denied: &[TableName],
    findings: &mut Findings,
) {
    if !denied.is_empty() {
        let names: Vec<&str> = denied.iter().map(TableName::as_str).collect();
        let many = counted(denied.len(), "table");
        let what = format!("{account} may not read {many} in full: {}", some(&names));
        let finding = findings.fault(S::Grants, what);
        for table in denied {
            let place = format!("{}.{}", quote_my(database), quote_my(table.as_str()));
            finding.statement(format!("GRANT SELECT ON {place} TO {account}"));
        }
    }
    let seen = counted(tables - denied.len(), "table");
    let what = format!(
        "{account} may read {seen} one by one and not the database as a whole: a table without a grant of \
         its own is neither seen nor moved"
    );
    findings.warning(S::Grants, what).statement(grant(database, account));
}

/// Returns the tables of which not every column may be read.
fn denied(my: &MySide, taken: &[TableName]) -> Result<Vec<TableName>> {
    let mut conn = my.conn()?;
    let mut denied = Vec::new();
    for table in taken {
        if table_access(&mut conn, table)? == TableAccess::Denied {
            denied.push(table.clone());
        }
    }
    Ok(denied)
}

/// Warns of an account that may change what it is only to read.
fn writable(database: &str, account: &str, grants: &Grants, findings: &mut Findings) {
    let writes = grants.writes(database);
    if writes.is_empty() {
        findings.ok(S::Grants, format!("{account} may not change the source"));
        return;
    }
    let what: Vec<&str> = writes.iter().map(|(what, _)| what.as_str()).collect();
    let what = format!(
        "{account} may change the source, which is only ever read: it has {}",
        what.join("; ")
    );
    // An administrator's rights are not ours to take away.
    if grants.allow_everywhere("CREATE USER") {
        let reader = "`handoff_reader`@`%`";
        findings
            .warning(S::Grants, format!("{what}; it administers the server, so use another"))
            .statement(format!("CREATE USER {reader} IDENTIFIED BY 'a password of your choice'"))
            .statement(grant(database, reader));
        return;
    }
    let finding = findings.warning(S::Grants, what);
    for (_, revoke) in &writes {
        finding.statement(revoke);
    }
    if grants.writes_hold_select(database) {
        finding.statement(grant(database, account));
    }
}

fn grant(database: &str, account: &str) -> String {
    format!("GRANT SELECT, SHOW VIEW ON {}.* TO {account}", quote_my(database))
}

/// Looks at the source on a thread of its own.
pub(crate) fn look(
    settings: &Settings,
    options: &PoolOptions,
) -> (Option<ReachedSource>, Findings) {
    let mut findings = Findings::of(Side::Source);
    let source = ReachedSource::look(settings, options, &mut findings);
    (source, findings)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::{CheckFinding, CheckVerdict};

    fn judged(lines: &[&str]) -> CheckFinding {
        let mut findings = Findings::of(Side::Source);
        writable("d", "`a`@`%`", &Grants::parsed(lines), &mut findings);
        findings.into_vec().remove(0)
    }

    fn fixes(found: &CheckFinding) -> Vec<String> {
        found.fixes.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_reader_is_good() {
        let found = judged(&["GRANT SELECT, SHOW VIEW ON `d`.* TO `a`@`%`"]);
        assert_eq!(found.verdict, CheckVerdict::Ok);
        assert_eq!(found.what, "`a`@`%` may not change the source");
    }

    #[test]
    fn a_writer_is_told_what_to_revoke() {
        let found = judged(&["GRANT SELECT, INSERT ON `d`.* TO `a`@`%`"]);
        assert_eq!(found.verdict, CheckVerdict::Warning);
        assert_eq!(fixes(&found), ["REVOKE INSERT ON `d`.* FROM `a`@`%`;"]);
    }

    #[test]
    fn an_owner_keeps_the_right_to_read() {
        let found = judged(&["GRANT ALL PRIVILEGES ON `d`.* TO `a`@`%`"]);
        assert_eq!(
            fixes(&found),
            [
                "REVOKE ALL PRIVILEGES ON `d`.* FROM `a`@`%`;",
                "GRANT SELECT, SHOW VIEW ON `d`.* TO `a`@`%`;"
            ]
        );
    }

    #[test]
    fn an_administrator_is_left_alone_and_another_account_is_made() {
        let found = judged(&["GRANT CREATE USER, INSERT, SELECT ON *.* TO `a`@`%`"]);
        let fixes = fixes(&found);
        assert!(found.what.contains("it administers the server, so use another"), "{found:?}");
        assert!(fixes[0].starts_with("CREATE USER `handoff_reader`@`%`"), "{fixes:?}");
        assert!(fixes.iter().all(|fix| !fix.contains("REVOKE")), "{fixes:?}");
    }

    fn one_by_one(denied: &[&str]) -> Vec<CheckFinding> {
        let denied: Vec<TableName> =
            denied.iter().map(|name| TableName::new(name).unwrap()).collect();
        let mut findings = Findings::of(Side::Source);
        read_one_by_one("d", "`a`@`%`", 3, &denied, &mut findings);
        findings.into_vec()
    }

    #[test]
    fn tables_that_are_granted_one_by_one_are_warned_of() {
        let found = one_by_one(&[]);
        assert_eq!((found.len(), found[0].verdict), (1, CheckVerdict::Warning));
        assert!(found[0].what.contains("may read 3 tables one by one"), "{found:?}");
    }

    #[test]
    fn a_table_that_is_denied_is_a_fault_with_its_grant() {
        let found = one_by_one(&["t"]);
        assert_eq!(found[0].verdict, CheckVerdict::Fault);
        assert_eq!(fixes(&found[0]), ["GRANT SELECT ON `d`.`t` TO `a`@`%`;"]);
        assert!(found[1].what.contains("may read 2 tables one by one"), "{found:?}");
    }
}
