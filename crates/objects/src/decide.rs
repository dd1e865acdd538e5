//! The decisions: which objects of the source the target gets, and which it does not, because.

use crate::default::{Moment, default_of};
use crate::expression::condition;
use crate::foreign_key::{KeyTables, foreign_key};
use crate::index::{self, IndexInputs};
use crate::inputs::{DescribedTable, ObjectInputs};
use crate::wanted::{ObjectKind, ObjectRemark, TargetObject, UncarriedPart};
use handoff_connect::quote_pg;
use handoff_model::TableName;
use handoff_schema::{IndexSchema, MappedColumn, PgType, SourceCheck, TableMapping, short_name};
use std::collections::BTreeMap;

/// The objects that the target is to have, and those of the source that it does not get.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct WantedObjects {
    /// The tables that were looked at, by name, with their names in the target.
    pub tables: BTreeMap<TableName, String>,
    /// The objects. The name of an index is the one that it would like to have.
    pub objects: Vec<TargetObject>,
    /// The parts that are asked for and not carried.
    pub uncarried: Vec<UncarriedPart>,
    /// The departures of carried objects.
    pub remarks: Vec<ObjectRemark>,
}

impl WantedObjects {
    /// Decides the objects of all tables. Pure.
    pub fn decide(inputs: &ObjectInputs<'_>) -> WantedObjects {
        let mut wanted = WantedObjects::default();
        for (name, table) in &inputs.tables {
            wanted.tables.insert(name.clone(), table.mapping.pg_table.clone());
            let mut decider = TableDecider { name, table, inputs, wanted: &mut wanted };
            decider.comments();
            decider.columns();
            decider.indexes();
            let of_mysql = inputs.referring.checks.get(name).map_or(&[][..], Vec::as_slice);
            decider.checks(table.objects.checks.iter().chain(of_mysql));
        }
        wanted.foreign_keys(inputs);
        wanted
    }

    fn foreign_keys(&mut self, inputs: &ObjectInputs<'_>) {
        for (name, keys) in &inputs.referring.foreign_keys {
            let Some(table) = inputs.tables.get(name) else { continue };
            if !table.settings.foreign_keys {
                continue;
            }
            let tables = KeyTables { inputs, child: table, objects: &self.objects };
            let decided: Vec<_> = keys.iter().map(|key| foreign_key(&tables, key)).collect();
            for (key, body) in keys.iter().zip(decided) {
                let part = ObjectPart { kind: ObjectKind::ForeignKey, part: &key.name };
                self.take(name, &table.mapping, &part, inputs.name(&key.name), body);
            }
        }
    }

    /// Takes an object, or the reason why it is none.
    fn take(
        &mut self,
        name: &TableName,
        mapping: &TableMapping,
        part: &ObjectPart<'_>,
        pg_name: String,
        body: Result<String, String>,
    ) {
        match body {
            Ok(body) => self.objects.push(TargetObject {
                table: name.clone(),
                pg_table: mapping.pg_table.clone(),
                kind: part.kind,
                part: part.part.to_owned(),
                name: pg_name,
                body,
                needs: None,
            }),
            Err(because) => self.uncarried.push(UncarriedPart {
                table: name.clone(),
                kind: part.kind.omission(),
                name: part.part.to_owned(),
                because,
            }),
        }
    }
}

/// An object of the source, named.
struct ObjectPart<'a> {
    kind: ObjectKind,
    part: &'a str,
}

/// The decisions on one table.
struct TableDecider<'a> {
    name: &'a TableName,
    table: &'a DescribedTable<'a>,
    inputs: &'a ObjectInputs<'a>,
    wanted: &'a mut WantedObjects,
}

