//! The objects that the target has.

use crate::class::ObjectClass;
use crate::decide::WantedObjects;
use crate::record::{ObjectRecord, read_records};
use crate::wanted::ObjectKind;
use handoff_connect::{PgConn, Result};
use handoff_model::own;
use postgres::types::Type;
use std::collections::{BTreeMap, BTreeSet};

/// The place of an object: its kind as the server knows it, its table and its name, or that of its column.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct ObjectPlace {
    pub(crate) class: ObjectClass,
    pub(crate) pg_table: String,
    pub(crate) name: String,
}

/// An object that the target has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PresentObject {
    /// Its definition as the server prints it.
    pub(crate) shown: String,
    /// False for a constraint that the server has not checked for the rows that are there.
    pub(crate) is_valid: bool,
}

/// The objects that the tables of a schema have, and the records of those that were made.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PresentObjects {
    /// The tables.
    pub(crate) tables: BTreeSet<String>,
    /// The columns of each.
    pub(crate) columns: BTreeSet<(String, String)>,
    /// All names of relations and types.
    pub(crate) names: BTreeSet<String>,
    pub(crate) objects: BTreeMap<ObjectPlace, PresentObject>,
    pub(crate) records: Vec<ObjectRecord>,
}

impl PresentObjects {
    /// Reads what the tables of `schema` have, in one statement, and in another what was made, if anything was.
    ///
    /// # Errors
    ///
    /// Returns a [`Fault`](handoff_connect::Fault) if the server refuses.
    pub fn read(conn: &mut PgConn, schema: &str) -> Result<PresentObjects> {
        let asked = conn.query_typed(OBJECTS, &[(&schema, Type::TEXT)]);
        let rows = asked.map_err(|error| conn.fault(&error))?;
        let mut found = PresentObjects::default();
        for row in &rows {
            let read = (|| {
                Ok([
                    row.try_get(0)?,
                    row.try_get(1)?,
                    row.try_get(2)?,
                    row.try_get(3)?,
                    row.try_get(4)?,
                ])
            })();
            found.add(read.map_err(|error| conn.fault(&error))?);
        }
        if found.names.contains(own::OBJECTS) {
            found.records = read_records(conn, schema)?;
        }
        Ok(found)
    }

    /// Returns the objects as they will be before the first is made: all tables are there.
    #[must_use]
    pub fn foresee(mut self, wanted: &WantedObjects) -> PresentObjects {
        self.tables.extend(wanted.tables.values().cloned());
        let columns = wanted.objects.iter().filter(|object| !object.name.is_empty());
        let named = columns.map(|object| (object.pg_table.clone(), object.name.clone()));
        self.columns.extend(named);
        self
    }

    /// Takes a row of the statement.
    fn add(&mut self, [class, table, name, shown, valid]: [String; 5]) {
        match (class.as_str(), ObjectClass::named(&class)) {
            (_, Some(class)) => {
                let place = ObjectPlace { class, pg_table: table, name };
                self.objects.insert(place, PresentObject { shown, is_valid: valid != "false" });
            }
            ("column", None) => {
                self.columns.insert((table, name));
            }
            ("table", None) => {
                self.names.insert(name.clone());
                self.tables.insert(name);
            }
            _ => {
                self.names.insert(name);
            }
        }
    }

    pub(crate) fn get(
        &self,
        kind: ObjectKind,
        pg_table: &str,
        name: &str,
    ) -> Option<&PresentObject> {
        let class = ObjectClass::of(kind);
        let place = ObjectPlace { class, pg_table: pg_table.to_owned(), name: name.to_owned() };
        self.objects.get(&place)
    }
}

/// One row an object: its class, its table, its name or that of its column, its definition, and whether it is valid.
const OBJECTS: &str = "\
    WITH tables AS (SELECT c.oid, c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace \
        WHERE n.nspname = $1 AND c.relkind IN ('r', 'p')) \
    SELECT 'table', '', relname::text, '', '' FROM tables \
    UNION ALL SELECT 'column', t.relname::text, a.attname::text, '', '' FROM tables t \
        JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum > 0 AND NOT a.attisdropped \
    UNION ALL SELECT 'name', '', c.relname::text, '', '' FROM pg_class c \
        JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = $1 AND c.relkind NOT IN ('r', 'p') \
    UNION ALL SELECT 'name', '', y.typname::text, '', '' FROM pg_type y \
        JOIN pg_namespace n ON n.oid = y.typnamespace WHERE n.nspname = $1 AND y.typrelid = 0 \
        AND NOT EXISTS (SELECT FROM pg_type e WHERE e.oid = y.typelem AND e.typarray = y.oid) \
    UNION ALL SELECT 'index', t.relname::text, i.relname::text, pg_get_indexdef(i.oid), x.indisvalid::text \
        FROM tables t JOIN pg_index x ON x.indrelid = t.oid AND NOT x.indisprimary \
        JOIN pg_class i ON i.oid = x.indexrelid \
    UNION ALL SELECT 'constraint', t.relname::text, k.conname::text, \
        regexp_replace(pg_get_constraintdef(k.oid), ' NOT VALID$', ''), k.convalidated::text \
        FROM tables t JOIN pg_constraint k ON k.conrelid = t.oid AND k.contype IN ('c', 'f') \
    UNION ALL SELECT 'default', t.relname::text, a.attname::text, pg_get_expr(d.adbin, d.adrelid), 't' \
        FROM tables t JOIN pg_attrdef d ON d.adrelid = t.oid \
        JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum = d.adnum AND a.attgenerated = '' \
    UNION ALL SELECT 'identity', t.relname::text, a.attname::text, a.attidentity::text, 't' \
        FROM tables t JOIN pg_attribute a ON a.attrelid = t.oid AND a.attidentity <> '' AND NOT a.attisdropped \
    UNION ALL SELECT 'comment', t.relname::text, coalesce(a.attname::text, ''), d.description, 't' \
        FROM tables t JOIN pg_description d ON d.classoid = 'pg_class'::regclass AND d.objoid = t.oid \
        LEFT JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum = d.objsubid AND d.objsubid > 0 \
        WHERE d.objsubid = 0 OR NOT a.attisdropped \
    UNION ALL SELECT 'trigger', t.relname::text, g.tgname::text, pg_get_triggerdef(g.oid), 't' \
        FROM tables t JOIN pg_trigger g ON g.tgrelid = t.oid AND NOT g.tgisinternal";
