//! The checks of the target.

use crate::clock::{self, ServerClock};
use crate::findings::Findings;
use crate::report::CheckSubject as S;
use crate::{tls, version};
use handoff_connect::{PgConn, PgPool, PoolOptions, Result, Side, quote_pg};
use handoff_settings::{PgServer, RequireAuth, TargetSettings as Settings};
use postgres::Row;
use postgres::types::{FromSql, ToSql};

/// A PostgreSQL that was reached.
pub(crate) struct ReachedTarget {
    pub(crate) pool: PgPool,
    /// Its data folder, where the role may know it.
    pub(crate) data_folder: Option<String>,
    /// Bytes that the schema's tables take, indexes included.
    pub(crate) bytes: Option<u64>,
    /// Tables of the schema that the role may not write to.
    pub(crate) foreign: Vec<String>,
}

/// Looks at the target. [`None`] if it can't be reached.
pub(crate) fn look(
    settings: &Settings,
    options: &PoolOptions,
) -> (Option<ReachedTarget>, Findings) {
    let mut findings = Findings::of(Side::Target);
    let pool = reach(&settings.server, options, &mut findings);
    let target = pool.map(|pool| ReachedTarget::look(pool, settings, &mut findings));
    (target, findings)
}

fn reach(server: &PgServer, options: &PoolOptions, findings: &mut Findings) -> Option<PgPool> {
    let fault = match PgPool::open_to_look(server, options) {
        Ok(pool) => return Some(pool),
        Err(fault) => fault,
    };
    let finding = findings.fault(S::Connection, fault.message());
    // There is no such database.
    if fault.code() == Some("3D000") {
        finding.statement(create_database(&server.database, &server.user));
    }
    None
}

fn create_database(name: &str, owner: &str) -> String {
    let (name, owner) = (quote_pg(name), quote_pg(owner));
    format!("CREATE DATABASE {name} OWNER {owner} ENCODING 'UTF8' TEMPLATE template0")
}

impl ReachedTarget {
    fn look(pool: PgPool, settings: &Settings, findings: &mut Findings) -> ReachedTarget {
        let server = &settings.server;
        let PgServer { host, port, user, .. } = server;
        findings.ok(S::Connection, format!("{host}:{port} lets {user} in"));
        if let Some(fault) = pool.lends_no_sessions() {
            findings.fault(S::Connection, fault.message());
        } else if pool.is_pooled() {
            findings.ok(
                S::Connection,
                "a pooler in session mode stands before PostgreSQL: a run takes two of its connections, or \
                 more if it has them",
            );
        }
        version::pg(pool.version_num(), findings);
        let mut target =
            ReachedTarget { pool, data_folder: None, bytes: None, foreign: Vec::new() };
        findings.look(S::Tls, |findings| target.tls(server, findings));
        target.encoding(server, findings);
        findings.look(S::Schema, |findings| target.schema(settings, findings));
        for reader in &settings.grant_select_to {
            findings.look(S::Grants, |findings| target.reader(settings, reader, findings));
        }
        findings.look(S::Clock, |findings| target.clock(findings));
        findings.look(S::Defaults, |findings| target.defaults(findings));
        findings.look(S::Room, |_| target.learn(&settings.schema));
        target
    }

    fn tls(&self, server: &PgServer, findings: &mut Findings) -> Result<()> {
        let query = "SELECT version, cipher FROM pg_stat_ssl WHERE pid = pg_backend_pid() AND ssl";
        let mut conn = self.pool.get()?;
        let row = rows(&mut conn, query, &[])?.pop();
        let in_use = match &row {
            Some(row) => {
                Some(format!("{} ({})", at::<String>(&conn, row, 0)?, at::<String>(&conn, row, 1)?))
            }
            None => None,
        };
        let is_bound = server.require_auth == RequireAuth::ScramPlus;
        let server = tls::SecuredServer { tls: &server.tls, host: &server.host, is_bound };
        tls::finding(in_use.as_deref(), self.pool.protection(), &server, findings);
        Ok(())
    }

    fn encoding(&self, server: &PgServer, findings: &mut Findings) {
        let (encoding, database) = (self.pool.encoding(), &server.database);
        if encoding == "UTF8" {
            findings.ok(S::Encoding, "UTF8");
            return;
        }
        let what = format!(
            "the database {database} is encoded in {encoding}, which cannot hold every text: make \
             one in UTF8 and name it in the url of [target]"
        );
        let name = format!("{database}_utf8");
        findings.fault(S::Encoding, what).statement(create_database(&name, &server.user));
    }

