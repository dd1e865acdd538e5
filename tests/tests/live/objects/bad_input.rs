//! Objects that cannot be made: their tables arrive all the same.

use super::*;
use std::time::{Duration, Instant};

/// Returns the objects that failed, as `kind name: error`.
fn failed(report: &Value) -> Vec<String> {
    let failed = report["objects"]["failed"].as_array().unwrap().iter();
    let text = |one: &Value, key: &str| one[key].as_str().unwrap().to_owned();
    failed
        .map(|one| format!("{} {}: {}", text(one, "kind"), text(one, "name"), text(one, "error")))
        .collect()
}

/// Makes a text of letters in no order, which PostgreSQL cannot press together.
fn noise(length: usize) -> String {
    let mut state = 88_172_645_463_325_252_u64;
    let mut letter = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        char::from(b'a' + u8::try_from(state % 26).unwrap())
    };
    (0..length).map(|_| letter()).collect()
}

#[test]
fn a_value_too_long_for_an_index_fails_the_index_by_name_and_no_row() {
    let trio = Trio::new("objects_long");
    let long = noise(3000);
    trio.sql_source(&format!(
        "CREATE TABLE t (id INT PRIMARY KEY, a TEXT, KEY whole (a(3000))) CHARSET=latin1; \
         CREATE TABLE new (id INT PRIMARY KEY, a TEXT, KEY whole (a(3000))) CHARSET=latin1; \
         INSERT INTO t VALUES (1, 'short'); INSERT INTO new VALUES (1, '{long}')"
    ));
    let etl = etl(&trio, "objects = \"all\"");
    let run = json(&etl, &["run", "--prove", "--json"]);
    let names = |run: &Value| -> Vec<String> {
        failed(run).iter().map(|text| text.split(": ").next().unwrap().to_owned()).collect()
    };
    assert_eq!(names(&run), ["index new_whole"]);
    assert_eq!(made(&run), ["made index t.t_whole"]);
    // The index is there, and refuses a new row: it goes, and the row arrives.
    trio.sql_source(&format!("INSERT INTO t VALUES (2, '{long}')"));
    let run = json(&etl, &["run", "--prove", "--json"]);
    assert_eq!(names(&run), ["index new_whole", "index t_whole"]);
    assert!(failed(&run)[1].contains("index row"), "{:?}", failed(&run));
    assert_eq!((trio.rows("t").len(), trio.rows("new").len()), (2, 1));
    trio.sql_source("DELETE FROM t WHERE id = 2; DELETE FROM new");
    json(&etl, &["run", "--prove", "--json", "--max-delete-percent", "100"]);
    // An index holds rows that were deleted while somebody may still see them, and the tests beside this one have
    // sessions on the same server: one of the next runs builds it.
    let there = "SELECT string_agg(indexname, ' ' ORDER BY indexname) FROM pg_indexes WHERE indexname LIKE '%whole'";
    let patience = Instant::now() + Duration::from_secs(180);
    while one(&trio, there) != "new_whole t_whole" && Instant::now() < patience {
        std::thread::sleep(Duration::from_millis(500));
        json(&etl, &["run", "--prove", "--json"]);
    }
    assert_eq!(one(&trio, there), "new_whole t_whole");
}

#[test]
fn rows_that_an_object_refuses_arrive_without_it() {
    let trio = Trio::new("objects_refuse");
    trio.sql_source(
        "CREATE TABLE t (id INT PRIMARY KEY, a INT, CONSTRAINT positive CHECK (a > 0), UNIQUE KEY only (a)); \
         INSERT INTO t VALUES (1, 1)",
    );
    let etl = etl(&trio, "objects = \"all\"");
    assert_eq!(made(&json(&etl, &["run", "--prove", "--json"])).len(), 2);
    // The source takes what its own CHECK forbids, if told to.
    trio.sql_source("SET check_constraint_checks = 0; INSERT INTO t VALUES (2, -1)");
    let run = json(&etl, &["run", "--prove", "--json"]);
    assert_eq!(trio.rows("t").len(), 2);
    let failed = failed(&run);
    assert_eq!(failed.len(), 1, "{failed:?}");
    assert!(failed[0].starts_with("check positive: "), "{failed:?}");
    // No trace of it keeps the next rows out.
    trio.sql_source("SET check_constraint_checks = 0; INSERT INTO t VALUES (3, -2)");
    json(&etl, &["run", "--prove", "--json"]);
    assert_eq!(trio.rows("t").len(), 3);
}

