//! Objects wanted, there and recorded, and the steps between them.

use super::*;
use crate::class::ObjectClass;
use crate::target::{ObjectPlace, PresentObject};
use handoff_model::TableName;

fn object(kind: ObjectKind, part: &str, name: &str, body: &str) -> TargetObject {
    TargetObject {
        table: TableName::new("T").unwrap(),
        pg_table: "T".to_owned(),
        kind,
        part: part.to_owned(),
        name: name.to_owned(),
        body: body.to_owned(),
        needs: None,
    }
}

fn index(part: &str, name: &str, body: &str) -> TargetObject {
    object(ObjectKind::Index, part, name, body)
}

/// A target with the table `T`, made of what is there and what we made of it.
#[derive(Default)]
struct Target(PresentObjects);

impl Target {
    fn new() -> Target {
        let mut present = PresentObjects::default();
        present.tables.insert("T".to_owned());
        present.names.insert("T_pkey".to_owned());
        present.columns.insert(("T".to_owned(), "a".to_owned()));
        Target(present)
    }

    fn has(mut self, object: &TargetObject, shown: &str) -> Target {
        let class = ObjectClass::of(object.kind);
        if class == ObjectClass::Index {
            self.0.names.insert(object.name.clone());
        }
        let place = ObjectPlace { class, pg_table: "T".to_owned(), name: object.name.clone() };
        self.0.objects.insert(place, PresentObject { shown: shown.to_owned(), is_valid: true });
        self
    }

    fn made(mut self, object: &TargetObject, shown: &str) -> Target {
        self.0.records.push(ObjectRecord { object: object.clone(), shown: shown.to_owned() });
        self
    }

    fn plan(&self, objects: &[TargetObject]) -> ObjectPlan {
        let tables = [(TableName::new("T").unwrap(), "T".to_owned())].into();
        let wanted =
            WantedObjects { tables, objects: objects.to_vec(), ..WantedObjects::default() };
        ObjectPlan::make(&wanted, &self.0)
    }

    #[track_caller]
    fn check(&self, objects: &[TargetObject], expected: &[&str]) {
        let steps = self.plan(objects).steps;
        let found: Vec<String> = steps.iter().flat_map(|step| step.statements("raw")).collect();
        assert_eq!(found, expected);
    }
}

#[test]
fn what_is_missing_is_made_and_what_is_there_is_left() {
    let k = index("k", "T_k", "USING btree (\"a\")");
    let made = r#"CREATE INDEX "T_k" ON "raw"."T" USING btree ("a")"#;
    Target::new().check(std::slice::from_ref(&k), &[made]);
    let there = Target::new().has(&k, "x").made(&k, "x");
    there.check(std::slice::from_ref(&k), &[]);
    assert_eq!(there.plan(std::slice::from_ref(&k)).kept, 1);
    // Somebody dropped it, or a column was built anew.
    Target::new().made(&k, "x").check(&[k], &[made]);
}

#[test]
fn a_changed_index_is_made_before_the_old_one_goes() {
    let (old, new) =
        (index("k", "T_k", "USING btree (\"a\")"), index("k", "T_k", "USING btree (\"b\")"));
    Target::new().has(&old, "x").made(&old, "x").check(
        &[new],
        &[
            r#"CREATE INDEX "T_k_anew" ON "raw"."T" USING btree ("b")"#,
            r#"DROP INDEX IF EXISTS "raw"."T_k""#,
            r#"ALTER INDEX "raw"."T_k_anew" RENAME TO "T_k""#,
        ],
    );
}

