//! Rows of a first load are written as a VACUUM would leave them.

use crate::etl::Etl;
use handoff_testbed::Trio;

/// Counts the pages of a table, and those among them that no VACUUM need rewrite.
fn pages(trio: &Trio, table: &str) -> (i64, i64) {
    let sql = format!(
        "SELECT count(*), count(*) FILTER (WHERE all_frozen) FROM public.pg_visibility_map('raw.{table}')"
    );
    let row = trio.target().query_one(sql.as_str(), &[]).unwrap();
    (row.get(0), row.get(1))
}

#[test]
fn first_loads_leave_no_work_for_vacuum() {
    let trio = Trio::new("frozen");
    trio.sql_source(
        "CREATE TABLE streamed (id INT PRIMARY KEY, note VARCHAR(200)); \
         INSERT INTO streamed SELECT seq, REPEAT('a', 200) FROM seq_1_to_2000; \
         CREATE TABLE csv LIKE streamed; INSERT INTO csv SELECT * FROM streamed",
    );
    trio.sql_target("CREATE EXTENSION pg_visibility SCHEMA public");
    let toml = trio.settings_toml() + "[tables.csv]\nloader = \"copy_csv\"\n";
    let etl = Etl::with(&toml);
    etl.ok(&["run"]);
    for table in ["streamed", "csv"] {
        let (all, frozen) = pages(&trio, table);
        assert!(all > 50 && all == frozen, "{table}: {frozen} of {all} pages");
    }
    trio.sql_source("UPDATE streamed SET note = 'b' WHERE id = 1");
    etl.ok(&["run"]);
    let (all, frozen) = pages(&trio, "streamed");
    assert!(frozen < all, "{frozen} of {all} pages");
    etl.ok(&["verify"]);
}
