//! The steps from the objects that are there to those that are wanted.

use crate::decide::WantedObjects;
use crate::record::ObjectRecord;
use crate::target::PresentObjects;
use crate::wanted::{ObjectKind, ObjectRemark, TargetObject};
use handoff_model::TableName;
use handoff_schema::short_name;
use std::collections::{BTreeMap, BTreeSet};

/// The action on an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ObjectAction {
    /// It is made.
    Make,
    /// It is made anew in the place of another one of ours, which is dropped.
    Replace(Box<TargetObject>),
    /// It takes another name; this is the old one.
    Rename(String),
    /// Its rows are checked.
    Validate,
    /// It is dropped.
    Drop,
}

/// One object with its action.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObjectStep {
    /// The object.
    pub object: TargetObject,
    /// The action.
    pub action: ObjectAction,
}

/// The steps from the objects that are there to those that are wanted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ObjectPlan {
    /// The steps, in their order.
    pub steps: Vec<ObjectStep>,
    /// Records of objects that are gone.
    pub(crate) forgotten: Vec<TargetObject>,
    /// The identities that are there or to come.
    pub(crate) identities: Vec<TargetObject>,
    /// Objects that stay as people made them.
    pub remarks: Vec<ObjectRemark>,
    /// The objects that are there as they are wanted.
    pub kept: usize,
}

impl ObjectStep {
    /// Returns its place among others: what goes makes room for what comes.
    fn place(&self) -> (bool, Option<usize>) {
        let kind = ObjectKind::ALL.iter().position(|kind| *kind == self.object.kind);
        (self.action != ObjectAction::Drop, kind)
    }

    /// Spells the statements of the step.
    pub fn statements(&self, schema: &str) -> Vec<String> {
        let object = &self.object;
        match &self.action {
            ObjectAction::Make => {
                object.make(schema).into_iter().chain(object.validate(schema)).collect()
            }
            ObjectAction::Replace(old) => self.replace(old, schema),
            ObjectAction::Rename(from) => vec![rename(object, from, schema)],
            ObjectAction::Validate => object.validate(schema).into_iter().collect(),
            ObjectAction::Drop => object.drop(schema),
        }
    }

    /// An index is made before the old one goes, so that its table is never without.
    fn replace(&self, old: &TargetObject, schema: &str) -> Vec<String> {
        let object = &self.object;
        if matches!(object.kind, ObjectKind::Comment | ObjectKind::Default) {
            return object.make(schema);
        }
        if !object.kind.is_index() || old.name != object.name {
            let dropped = old.drop(schema).into_iter();
            return dropped.chain(object.make(schema)).chain(object.validate(schema)).collect();
        }
        let beside =
            TargetObject { name: short_name(&format!("{}_anew", object.name)), ..object.clone() };
        let made = beside.make(schema).into_iter().chain(old.drop(schema));
        made.chain([rename(object, &beside.name, schema)]).collect()
    }
}

fn rename(object: &TargetObject, from: &str, schema: &str) -> String {
    let (from, to) = (
        handoff_schema::ddl::qualified(schema, from),
        handoff_connect::quote_pg(object.name.as_str()),
    );
    format!("ALTER INDEX {from} RENAME TO {to}")
}

/// The identity of an object over runs: its table, kind and name in the source.
type ObjectId = (String, ObjectKind, String);

fn id(object: &TargetObject) -> ObjectId {
    (object.table.to_string(), object.kind, object.part.clone())
}

impl ObjectPlan {
    /// Plans the steps. Objects of tables that the target does not have are left out.
    pub fn make(wanted: &WantedObjects, present: &PresentObjects) -> ObjectPlan {
        let mut planner = Planner {
            wanted,
            present,
            records: present.records.iter().map(|record| (id(&record.object), record)).collect(),
            names: present.names.iter().chain(&present.tables).cloned().collect(),
            plan: ObjectPlan::default(),
        };
        planner.names.extend(wanted.tables.values().cloned());
        planner.drops();
        for object in &wanted.objects {
            planner.object(object);
        }
        planner.plan.steps.sort_by_key(ObjectStep::place);
        planner.plan
    }

    /// Returns the steps of some tables, and of all what acts on rows: it stood aside for others too.
    #[must_use]
    pub fn of_tables(mut self, tables: &BTreeSet<TableName>) -> ObjectPlan {
        self.steps
            .retain(|step| step.object.kind.acts_on_rows() || tables.contains(&step.object.table));
        self.remarks.retain(|remark| tables.contains(&remark.table));
        self
    }
}

struct Planner<'a> {
    wanted: &'a WantedObjects,
    present: &'a PresentObjects,
    records: BTreeMap<ObjectId, &'a ObjectRecord>,
    /// The names that are taken.
    names: BTreeSet<String>,
    plan: ObjectPlan,
}

