//! Looking for our tables, and making those that are missing.

use crate::error::{Result, TrackingError};
use crate::layout::{
    CHANGES, COPIES, ColumnSpec, LAYOUT_COLUMN, LAYOUT_VERSION, LOADS, RUNS, TableLayout,
};
use crate::surroundings::{RecordObstacle, SURROUNDINGS};
use handoff_connect::{MyPool, PgPool, SessionProfile, Side, quote_my, quote_pg};
use std::collections::BTreeMap;

/// A table that has a name of ours.
#[derive(Debug, Default)]
struct FoundTable {
    /// `BASE TABLE` or `r`; anything else is no table.
    kind: String,
    engine: String,
    /// True if the table belongs to a role that has no power over ours otherwise: triggers and
    /// defaults of a table run with the rights of its writer.
    is_strange: bool,
    /// The obstacle to keeping records.
    around: Option<String>,
    /// Its columns with their defaults.
    columns: BTreeMap<String, Option<String>>,
}

/// The columns that a table of an earlier version lacks.
pub(crate) type Missing = Vec<&'static ColumnSpec>;

/// Returns which of our tables are there, and what each lacks.
///
/// # Errors
///
/// Returns a [`TrackingError`] if one of them is not ours after all.
pub(crate) fn look(
    replica: Option<&MyPool>,
    target: &PgPool,
    schema: &str,
) -> Result<BTreeMap<&'static str, Missing>> {
    let mut there = in_target(target, schema, wanted(replica.is_some()))?;
    if let Some(missing) = replica.map(in_replica).transpose()?.flatten() {
        there.insert(COPIES.name, missing);
    }
    Ok(there)
}

/// Makes those of our tables that are not there, and adds the columns that later versions brought.
///
/// # Errors
///
/// Returns a [`TrackingError`] if one cannot be made or altered, or is there and not ours.
pub(crate) fn make(replica: Option<&MyPool>, target: &PgPool, schema: &str) -> Result<()> {
    // All are looked at before the first is made: a fault leaves nothing behind.
    let there = look(replica, target, schema)?;
    if let Some(replica) = replica {
        match there.get(COPIES.name) {
            None => in_replica_run("make", replica, |table| COPIES.create_in_mysql(table))?,
            Some(missing) if missing.is_empty() => {}
            Some(missing) => {
                in_replica_run("alter", replica, |table| COPIES.add_in_mysql(table, missing))?;
            }
        }
    }
    for layout in wanted(replica.is_some()) {
        match there.get(layout.name) {
            None => make_in_target(target, schema, layout)?,
            Some(missing) if missing.is_empty() => {}
            Some(missing) => alter_in_target(target, schema, layout, missing)?,
        }
    }
    Ok(())
}

/// The tables that belong into the target.
fn wanted(has_replica: bool) -> &'static [&'static TableLayout] {
    if has_replica { &[&LOADS, &RUNS, &CHANGES] } else { &[&COPIES, &LOADS, &RUNS, &CHANGES] }
}

fn in_replica_run(
    what: &'static str,
    replica: &MyPool,
    statement: impl FnOnce(&str) -> String,
) -> Result<()> {
    let failed = TrackingError::server(what, COPIES.name);
    let mut conn = replica.get(SessionProfile::Write).map_err(&failed)?;
    let table = format!("{}.{}", quote_my(replica.database()), quote_my(COPIES.name));
    let done = conn.query_drop(statement(&table));
    done.map_err(|error| failed(conn.fault(&error)))
}

fn make_in_target(target: &PgPool, schema: &str, layout: &'static TableLayout) -> Result<()> {
    let failed = TrackingError::server("make", layout.name);
    let mut conn = target.get().map_err(&failed)?;
    let table = format!("{}.{}", quote_pg(schema), quote_pg(layout.name));
    let Err(error) = conn.batch_execute(&layout.create_in_postgres(&table)) else { return Ok(()) };
    let fault = conn.fault(&error);
    drop(conn);
    // IF NOT EXISTS does not help against a run that makes the same table at the same moment.
    if in_target(target, schema, &[layout])?.is_empty() { Err(failed(fault)) } else { Ok(()) }
}

fn alter_in_target(
    target: &PgPool,
    schema: &str,
    layout: &'static TableLayout,
    missing: &Missing,
) -> Result<()> {
    let failed = TrackingError::server("alter", layout.name);
    let mut conn = target.get().map_err(&failed)?;
    let table = format!("{}.{}", quote_pg(schema), quote_pg(layout.name));
    let done = conn.batch_execute(&layout.add_in_postgres(&table, missing));
    done.map_err(|error| failed(conn.fault(&error)))
}

