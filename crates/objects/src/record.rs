//! `etl_objects`: the objects that Handoff made in the target.

use crate::class::ObjectClass;
use crate::wanted::{ObjectKind, TargetObject};
use handoff_connect::{PgConn, Result, quote_pg, quote_pg_text};
use handoff_model::{TableName, own};
use handoff_schema::ddl;

/// An object that was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ObjectRecord {
    pub(crate) object: TargetObject,
    /// Its definition as the server printed it then.
    pub(crate) shown: String,
}

/// Reads all records.
pub(crate) fn read_records(conn: &mut PgConn, schema: &str) -> Result<Vec<ObjectRecord>> {
    let query = format!(
        "SELECT table_name, target_table, kind, part, name, definition, shown FROM {} \
         ORDER BY table_name, kind, part",
        ddl::qualified(schema, own::OBJECTS)
    );
    let rows = conn.query_typed(&query, &[]).map_err(|error| conn.fault(&error))?;
    let records = rows.iter().map(|row| {
        let fields: std::result::Result<Vec<String>, _> = (0..7).map(|n| row.try_get(n)).collect();
        Ok(record(fields?))
    });
    let records: std::result::Result<Vec<_>, postgres::Error> = records.collect();
    Ok(records.map_err(|error| conn.fault(&error))?.into_iter().flatten().collect())
}

/// Reads one; [`None`] if a later version made it.
fn record(fields: Vec<String>) -> Option<ObjectRecord> {
    let [table, pg_table, kind, part, name, body, shown] = fields.try_into().ok()?;
    let object = TargetObject {
        table: TableName::new(&table).ok()?,
        pg_table,
        kind: ObjectKind::named(&kind)?,
        part,
        name,
        body,
        needs: None,
    };
    Some(ObjectRecord { object, shown })
}

/// Spells the statement that makes the table of records, unless it is there.
pub(crate) fn create(schema: &str) -> String {
    let table = ddl::qualified(schema, own::OBJECTS);
    format!(
        "CREATE TABLE IF NOT EXISTS {table} (table_name text NOT NULL, kind text NOT NULL, part text NOT NULL, \
         target_table text NOT NULL, name text NOT NULL, definition text NOT NULL, shown text NOT NULL, \
         made_at timestamptz NOT NULL DEFAULT now(), PRIMARY KEY (table_name, kind, part))"
    )
}

/// Spells the statement that records an object which has just been made.
pub(crate) fn remember(object: &TargetObject, schema: &str) -> String {
    let values = [object.table.as_str(), object.kind.name(), &object.part]
        .into_iter()
        .chain([object.pg_table.as_str(), &object.name, &object.body])
        .map(quote_pg_text)
        .collect::<Vec<_>>()
        .join(", ");
    format!(
        "INSERT INTO {} (table_name, kind, part, target_table, name, definition, shown) \
         SELECT {values}, coalesce({}, '') ON CONFLICT (table_name, kind, part) DO UPDATE SET \
         target_table = excluded.target_table, name = excluded.name, definition = excluded.definition, \
         shown = excluded.shown, made_at = now()",
        ddl::qualified(schema, own::OBJECTS),
        shown(object, schema)
    )
}

/// Spells the statement that forgets an object.
pub(crate) fn forget(object: &TargetObject, schema: &str) -> String {
    format!(
        "DELETE FROM {} WHERE table_name = {} AND kind = {} AND part = {}",
        ddl::qualified(schema, own::OBJECTS),
        quote_pg_text(object.table.as_str()),
        quote_pg_text(object.kind.name()),
        quote_pg_text(&object.part)
    )
}

/// Spells the expression for an object as the server prints it.
fn shown(object: &TargetObject, schema: &str) -> String {
    let table = quote_pg_text(&ddl::qualified(schema, &object.pg_table));
    let name = quote_pg_text(&object.name);
    match ObjectClass::of(object.kind) {
        ObjectClass::Comment => quote_pg_text(&object.body),
        ObjectClass::Identity => "'d'".to_owned(),
        ObjectClass::Index => {
            let index = quote_pg_text(&ddl::qualified(schema, &object.name));
            format!("pg_get_indexdef({index}::regclass)")
        }
        ObjectClass::Default => format!(
            "(SELECT pg_get_expr(d.adbin, d.adrelid) FROM pg_attrdef d JOIN pg_attribute a \
             ON a.attrelid = d.adrelid AND a.attnum = d.adnum \
             WHERE d.adrelid = {table}::regclass AND a.attname = {name})"
        ),
        ObjectClass::Constraint => format!(
            "(SELECT regexp_replace(pg_get_constraintdef(oid), ' NOT VALID$', '') FROM pg_constraint \
             WHERE conrelid = {table}::regclass AND conname = {name})"
        ),
        ObjectClass::Trigger => format!(
            "(SELECT pg_get_triggerdef(oid) FROM pg_trigger \
             WHERE tgrelid = {table}::regclass AND tgname = {name})"
        ),
    }
}

/// Spells the statement that moves the sequence of an identity behind the highest key, and never back.
pub(crate) fn advance(object: &TargetObject, schema: &str) -> String {
    let table = ddl::qualified(schema, &object.pg_table);
    let (column, name) = (quote_pg(object.name.as_str()), quote_pg_text(&object.name));
    let sequence = format!("pg_get_serial_sequence({}, {name})", quote_pg_text(&table));
    format!(
        "SELECT setval({sequence}, m.top) FROM (SELECT max({column}) AS top FROM ONLY {table}) m \
         WHERE m.top > coalesce(pg_sequence_last_value({sequence}::regclass), 0)"
    )
}
