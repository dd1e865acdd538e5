//! The tables of the target schema.

mod misfit;
mod names;
mod obstacle;
mod surroundings;
mod target_table;

pub use misfit::TargetMisfit;
pub use names::NameHolder;
pub use obstacle::{ActingKey, LooseColumn, TargetObstacle};
pub use target_table::{TargetKind, TargetTable};

use crate::ddl::PgColumn;
use crate::mapping::pg_table_name;
use handoff_connect::{PgConn, Result};
use handoff_model::TableName;
use handoff_model::own::{self, PREFIX, is_own_table};
use handoff_settings::NameCase;
use postgres::types::Type;
use postgres::{GenericClient, Row};
use std::collections::{BTreeMap, BTreeSet};
use surroundings::{ACTING_KEYS, OWN, PUBLICATIONS, SURROUNDINGS, TargetSurroundings};

/// The tables of the target schema.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TargetCatalogue {
    /// The tables, and whatever else bears a table's name, by name; without our own.
    pub tables: BTreeMap<String, TargetTable>,
    /// Other objects that bear a name that a table may want, by name.
    pub names: BTreeMap<String, NameHolder>,
    /// The case of the names that tables of the source have here.
    pub name_case: NameCase,
    /// Tables named `__handoff_…`, left over from runs that did not end well.
    pub leftovers: Vec<String>,
}

impl TargetCatalogue {
    /// Reads all tables of `schema` in one statement, and the other names in another. A schema that is not there
    /// has none.
    ///
    /// # Errors
    ///
    /// Returns a [`Fault`](handoff_connect::Fault) if the server refuses.
    pub fn read(conn: &mut PgConn, schema: &str) -> Result<TargetCatalogue> {
        let query = format!(
            "{} LEFT JOIN ({PUBLICATIONS}) b ON b.schemaname = n.nspname AND b.tablename = c.relname \
             WHERE n.nspname = $1",
            query(OwnObjects::LeftOut)
        );
        let asked = conn.query_typed(&query, &[(&schema, Type::TEXT)]);
        let rows = asked.map_err(|error| conn.fault(&error))?;
        let read: Option<Vec<TargetTable>> = rows.iter().map(|row| table(row).ok()?).collect();
        let tables = read.ok_or_else(|| {
            handoff_connect::Fault::new(
                handoff_connect::Side::Target,
                "the catalogue holds what no server should say",
            )
        })?;
        let others = names::read(conn, schema)?;
        Ok(sorted_out(tables, &others))
    }
}

impl TargetCatalogue {
    /// Returns the catalogue with the rule by which tables of the source are named here.
    #[must_use]
    pub fn named(self, name_case: NameCase) -> TargetCatalogue {
        TargetCatalogue { name_case, ..self }
    }

    /// Returns true if it has the table that `table` of the source becomes.
    pub fn has(&self, table: &TableName) -> bool {
        self.tables.contains_key(&pg_table_name(table, self.name_case))
    }
}

impl TargetTable {
    /// Reads one table as it is in a transaction, [`None`] if it is not there or not to be understood. Publications
    /// are left out: what they refuse is an error, and harms nothing.
    ///
    /// # Errors
    ///
    /// Returns the driver's error if the server refuses.
    pub fn read(
        client: &mut impl GenericClient,
        schema: &str,
        name: &str,
    ) -> Result<Option<TargetTable>, postgres::Error> {
        let query = format!(
            "{} CROSS JOIN (SELECT NULL::json AS publications) b \
             WHERE n.nspname = $1 AND c.relname = $2",
            query(OwnObjects::Counted)
        );
        let params: [(&(dyn postgres::types::ToSql + Sync), Type); 2] =
            [(&schema, Type::TEXT), (&name, Type::TEXT)];
        let rows = client.query_typed(&query, &params)?;
        rows.first().map_or(Ok(None), table)
    }
}

/// The treatment of triggers and foreign keys that we made ourselves: a run drops them before it loads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum OwnObjects {
    /// They are no obstacles.
    LeftOut,
    /// They are obstacles like any other.
    Counted,
}

impl OwnObjects {
    /// Spells the condition on the description of an object.
    fn condition(self, object: &str, catalogue: &str) -> String {
        match self {
            OwnObjects::LeftOut => format!(
                "AND coalesce(obj_description({object}.oid, '{catalogue}'), '') <> '{}'",
                own::MADE_BY
            ),
            OwnObjects::Counted => String::new(),
        }
    }
}

/// Spells the query for tables, up to the publications, which are to be joined as `b`.
fn query(ours: OwnObjects) -> String {
    let around = SURROUNDINGS.replace(OWN, &ours.condition("t", "pg_trigger"));
    let keys = ACTING_KEYS.replace(OWN, &ours.condition("x", "pg_constraint"));
    format!(
        "SELECT c.relname::text, c.relkind::text, \
            coalesce(a.names, '{{}}'), coalesce(a.types, '{{}}'), \
            coalesce(a.not_nulls, '{{}}'), coalesce(a.generated, '{{}}'), \
            coalesce(i.key, '{{}}'), coalesce(i.others, 0), {around}, \
            coalesce(a.defaults, '{{}}'), coalesce(a.bound, '{{}}'), coalesce(a.viewed, '{{}}'), \
            (SELECT o.conname::text FROM pg_constraint o WHERE o.conrelid = c.oid AND o.contype = 'p') \
        {FROM} LEFT JOIN ({keys}) k ON k.rel = c.oid"
    )
}