fn in_replica(replica: &MyPool) -> Result<Option<Missing>> {
    let failed = TrackingError::server("read", COPIES.name);
    let mut conn = replica.get(SessionProfile::Read).map_err(&failed)?;
    // The columns of the second table are NULL where the account may see the table alone.
    let asked = conn.exec::<(String, Option<String>, Option<String>, Option<String>), _, _>(
        "SELECT t.TABLE_TYPE, t.ENGINE, c.COLUMN_NAME, CAST(c.COLUMN_DEFAULT AS CHAR) \
         FROM information_schema.TABLES t LEFT JOIN information_schema.COLUMNS c \
         ON c.TABLE_SCHEMA = t.TABLE_SCHEMA AND c.TABLE_NAME = t.TABLE_NAME \
         WHERE t.TABLE_SCHEMA = ? AND t.TABLE_NAME = ?",
        (replica.database(), COPIES.name),
    );
    let rows = asked.map_err(|error| failed(conn.fault(&error)))?;
    if rows.is_empty() {
        return Ok(None);
    }
    let mut found = FoundTable::default();
    for (kind, engine, column, default) in rows {
        found.kind = kind;
        found.engine = engine.unwrap_or_default();
        found.columns.extend(column.map(|column| (column, default)));
    }
    found.check(&COPIES, Side::Replica, replica.database()).map(Some)
}

fn in_target(
    target: &PgPool,
    schema: &str,
    layouts: &[&'static TableLayout],
) -> Result<BTreeMap<&'static str, Missing>> {
    let failed = TrackingError::server("read", LOADS.name);
    let names: Vec<&str> = layouts.iter().map(|layout| layout.name).collect();
    let mut conn = target.get().map_err(&failed)?;
    // The catalogue itself: the information schema hides what the role may not use.
    let query = format!(
        "SELECT c.relname::text, c.relkind::text, a.attname::text, \
         pg_get_expr(d.adbin, d.adrelid), \
         pg_has_role(c.relowner, 'USAGE') OR c.relowner = n.nspowner \
         OR EXISTS (SELECT FROM pg_roles r WHERE r.oid = c.relowner AND r.rolsuper) \
         OR EXISTS (SELECT FROM pg_database b \
             WHERE b.datname = current_database() AND b.datdba = c.relowner), \
         {SURROUNDINGS} FROM pg_class c \
         JOIN pg_namespace n ON n.oid = c.relnamespace \
         LEFT JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped \
         LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum \
         WHERE n.nspname = $1 AND c.relname = ANY ($2)"
    );
    let asked = conn.query(&query, &[&schema, &names]);
    let rows = asked.map_err(|error| failed(conn.fault(&error)))?;
    let mut all: BTreeMap<String, FoundTable> = BTreeMap::new();
    for row in &rows {
        let text = |index: usize| {
            row.try_get::<_, Option<String>>(index).map_err(|error| failed(conn.fault(&error)))
        };
        let found = all.entry(text(0)?.unwrap_or_default()).or_default();
        found.kind = text(1)?.unwrap_or_default();
        found.is_strange = !row.try_get(4).map_err(|error| failed(conn.fault(&error)))?;
        found.around = text(5)?;
        let default = text(3)?;
        found.columns.extend(text(2)?.map(|column| (column, default)));
    }
    let mut there = BTreeMap::new();
    for &layout in layouts {
        if let Some(found) = all.get(layout.name) {
            there.insert(layout.name, found.check(layout, Side::Target, schema)?);
        }
    }
    Ok(there)
}

impl FoundTable {
    /// Sees to it that the table is ours, with the layout that this version knows, and returns the
    /// columns that it lacks because an earlier version made it. Those are never required ones.
    fn check(&self, layout: &'static TableLayout, side: Side, place: &str) -> Result<Missing> {
        let (table, place) = (layout.name, place.to_owned());
        let not_ours =
            |why: String| TrackingError::NotOurs { side, place: place.clone(), table, why };
        // Partitioned tables are tables too.
        if !matches!(self.kind.as_str(), "BASE TABLE" | "r" | "p") {
            return Err(not_ours("it is no table".to_owned()));
        }
        if self.is_strange {
            return Err(not_ours("it belongs to a role that is a stranger here".to_owned()));
        }
        if let Some(found) = &self.around {
            let RecordObstacle { what, remedy } = RecordObstacle::parse(found);
            return Err(TrackingError::Surrounded { place, table, what, remedy });
        }
        let Some(default) = self.columns.get(LAYOUT_COLUMN) else {
            return Err(not_ours(format!("it has no column {LAYOUT_COLUMN}")));
        };
        let found = default.clone().unwrap_or_default();
        if found != LAYOUT_VERSION.to_string() {
            return Err(TrackingError::Layout { side, place, table, found, known: LAYOUT_VERSION });
        }
        let wanted = layout.columns.iter();
        let missing: Missing =
            wanted.filter(|column| !self.columns.contains_key(column.name)).collect();
        if let Some(column) = missing.iter().find(|column| column.required) {
            return Err(not_ours(format!("it has no column {}", column.name)));
        }
        if side == Side::Replica && !self.engine.eq_ignore_ascii_case("InnoDB") {
            return Err(TrackingError::Engine { place, table, engine: self.engine.clone() });
        }
        Ok(missing)
    }
}
