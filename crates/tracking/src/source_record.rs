//! Recording the databases of a run, and the source of tables whose data stays.

use crate::error::{Result, TrackingError};
use crate::layout::{COPIES, LOADS, TableLayout};
use crate::origin::{RunIdentities, to_json};
use crate::tracker::Tracker;
use handoff_connect::{DatabaseIdentity, SessionProfile, quote_my};
use handoff_model::{TableName, TablePhase};

/// The number of tables that one statement to the replica names.
const MOST_NAMED: usize = 1_000;

/// The recorded source of tables whose data stays for now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SourceRecord {
    /// Their data came from the source of this run, which had another identity or none.
    Current,
    /// The rows of the source of this run are to take its place.
    Next,
}

impl SourceRecord {
    fn column(self) -> &'static str {
        match self {
            SourceRecord::Current => "source",
            SourceRecord::Next => "next_source",
        }
    }
}

impl Tracker {
    /// Says which databases this run works on. What it moves is recorded as having come through them.
    pub fn identify(&self, identities: RunIdentities) {
        // A second run never shares a tracker.
        let _ = self.shared.identities.set(identities);
    }

    pub(crate) fn identities(&self) -> RunIdentities {
        self.shared.identities.get().cloned().unwrap_or_default()
    }

    /// Records the source of this run for the copies of `tables`, their loads or both, and with
    /// [`SourceRecord::Current`] the replica and target of their loads as well: a statement each.
    ///
    /// # Errors
    ///
    /// Returns a [`TrackingError`] if a server fails.
    pub fn record_source(
        &self,
        tables: &[&TableName],
        record: SourceRecord,
        phases: &[TablePhase],
    ) -> Result<()> {
        if tables.is_empty() {
            return Ok(());
        }
        let RunIdentities { source, replica, target } = self.identities();
        let column = record.column();
        if let Some(source) = source.as_ref().filter(|_| phases.contains(&TablePhase::Copy)) {
            match self.replica() {
                Some(_) => self.set_in_replica(tables, column, &to_json(source))?,
                None => self.set_in_target(&COPIES, tables, &[(column, Some(source))])?,
            }
        }
        let mut columns = Vec::new();
        if source.is_some() {
            columns.push((column, source.as_ref()));
        }
        if record == SourceRecord::Current {
            columns.extend([("replica", replica.as_ref()), ("target", target.as_ref())]);
        }
        if columns.is_empty() || !phases.contains(&TablePhase::Load) {
            return Ok(());
        }
        self.set_in_target(&LOADS, tables, &columns)
    }

    fn set_in_target(
        &self,
        layout: &'static TableLayout,
        tables: &[&TableName],
        columns: &[(&'static str, Option<&DatabaseIdentity>)],
    ) -> Result<()> {
        let names: serde_json::Value = tables.iter().map(|table| table.as_str()).collect();
        let mut values = vec![Some(names.to_string())];
        let mut set = Vec::new();
        for (column, identity) in columns {
            values.push(identity.map(to_json));
            set.push(format!("{column} = ${}::jsonb", values.len()));
        }
        let sql = format!(
            "UPDATE {} SET {} WHERE table_name IN (SELECT jsonb_array_elements_text($1::jsonb))",
            self.in_target(layout),
            set.join(", ")
        );
        self.execute(layout.name, &sql, &values).map(drop)
    }

    fn set_in_replica(
        &self,
        tables: &[&TableName],
        column: &'static str,
        source: &str,
    ) -> Result<()> {
        let Some(replica) = self.replica() else { return Ok(()) };
        self.demand_write()?;
        let failed = TrackingError::server("write", COPIES.name);
        let mut conn = replica.get(SessionProfile::Write).map_err(&failed)?;
        let place = format!("{}.{}", quote_my(replica.database()), quote_my(COPIES.name));
        for tables in tables.chunks(MOST_NAMED) {
            let marks = vec!["?"; tables.len()].join(", ");
            let sql = format!("UPDATE {place} SET {column} = ? WHERE table_name IN ({marks})");
            let mut values = vec![source.to_owned()];
            values.extend(tables.iter().map(|table| table.as_str().to_owned()));
            let done = conn.exec_drop(sql, values);
            done.map_err(|error| failed(conn.fault(&error)))?;
        }
        Ok(())
    }
}
