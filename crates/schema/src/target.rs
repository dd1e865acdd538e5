//! The tables of the target schema.

use crate::ddl::PgColumn;
use handoff_connect::{PgConn, Result};
use handoff_model::own::{PREFIX, is_own_table};
use postgres::Row;
use std::collections::BTreeMap;

/// What kind of relation bears a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TargetKind {
    /// An ordinary table.
    Table,
    /// A partitioned table.
    Partitioned,
    /// A view, materialised or not, or a foreign table: nothing to load into.
    Other,
}

/// Something that makes COPY fail, or do something else than write rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CopyObstacle {
    /// Row security applies to us: COPY is refused.
    RowSecurity,
    /// Rules, which COPY passes by.
    Rules,
    /// Triggers of rows or statements.
    Triggers,
}

/// A table of the target schema.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TargetTable {
    /// Its name.
    pub name: String,
    /// What it is.
    pub kind: TargetKind,
    /// Its columns in order.
    pub columns: Vec<PgColumn>,
    /// The columns of its primary key in order; empty without one.
    pub key: Vec<String>,
    /// How many unique indexes it has beside the primary key.
    pub other_unique_indexes: usize,
    /// What stands in the way of COPY.
    pub obstacles: Vec<CopyObstacle>,
}

/// The tables of the target schema.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TargetCatalogue {
    /// The tables, and whatever else bears a table's name, by name; without our own.
    pub tables: BTreeMap<String, TargetTable>,
    /// Tables named `__handoff_…`, left over from runs that did not end well.
    pub leftovers: Vec<String>,
}

impl TargetCatalogue {
    /// Reads all tables of `schema` in one statement. A schema that is not there has none.
    ///
    /// # Errors
    ///
    /// Returns a [`Fault`](handoff_connect::Fault) if the server refuses.
    pub fn read(conn: &mut PgConn, schema: &str) -> Result<TargetCatalogue> {
        let rows = conn.query_typed(QUERY, &[(&schema, postgres::types::Type::TEXT)]);
        let rows = rows.map_err(|error| conn.fault(&error))?;
        let tables: Option<Vec<TargetTable>> = rows.iter().map(|row| table(row).ok()).collect();
        let tables = tables.ok_or_else(|| {
            handoff_connect::Fault::new(
                handoff_connect::Side::Target,
                "the catalogue holds what no server should say",
            )
        })?;
        Ok(sorted_out(tables))
    }
}

const QUERY: &str = "\
    SELECT c.relname::text, c.relkind::text, \
        coalesce(a.names, '{}'), coalesce(a.types, '{}'), \
        coalesce(a.not_nulls, '{}'), coalesce(a.generated, '{}'), \
        coalesce(i.key, '{}'), coalesce(i.others, 0), \
        row_security_active(c.oid), \
        EXISTS (SELECT FROM pg_rewrite r \
            WHERE r.ev_class = c.oid AND r.rulename <> '_RETURN' AND r.ev_enabled <> 'D'), \
        EXISTS (SELECT FROM pg_trigger t \
            WHERE t.tgrelid = c.oid AND NOT t.tgisinternal AND t.tgenabled <> 'D') \
    FROM pg_namespace n \
    JOIN pg_class c ON c.relnamespace = n.oid AND c.relkind IN ('r', 'p', 'v', 'm', 'f') \
    LEFT JOIN LATERAL ( \
        SELECT array_agg(attname::text ORDER BY attnum) AS names, \
            array_agg(format_type(atttypid, atttypmod) ORDER BY attnum) AS types, \
            array_agg(attnotnull ORDER BY attnum) AS not_nulls, \
            array_agg(attgenerated <> '' OR attidentity = 'a' ORDER BY attnum) AS generated \
        FROM pg_attribute \
        WHERE attrelid = c.oid AND attnum > 0 AND NOT attisdropped) a ON true \
    LEFT JOIN LATERAL ( \
        SELECT count(*) FILTER (WHERE NOT x.indisprimary) AS others, \
            (SELECT array_agg(k.attname::text ORDER BY p.place) \
                FROM pg_index x, unnest(x.indkey) WITH ORDINALITY AS p (attnum, place), \
                    pg_attribute k \
                WHERE x.indrelid = c.oid AND x.indisprimary AND p.place <= x.indnkeyatts \
                    AND k.attrelid = c.oid AND k.attnum = p.attnum) AS key \
        FROM pg_index x WHERE x.indrelid = c.oid AND x.indisunique) i ON true \
    WHERE n.nspname = $1";

fn table(row: &Row) -> Result<TargetTable, postgres::Error> {
    let names: Vec<String> = row.try_get(2)?;
    let types: Vec<String> = row.try_get(3)?;
    let not_nulls: Vec<bool> = row.try_get(4)?;
    let generated: Vec<bool> = row.try_get(5)?;
    let columns = names.into_iter().zip(types).zip(not_nulls.into_iter().zip(generated));
    let column = |((name, type_name), (not_null, generated))| PgColumn {
        name,
        type_name,
        not_null,
        generated,
    };
    Ok(TargetTable {
        name: row.try_get(0)?,
        kind: match row.try_get(1)? {
            "r" => TargetKind::Table,
            "p" => TargetKind::Partitioned,
            _ => TargetKind::Other,
        },
        columns: columns.map(column).collect(),
        key: row.try_get(6)?,
        other_unique_indexes: usize::try_from(row.try_get::<_, i64>(7)?).unwrap_or_default(),
        obstacles: obstacles(row)?,
    })
}

fn obstacles(row: &Row) -> Result<Vec<CopyObstacle>, postgres::Error> {
    let all = [CopyObstacle::RowSecurity, CopyObstacle::Rules, CopyObstacle::Triggers];
    let mut found = Vec::new();
    for (place, obstacle) in (8..).zip(all) {
        if row.try_get(place)? {
            found.push(obstacle);
        }
    }
    Ok(found)
}

fn sorted_out(tables: Vec<TargetTable>) -> TargetCatalogue {
    let mut catalogue = TargetCatalogue::default();
    for table in tables {
        if table.name.starts_with(PREFIX) {
            if table.kind == TargetKind::Table {
                catalogue.leftovers.push(table.name);
            }
        } else if !is_own_table(&table.name) {
            catalogue.tables.insert(table.name.clone(), table);
        }
    }
    catalogue.leftovers.sort();
    catalogue
}
