//! Puts the answers of information_schema together.

use super::facts::{CatalogueFacts, CheckFact, ColumnFact, IndexFact, TableFact};
use super::omitted::{DescribedTable, omissions};
use super::{described, json};
use crate::catalogue::not_copied::NotCopied;
use crate::catalogue::source_catalogue::SourceCatalogue;
use crate::column::ColumnSchema;
use crate::error::{Result, SchemaError};
use crate::mysql_type::MySqlType;
use crate::objects::TableObjects;
use crate::omission::{OmissionKind, OmittedPart};
use crate::table::{IndexPart, IndexSchema, StorageEngine, TableFiles, TableSchema, same_name};
use handoff_connect::Side;
use handoff_model::{ColumnName, TableName, own};

pub(super) fn catalogue(facts: CatalogueFacts) -> SourceCatalogue {
    let CatalogueFacts { tables, mut columns, mut indexes, checks, flavor, side, folds_case } =
        facts;
    let mut catalogue = SourceCatalogue { folds_case, ..SourceCatalogue::empty() };
    catalogue.oldest_table = oldest(&tables);
    for table in tables {
        if let Some(kind) = table.not_carried() {
            catalogue.leave_out(table.name, kind);
            continue;
        }
        // A name that the model refuses cannot come from a server.
        let Ok(name) = TableName::new(&table.name) else { continue };
        if is_own(&table.name) {
            // In a replica it is ours.
            if side == Side::Source {
                let kind = OmissionKind::ReservedName;
                catalogue.omissions.push(OmittedPart { table: name, kind, name: String::new() });
            }
            continue;
        }
        let own_columns = columns.remove(&table.name).unwrap_or_default();
        let own_checks = checks.get(&table.name).map_or(&[][..], Vec::as_slice);
        let own_indexes = indexes.remove(&table.name).unwrap_or_default();
        let around = described::objects(flavor, &own_columns, &own_indexes, own_checks);
        let around = TableObjects { comment: table.comment.clone(), ..around };
        let parts = TableParts { columns: &own_columns, indexes: own_indexes, checks: own_checks };
        let schema = parts.describe(&name, &table);
        if let Ok(schema) = &schema {
            let described = DescribedTable {
                schema,
                fact: &table,
                columns: &own_columns,
                checks: own_checks,
                objects: &around,
            };
            catalogue.omissions.extend(omissions(&described));
            catalogue.objects.insert(name.clone(), around);
        }
        catalogue.tables.insert(name, schema);
    }
    let others = catalogue.not_carried.iter().filter_map(OmittedPart::of_other);
    catalogue.omissions.extend(others.collect::<Vec<_>>());
    catalogue.not_carried.sort_by(|one, other| one.name.cmp(&other.name));
    catalogue
}

/// The server prints times so that they sort as texts.
fn oldest(tables: &[TableFact]) -> Option<String> {
    let carried = tables.iter().filter(|table| table.not_carried().is_none());
    carried.filter_map(|table| table.made.clone()).min()
}

impl SourceCatalogue {
    fn leave_out(&mut self, name: String, kind: String) {
        // Newer MariaDB servers list the temporary tables of our own session.
        if !kind.starts_with("TEMPORARY") {
            self.not_carried.push(NotCopied { name, kind });
        }
    }
}

impl TableFact {
    /// Returns what it is, if its rows are not carried.
    fn not_carried(&self) -> Option<String> {
        if !matches!(self.kind.as_str(), "BASE TABLE" | "SYSTEM VERSIONED") {
            return Some(self.kind.clone());
        }
        let engine = self.engine.as_deref()?;
        let why = StorageEngine::named(engine).not_carried()?;
        Some(format!("table of the engine {engine} ({why})"))
    }