#[test]
fn unique_texts_are_compared_as_the_settings_say() {
    let trio = Trio::new("objects_unique");
    trio.sql_source(
        "CREATE TABLE t (id INT PRIMARY KEY, a VARCHAR(20) CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci, \
         UNIQUE KEY only (a)); INSERT INTO t VALUES (1, 'abc')",
    );
    let bytes = etl(&trio, "objects = \"all\"");
    let run = json(&bytes, &["run", "--json"]);
    let said = run["objects"]["remarks"][0]["said"].as_str().unwrap();
    assert!(said.contains("utf8mb4_general_ci takes for equal"), "{said}");
    let insert = "INSERT INTO raw.t VALUES (2, 'ABC ')";
    trio.sql_target(insert);
    trio.sql_target("DELETE FROM raw.t WHERE id = 2");
    let icu = etl(&trio, "objects = { unique_texts = \"icu\" }");
    let run = json(&icu, &["run", "--json"]);
    assert_eq!(made(&run), ["replaced unique_index t.t_only"]);
    let refused = trio.target().batch_execute(insert).unwrap_err();
    assert_eq!(refused.code().map(|code| code.code().to_owned()).as_deref(), Some("23505"));
}

#[test]
fn names_that_are_long_or_taken_get_others() {
    let trio = Trio::new("objects_names");
    let (long, other) = ("k".repeat(64), format!("{}l", "k".repeat(63)));
    trio.sql_source(&format!(
        "CREATE TABLE t (id INT PRIMARY KEY, a INT, b INT, KEY pkey (a), KEY `{long}` (b), KEY `{other}` (a, b)); \
         CREATE TABLE t_a (id INT PRIMARY KEY); ALTER TABLE t ADD KEY a (b, a)"
    ));
    let etl = etl(&trio, "objects = \"all\"");
    let run = json(&etl, &["run", "--json"]);
    assert_eq!(failed(&run), [""; 0]);
    let names = one(
        &trio,
        "SELECT string_agg(indexname, ' ' ORDER BY indexname COLLATE \"C\") FROM pg_indexes \
         WHERE schemaname = 'raw' AND tablename = 't'",
    );
    let names: Vec<&str> = names.split(' ').collect();
    assert_eq!(names.len(), 5, "{names:?}");
    assert_eq!((names[0], names[3], names[4]), ("t_a_2", "t_pkey", "t_pkey_2"));
    assert!(
        names[1..3].iter().all(|name| name.len() == 63 && name.starts_with("t_kkkk")),
        "{names:?}"
    );
    assert_eq!(made(&json(&etl, &["run", "--json"])), [""; 0]);
}

#[test]
fn a_table_with_as_many_columns_as_there_can_be_has_its_objects() {
    let trio = Trio::new("objects_wide");
    let columns: Vec<String> =
        (1..1000).map(|n| format!("c{n} TINYINT NOT NULL DEFAULT 1 COMMENT 'no {n}'")).collect();
    trio.sql_source(&format!(
        "CREATE TABLE t (id INT PRIMARY KEY, {}) ENGINE=Aria",
        columns.join(", ")
    ));
    let run = json(&etl(&trio, "objects = \"all\""), &["run", "--json"]);
    assert_eq!(made(&run).len(), 2 * 999);
    trio.sql_target("INSERT INTO raw.t (id) VALUES (1)");
    assert_eq!(one(&trio, "SELECT (c1 + c999)::text FROM raw.t"), "2");
}

#[test]
fn names_in_lower_case_need_no_quotes_and_clashes_are_faults() {
    let trio = Trio::new("objects_lower");
    trio.sql_source(
        "CREATE TABLE PatPlan (PatNum INT PRIMARY KEY, LName VARCHAR(20) COMMENT 'last', KEY ByName (LName)); \
         INSERT INTO PatPlan VALUES (1, 'a'); CREATE TABLE Twice (id INT PRIMARY KEY); CREATE TABLE other (id INT PRIMARY KEY)",
    );
    let etl = etl(&trio, "lower_case_names = true\nobjects = \"all\"");
    json(&etl, &["run", "--prove", "--json"]);
    assert_eq!(one(&trio, "SELECT lname FROM raw.patplan WHERE patnum = 1"), "a");
    assert_eq!(
        one(&trio, "SELECT indexname::text FROM pg_indexes WHERE indexname LIKE 'patplan_b%'"),
        "patplan_byname"
    );
    trio.sql_source("INSERT INTO PatPlan VALUES (2, 'b')");
    assert_eq!(made(&json(&etl, &["run", "--prove", "--json"])), [""; 0]);
    etl.ok(&["verify"]);
    etl.ok(&["status"]);
    etl.ok(&["check"]);
    trio.sql_source("CREATE TABLE twice (id INT PRIMARY KEY)");
    let run: Value = serde_json::from_str(&etl.exits(1, &["run", "--json"]).stdout).unwrap();
    let faults =
        run["tables"].as_array().unwrap().iter().filter_map(|table| table["error"].as_str());
    let faults: Vec<&str> = faults.collect();
    assert_eq!(faults.len(), 2, "{faults:?}");
    assert!(faults.iter().all(|fault| fault.contains("goes by the same name")), "{faults:?}");
}
