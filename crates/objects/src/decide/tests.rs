//! Whole tables and their objects.

use super::*;
use crate::testing::{mapped, schema};
use handoff_schema::{
    ColumnDefault, ColumnObjects, IndexPart, ReferringObjects, SourceForeignKey, TableObjects,
    TableSchema,
};
use handoff_settings::{NameCase, ObjectSettings, UniqueTexts};

const EVERYTHING: ObjectSettings =
    ObjectSettings { on_update: true, foreign_keys: true, ..ObjectSettings::ALL };

struct Sample {
    schema: TableSchema,
    objects: TableObjects,
}

fn index(name: &str, unique: bool, column: usize) -> IndexSchema {
    let parts = vec![IndexPart { column: Some(column), prefix: None, descending: false }];
    IndexSchema { name: name.to_owned(), unique, parts }
}

/// A table of people, with an object of every kind.
fn people() -> Sample {
    let mut schema = schema(&[
        ("id", "int", ""),
        ("name", "varchar(20)", "utf8mb4_general_ci"),
        ("seen", "timestamp", ""),
        ("boss", "int", ""),
    ]);
    schema.name = TableName::new("people").unwrap();
    schema.columns[2].on_update = true;
    schema.indexes.push(index("by_name", true, 1));
    schema.indexes.push(index("by_boss", false, 3));
    let column = ColumnObjects::default();
    let objects = TableObjects {
        comment: "all of us".to_owned(),
        columns: vec![
            ColumnObjects { auto_increment: true, ..column.clone() },
            ColumnObjects {
                default: Some(ColumnDefault::Literal("x".to_owned())),
                comment: "in full".to_owned(),
                auto_increment: false,
            },
            column.clone(),
            column,
        ],
        checks: vec![
            SourceCheck {
                name: "positive".to_owned(),
                clause: "`id` > 0".to_owned(),
                enforced: true,
            },
            SourceCheck {
                name: "asleep".to_owned(),
                clause: "`id` > 0".to_owned(),
                enforced: false,
            },
        ],
        ..TableObjects::default()
    };
    Sample { schema, objects }
}

fn decide(sample: &Sample, settings: ObjectSettings, keys: &[SourceForeignKey]) -> WantedObjects {
    let name = sample.schema.name.clone();
    let referring = ReferringObjects {
        foreign_keys: [(name.clone(), keys.to_vec())].into(),
        checks: BTreeMap::new(),
    };
    let table = DescribedTable {
        schema: &sample.schema,
        mapping: mapped(&sample.schema),
        objects: &sample.objects,
        settings,
    };
    WantedObjects::decide(&ObjectInputs {
        schema: "raw",
        database: "clinic",
        name_case: NameCase::Kept,
        tables: [(name, table)].into(),
        referring: &referring,
    })
}

fn key(columns: &str, table: &str, referred: &str) -> SourceForeignKey {
    SourceForeignKey {
        name: format!("fk_{columns}"),
        columns: vec![columns.to_owned()],
        schema: "clinic".to_owned(),
        table: table.to_owned(),
        referred: vec![referred.to_owned()],
        on_delete: "CASCADE".to_owned(),
        on_update: "NO ACTION".to_owned(),
    }
}

#[test]
fn every_kind_is_carried_where_it_is_asked_for() {
    let wanted = decide(&people(), EVERYTHING, &[key("boss", "people", "id")]);
    let found: Vec<String> = wanted
        .objects
        .iter()
        .map(|object| {
            format!("{} {}={}: {}", object.kind.name(), object.part, object.name, object.body)
        })
        .collect();
    let trigger = "BEGIN IF NEW IS DISTINCT FROM OLD AND NEW.\"seen\" IS NOT DISTINCT FROM OLD.\"seen\" THEN \
                   NEW.\"seen\" := date_trunc('second', CURRENT_TIMESTAMP); END IF; RETURN NEW; END";
    assert_eq!(
        found,
        [
            "comment =: all of us",
            "comment name=name: in full",
            "identity id=id: ",
            "default name=name: 'x'",
            &format!("on_update seen=people_seen_on_update: {trigger}"),
            "unique_index by_name=people_by_name: USING btree (\"name\")",
            "index by_boss=people_by_boss: USING btree (\"boss\")",
            "check positive=positive: (\"id\" > 0)",
            "foreign_key fk_boss=fk_boss: FOREIGN KEY (\"boss\") REFERENCES \"raw\".\"people\" (\"id\") ON DELETE CASCADE",
        ]
    );
    let because: Vec<&str> = wanted.uncarried.iter().map(|part| part.because.as_str()).collect();
    assert_eq!(because, ["it is NOT ENFORCED"]);
    assert_eq!(wanted.remarks.len(), 1, "{:?}", wanted.remarks);
}

#[test]
fn the_nightly_copy_gets_comments_alone() {
    let wanted = decide(&people(), ObjectSettings::KEYS, &[key("boss", "people", "id")]);
    assert!(wanted.objects.iter().all(|object| object.kind == ObjectKind::Comment));
    assert_eq!((wanted.objects.len(), wanted.uncarried.len()), (2, 0));
}

#[test]
fn the_collation_of_a_unique_index_is_made_first() {
    let settings = ObjectSettings { unique_texts: UniqueTexts::Icu, ..ObjectSettings::ALL };
    let wanted = decide(&people(), settings, &[]);
    let unique = wanted.objects.iter().find(|object| object.kind == ObjectKind::UniqueIndex);
    let made = unique.unwrap().make("raw");
    assert!(
        made[0].starts_with("CREATE COLLATION IF NOT EXISTS \"raw\".\"handoff_ai_ci\""),
        "{made:?}"
    );
    assert!(wanted.remarks.is_empty());
}

#[test]
fn a_foreign_key_that_leads_nowhere_is_told() {
    let because = |key: SourceForeignKey| {
        let wanted = decide(&people(), EVERYTHING, &[key]);
        wanted.uncarried.last().unwrap().because.clone()
    };
    assert!(because(key("boss", "gone", "id")).contains("not carried"));
    let elsewhere = SourceForeignKey { schema: "other".to_owned(), ..key("boss", "people", "id") };
    assert!(because(elsewhere).contains("another database"));
    assert!(because(key("boss", "people", "boss")).contains("no unique index"));
    assert!(because(key("boss", "people", "name")).contains("another type"));
}

#[test]
fn an_identity_needs_a_whole_number_that_is_never_null() {
    let mut sample = people();
    sample.schema.columns[0] = handoff_schema::ColumnSchema {
        nullable: false,
        ..handoff_schema::ColumnSchema::of_type("id", "bigint unsigned").unwrap()
    };
    let wanted = decide(&sample, ObjectSettings::ALL, &[]);
    assert!(wanted.uncarried[0].because.contains("bigint"), "{:?}", wanted.uncarried);
}
