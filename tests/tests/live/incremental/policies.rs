//! `[values]` changed since rows were loaded.

use super::{BY_S, Rig, check, table};
use crate::etl::Etl;

const COMPARED: &str = "[tables.t]\nextraction = \"diff\"\n";
const DATES: &str = "[values]\nzero_dates = \"0001-01-01\"\n";
const TEXTS: &str = "[values]\nnul_bytes = \"replace\"\n";

/// Rows that no window finds, and that are the same in the replica.
#[test]
fn rows_that_would_become_others_are_loaded_again() {
    for (settings, direct) in [(BY_S, false), (BY_S, true), (COMPARED, false), (COMPARED, true)] {
        let new = if direct { Rig::direct } else { Rig::new };
        let rig = new(
            "inc policies",
            "SET sql_mode = ''; CREATE TABLE t (id INT PRIMARY KEY, d DATE NOT NULL, s TIMESTAMP NOT NULL, \
             KEY (s)); INSERT INTO t VALUES (1, '0000-00-00', '2024-01-01'), (2, '2024-02-03', '2024-01-02')",
            settings,
        );
        rig.moves("full_table", "first_run", 2);
        let dates = "SELECT string_agg(coalesce(d::text, 'none'), ' ' ORDER BY id) FROM raw.t";
        let dates = || rig.trio.target().query_one(dates, &[]).unwrap().get::<_, String>(0);
        assert_eq!(dates(), "none 2024-02-03");
        let toml = if direct { rig.trio.direct_settings_toml() } else { rig.trio.settings_toml() };
        let with = |values: &str| Etl::with(&format!("{toml}\n{settings}\n{values}"));
        let dated = with(DATES);
        let planned = dated.ok(&["plan"]).stdout;
        assert!(planned.contains("[values] changed"), "{planned}");
        check(&table(&dated.ok(&["run", "--json"])), "full_table", "policies_changed");
        assert_eq!(dates(), "0001-01-01 2024-02-03");
        dated.ok(&["verify"]);
        let again = table(&dated.ok(&["run", "--json"]));
        assert_eq!(again["plan"]["force_full_applied"], false, "{again}");
        // It has no text.
        let other = with(&format!("{DATES}{}", TEXTS.replace("[values]\n", "")));
        let again = table(&other.ok(&["run", "--json"]));
        assert_eq!(again["plan"]["force_full_applied"], false, "{again}");
        check(&rig.run(&["run"]), "full_table", "policies_changed");
        assert_eq!(dates(), "none 2024-02-03");
    }
}
