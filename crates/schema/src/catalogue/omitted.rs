//! Parts of the database that have no place in PostgreSQL.

use super::facts::{CheckFact, ColumnFact, TableFact, ask_others};
use crate::catalogue::not_copied::NotCopied;
use crate::error::Result;
use crate::objects::{ColumnObjects, TableObjects};
use crate::omission::{OmissionKind, OmittedPart};
use crate::table::TableSchema;
use handoff_connect::{MyConn, ServerFlavor, quote_my_text};
use handoff_model::{TableName, own};
use std::collections::BTreeSet;

/// A described table, for [`omissions`].
pub(super) struct DescribedTable<'a> {
    pub(super) schema: &'a TableSchema,
    pub(super) fact: &'a TableFact,
    pub(super) columns: &'a [ColumnFact],
    pub(super) checks: &'a [CheckFact],
    pub(super) objects: &'a TableObjects,
}

impl OmittedPart {
    /// Reads what no table's own description tells: foreign keys, triggers, events and routines (and the
    /// CHECKs of MySQL), in one statement. What the account may not see is not among them.
    ///
    /// # Errors
    ///
    /// Returns [`SchemaError::Catalogue`](crate::SchemaError::Catalogue) if the server refuses.
    pub fn read_others(conn: &mut MyConn, database: &str) -> Result<Vec<OmittedPart>> {
        let found = ask_others(conn, &others(conn.pool().version().flavor, database))?;
        let parts = found.into_iter().filter_map(|(kind, table, name)| {
            let table = TableName::new(&table).ok()?;
            Some(OmittedPart { table, kind: kind_of(&kind), name })
        });
        Ok(parts.collect())
    }

    /// Names something that is no table, such as a view.
    pub(super) fn of_other(other: &NotCopied) -> Option<OmittedPart> {
        let kind = match other.kind.as_str() {
            "SEQUENCE" => OmissionKind::Sequence,
            _ if other.is_table() => OmissionKind::Engine,
            _ => OmissionKind::View,
        };
        Some(OmittedPart { table: TableName::new(&other.name).ok()?, kind, name: String::new() })
    }
}

fn others(flavor: ServerFlavor, database: &str) -> String {
    let database = quote_my_text(database);
    // MariaDB's CHECKs are read with the catalogue.
    let checks = match flavor {
        ServerFlavor::MariaDb => String::new(),
        ServerFlavor::MySql => format!(
            " UNION ALL SELECT 'check', TABLE_NAME, CONSTRAINT_NAME \
             FROM information_schema.TABLE_CONSTRAINTS \
             WHERE TABLE_SCHEMA = {database} AND CONSTRAINT_TYPE = 'CHECK'"
        ),
    };
    format!(
        "SELECT 'foreign key', TABLE_NAME, CONSTRAINT_NAME \
         FROM information_schema.REFERENTIAL_CONSTRAINTS WHERE CONSTRAINT_SCHEMA = {database} \
         UNION ALL SELECT 'trigger', EVENT_OBJECT_TABLE, TRIGGER_NAME \
         FROM information_schema.TRIGGERS WHERE TRIGGER_SCHEMA = {database} \
         UNION ALL SELECT 'event', EVENT_NAME, '' \
         FROM information_schema.EVENTS WHERE EVENT_SCHEMA = {database} \
         UNION ALL SELECT 'routine', ROUTINE_NAME, '' \
         FROM information_schema.ROUTINES WHERE ROUTINE_SCHEMA = {database}{checks}"
    )
}

fn kind_of(kind: &str) -> OmissionKind {
    match kind {
        "foreign key" => OmissionKind::ForeignKey,
        "check" => OmissionKind::Check,
        "trigger" => OmissionKind::Triggers,
        "event" => OmissionKind::Event,
        _ => OmissionKind::Routine,
    }
}

/// Returns the parts of a table that the target does not get: it has columns, their NOT NULLs and a key.
pub(super) fn omissions(table: &DescribedTable<'_>) -> Vec<OmittedPart> {
    let schema = table.schema;
    let omission =
        |kind, name: &str| OmittedPart { table: schema.name.clone(), kind, name: name.to_owned() };
    let mut found = Vec::new();
    let key = schema.key_index().map(|index| index.name.as_str());
    for index in schema.indexes.iter().filter(|index| Some(index.name.as_str()) != key) {
        let kind = if index.unique { OmissionKind::UniqueKey } else { OmissionKind::Index };
        found.push(omission(kind, &index.name));
    }
    let columns = table.columns.iter().filter(|column| column.name != own::ROW_NUMBER);
    for (column, objects) in columns.zip(&table.objects.columns) {
        found.extend(
            of_column(column, objects).into_iter().map(|kind| omission(kind, &column.name)),
        );
    }
    let collations = table.columns.iter().filter_map(|column| column.collation.as_deref());
    let collations: BTreeSet<&str> = collations.collect();
    found.extend(collations.into_iter().map(|name| omission(OmissionKind::Collation, name)));
    let checks = table.checks.iter().filter(|check| !check.is_of_json());
    found.extend(checks.map(|check| omission(OmissionKind::Check, &check.name)));
    if !table.fact.comment.is_empty() {
        found.push(omission(OmissionKind::Comment, ""));
    }
    if schema.partitioned {
        found.push(omission(OmissionKind::Partitions, ""));
    }
    if schema.system_versioned {
        found.push(omission(OmissionKind::History, ""));
    }
    let options = table.fact.options.split(' ').filter_map(|option| option.split_once('='));
    found.extend(options.map(|(name, _)| omission(OmissionKind::TableOption, name)));
    found
}

fn of_column(column: &ColumnFact, objects: &ColumnObjects) -> Vec<OmissionKind> {
    let extra = column.extra.to_ascii_lowercase();
    let parts = [
        (column.expression.is_some(), OmissionKind::Expression),
        (objects.default.is_some() && column.expression.is_none(), OmissionKind::Default),
        (objects.auto_increment, OmissionKind::AutoIncrement),
        (extra.contains("on update"), OmissionKind::OnUpdate),
        (extra.contains("invisible"), OmissionKind::ColumnAttribute),
        (!objects.comment.is_empty(), OmissionKind::Comment),
    ];
    parts.into_iter().filter(|(there, _)| *there).map(|(_, kind)| kind).collect()
}
