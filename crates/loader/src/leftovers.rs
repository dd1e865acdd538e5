//! Tables that dead runs left in the target.

use crate::statements::PREFIX;
use crate::{Error, Loader, Result};
use handoff_connect::{PgConn, quote_pg};

impl Loader {
    /// Lists the build and staging tables in the target's schema, oldest first.
    ///
    /// Only a run that holds the run lock knows that nobody is filling them.
    ///
    /// # Errors
    ///
    /// Returns an error if the server refuses.
    pub fn leftovers(&self) -> Result<Vec<String>> {
        self.list(&mut self.to.get().map_err(Error::Leftovers)?)
    }

    /// Drops the build and staging tables in the target's schema, and returns their names.
    ///
    /// # Errors
    ///
    /// Returns an error if the server refuses, or if something depends on one of them.
    pub fn drop_leftovers(&self) -> Result<Vec<String>> {
        let mut conn = self.to.get().map_err(Error::Leftovers)?;
        let names = self.list(&mut conn)?;
        let schema = quote_pg(self.options.schema.as_str());
        for name in &names {
            let sql = format!("DROP TABLE IF EXISTS {schema}.{}", quote_pg(name.as_str()));
            conn.batch_execute(&sql).map_err(|error| Error::Leftovers(conn.fault(&error)))?;
        }
        Ok(names)
    }

    fn list(&self, conn: &mut PgConn) -> Result<Vec<String>> {
        // The whole form of a name that we make: somebody else's table may begin alike.
        let pattern = format!("^{PREFIX}[0-9a-f]{{16}}$");
        let sql = "SELECT relname::text FROM pg_class \
                   WHERE relnamespace = (SELECT oid FROM pg_namespace WHERE nspname = $1::text) \
                   AND relkind = 'r' AND relname ~ $2::text ORDER BY oid";
        let listed = conn
            .query(sql, &[&self.options.schema, &pattern])
            .and_then(|rows| rows.iter().map(|row| row.try_get(0)).collect());
        listed.map_err(|error| Error::Leftovers(conn.fault(&error)))
    }
}