    /// Returns what its files tell, where they tell of every write: those of MyISAM, and those of
    /// Aria but for its own row format, whose pages are written when it suits the server.
    fn files(&self) -> Option<TableFiles> {
        let written_at_once = match StorageEngine::named(self.engine.as_deref()?) {
            StorageEngine::MyIsam => true,
            StorageEngine::Aria => !self.row_format.as_deref()?.eq_ignore_ascii_case("Page"),
            StorageEngine::InnoDb | StorageEngine::Other(_) => false,
        };
        (written_at_once && !is_partitioned(self)).then_some(())?;
        Some(TableFiles {
            made: self.made.clone()?,
            written: self.written.clone()?,
            rows: self.rows,
            bytes: self.data_bytes,
            free_bytes: self.free_bytes,
        })
    }
}

fn is_partitioned(table: &TableFact) -> bool {
    table.options.split(' ').any(|option| option == "partitioned")
}

/// The facts of one table beside its own row.
struct TableParts<'a> {
    columns: &'a [ColumnFact],
    indexes: Vec<IndexFact>,
    checks: &'a [CheckFact],
}

impl TableParts<'_> {
    fn describe(self, name: &TableName, table: &TableFact) -> Result<TableSchema> {
        let undescribed = |reason: &str| SchemaError::Undescribed {
            table: name.clone(),
            reason: reason.to_owned(),
        };
        let engine = table.engine.as_deref().ok_or_else(|| undescribed(&table.comment))?;
        if self.columns.is_empty() {
            return Err(undescribed("no column of it is visible to this account"));
        }
        let engine = StorageEngine::named(engine);
        let checks = self.checks;
        let columns = self.columns.iter().filter(|fact| fact.name != own::ROW_NUMBER);
        let columns: Vec<ColumnSchema> =
            columns.map(|fact| column(name, fact, checks)).collect::<Result<_>>()?;
        let facts = self.indexes.into_iter().filter(|fact| {
            fact.column.as_deref() != Some(own::ROW_NUMBER)
                && (!fact.unique || engine.keeps_unique())
        });
        let indexes = indexes(&columns, facts)
            .ok_or_else(|| undescribed("it was altered while the catalogue was read"))?;
        Ok(TableSchema {
            name: name.clone(),
            engine,
            system_versioned: table.kind == "SYSTEM VERSIONED",
            partitioned: is_partitioned(table),
            rows: table.rows,
            data_bytes: table.data_bytes,
            files: table.files(),
            columns,
            indexes,
        })
    }
}

fn column(table: &TableName, fact: &ColumnFact, checks: &[CheckFact]) -> Result<ColumnSchema> {
    let name = ColumnName::new(&fact.name).map_err(|error| SchemaError::Undescribed {
        table: table.clone(),
        reason: error.to_string(),
    })?;
    let mut kind: MySqlType = fact.column_type.parse().map_err(|_| SchemaError::UnknownType {
        table: table.clone(),
        column: name.clone(),
        column_type: fact.column_type.clone(),
    })?;
    if kind == MySqlType::Text
        && fact.column_type.starts_with("longtext")
        && json::is_json(&fact.name, checks)
    {
        kind = MySqlType::Json;
    }
    let extra = fact.extra.to_ascii_lowercase();
    Ok(ColumnSchema {
        name,
        kind,
        column_type: fact.column_type.clone(),
        nullable: fact.nullable,
        charset: fact.charset.clone(),
        collation: fact.collation.clone(),
        on_update: extra.contains("on update current_timestamp"),
        generated: fact.expression.is_some(),
        expression: fact.expression.clone(),
        invisible: extra.split([' ', ',']).any(|word| word == "invisible"),
        srid: fact.srid,
    })
}

/// Returns [`None`] if an index names a column that is not there.
fn indexes(
    columns: &[ColumnSchema],
    facts: impl Iterator<Item = IndexFact>,
) -> Option<Vec<IndexSchema>> {
    let mut indexes: Vec<IndexSchema> = Vec::new();
    for fact in facts {
        let column = match fact.column.as_ref().filter(|_| fact.is_of_values()) {
            Some(name) => Some(columns.iter().position(|c| same_name(c.name.as_str(), name))?),
            None => None,
        };
        let IndexFact { prefix, descending, .. } = fact;
        let part = IndexPart { column, prefix, descending };
        match indexes.last_mut() {
            Some(index) if index.name == fact.index => index.parts.push(part),
            _ => indexes.push(IndexSchema {
                name: fact.index,
                unique: fact.unique,
                parts: vec![part],
            }),
        }
    }
    for index in &mut indexes {
        leave_row_end_out(columns, index);
    }
    indexes.sort_by_key(|index| (index.name != "PRIMARY", !index.unique, index.name.clone()));
    Some(indexes)
}

