//! The report on objects.

use crate::plan::{ObjectAction, ObjectPlan, ObjectStep};
use crate::wanted::{ObjectKind, ObjectRemark};
use handoff_connect::Fault;
use handoff_model::human::grouped;
use handoff_model::{TableName, chain};
use serde::Serialize;
use std::collections::BTreeMap;
use std::time::Duration;

/// An object of the target that was made, changed or dropped.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct MadeObject {
    /// The table.
    pub table: TableName,
    /// The kind of the object.
    pub kind: ObjectKind,
    /// Its name in the target, or that of its column.
    pub name: String,
    /// The action: `made`, `replaced`, `renamed`, `validated` or `dropped`.
    pub action: &'static str,
    /// The duration, in milliseconds.
    pub duration_ms: u64,
}

/// An object that could not be made.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct FailedObject {
    /// The table.
    pub table: TableName,
    /// The kind of the object.
    pub kind: ObjectKind,
    /// Its name in the target, or that of its column.
    pub name: String,
    /// The error.
    pub error: String,
}

/// The objects of a run. Fields are added in later versions, never renamed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct ObjectReport {
    /// Objects that were made, changed or dropped.
    pub made: Vec<MadeObject>,
    /// Objects that could not be made. Their tables arrived all the same.
    pub failed: Vec<FailedObject>,
    /// The number of objects that were there as they are wanted.
    pub kept: usize,
    /// Objects that are not quite as in the source, or stay as people made them.
    pub remarks: Vec<ObjectRemark>,
}

/// A step of the next run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ObjectPreview {
    /// The table.
    pub table: TableName,
    /// The kind of the object.
    pub kind: ObjectKind,
    /// Its name in the target, or that of its column.
    pub name: String,
    /// The statements, in their order.
    pub statements: Vec<String>,
}

impl MadeObject {
    pub(crate) fn of(step: &ObjectStep, took: Duration) -> MadeObject {
        let object = &step.object;
        MadeObject {
            table: object.table.clone(),
            kind: object.kind,
            name: object.name.clone(),
            action: match step.action {
                ObjectAction::Make => "made",
                ObjectAction::Replace(_) => "replaced",
                ObjectAction::Rename(_) => "renamed",
                ObjectAction::Validate => "validated",
                ObjectAction::Drop => "dropped",
            },
            duration_ms: u64::try_from(took.as_millis()).unwrap_or(u64::MAX),
        }
    }
}

impl FailedObject {
    pub(crate) fn of(step: &ObjectStep, fault: &Fault) -> FailedObject {
        let object = &step.object;
        let (table, kind, name) = (object.table.clone(), object.kind, object.name.clone());
        FailedObject { table, kind, name, error: chain(fault) }
    }

    /// Returns it as a sentence.
    pub fn sentence(&self) -> String {
        let FailedObject { table, kind, name, error } = self;
        let name = handoff_model::visible(name);
        format!("the {} \"{name}\" of `{table}` could not be made: {error}", kind.noun())
    }
}

impl ObjectReport {
    pub(crate) fn add(&mut self, done: Result<MadeObject, FailedObject>) {
        match done {
            Ok(made) => self.made.push(made),
            Err(failed) => self.failed.push(failed),
        }
    }

    /// Returns the objects that were made in one line, the most frequent first: `made: 41 indexes, 3 defaults`. Empty
    /// if there are none.
    pub fn line(&self) -> String {
        let mut counts: BTreeMap<(&str, ObjectKind), u64> = BTreeMap::new();
        for made in &self.made {
            *counts.entry((made.action, made.kind)).or_default() += 1;
        }
        let mut counts: Vec<_> = counts.into_iter().collect();
        counts.sort_by_key(|(key, count)| (std::cmp::Reverse(*count), *key));
        let parts = counts.into_iter().map(|((action, kind), count)| {
            let noun = if count == 1 { kind.noun() } else { kind.nouns() };
            format!("{} {noun} {action}", grouped(count))
        });
        parts.collect::<Vec<_>>().join(", ")
    }

    /// Sorts all lists by table.
    pub fn sort(&mut self) {
        self.made.sort();
        self.failed.sort();
        self.remarks.sort();
    }
}

impl ObjectPlan {
    /// Returns the steps with their statements in `schema`.
    pub fn preview(&self, schema: &str) -> Vec<ObjectPreview> {
        let steps = self.steps.iter().map(|step| ObjectPreview {
            table: step.object.table.clone(),
            kind: step.object.kind,
            name: step.object.name.clone(),
            statements: step.statements(schema),
        });
        steps.collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_made_is_one_line() {
        let made = |kind, action| MadeObject {
            table: TableName::new("t").unwrap(),
            kind,
            name: "x".to_owned(),
            action,
            duration_ms: 1,
        };
        let report = ObjectReport {
            made: vec![
                made(ObjectKind::Index, "made"),
                made(ObjectKind::Default, "dropped"),
                made(ObjectKind::Index, "made"),
            ],
            ..ObjectReport::default()
        };
        assert_eq!(report.line(), "2 indexes made, 1 default dropped");
        assert_eq!(ObjectReport::default().line(), "");
    }
}
