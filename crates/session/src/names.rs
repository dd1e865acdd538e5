//! The names in the settings, held against the servers.

use crate::error::{SessionError, SessionResult};
use crate::privileges::{TableAccess, table_access};
use crate::session::Session;
use handoff_connect::{Fault, MyConn, PgPool, SessionProfile};
use handoff_model::TableName;
use handoff_plan::{NameWeight, UnmatchedName, excused, suspects, unmatched};
use handoff_schema::SourceCatalogue;
use handoff_settings::closest;
use handoff_tracking::TrackedTable;
use std::collections::{BTreeMap, BTreeSet};

impl Session<'_> {
    /// Returns the names in the settings that match nothing.
    ///
    /// # Errors
    ///
    /// Returns [`SessionError::UnmatchedNames`] with those that would have something carried which is meant to be
    /// left out.
    pub fn unmatched_names(
        &self,
        catalogue: &SourceCatalogue,
    ) -> SessionResult<Vec<UnmatchedName>> {
        let found = unmatched(self.settings, catalogue);
        if found.iter().all(|name| name.weight != NameWeight::Fault) {
            return Ok(found);
        }
        let states = self.recorded_states()?;
        let opened = self.servers.source.as_ref().map(|source| source.get(SessionProfile::Read));
        let mut conn = opened.transpose().map_err(SessionError::Connect)?;
        let asked = SessionError::server("look for the tables that exclude names");
        refuse_faults(excused_names(found, &states, conn.as_mut()).map_err(asked)?)
    }

    /// Refuses roles of `grant_select_to` that the target does not have, before anything is made there.
    ///
    /// # Errors
    ///
    /// Returns [`SessionError::UnknownRole`] for the first of them, or [`SessionError::Server`].
    pub fn demand_roles(&self) -> SessionResult<()> {
        let wanted = &self.settings.target.grant_select_to;
        if wanted.is_empty() {
            return Ok(());
        }
        let asked = SessionError::server("look for the roles of grant_select_to");
        let there = roles(&self.servers.target).map_err(asked)?;
        match wanted.iter().find(|role| !there.contains(*role)) {
            None => Ok(()),
            Some(role) => {
                let near = closest(role, there.iter().map(String::as_str)).map(str::to_owned);
                Err(SessionError::UnknownRole { role: role.clone(), near })
            }
        }
    }
}

/// Leaves out the names that are in vain for a good reason, asking the source about those that depend on it.
///
/// # Errors
///
/// Returns the [`Fault`] of a server that fails.
pub fn excused_names(
    names: Vec<UnmatchedName>,
    states: &BTreeMap<TableName, TrackedTable>,
    source: Option<&mut MyConn>,
) -> Result<Vec<UnmatchedName>, Fault> {
    let Some(conn) = source else { return Ok(excused(names, states, None)) };
    let mut hidden = BTreeSet::new();
    for table in suspects(&names, states) {
        if table_access(conn, &table)? == TableAccess::Denied {
            hidden.insert(table);
        }
    }
    Ok(excused(names, states, Some(&hidden)))
}

/// Refuses names that are faults, and returns the others.
///
/// # Errors
///
/// Returns [`SessionError::UnmatchedNames`] with every fault.
pub fn refuse_faults(names: Vec<UnmatchedName>) -> SessionResult<Vec<UnmatchedName>> {
    let (faults, others): (Vec<_>, Vec<_>) =
        names.into_iter().partition(|name| name.weight == NameWeight::Fault);
    match faults.is_empty() {
        true => Ok(others),
        false => {
            let names = faults.iter().map(ToString::to_string).collect();
            Err(SessionError::UnmatchedNames { names })
        }
    }
}

fn roles(target: &PgPool) -> Result<Vec<String>, Fault> {
    let mut conn = target.get()?;
    let sql = "SELECT rolname::pg_catalog.text FROM pg_catalog.pg_roles";
    let rows = conn.query_typed(sql, &[]).map_err(|error| conn.fault(&error))?;
    Ok(rows.iter().filter_map(|row| row.try_get(0).ok()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use handoff_settings::Settings;

    fn unmatched_names(exclude: &[&str], include: &[&str]) -> Vec<UnmatchedName> {
        let mut settings = Settings::new("mysql://a@b/c", None, "postgres://a@b/c").unwrap();
        settings.run.exclude = exclude.iter().map(|&glob| glob.to_owned()).collect();
        settings.run.include = include.iter().map(|&glob| glob.to_owned()).collect();
        unmatched(&settings, &SourceCatalogue::empty())
    }

    #[test]
    fn every_fault_is_in_the_refusal() {
        let error = refuse_faults(unmatched_names(&["a", "tmp_*", "b"], &["*"])).unwrap_err();
        assert!(error.is_usage());
        assert_eq!(
            error.to_string(),
            "run.exclude names `a`, which is not there; run.exclude names `b`, which is not there; \
             nothing was written: correct the name, or take it out where there is nothing to leave out"
        );
    }

    #[test]
    fn names_that_are_no_faults_are_kept() {
        let kept = refuse_faults(unmatched_names(&["tmp_*"], &["a"])).unwrap();
        let weights: Vec<NameWeight> = kept.iter().map(|name| name.weight).collect();
        assert_eq!(weights, [NameWeight::Warning, NameWeight::Quiet]);
    }

    #[test]
    fn without_a_source_a_name_in_vain_is_quiet() {
        let excused = excused_names(unmatched_names(&["a"], &["*"]), &BTreeMap::new(), None);
        assert_eq!(excused.unwrap()[0].weight, NameWeight::Quiet);
    }
}