const FROM: &str = "\
    FROM pg_namespace n \
    JOIN pg_class c ON c.relnamespace = n.oid AND c.relkind IN ('r', 'p', 'v', 'm', 'f') \
    LEFT JOIN LATERAL ( \
        SELECT coalesce(array_agg(refobjsubid) FILTER (WHERE classid <> 'pg_rewrite'::regclass), '{}') AS bound, \
            coalesce(array_agg(refobjsubid) FILTER (WHERE classid = 'pg_rewrite'::regclass), '{}') AS viewed \
        FROM pg_depend \
        WHERE refclassid = 'pg_class'::regclass AND refobjid = c.oid AND refobjsubid > 0 \
            AND (classid <> 'pg_attrdef'::regclass OR deptype = 'n') \
            AND NOT (classid = 'pg_constraint'::regclass AND EXISTS ( \
                SELECT FROM pg_constraint o WHERE o.oid = objid AND o.contype IN ('n', 'p')))) u ON true \
    LEFT JOIN LATERAL ( \
        SELECT array_agg(attname::text ORDER BY attnum) AS names, \
            array_agg(format_type(atttypid, atttypmod) ORDER BY attnum) AS types, \
            array_agg(attnotnull ORDER BY attnum) AS not_nulls, \
            array_agg(attgenerated <> '' OR attidentity = 'a' ORDER BY attnum) AS generated, \
            array_agg(atthasdef OR attidentity <> '' ORDER BY attnum) AS defaults, \
            array_agg(attacl IS NOT NULL OR attnum = ANY (u.bound) ORDER BY attnum) AS bound, \
            array_agg(attnum = ANY (u.viewed) ORDER BY attnum) AS viewed \
        FROM pg_attribute \
        WHERE attrelid = c.oid AND attnum > 0 AND NOT attisdropped) a ON true \
    LEFT JOIN LATERAL ( \
        SELECT count(*) FILTER (WHERE NOT x.indisprimary) AS others, \
            (SELECT array_agg(k.attname::text ORDER BY p.place) \
                FROM pg_index x, unnest(x.indkey) WITH ORDINALITY AS p (attnum, place), \
                    pg_attribute k \
                WHERE x.indrelid = c.oid AND x.indisprimary AND p.place <= x.indnkeyatts \
                    AND k.attrelid = c.oid AND k.attnum = p.attnum) AS key \
        FROM pg_index x \
        WHERE x.indrelid = c.oid AND (x.indisunique OR x.indisexclusion)) i ON true";

/// Reads a row of the query; [`None`] if it says what no server should.
fn table(row: &Row) -> Result<Option<TargetTable>, postgres::Error> {
    let names: Vec<String> = row.try_get(2)?;
    let types: Vec<String> = row.try_get(3)?;
    let not_nulls: Vec<bool> = row.try_get(4)?;
    let generated: Vec<bool> = row.try_get(5)?;
    let (name, key): (String, Vec<String>) = (row.try_get(0)?, row.try_get(6)?);
    let Some(around) = TargetSurroundings::parse(row.try_get(8)?) else { return Ok(None) };
    let obstacles = around.obstacles(&names, &key);
    let (defaults, bound): (Vec<bool>, Vec<bool>) = (row.try_get(9)?, row.try_get(10)?);
    let viewed: Vec<bool> = row.try_get(11)?;
    let columns = names.into_iter().zip(types).enumerate().map(|(index, (name, type_name))| {
        let is = |flags: &[bool]| flags.get(index).copied().unwrap_or_default();
        PgColumn {
            name,
            type_name,
            not_null: is(&not_nulls),
            generated: is(&generated),
            has_default: is(&defaults),
            is_bound: is(&bound),
            is_viewed: is(&viewed),
        }
    });
    Ok(Some(TargetTable {
        spare_name: names::spare(&name, &BTreeSet::new()),
        name,
        kind: match row.try_get(1)? {
            "r" => TargetKind::Table,
            "p" => TargetKind::Partitioned,
            "v" => TargetKind::View,
            "m" => TargetKind::MaterializedView,
            _ => TargetKind::ForeignTable,
        },
        columns: columns.collect(),
        key,
        key_name: row.try_get(12)?,
        other_unique_indexes: usize::try_from(row.try_get::<_, i64>(7)?).unwrap_or_default(),
        obstacles,
    }))
}

fn sorted_out(tables: Vec<TargetTable>, names: &BTreeMap<String, &'static str>) -> TargetCatalogue {
    let mut catalogue = TargetCatalogue::default();
    let all = tables.iter().map(|table| table.name.clone()).chain(names.keys().cloned());
    let all: Vec<String> = all.collect();
    let taken: BTreeSet<&str> = all.iter().map(String::as_str).collect();
    for (name, kind) in names {
        let holder = NameHolder { kind, spare_name: names::spare(name, &taken) };
        catalogue.names.insert(name.clone(), holder);
    }
    for mut table in tables {
        if table.name.starts_with(PREFIX) {
            if table.kind == TargetKind::Table {
                catalogue.leftovers.push(table.name);
            }
        } else if !is_own_table(&table.name) {
            table.spare_name = names::spare(&table.name, &taken);
            catalogue.tables.insert(table.name.clone(), table);
        }
    }
    catalogue.leftovers.sort();
    catalogue
}
