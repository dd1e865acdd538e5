//! Making what a pipeline needs on its own sides: the replica database and the target schema.

use crate::fault::{Fault, Result, Side};
use crate::foresee::no_reader;
use crate::my_link::MyDialer;
use crate::my_pool::MyPool;
use crate::paste::{paste_my, paste_pg};
use crate::pg_conn::PgConn;
use crate::pg_pool::PgPool;
use crate::pool_options::PoolOptions;
use crate::quote::{quote_my, quote_my_account, quote_pg};
use crate::sessions::SessionLabels;
use handoff_settings::MySqlServer;

impl MyPool {
    /// Opens a pool as [`MyPool::open`] does, and makes the database first where it is missing.
    ///
    /// # Errors
    ///
    /// Returns a [`Fault`] as [`MyPool::open`] does, or with the statements to run as an
    /// administrator if the account may not create the database.
    pub fn open_or_create(
        server: &MySqlServer,
        side: Side,
        options: &PoolOptions,
    ) -> Result<MyPool> {
        match MyPool::open_if_there(server, side, options)? {
            Some(pool) => Ok(pool),
            None => {
                create_database(server, side, options)?;
                MyPool::open(server, side, options)
            }
        }
    }

    /// Opens a pool as [`MyPool::open`] does, unless the database is missing.
    ///
    /// # Errors
    ///
    /// Returns a [`Fault`] as [`MyPool::open`] does.
    pub fn open_if_there(
        server: &MySqlServer,
        side: Side,
        options: &PoolOptions,
    ) -> Result<Option<MyPool>> {
        match MyPool::open(server, side, options) {
            // Unknown database; access to it denied, which a server also says of a missing one.
            Err(fault) if matches!(fault.code(), Some("1049" | "1044")) => Ok(None),
            opened => opened.map(Some),
        }
    }
}

fn create_database(server: &MySqlServer, side: Side, options: &PoolOptions) -> Result<()> {
    let labels = SessionLabels::new(options.run, side);
    let mut conn = MyDialer::new(side, server.clone(), labels, options)?.bare()?;
    let name = quote_my(server.database.as_str());
    let create = format!("CREATE DATABASE IF NOT EXISTS {name} CHARACTER SET utf8mb4");
    let Err(error) = conn.query_drop(&create) else {
        log::info!("{side}: made the database {name}");
        return Ok(());
    };
    let fault = Fault::my(side, &error);
    if !matches!(fault.code(), Some("1044" | "1045" | "1142" | "1227")) {
        return Err(fault);
    }
    let account = conn.query_first::<String, _>("SELECT CURRENT_USER()");
    let account = match account {
        Ok(Some(account)) => quote_my_account(&account),
        _ => quote_my(server.user.as_str()),
    };
    Err(fault.saying(format!(
        "there is no database {} on {}:{}, and {account} may not create it: run there, as an \
         administrator, {}; {}",
        server.database,
        server.host,
        server.port,
        paste_my(&create),
        paste_my(&format!("GRANT ALL ON {name}.* TO {account}"))
    )))
}

impl PgPool {
    /// Sees to it that `schema` is there, that we may create tables in it, and that `readers` may
    /// look into it. What is right already costs no change.
    ///
    /// # Errors
    ///
    /// Returns a [`Fault`] with the statement to run if the role may not do it, or one that names
    /// the reader that does not exist.
    pub fn ensure_schema(&self, schema: &str, readers: &[String]) -> Result<()> {
        let mut conn = self.get()?;
        let name = quote_pg(schema);
        self.ensure_exists(&mut conn, schema, &name)?;
        for reader in readers {
            self.ensure_usage(&mut conn, schema, &name, reader)?;
        }
        Ok(())
    }

