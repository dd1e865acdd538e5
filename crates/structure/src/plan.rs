//! The plan of a table's changes.

use crate::change::{ChangeClass, StructureChange};
use crate::types::{TypeWay, way};
use handoff_connect::quote_pg;
use handoff_model::TableName;
use handoff_model::own::PREFIX;
use handoff_schema::ddl::{self, PgColumn};
use handoff_schema::{MappedColumn, TableMapping, TargetKind, TargetMisfit, TargetTable};
use handoff_settings::{DroppedColumns, StructurePolicy};
use std::collections::BTreeSet;

/// The policies for the columns of a table.
#[derive(Debug, Clone, Copy)]
pub struct ColumnPolicy<'a> {
    /// The policy for changes of structure.
    pub structure: StructurePolicy,
    /// The policy for columns that are gone from the source.
    pub dropped: DroppedColumns,
    /// The columns that our last load wrote, as far as it is known: a column that somebody added is never dropped.
    pub written: Option<&'a BTreeSet<String>>,
}

/// The changes that bring a table of the target into line with a mapping.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StructurePlan {
    /// The table.
    pub table: TableName,
    /// The schema of the target.
    pub schema: String,
    /// The table's name in the target.
    pub name: String,
    /// The columns that it was planned for.
    pub columns: Vec<PgColumn>,
    /// The changes in their order.
    pub changes: Vec<StructureChange>,
    /// The mapping to load by: a column that is built anew has another name until the rows are there.
    pub mapping: TableMapping,
    /// Sentences about columns that stay although they are gone, and columns that may have been renamed.
    pub notes: Vec<String>,
}

impl StructurePlan {
    /// Plans the changes that bring `there`, a table of `schema`, into line with `mapping`. A plan without
    /// changes is of a table that takes the rows as it is.
    ///
    /// # Errors
    ///
    /// Returns the reasons why the table cannot be loaded if the policy or the case forbids it, with the
    /// statement for a person.
    pub fn make(
        mapping: &TableMapping,
        schema: &str,
        there: &TargetTable,
        policy: ColumnPolicy<'_>,
    ) -> Result<StructurePlan, Box<TargetMisfit>> {
        if policy.structure == StructurePolicy::Fail {
            return match TargetMisfit::find_unlike(mapping, schema, there) {
                Some(misfit) => Err(Box::new(misfit)),
                None => Ok(Planner { mapping, schema, there, policy }.unchanged()),
            };
        }
        Planner { mapping, schema, there, policy }.plan()
    }

    /// Returns true if nothing is to be changed.
    pub fn is_empty(&self) -> bool {
        self.changes.is_empty()
    }

    /// Returns the table of the target, quoted, with its schema.
    pub fn target(&self) -> String {
        ddl::qualified(&self.schema, &self.name)
    }

    /// Returns true if rows that are there have to be loaded again.
    pub fn fills_rows(&self) -> bool {
        self.changes.iter().any(|change| change.class.fills_rows())
    }

    /// Returns true if something is left to be done in the transaction that publishes the rows.
    pub fn ends_with_rows(&self) -> bool {
        self.changes.iter().any(|change| !change.with_rows.is_empty())
    }

    /// Returns true if a table has the columns that the changes were planned for, whatever views it has over them.
    pub(crate) fn is_of(&self, there: &TargetTable) -> bool {
        there.columns.iter().map(unviewed).eq(self.columns.iter().map(unviewed))
    }

    /// Returns the columns that take another type before the rows.
    pub(crate) fn widened(&self) -> Vec<&str> {
        let widened = self.changes.iter().filter(|change| change.class == ChangeClass::Widened);
        widened.map(|change| change.column.as_str()).collect()
    }

    /// Returns the columns that are built anew.
    pub(crate) fn built_anew(&self) -> Vec<&str> {
        let anew = self.changes.iter().filter(|change| change.class == ChangeClass::BuiltAnew);
        anew.map(|change| change.column.as_str()).collect()
    }

    /// Returns true if the key that is there is taken off.
    pub(crate) fn drops_key(&self) -> bool {
        let mut keys = self.changes.iter().filter(|change| change.class == ChangeClass::KeyChanged);
        keys.any(|change| change.before.is_some())
    }

    /// Returns the statements that come with the rows while nobody reads: a key last, once its columns have their names.
    pub(crate) fn closing(&self) -> impl Iterator<Item = &String> {
        let columns = self.changes.iter().filter(|change| change.class != ChangeClass::KeyChanged);
        let keys = self.changes.iter().filter(|change| change.class == ChangeClass::KeyChanged);
        columns.chain(keys).flat_map(|change| &change.with_rows)
    }
}