    /// Says whether the role may write, and make tables in the schema, or the schema.
    fn schema(&self, settings: &Settings, findings: &mut Findings) -> Result<()> {
        let mut conn = self.pool.get()?;
        let query = "SELECT pg_is_in_recovery(), has_database_privilege(current_database(), \
             'CREATE'), has_schema_privilege(n.oid, 'CREATE') AND has_schema_privilege(n.oid, \
             'USAGE') FROM (SELECT) one LEFT JOIN pg_namespace n ON n.nspname = $1";
        let row = rows(&mut conn, query, &[&settings.schema])?.pop();
        let Some(row) = row else { return Ok(()) };
        if at::<bool>(&conn, &row, 0)? {
            findings.fault(S::Schema, "the server is a standby, which takes no writes");
        }
        let (schema, role) =
            (quote_pg(settings.schema.as_str()), quote_pg(settings.server.user.as_str()));
        let may_make_schemas: bool = at(&conn, &row, 1)?;
        match at::<Option<bool>>(&conn, &row, 2)? {
            Some(true) => {
                findings.ok(S::Schema, format!("{role} may make tables in the schema {schema}"));
            }
            Some(false) => {
                let what = format!("{role} may not make tables in the schema {schema}");
                findings
                    .fault(S::Schema, what)
                    .statement(format!("GRANT USAGE, CREATE ON SCHEMA {schema} TO {role}"));
            }
            None if may_make_schemas => {
                findings.ok(
                    S::Schema,
                    format!("there is no schema {schema} yet: the first run makes it"),
                );
            }
            None => {
                findings
                    .fault(
                        S::Schema,
                        format!("there is no schema {schema}, and {role} may not create it"),
                    )
                    .statement(format!("CREATE SCHEMA {schema} AUTHORIZATION {role}"));
            }
        }
        Ok(())
    }

    /// Says whether a role of `grant_select_to` can be let in.
    fn reader(&self, settings: &Settings, reader: &str, findings: &mut Findings) -> Result<()> {
        let mut conn = self.pool.get()?;
        let query = "SELECT n.oid IS NULL OR has_schema_privilege(r.oid, n.oid, 'USAGE') \
             OR has_schema_privilege(n.oid, 'USAGE WITH GRANT OPTION') \
             FROM pg_roles r LEFT JOIN pg_namespace n ON n.nspname = $1 WHERE r.rolname = $2";
        let row = rows(&mut conn, query, &[&settings.schema, &reader])?.pop();
        let (schema, role) = (quote_pg(settings.schema.as_str()), quote_pg(reader));
        let Some(row) = row else {
            let what = format!("the role {role} of grant_select_to does not exist");
            findings.fault(S::Grants, what).statement(format!("CREATE ROLE {role}"));
            return Ok(());
        };
        if at::<bool>(&conn, &row, 0)? {
            findings.ok(S::Grants, format!("{role} of grant_select_to can be let in"));
        } else {
            let what = format!("{role} of grant_select_to may not look into the schema {schema}");
            findings
                .fault(S::Grants, what)
                .statement(format!("GRANT USAGE ON SCHEMA {schema} TO {role}"));
        }
        Ok(())
    }

    fn clock(&self, findings: &mut Findings) -> Result<()> {
        let mut conn = self.pool.get()?;
        let clock = ServerClock::measure(|| {
            let row = conn.query_one("SELECT extract(epoch FROM clock_timestamp())::float8", &[]);
            row.and_then(|row| row.try_get(0)).map_err(|error| conn.fault(&error))
        })?;
        clock::finding(&clock, findings);
        Ok(())
    }

    fn learn(&mut self, schema: &str) -> Result<()> {
        let mut conn = self.pool.get()?;
        let query = "SELECT CASE WHEN pg_has_role('pg_read_all_settings', 'USAGE') \
             THEN current_setting('data_directory') END, \
             coalesce(sum(pg_total_relation_size(c.oid)), 0)::int8, \
             coalesce(array_agg(c.relname::text ORDER BY c.relname) FILTER (WHERE NOT ( \
                 pg_has_role(c.relowner, 'USAGE') \
                 OR has_table_privilege(c.oid, 'SELECT') AND has_table_privilege(c.oid, 'INSERT') \
                 AND has_table_privilege(c.oid, 'UPDATE') AND has_table_privilege(c.oid, 'DELETE') \
             )), '{}') \
             FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace \
             WHERE n.nspname = $1 AND c.relkind IN ('r', 'p')";
        let Some(row) = rows(&mut conn, query, &[&schema])?.pop() else { return Ok(()) };
        self.data_folder = at(&conn, &row, 0)?;
        self.bytes = Some(at::<i64>(&conn, &row, 1)?.unsigned_abs());
        self.foreign = at(&conn, &row, 2)?;
        Ok(())
    }
}

fn rows(conn: &mut PgConn, query: &str, values: &[&(dyn ToSql + Sync)]) -> Result<Vec<Row>> {
    conn.query(query, values).map_err(|error| conn.fault(&error))
}

fn at<'r, T: FromSql<'r>>(conn: &PgConn, row: &'r Row, index: usize) -> Result<T> {
    row.try_get(index).map_err(|error| conn.fault(&error))
}