impl TableDecider<'_> {
    fn take(&mut self, kind: ObjectKind, part: &str, name: &str, body: Result<String, String>) {
        let part = ObjectPart { kind, part };
        self.wanted.take(self.name, &self.table.mapping, &part, name.to_owned(), body);
    }

    fn comments(&mut self) {
        if !self.table.settings.comments {
            return;
        }
        let comment = self.table.objects.comment.clone();
        if !comment.is_empty() {
            self.take(ObjectKind::Comment, "", "", Ok(comment));
        }
        let table = self.table;
        for (column, objects) in table.mapping.columns.iter().zip(&table.objects.columns) {
            if !objects.comment.is_empty() {
                let (source, name) = (column.source.name.as_str(), &column.pg_name);
                self.take(ObjectKind::Comment, source, name, Ok(objects.comment.clone()));
            }
        }
    }

    fn columns(&mut self) {
        let table = self.table;
        for (column, objects) in table.mapping.columns.iter().zip(&table.objects.columns) {
            let (source, name) = (column.source.name.as_str(), column.pg_name.as_str());
            if let Some(default) = objects.default.as_ref().filter(|_| !column.source.generated)
                && table.settings.defaults
            {
                self.take(ObjectKind::Default, source, name, default_of(column, default));
            }
            if objects.auto_increment && table.settings.identity {
                self.take(ObjectKind::Identity, source, name, identity(column));
            }
            if column.source.on_update && table.settings.on_update {
                let trigger = short_name(&format!("{}_{name}_on_update", table.mapping.pg_table));
                self.take(ObjectKind::OnUpdate, source, &trigger, on_update(column));
            }
        }
    }

    fn indexes(&mut self) {
        let table = self.table;
        let key = table.schema.key_index().map(|index| index.name.as_str());
        let indexes = table.schema.indexes.iter();
        for index in indexes.filter(|index| Some(index.name.as_str()) != key) {
            let is_asked =
                if index.unique { table.settings.unique } else { table.settings.indexes };
            if is_asked {
                self.index(index);
            }
        }
    }

    fn index(&mut self, index: &IndexSchema) {
        let table = self.table;
        let facts = table.objects.indexes.get(&index.name).cloned().unwrap_or_default();
        let decided = index::decide(&IndexInputs {
            index,
            facts: &facts,
            mapping: &table.mapping,
            schema: self.inputs.schema,
            texts: table.settings.unique_texts,
        });
        let kind = if index.unique { ObjectKind::UniqueIndex } else { ObjectKind::Index };
        let (needs, remark) = match &decided {
            Ok(decided) => (decided.needs.clone(), decided.remark.clone()),
            Err(_) => (None, None),
        };
        let name = self.inputs.name(&format!("{}_{}", table.mapping.pg_table, index.name));
        self.take(kind, &index.name, &name, decided.map(|decided| decided.body));
        if let (Some(object), Some(_)) = (self.wanted.objects.last_mut(), &needs) {
            object.needs = needs;
        }
        self.wanted.remarks.extend(remark.map(|said| ObjectRemark {
            table: self.name.clone(),
            kind,
            part: index.name.clone(),
            said,
        }));
    }

    fn checks<'c>(&mut self, checks: impl Iterator<Item = &'c SourceCheck>) {
        if !self.table.settings.checks {
            return;
        }
        for check in checks {
            let body = match check.enforced {
                true => condition(&check.clause, &self.table.mapping)
                    .map_err(|refused| refused.to_string()),
                false => Err("it is NOT ENFORCED".to_owned()),
            };
            self.take(ObjectKind::Check, &check.name, &self.inputs.name(&check.name), body);
        }
    }
}

fn identity(column: &MappedColumn) -> Result<String, String> {
    match column.pg {
        _ if column.nullable => Err("its column may be NULL".to_owned()),
        PgType::SmallInt | PgType::Integer | PgType::BigInt => Ok(String::new()),
        _ => Err(format!(
            "an identity is no {}: columns = {{ {} = \"bigint\" }} makes it one",
            column.pg, column.source.name
        )),
    }
}

/// Spells the body of the function that sets a column to the time, unless the statement does.
fn on_update(column: &MappedColumn) -> Result<String, String> {
    let now = Moment::of_column(column).default(column)?;
    let name = quote_pg(column.pg_name.as_str());
    Ok(format!(
        "BEGIN IF NEW IS DISTINCT FROM OLD AND NEW.{name} IS NOT DISTINCT FROM OLD.{name} THEN \
         NEW.{name} := {now}; END IF; RETURN NEW; END"
    ))
}

#[cfg(test)]
mod tests;