#[test]
fn a_renamed_index_is_renamed() {
    let (old, new) =
        (index("k", "T_k", "USING btree (\"a\")"), index("l", "T_l", "USING btree (\"a\")"));
    let target = Target::new().has(&old, "x").made(&old, "x");
    target.check(std::slice::from_ref(&new), &[r#"ALTER INDEX "raw"."T_k" RENAME TO "T_l""#]);
    assert_eq!(target.plan(&[new]).forgotten, [old]);
}

#[test]
fn only_what_we_made_is_dropped() {
    let k = index("k", "T_k", "USING btree (\"a\")");
    let dropped = r#"DROP INDEX IF EXISTS "raw"."T_k""#;
    Target::new().has(&k, "x").made(&k, "x").check(&[], &[dropped]);
    Target::new().has(&k, "x").check(&[], &[]);
    // Changed by somebody since: it is theirs now.
    let changed = Target::new().has(&k, "y").made(&k, "x");
    changed.check(&[], &[]);
    assert_eq!(changed.plan(&[]).forgotten.len(), 1);
    // Of a table that was not looked at nothing is known.
    let other = WantedObjects::default();
    let target = Target::new().has(&k, "x").made(&k, "x");
    assert!(ObjectPlan::make(&other, &target.0).steps.is_empty());
}

#[test]
fn names_of_tables_keys_and_people_are_left_to_them() {
    let k = index("pkey", "T_pkey", "USING btree (\"a\")");
    Target::new().check(&[k], &[r#"CREATE INDEX "T_pkey_2" ON "raw"."T" USING btree ("a")"#]);
    let one = index("k", "T_k", "USING btree (\"a\")");
    let theirs = Target::new().has(&one, "theirs");
    theirs.check(
        std::slice::from_ref(&one),
        &[r#"CREATE INDEX "T_k_2" ON "raw"."T" USING btree ("a")"#],
    );
    let two = index("K", "T_k", "USING btree (\"b\")");
    let made = Target::new().plan(&[one, two]).steps;
    let names: Vec<&str> = made.iter().map(|step| step.object.name.as_str()).collect();
    assert_eq!(names, ["T_k", "T_k_2"]);
}

#[test]
fn defaults_and_comments_of_people_stay() {
    let default = object(ObjectKind::Default, "a", "a", "0");
    let target = Target::new().has(&default, "7");
    target.check(std::slice::from_ref(&default), &[]);
    assert_eq!(target.plan(&[default]).remarks.len(), 1);
    let comment = object(ObjectKind::Comment, "a", "a", "new");
    let set = r#"COMMENT ON COLUMN "raw"."T"."a" IS 'new'"#;
    Target::new().check(std::slice::from_ref(&comment), &[set]);
    Target::new().has(&comment, "new").check(std::slice::from_ref(&comment), &[]);
    Target::new().has(&comment, "theirs").check(std::slice::from_ref(&comment), &[]);
    let old = object(ObjectKind::Comment, "a", "a", "old");
    let ours = Target::new().has(&old, "old").made(&old, "old");
    let unset = r#"COMMENT ON COLUMN "raw"."T"."a" IS NULL"#;
    ours.check(&[comment], &[set]);
    ours.check(&[], &[unset]);
}

#[test]
fn a_constraint_that_was_never_checked_is_checked() {
    let check = object(ObjectKind::Check, "c", "c", "(\"a\" > 0)");
    let mut target = Target::new().has(&check, "x").made(&check, "x");
    target.check(std::slice::from_ref(&check), &[]);
    target.0.objects.values_mut().for_each(|there| there.is_valid = false);
    target.check(&[check], &[r#"ALTER TABLE "raw"."T" VALIDATE CONSTRAINT "c""#]);
}

#[test]
fn a_table_or_column_that_is_not_there_gets_nothing() {
    let default = object(ObjectKind::Default, "b", "b", "0");
    Target::new().check(std::slice::from_ref(&default), &[]);
    let nowhere = Target(PresentObjects::default());
    nowhere.check(&[index("k", "T_k", "USING btree (\"a\")")], &[]);
}

#[test]
fn drops_come_first_and_foreign_keys_late() {
    let objects = [
        object(ObjectKind::ForeignKey, "f", "f", "FOREIGN KEY (a) REFERENCES b (c)"),
        index("k", "T_k", "USING btree (\"a\")"),
        object(ObjectKind::Comment, "", "", "x"),
    ];
    let old = index("old", "T_old", "USING btree (\"z\")");
    let steps = Target::new().has(&old, "x").made(&old, "x").plan(&objects).steps;
    let kinds: Vec<_> = steps.iter().map(|step| step.object.name.as_str()).collect();
    assert_eq!(kinds, ["T_old", "", "T_k", "f"]);
}
