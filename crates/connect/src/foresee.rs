//! Looking whether a schema can be used, without making anything.

use crate::fault::{Fault, Result, Side};
use crate::pg_pool::PgPool;
use crate::quote::quote_pg;

impl PgPool {
    /// Says why [`ensure_schema`](PgPool::ensure_schema) would fail, and makes nothing.
    ///
    /// # Errors
    ///
    /// Returns a [`Fault`] with the statement to run if the schema is not there and cannot be made, takes no table
    /// of ours, or cannot be opened to one of `readers`.
    pub fn foresee_schema(&self, schema: &str, readers: &[String]) -> Result<()> {
        let mut conn = self.get()?;
        let (name, role) = (quote_pg(schema), quote_pg(self.server().user.as_str()));
        let query = "SELECT has_database_privilege(current_database(), 'CREATE'), \
             has_schema_privilege(n.oid, 'CREATE') AND has_schema_privilege(n.oid, 'USAGE') \
             FROM (SELECT) one LEFT JOIN pg_namespace n ON n.nspname = $1";
        let row = conn.query_one(query, &[&schema]).map_err(|error| conn.fault(&error))?;
        let may_make = row.try_get(0).map_err(|error| conn.fault(&error))?;
        let may_use: Option<bool> = row.try_get(1).map_err(|error| conn.fault(&error))?;
        match may_use {
            Some(true) => {}
            Some(false) => {
                return Err(self.not_permitted(
                    &format!("the role {role} may not create tables in the schema {name}"),
                    &format!("GRANT USAGE, CREATE ON SCHEMA {name} TO {role}"),
                ));
            }
            None if may_make => {}
            None => {
                return Err(self.not_permitted(
                    &format!("there is no schema {name}, and {role} may not create it"),
                    &format!("CREATE SCHEMA {name} AUTHORIZATION {role}"),
                ));
            }
        }
        let query = "SELECT r.rolname IS NOT NULL, n.oid IS NULL OR has_schema_privilege(r.oid, n.oid, 'USAGE') \
             OR has_schema_privilege(n.oid, 'USAGE WITH GRANT OPTION') \
             FROM (SELECT) one LEFT JOIN pg_roles r ON r.rolname = $2 \
             LEFT JOIN pg_namespace n ON n.nspname = $1";
        for reader in readers {
            let row =
                conn.query_one(query, &[&schema, reader]).map_err(|error| conn.fault(&error))?;
            let exists: bool = row.try_get(0).map_err(|error| conn.fault(&error))?;
            let can_be_let_in: Option<bool> = row.try_get(1).map_err(|error| conn.fault(&error))?;
            if !exists {
                return Err(no_reader(reader));
            }
            if can_be_let_in != Some(true) {
                let reader = quote_pg(reader.as_str());
                return Err(self.not_permitted(
                    &format!("{reader} of grant_select_to may not look into the schema {schema}"),
                    &format!("GRANT USAGE ON SCHEMA {name} TO {reader}"),
                ));
            }
        }
        Ok(())
    }
}

/// Says that a role of `grant_select_to` does not exist.
pub(crate) fn no_reader(reader: &str) -> Fault {
    let role = quote_pg(reader);
    let text = format!(
        "the role {role} of grant_select_to does not exist: create it with CREATE ROLE {role}, or take it out of \
         [target]"
    );
    Fault::new(Side::Target, text)
}