struct Planner<'a> {
    mapping: &'a TableMapping,
    schema: &'a str,
    there: &'a TargetTable,
    policy: ColumnPolicy<'a>,
}

/// One of a table's columns, and the reason against a change of it.
struct Forbidden {
    why: String,
}

impl Planner<'_> {
    fn unchanged(&self) -> StructurePlan {
        StructurePlan {
            table: self.mapping.table.clone(),
            schema: self.schema.to_owned(),
            name: self.there.name.clone(),
            columns: self.there.columns.clone(),
            changes: Vec::new(),
            mapping: self.mapping.clone(),
            notes: Vec::new(),
        }
    }

    fn plan(&self) -> Result<StructurePlan, Box<TargetMisfit>> {
        let mut plan = self.unchanged();
        if self.there.kind != TargetKind::Table {
            return self.settled(plan);
        }
        plan.changes.extend(self.left_over());
        for (index, wanted) in self.mapping.columns.iter().enumerate() {
            match self.found(&wanted.pg_name) {
                None => plan.changes.push(self.added(wanted)),
                Some(found) if found.generated => {}
                Some(found) => {
                    plan.changes.extend(self.made_nullable(wanted, found));
                    let typed = self.typed(wanted, found, index);
                    let typed = typed.map_err(|forbidden| self.forbidden(forbidden))?;
                    if typed.as_ref().is_some_and(|change| !change.with_rows.is_empty()) {
                        plan.mapping.columns[index].pg_name = beside(index);
                    }
                    plan.changes.extend(typed);
                }
            }
        }
        plan.changes.extend(self.surplus().filter_map(|column| self.gone(column)));
        if let Some(change) = self.key(&plan.mapping) {
            // The columns of a key may take another type only without it.
            plan.changes.insert(0, change);
            // Rows that are there may have no key, or one twice: all of them make way for the new ones.
            plan.mapping.key.clear();
        }
        plan.notes.extend(self.stays());
        plan.notes.extend(self.renamed());
        self.settled(plan)
    }

    /// Drops the columns that an interrupted run built beside others.
    fn left_over(&self) -> impl Iterator<Item = StructureChange> {
        let left = self.there.columns.iter().filter(|column| column.name.starts_with(BESIDE));
        left.map(|column| {
            let name = &column.name;
            let said = format!("the column \"{name}\", left by an interrupted run, is dropped");
            let action = format!("DROP COLUMN {}", quote_pg(name.as_str()));
            self.change(ChangeClass::ColumnDropped, name, said, &action)
        })
    }

    fn found(&self, name: &str) -> Option<&PgColumn> {
        self.there.columns.iter().find(|column| column.name == name)
    }

    /// Sees to it that nothing else keeps rows from being loaded once the changes are made.
    fn settled(&self, plan: StructurePlan) -> Result<StructurePlan, Box<TargetMisfit>> {
        let mut then = self.there.clone();
        for change in &plan.changes {
            then.columns.retain(|column| column.name != change.column);
        }
        for column in &self.mapping.columns {
            if !then.columns.iter().any(|there| there.name == column.pg_name) {
                then.columns.push(arrived(column));
            }
        }
        if plan.changes.iter().any(|change| change.class == ChangeClass::KeyChanged) {
            then.key = self.mapping.pg_key_names().into_iter().map(str::to_owned).collect();
        }
        match TargetMisfit::find(self.mapping, self.schema, &then) {
            None => Ok(plan),
            Some(misfit) => Err(Box::new(self.misfit().unwrap_or(misfit))),
        }
    }

    /// Returns the misfit that keeps rows from being loaded into the table as it is, if there is one.
    fn misfit(&self) -> Option<TargetMisfit> {
        TargetMisfit::find(self.mapping, self.schema, self.there)
    }

    fn forbidden(&self, forbidden: Forbidden) -> Box<TargetMisfit> {
        let misfit = self.misfit().expect("a type that differs is a reason");
        let reasons = misfit.reasons.iter().cloned().chain([forbidden.why]).collect();
        Box::new(TargetMisfit { reasons, ..misfit })
    }

    fn alter(&self, action: &str) -> String {
        format!("ALTER TABLE {} {action}", ddl::qualified(self.schema, &self.there.name))
    }

    fn change(
        &self,
        class: ChangeClass,
        column: &str,
        said: String,
        action: &str,
    ) -> StructureChange {
        StructureChange {
            class,
            column: column.to_owned(),
            said,
            before: Some(self.alter(action)),
            building: Vec::new(),
            with_rows: Vec::new(),
            is_viewed: false,
        }
    }

    fn added(&self, wanted: &MappedColumn) -> StructureChange {
        let (name, kind) = (&wanted.pg_name, &wanted.pg);
        // Rows that are there lack its values until they are loaded again.
        let action = format!("ADD COLUMN {} {kind}", quote_pg(name.as_str()));
        let said = format!("the column \"{name}\" is added ({kind})");
        self.change(ChangeClass::ColumnAdded, name, said, &action)
    }

    fn made_nullable(&self, wanted: &MappedColumn, found: &PgColumn) -> Option<StructureChange> {
        let name = &wanted.pg_name;
        let action = format!("ALTER COLUMN {} DROP NOT NULL", quote_pg(name.as_str()));
        let said = format!("the column \"{name}\" may be NULL");
        let change = self.change(ChangeClass::MadeNullable, name, said, &action);
        (found.not_null && wanted.nullable).then_some(change)
    }

    fn typed(
        &self,
        wanted: &MappedColumn,
        found: &PgColumn,
        index: usize,
    ) -> Result<Option<StructureChange>, Forbidden> {
        if found.type_name == wanted.pg.to_string() {
            return Ok(None);
        }
        let is_held = self.is_key(found) || found.is_bound || found.has_default;
        match way(&found.type_name, &wanted.pg) {
            TypeWay::InPlace => Ok(Some(self.widened(wanted, found))),
            TypeWay::Rewriting if is_held => Ok(Some(self.widened(wanted, found))),
            TypeWay::Rewriting => Ok(Some(self.built_anew(wanted, found, index))),
            TypeWay::Otherwise => {
                self.may_build_anew(wanted, found)?;
                Ok(Some(self.built_anew(wanted, found, index)))
            }
        }
    }

    fn may_build_anew(&self, wanted: &MappedColumn, found: &PgColumn) -> Result<(), Forbidden> {
        let name = &wanted.pg_name;
        let why = if self.policy.structure == StructurePolicy::Extend {
            "structure = \"extend\" lets no column take a type that does not hold all of its values"
                .to_owned()
        } else if found.is_bound || found.has_default {
            format!(
                "the column \"{name}\" would be built anew, and an index, a constraint, a default or rights of its own \
                 would be lost"
            )
        } else {
            return Ok(());
        };
        Err(Forbidden { why })
    }

    fn widened(&self, wanted: &MappedColumn, found: &PgColumn) -> StructureChange {
        let (name, kind) = (&wanted.pg_name, &wanted.pg);
        let action = format!("ALTER COLUMN {} TYPE {kind}", quote_pg(name.as_str()));
        let said = format!("the column \"{name}\" is widened from {} to {kind}", found.type_name);
        let change = self.change(ChangeClass::Widened, name, said, &action);
        StructureChange { is_viewed: found.is_viewed, ..change }
    }

    fn built_anew(&self, wanted: &MappedColumn, found: &PgColumn, index: usize) -> StructureChange {
        let (name, kind) = (&wanted.pg_name, &wanted.pg);
        let (old, new) = (quote_pg(name.as_str()), quote_pg(&*beside(index)));
        let said =
            format!("the column \"{name}\" is built anew as {kind}, from {}", found.type_name);
        // Until the rows are there, none has a value for the old one.
        let nullable = format!(", ALTER COLUMN {old} DROP NOT NULL");
        let nullable = if found.not_null { &*nullable } else { "" };
        let action = format!("ADD COLUMN {new} {kind}{nullable}");
        let change = self.change(ChangeClass::BuiltAnew, name, said, &action);
        let with_rows = [format!("DROP COLUMN {old}"), format!("RENAME COLUMN {new} TO {old}")];
        StructureChange { with_rows: with_rows.map(|action| self.alter(&action)).into(), ..change }
    }

    /// Returns true for a column of the key that is there.
    fn is_key(&self, column: &PgColumn) -> bool {
        self.there.key.contains(&column.name)
    }

    /// Plans the change of the key, where it is over other columns or over columns that are built anew. `mapping` has
    /// their names until the rows are there.
    fn key(&self, mapping: &TableMapping) -> Option<StructureChange> {
        if self.policy.structure != StructurePolicy::Follow {
            return None;
        }
        let (wanted, loaded) = (self.mapping.pg_key_names(), mapping.pg_key_names());
        let is_same = wanted.len() == self.there.key.len()
            && wanted.iter().all(|name| self.there.key.iter().any(|there| there == name));
        if is_same && wanted == loaded {
            return None;
        }
        let there: Vec<&str> = self.there.key.iter().map(String::as_str).collect();
        let said =
            format!("the key becomes {}, from {}", key_in_words(&wanted), key_in_words(&there));
        let name = self.there.key_name.clone();
        let before = name
            .as_ref()
            .map(|name| self.alter(&format!("DROP CONSTRAINT {}", quote_pg(name.as_str()))));
        let name = name.unwrap_or_else(|| ddl::key_name(&self.there.name));
        let quoted = quote_pg(name.as_str());
        let (building, with_rows) = match &loaded[..] {
            [] => (Vec::new(), Vec::new()),
            columns => {
                let table = ddl::qualified(self.schema, &self.there.name);
                let columns: Vec<String> = columns.iter().map(|&column| quote_pg(column)).collect();
                let index =
                    format!("CREATE UNIQUE INDEX {quoted} ON {table} ({})", columns.join(", "));
                let key = self
                    .alter(&format!("ADD CONSTRAINT {quoted} PRIMARY KEY USING INDEX {quoted}"));
                (vec![index], vec![key])
            }
        };
        let (class, column, is_viewed) = (ChangeClass::KeyChanged, String::new(), false);
        Some(StructureChange { class, column, said, before, building, with_rows, is_viewed })
    }

    fn is_wanted(&self, name: &str) -> bool {
        self.mapping.columns.iter().any(|column| column.pg_name == name)
    }

    /// Returns the columns of the target that the source does not have.
    fn surplus(&self) -> impl Iterator<Item = &PgColumn> {
        let columns = self.there.columns.iter();
        columns.filter(|column| !self.is_wanted(&column.name) && !column.name.starts_with(PREFIX))
    }

    /// Returns true if a load of ours wrote the column.
    fn was_written(&self, column: &PgColumn) -> bool {
        self.policy.written.is_some_and(|written| written.contains(&column.name))
    }

    /// Returns true if a column that the source does not have is dropped.
    fn drops(&self, column: &PgColumn) -> bool {
        self.policy.structure == StructurePolicy::Follow
            && self.policy.dropped == DroppedColumns::Drop
            && self.was_written(column)
            && !column.is_viewed
            && !column.is_bound
            && !self.is_key(column)
    }

    fn gone(&self, column: &PgColumn) -> Option<StructureChange> {
        let (name, quoted) = (&column.name, quote_pg(column.name.as_str()));
        if self.drops(column) {
            let said = format!("the column \"{name}\" is gone from the source, and is dropped");
            let action = format!("DROP COLUMN {quoted}");
            return Some(self.change(ChangeClass::ColumnDropped, name, said, &action));
        }
        if column.is_optional() {
            return None;
        }
        let said = format!("the column \"{name}\" is not in the source: it stays, and may be NULL");
        let action = format!("ALTER COLUMN {quoted} DROP NOT NULL");
        Some(self.change(ChangeClass::ColumnKept, name, said, &action))
    }

    /// Says which columns are gone from the source since the last load, and stay.
    fn stays(&self) -> impl Iterator<Item = String> {
        let gone = self.surplus().filter(|column| self.was_written(column) && !self.drops(column));
        gone.map(|column| {
            format!(
                "the column \"{}\" is gone from the source: it stays in the target with its values, and is no longer \
                 written",
                column.name
            )
        })
    }

    /// Says of columns that are new and columns that are gone that they may be the same.
    fn renamed(&self) -> Vec<String> {
        let columns = self.mapping.columns.iter();
        let new: Vec<_> = columns.filter(|column| self.found(&column.pg_name).is_none()).collect();
        let gone: Vec<_> = self.surplus().filter(|column| self.was_written(column)).collect();
        let ([new], [gone]) = (&new[..], &gone[..]) else { return Vec::new() };
        let same = gone.type_name == new.pg.to_string();
        let sentence = format!(
            "\"{}\" may be \"{}\" under a new name: the new column is filled from the source, and the old one is left as \
             it is",
            new.pg_name, gone.name
        );
        same.then_some(sentence).into_iter().collect()
    }
}

fn unviewed(column: &PgColumn) -> PgColumn {
    PgColumn { is_viewed: false, ..column.clone() }
}

/// Spells the columns of a key in a sentence.
fn key_in_words(names: &[&str]) -> String {
    match names {
        [] => "none".to_owned(),
        names => format!("(\"{}\")", names.join("\", \"")),
    }
}

/// The beginning of the names of columns that are built beside others.
pub(crate) const BESIDE: &str = "__handoff_new_";

fn beside(index: usize) -> String {
    format!("{BESIDE}{index}")
}

/// Returns the column that a change leads to.
fn arrived(wanted: &MappedColumn) -> PgColumn {
    PgColumn {
        name: wanted.pg_name.clone(),
        type_name: wanted.pg.to_string(),
        not_null: false,
        generated: false,
        has_default: false,
        is_bound: false,
        is_viewed: false,
    }
}

#[cfg(test)]
mod tests;
