//! Tables that dead runs left in the target.

use crate::error::{Error, Result};
use crate::loader::Loader;
use crate::statements::AT;
use handoff_connect::{Fault, PgConn, quote_pg};
use handoff_model::CopyId;
use handoff_model::own::PREFIX;

/// The time for which a leftover may keep a run waiting.
const PATIENCE_MS: u32 = 500;

impl Loader {
    /// Lists the build, staging and checkpoint tables in the target's schema, oldest first.
    ///
    /// Only a run that holds the run lock knows that nobody is filling them.
    ///
    /// # Errors
    ///
    /// Returns an error if the server refuses.
    pub fn leftovers(&self) -> Result<Vec<String>> {
        self.list(&mut self.to.get().map_err(Error::Leftovers)?)
    }

    /// Drops those of `names` that are of the form which this crate makes, and returns how many it
    /// dropped. `names` are the leftovers of a
    /// [`TargetCatalogue`](handoff_schema::TargetCatalogue), in the target's schema. The tables of
    /// a copy of `spared` stay: a load of it that broke off may be taken up
    /// ([`ChunkedLoad`](crate::ChunkedLoad)).
    ///
    /// One that cannot be dropped, because a session holds a lock on it for longer than
    /// half a second or something depends on it, is logged and left to the next run. Only a run that
    /// holds the run lock knows that nobody is filling them.
    ///
    /// # Errors
    ///
    /// Returns an error if the server cannot be reached or goes away.
    pub fn drop_leftovers(&self, names: &[String], spared: &[CopyId]) -> Result<usize> {
        let mut dropped = 0;
        for name in names.iter().filter(|name| is_doomed(name, spared)) {
            match self.drop_one(name) {
                Ok(()) => dropped += 1,
                Err(fault) if fault.is_disconnect() => return Err(Error::Leftovers(fault)),
                Err(fault) => log::warn!("`{name}` stays in the target for now: {fault}"),
            }
        }
        Ok(dropped)
    }

    fn drop_one(&self, name: &str) -> std::result::Result<(), Fault> {
        let mut conn = self.to.get()?;
        let schema = quote_pg(self.options.schema.as_str());
        let sql = format!(
            "SET LOCAL lock_timeout = '{PATIENCE_MS}ms'; DROP TABLE IF EXISTS {schema}.{}",
            quote_pg(name)
        );
        // Statements sent together are one transaction, to which the setting is confined.
        conn.batch_execute(&sql).map_err(|error| conn.fault(&error))
    }

    fn list(&self, conn: &mut PgConn) -> Result<Vec<String>> {
        // The whole form of a name that we make: somebody else's table may begin alike.
        let pattern = format!("^{PREFIX}({AT})?[0-9a-f]{{16}}$");
        let sql = "SELECT relname::text FROM pg_class \
                   WHERE relnamespace = (SELECT oid FROM pg_namespace WHERE nspname = $1::text) \
                   AND relkind = 'r' AND relname ~ $2::text ORDER BY oid";
        let listed = conn
            .query(sql, &[&self.options.schema, &pattern])
            .and_then(|rows| rows.iter().map(|row| row.try_get(0)).collect());
        listed.map_err(|error| Error::Leftovers(conn.fault(&error)))
    }
}

/// Returns true for a table of ours that belongs to no copy of `spared`.
fn is_doomed(name: &str, spared: &[CopyId]) -> bool {
    id(name).is_some_and(|id| !spared.contains(&id))
}

/// Returns the id in a name that we make; [`None`] for somebody else's table, which may begin alike.
fn id(name: &str) -> Option<CopyId> {
    let rest = name.strip_prefix(PREFIX)?;
    CopyId::parse(rest.strip_prefix(AT).unwrap_or(rest))
}

#[cfg(test)]
mod tests {
    use super::*;
    #[test]
    fn tables_of_spared_copies_and_of_strangers_stay() {
        let (gone, spared) = (CopyId::new(), CopyId::new());
        for (id, expected) in [(gone, true), (spared, false)] {
            assert_eq!(is_doomed(&format!("{PREFIX}{id}"), &[spared]), expected);
            assert_eq!(is_doomed(&format!("{PREFIX}{AT}{id}"), &[spared]), expected);
        }
        assert!(!is_doomed("patient", &[]) && !is_doomed(&format!("{PREFIX}patient"), &[]));
    }
}