impl Planner<'_> {
    /// Takes away what we made and nobody wants any more. An index that only got another name in the source stays.
    fn drops(&mut self) {
        let wanted: BTreeSet<ObjectId> = self.wanted.objects.iter().map(id).collect();
        let records = self.present.records.iter();
        let gone = records.filter(|record| {
            self.wanted.tables.contains_key(&record.object.table)
                && !wanted.contains(&id(&record.object))
        });
        for record in gone.collect::<Vec<_>>() {
            let object = &record.object;
            let there = self.present.get(object.kind, &object.pg_table, &object.name);
            match there {
                Some(there) if there.shown == record.shown => {
                    if !self.is_renamed(object) {
                        self.push(object.clone(), ObjectAction::Drop);
                    }
                }
                _ => self.plan.forgotten.push(object.clone()),
            }
        }
    }

    /// Returns true if an index of the same definition is wanted under another name.
    fn is_renamed(&self, old: &TargetObject) -> bool {
        self.new_name_of(old).is_some()
    }

    fn new_name_of(&self, old: &TargetObject) -> Option<&TargetObject> {
        let objects = self.wanted.objects.iter();
        objects.filter(|_| old.kind.is_index()).find(|object| {
            object.table == old.table
                && object.kind == old.kind
                && object.body == old.body
                && !self.records.contains_key(&id(object))
        })
    }

    fn object(&mut self, wanted: &TargetObject) {
        let is_column_kind =
            matches!(wanted.kind, ObjectKind::Comment | ObjectKind::Default | ObjectKind::Identity);
        let column = (wanted.pg_table.clone(), wanted.name.clone());
        let lacks_column =
            is_column_kind && !wanted.name.is_empty() && !self.present.columns.contains(&column);
        if !self.present.tables.contains(&wanted.pg_table) || lacks_column {
            return;
        }
        let record = self.records.get(&id(wanted)).copied();
        let record = record.filter(|record| record.object.pg_table == wanted.pg_table);
        let there = record.and_then(|record| {
            self.present.get(wanted.kind, &wanted.pg_table, &record.object.name)
        });
        match (record, there) {
            (Some(record), Some(there)) => self.ours(wanted, record, there.is_valid),
            _ => self.missing(wanted),
        }
    }

    /// Plans an object that we made and that is there.
    fn ours(&mut self, wanted: &TargetObject, record: &ObjectRecord, is_valid: bool) {
        let old = &record.object;
        let object = TargetObject { name: old.name.clone(), ..wanted.clone() };
        self.remember_identity(&object);
        if old.body != wanted.body {
            let shown = self.present.get(old.kind, &old.pg_table, &old.name);
            if shown.is_some_and(|there| there.shown != record.shown) {
                return self
                    .remark(wanted, "it was changed in the target, and stays as it is there");
            }
            self.push(object, ObjectAction::Replace(Box::new(old.clone())));
        } else if !is_valid && wanted.validate("").is_some() {
            self.push(object, ObjectAction::Validate);
        } else {
            self.plan.kept += 1;
        }
    }

    /// Plans an object that we did not make, or that is gone.
    fn missing(&mut self, wanted: &TargetObject) {
        if wanted.kind.is_index() {
            return self.missing_index(wanted);
        }
        match self.present.get(wanted.kind, &wanted.pg_table, &wanted.name) {
            None => {
                self.remember_identity(wanted);
                self.push(wanted.clone(), ObjectAction::Make);
            }
            Some(there) if wanted.kind == ObjectKind::Comment && there.shown == wanted.body => {
                self.plan.kept += 1;
            }
            Some(_) => self.remark(wanted, "the target has one of its own, which stays"),
        }
    }

    fn missing_index(&mut self, wanted: &TargetObject) {
        let name = self.free_name(wanted);
        let object = TargetObject { name, ..wanted.clone() };
        let old = self.present.records.iter().map(|record| &record.object).find(|old| {
            let is_gone = !self.wanted.objects.iter().any(|object| id(object) == id(old));
            is_gone
                && self.new_name_of(old).is_some_and(|new| id(new) == id(wanted))
                && self.present.get(old.kind, &old.pg_table, &old.name).is_some()
        });
        match old.cloned() {
            Some(old) => {
                self.plan.forgotten.push(old.clone());
                self.push(object, ObjectAction::Rename(old.name));
            }
            None => self.push(object, ObjectAction::Make),
        }
    }

    /// Returns a name that no relation or type has or will have: an index shares their names.
    fn free_name(&mut self, wanted: &TargetObject) -> String {
        let names = (1..).map(|number: u32| match number {
            1 => wanted.name.clone(),
            _ => short_name(&format!("{}_{number}", wanted.name)),
        });
        let mut free = names.filter(|name| !self.names.contains(name));
        let name = free.next().expect("numbers never end");
        self.names.insert(name.clone());
        name
    }

    fn remember_identity(&mut self, object: &TargetObject) {
        if object.kind == ObjectKind::Identity {
            self.plan.identities.push(object.clone());
        }
    }

    fn push(&mut self, object: TargetObject, action: ObjectAction) {
        self.plan.steps.push(ObjectStep { object, action });
    }

    fn remark(&mut self, wanted: &TargetObject, said: &str) {
        self.plan.remarks.push(ObjectRemark {
            table: wanted.table.clone(),
            kind: wanted.kind,
            part: wanted.part.clone(),
            said: said.to_owned(),
        });
    }
}

#[cfg(test)]
mod tests;