/// MariaDB adds the end of a row's life to every unique index of a system-versioned table. All
/// current rows have the same, so the other columns tell them apart.
fn leave_row_end_out(columns: &[ColumnSchema], index: &mut IndexSchema) {
    if index.unique && !index.parts.iter().all(|part| is_row_end(columns, part)) {
        index.parts.retain(|part| !is_row_end(columns, part));
    }
}

fn is_row_end(columns: &[ColumnSchema], part: &IndexPart) -> bool {
    part.column.is_some_and(|column| columns[column].is_row_end())
}

/// Returns true for tables that Handoff itself makes in a MySQL database.
fn is_own(name: &str) -> bool {
    name.starts_with(own::PREFIX) || name == own::COPY_STATUS
}

#[cfg(test)]
mod tests {
    use super::*;
    use handoff_connect::ServerFlavor;

    fn table(name: &str, kind: &str) -> TableFact {
        TableFact {
            name: name.to_owned(),
            kind: kind.to_owned(),
            engine: Some("InnoDB".to_owned()),
            rows: 0,
            data_bytes: 0,
            options: String::new(),
            comment: String::new(),
            row_format: None,
            free_bytes: 0,
            made: None,
            written: None,
            names_fold: false,
        }
    }

    fn column(name: &str, column_type: &str) -> ColumnFact {
        ColumnFact {
            name: name.to_owned(),
            column_type: column_type.to_owned(),
            nullable: false,
            charset: None,
            collation: None,
            extra: String::new(),
            expression: None,
            srid: None,
            default: None,
            comment: String::new(),
        }
    }

    fn facts() -> CatalogueFacts {
        let index = |column: &str| IndexFact {
            index: "PRIMARY".to_owned(),
            unique: true,
            column: Some(column.to_owned()),
            prefix: None,
            descending: false,
            method: "BTREE".to_owned(),
            hidden: false,
            expression: None,
        };
        let names = ["good", "strange", "altered", "denied"];
        let mut tables: Vec<TableFact> = names.map(|name| table(name, "BASE TABLE")).into();
        tables.push(table("mine", "TEMPORARY"));
        tables.push(table("seen", "SYSTEM VIEW"));
        CatalogueFacts {
            tables,
            columns: [
                ("good".to_owned(), vec![column("a", "int")]),
                ("strange".to_owned(), vec![column("a", "int"), column("b", "hyperlink(3)")]),
                ("altered".to_owned(), vec![column("a", "int")]),
            ]
            .into(),
            indexes: [
                ("good".to_owned(), vec![index("A")]),
                ("altered".to_owned(), vec![index("b")]),
            ]
            .into(),
            checks: Default::default(),
            flavor: ServerFlavor::MariaDb,
            side: Side::Source,
            folds_case: false,
        }
    }

    #[test]
    fn a_table_that_is_strange_altered_or_denied_fails_alone() {
        let catalogue = catalogue(facts());
        let error = |name: &str| catalogue.tables[name].as_ref().unwrap_err().to_string();
        assert_eq!(catalogue.tables["good"].as_ref().unwrap().key(), Some(vec![0]));
        assert_eq!(
            error("strange"),
            "`strange`.`b` has the type hyperlink(3), which Handoff does not know"
        );
        assert_eq!(
            error("altered"),
            "`altered` cannot be described: it was altered while the catalogue was read"
        );
        assert_eq!(
            error("denied"),
            "`denied` cannot be described: no column of it is visible to this account"
        );
        assert_eq!(catalogue.tables.len(), 4);
        let seen = NotCopied { name: "seen".to_owned(), kind: "SYSTEM VIEW".to_owned() };
        assert_eq!(catalogue.not_carried, [seen]);
    }
}
