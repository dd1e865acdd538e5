//! JSON documents: what jsonb prints, and what it refuses.

use super::{Rig, on_both};
use handoff_model::LossPolicy;
use handoff_settings::{BadJson, ValuePolicies};
use mysql::prelude::Queryable;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

/// A document as somebody may have written it: spaces, escapes, numbers and keys of all kinds.
fn document() -> impl Strategy<Value = String> {
    let space = prop::sample::select(vec!["", "", " ", "\\t", "\\n", " \\r\\n "])
        .prop_map(|text| text.replace("\\t", "\t").replace("\\n", "\n").replace("\\r", "\r"));
    let leaf = prop_oneof![
        Just("true".to_owned()),
        Just("false".to_owned()),
        Just("null".to_owned()),
        number(),
        string(),
    ];
    leaf.prop_recursive(6, 60, 8, move |inner| {
        let padded =
            (space.clone(), inner, space.clone()).prop_map(|(a, b, c)| format!("{a}{b}{c}"));
        let key =
            (space.clone(), string(), space.clone()).prop_map(|(a, b, c)| format!("{a}{b}{c}"));
        prop_oneof![
            prop::collection::vec(padded.clone(), 0..8)
                .prop_map(|list| format!("[{}]", list.join(","))),
            prop::collection::vec((key, padded), 0..8).prop_map(|list| {
                let list: Vec<String> =
                    list.into_iter().map(|(key, value)| format!("{key}:{value}")).collect();
                format!("{{{}}}", list.join(","))
            }),
        ]
    })
}

fn number() -> impl Strategy<Value = String> {
    prop_oneof![
        "-?(0|[1-9][0-9]{0,22})",
        "-?(0|[1-9][0-9]{0,8})\\.[0-9]{1,20}",
        "-?(0|[1-9][0-9]{0,5})(\\.[0-9]{1,6})?[eE][+-]?[0-9]{1,2}",
    ]
}

/// Short, so that keys are often equal; escapes of every kind.
fn string() -> impl Strategy<Value = String> {
    let part = prop_oneof![
        4 => "[a-c]".prop_map(String::from),
        1 => "[ -!#-\\[\\]-~é€]".prop_map(String::from),
        1 => prop::sample::select(vec![
            "\\\"", "\\\\", "\\/", "\\b", "\\f", "\\n", "\\r", "\\t", "\\u0061", "\\u001F", "\\u007f",
            "\\ud83d\\ude00", "\\u20AC", "😀",
        ]).prop_map(String::from),
    ];
    prop::collection::vec(part, 0..4).prop_map(|parts| format!("\"{}\"", parts.concat()))
}

#[test]
fn random_documents_are_what_jsonb_prints() {
    const CASES: u32 = 24;
    const DOCUMENTS: usize = 100;
    let rig = Rig::new("rows random json");
    rig.trio.sql_source("CREATE TABLE doc (id INT PRIMARY KEY, v JSON)");
    let mut runner =
        TestRunner::new(Config { cases: CASES, failure_persistence: None, ..Config::default() });
    let documents = prop::collection::vec(document(), 1..DOCUMENTS);
    let counted = std::cell::Cell::new(0);
    runner
        .run(&documents, |documents| {
            counted.set(counted.get() + documents.len());
            let mut conn = rig.trio.source();
            conn.query_drop("TRUNCATE doc").unwrap();
            let rows = documents.iter().enumerate();
            conn.exec_batch("INSERT INTO doc VALUES (?, ?)", rows).unwrap();
            rig.carry("doc");
            check_against_jsonb(&rig, &documents);
            Ok(())
        })
        .unwrap();
    println!("random JSON documents: {}", counted.get());
}

/// The round trip shows that our text is one that jsonb prints; this, that it is the right one.
#[track_caller]
fn check_against_jsonb(rig: &Rig, documents: &[String]) {
    let mut client = rig.trio.target();
    let query = "SELECT id, v::text, ($1::text[])[id + 1]::jsonb::text FROM raw.doc";
    for row in client.query(query, &[&documents]).unwrap() {
        let (id, ours, theirs): (i32, String, String) = (row.get(0), row.get(1), row.get(2));
        assert_eq!(ours, theirs, "{}", documents[usize::try_from(id).unwrap()]);
    }
}

#[test]
fn what_jsonb_refuses_falls_under_the_policy() {
    let rig = Rig::new("rows bad json");
    rig.trio.sql_source(
        "CREATE TABLE bad (id INT PRIMARY KEY, v JSON);
         INSERT INTO bad VALUES (1, '\"\\\\u0000\"'), (2, '-1e-20000'), (3, '1e200000'), (4, '[1.]'),
            (5, '[1]'), (6, NULL)",
    );
    let error = rig.carry_with("bad", &[], &ValuePolicies::default()).err().unwrap().to_string();
    assert_eq!(
        error,
        "`bad`.`v`, row 1: a JSON document with \\u0000 in a string; \
         set `bad_json` under [values] to \"null\", or correct the source"
    );
    let values = ValuePolicies { bad_json: BadJson::Null, ..ValuePolicies::default() };
    let audit = rig.carry_with("bad", &[], &values).unwrap();
    let [entry] = audit.entries() else { panic!("one policy was used") };
    assert_eq!((entry.column.as_str(), entry.policy, entry.count), ("v", LossPolicy::BadJson, 4));
    let kept: Vec<_> = rig.trio.rows("bad").into_iter().filter_map(|row| row[1].clone()).collect();
    assert_eq!(kept, ["[1]"]);
}

#[test]
fn documents_of_both_servers() {
    on_both("rows json", |rig| {
        rig.trio.sql_source(
            r#"CREATE TABLE both_of (id INT PRIMARY KEY, v JSON);
               INSERT INTO both_of VALUES (1, '{"bb": 1, "a": [1.50, 1e2, "\\u00e9", {}], "c": null}'),
                   (2, '"text"'), (3, '-0.5e-3')"#,
        );
        rig.carry("both_of");
        let rows = rig.trio.rows("both_of");
        assert_eq!(rows[1][1].as_deref(), Some("\"text\""));
        let first = rows[0][1].as_deref().unwrap();
        // MySQL keeps numbers as doubles.
        assert!(
            [
                r#"{"a": [1.50, 100, "é", {}], "c": null, "bb": 1}"#,
                r#"{"a": [1.5, 100.0, "é", {}], "c": null, "bb": 1}"#
            ]
            .contains(&first),
            "{first}"
        );
    });
}
