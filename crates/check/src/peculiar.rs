//! Peculiarities of servers and tables that a run gets along with, or that only the rows show.

use crate::findings::Findings;
use crate::human::some;
use crate::mysql::MySide;
use crate::report::CheckSubject as S;
use crate::tables::SourceTables;
use crate::target::ReachedTarget;
use handoff_connect::{MyConn, Result, Side, quote_my};
use handoff_model::{TableName, toml_key};
use handoff_schema::{ColumnSchema, MySqlType, StorageEngine, TableSchema};
use handoff_settings::Settings;
use std::collections::{BTreeMap, BTreeSet};

/// Says which files hold a secret that others than their owner can read.
pub(crate) fn secrets(settings: &Settings, side: Side, findings: &mut Findings) {
    for warning in &settings.warnings {
        let of = match warning.message().split('.').next() {
            Some("replica") => Side::Replica,
            Some("target") => Side::Target,
            _ => Side::Source,
        };
        if of == side {
            findings.warning(S::Secrets, warning.to_string());
        }
    }
}

/// A variable of MySQL or MariaDB under which statements would do something else.
struct ServerDefault {
    name: &'static str,
    /// The side that it concerns; [`None`] for both.
    side: Option<Side>,
    /// The values that change nothing.
    harmless: &'static [&'static str],
    /// The meaning of the others for a run.
    note: &'static str,
}

const OFF: &[&str] = &["OFF", "0"];

const SERVER_DEFAULTS: &[ServerDefault] = &[
    ServerDefault {
        name: "sql_safe_updates",
        side: None,
        harmless: OFF,
        note: "Handoff's sessions switch it off",
    },
    ServerDefault {
        name: "sql_require_primary_key",
        side: Some(Side::Replica),
        harmless: OFF,
        note: "a table without a primary key gets one there, which no copy shows, unless the account may switch it off",
    },
    ServerDefault {
        name: "sql_generate_invisible_primary_key",
        side: Some(Side::Replica),
        harmless: OFF,
        note: "a table without a primary key gets one there, which no copy shows, unless the account may switch it off",
    },
    ServerDefault {
        name: "lower_case_table_names",
        side: Some(Side::Replica),
        harmless: &["0"],
        note: "tables have their names in small letters there, and are found by them",
    },
    ServerDefault {
        name: "init_connect",
        side: None,
        harmless: &[""],
        note: "Handoff's sessions set anew what it may have set",
    },
];

impl MySide {
    /// Says which defaults of the server a session sets otherwise, or gets along with.
    pub(crate) fn defaults(&self, findings: &mut Findings) -> Result<()> {
        let side = findings.side();
        let names: Vec<String> =
            SERVER_DEFAULTS.iter().map(|default| format!("'{}'", default.name)).collect();
        let query = format!("SHOW GLOBAL VARIABLES WHERE Variable_name IN ({})", names.join(", "));
        let mut conn = self.conn()?;
        let rows: Vec<(String, String)> = conn.query(query).map_err(|error| conn.fault(&error))?;
        let values: BTreeMap<String, String> = rows.into_iter().collect();
        for default in SERVER_DEFAULTS {
            let Some(value) = values.get(default.name) else { continue };
            let concerns = default.side.is_none_or(|of| of == side);
            if concerns && !default.harmless.contains(&value.as_str()) {
                // The statement of init_connect may hold anything.
                let value = if default.name == "init_connect" { "set" } else { value.as_str() };
                let what = format!("{} is {value}: {}", default.name, default.note);
                findings.ok(S::Defaults, what);
            }
        }
        Ok(())
    }
}

impl ReachedTarget {
    /// Says which settings of the role, the database or the server a session sets otherwise.
    pub(crate) fn defaults(&self, findings: &mut Findings) -> Result<()> {
        let mut conn = self.pool.get()?;
        // The last ones are another everywhere: initdb chooses them, or a default is not as we want it.
        let query = "SELECT name, reset_val FROM pg_settings \
             WHERE source = 'session' AND reset_val <> setting AND reset_val <> boot_val \
             AND name NOT IN ('search_path', 'application_name', 'client_encoding', 'TimeZone', 'DateStyle') ORDER BY 1";
        let rows = conn.query(query, &[]).map_err(|error| conn.fault(&error))?;
        let mut all = Vec::new();
        for row in rows {
            let name: String = row.try_get(0).map_err(|error| conn.fault(&error))?;
            let value: String = row.try_get(1).map_err(|error| conn.fault(&error))?;
            all.push(format!("{name} = {value}"));
        }
        if !all.is_empty() {
            let what = format!(
                "Handoff's sessions set otherwise what is the default here: {}",
                all.join(", ")
            );
            findings.ok(S::Defaults, what);
        }
        Ok(())
    }