    fn ensure_exists(&self, conn: &mut PgConn, schema: &str, name: &str) -> Result<()> {
        let role = quote_pg(self.server().user.as_str());
        let may_create = ask(
            conn,
            "SELECT has_schema_privilege(oid, 'CREATE') AND has_schema_privilege(oid, 'USAGE') \
             FROM pg_namespace WHERE nspname = $1",
            &[&schema],
        )?;
        match may_create {
            Some(true) => Ok(()),
            Some(false) => Err(self.not_permitted(
                &format!("the role {role} may not create tables in the schema {name}"),
                &format!("GRANT USAGE, CREATE ON SCHEMA {name} TO {role}"),
            )),
            None => {
                let done = conn.batch_execute(&format!("CREATE SCHEMA IF NOT EXISTS {name}"));
                let Err(error) = done else {
                    log::info!("target: made the schema {name}");
                    return Ok(());
                };
                let fault = conn.fault(&error);
                if fault.code() != Some("42501") {
                    return Err(fault);
                }
                Err(self.not_permitted(
                    &format!("there is no schema {name}, and {role} may not create it"),
                    &format!("CREATE SCHEMA {name} AUTHORIZATION {role}"),
                ))
            }
        }
    }

    fn ensure_usage(
        &self,
        conn: &mut PgConn,
        schema: &str,
        name: &str,
        reader: &str,
    ) -> Result<()> {
        let role = quote_pg(reader);
        let may_use = ask(
            conn,
            "SELECT has_schema_privilege(r.oid, $1::text, 'USAGE') FROM pg_roles r \
             WHERE r.rolname = $2",
            &[&schema, &reader],
        )?;
        match may_use {
            Some(true) => return Ok(()),
            Some(false) => {}
            None => {
                return Err(no_reader(reader));
            }
        }
        let grant = format!("GRANT USAGE ON SCHEMA {name} TO {role}");
        // Somebody who may not grant gets a warning and no error, so what counts is the outcome.
        match conn.batch_execute(&grant) {
            Err(error) if error.code().is_none_or(|code| code.code() != "42501") => {
                return Err(conn.fault(&error));
            }
            _ => {}
        }
        let granted = ask(
            conn,
            "SELECT has_schema_privilege($1::text, $2::text, 'USAGE')",
            &[&reader, &schema],
        )?;
        match granted {
            Some(true) => Ok(()),
            _ => Err(self.not_permitted(
                &format!("{role} of grant_select_to may not look into the schema {schema}"),
                &grant,
            )),
        }
    }

    pub(crate) fn not_permitted(&self, what: &str, remedy: &str) -> Fault {
        let at = format!("{}:{}", self.server().host, self.server().port);
        let database = self.database();
        Fault::new(
            Side::Target,
            format!("{what}: run in {database} on {at}, as its owner, {}", paste_pg(remedy)),
        )
    }
}

fn ask(
    conn: &mut PgConn,
    query: &str,
    values: &[&(dyn postgres::types::ToSql + Sync)],
) -> Result<Option<bool>> {
    let row = conn.query_opt(query, values).map_err(|error| conn.fault(&error))?;
    row.map(|row| row.try_get(0)).transpose().map_err(|error| conn.fault(&error))
}

/// Returns the statement that lets `readers` read a table; `None` without readers.
pub fn grant_select(schema: &str, table: &str, readers: &[String]) -> Option<String> {
    if readers.is_empty() {
        return None;
    }
    let roles: Vec<String> = readers.iter().map(|role| quote_pg(role.as_str())).collect();
    let (schema, table) = (quote_pg(schema), quote_pg(table));
    Some(format!("GRANT SELECT ON {schema}.{table} TO {}", roles.join(", ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_in_statements_are_quoted() {
        let readers = ["dbt".to_owned(), "a\"b".to_owned()];
        let grant = grant_select("raw", "patient", &readers).unwrap();
        assert_eq!(grant, "GRANT SELECT ON \"raw\".\"patient\" TO \"dbt\", \"a\"\"b\"");
        assert_eq!(grant_select("raw", "patient", &[]), None);
    }
}