    /// Says which of the tables others inherit from, and which have defaults.
    pub(crate) fn beside(
        &self,
        schema: &str,
        tables: &BTreeSet<String>,
        findings: &mut Findings,
    ) -> Result<()> {
        let mut conn = self.pool.get()?;
        let query = "SELECT c.relname::text, \
             ARRAY(SELECT format('%I.%I', m.nspname, k.relname) FROM pg_inherits i \
                 JOIN pg_class k ON k.oid = i.inhrelid JOIN pg_namespace m ON m.oid = k.relnamespace \
                 WHERE i.inhparent = c.oid ORDER BY 1), \
             ARRAY(SELECT a.attname::text FROM pg_attribute a \
                 WHERE a.attrelid = c.oid AND a.atthasdef AND a.attgenerated = '' ORDER BY a.attnum) \
             FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace \
             WHERE n.nspname = $1 AND c.relkind = 'r' ORDER BY 1";
        let rows = conn.query(query, &[&schema]).map_err(|error| conn.fault(&error))?;
        for row in rows {
            let name: String = row.try_get(0).map_err(|error| conn.fault(&error))?;
            let heirs: Vec<String> = row.try_get(1).map_err(|error| conn.fault(&error))?;
            let defaults: Vec<String> = row.try_get(2).map_err(|error| conn.fault(&error))?;
            if !tables.contains(&name) {
                continue;
            }
            if !heirs.is_empty() {
                let what = format!(
                    "rows of tables that inherit from `{name}` stay as they are: {}",
                    some(&heirs)
                );
                findings.ok(S::Tables, what);
            }
            if !defaults.is_empty() {
                let what = format!(
                    "columns of `{name}` have defaults, which no row of a run gets: {}",
                    some(&defaults)
                );
                findings.ok(S::Tables, what);
            }
        }
        Ok(())
    }
}

impl SourceTables {
    /// Says which tables of other engines than plain ones are carried, and which names keep a key's index from its
    /// usual one.
    pub(crate) fn peculiar(&self, has_replica: bool, findings: &mut Findings) {
        let others: Vec<String> = self
            .described()
            .filter(|table| !table.engine.is_plain())
            .map(|table| format!("`{}` ({})", table.name, table.engine.name()))
            .collect();
        if !others.is_empty() {
            let into = if has_replica { StorageEngine::InnoDb.name() } else { "PostgreSQL" };
            findings.ok(
                S::Tables,
                format!("moved as rows into tables of {into}: {}", others.join(", ")),
            );
        }
        let names: BTreeSet<&str> = self.taken.iter().map(TableName::as_str).collect();
        for table in self.described().filter(|table| table.key().is_some()) {
            let usual = format!("{}_pkey", table.name.as_str());
            if names.contains(usual.as_str()) {
                let what = format!(
                    "the key's index of `{}` gets another name, since `{usual}` is a table",
                    table.name
                );
                findings.ok(S::Tables, what);
            }
        }
    }

    /// Looks for zero dates where a key begins with a date: no key of PostgreSQL can hold one.
    pub(crate) fn zero_dates(
        &self,
        conn: &mut MyConn,
        settings: &Settings,
        findings: &mut Findings,
    ) -> Result<()> {
        for table in self.described() {
            let Some(column) = first_of_key(table) else { continue };
            let is_date = matches!(column.kind, MySqlType::Date | MySqlType::DateTime(_));
            let is_overridden = settings.table(&table.name).columns.contains_key(&column.name);
            if is_date && !is_overridden && has_zero(conn, table, column)? {
                let key = toml_key(column.name.as_str());
                let what = format!(
                    "`{}`: its key has a zero date in `{}`, and a key is never changed: carry it as text",
                    table.name, column.name
                );
                findings
                    .fault(S::Mapping, what)
                    .setting(format!("{}\ncolumns = {{ {key} = \"text\" }}", table.name.section()));
            }
        }
        Ok(())
    }

    /// Returns the tables that the settings take, as far as they can be described.
    fn described(&self) -> impl Iterator<Item = &TableSchema> {
        self.taken.iter().filter_map(|table| self.catalogue.tables.get(table)?.as_ref().ok())
    }
}

/// Returns the column that the key's index is sorted by first.
fn first_of_key(table: &TableSchema) -> Option<&ColumnSchema> {
    let first = table.key_index()?.parts.first()?.column?;
    table.columns.get(first)
}

/// Returns true if a row has a date before the year 1 in a column that an index begins with.
fn has_zero(conn: &mut MyConn, table: &TableSchema, column: &ColumnSchema) -> Result<bool> {
    let (table, column) = (quote_my(table.name.as_str()), quote_my(column.name.as_str()));
    let query = format!("SELECT 1 FROM {table} WHERE {column} < '0001-01-01' LIMIT 1");
    let found: Vec<u8> = conn.query(query).map_err(|error| conn.fault(&error))?;
    Ok(!found.is_empty())
}
