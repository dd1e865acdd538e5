//! The upgrade of a real application between two nights: one version step of the sample practice.

use super::run;
use crate::etl::Etl;
use handoff_testbed::Trio;
use handoff_testbed::practice::{self, Practice};

/// The tables that get a column: at the end, at the beginning, behind another, with and without a default.
const ADDED: &[&str] = &[
    "patient ADD COLUMN PronounPreferred VARCHAR(40) NOT NULL DEFAULT ''",
    "provider ADD COLUMN NpiTaxonomy VARCHAR(20) NULL AFTER NationalProvID",
    "definition ADD COLUMN DefExternal TINYINT NOT NULL DEFAULT 0",
    "procedurecode ADD COLUMN DateEffective DATE NULL",
    "appointment ADD COLUMN ArrivalNote TEXT NULL FIRST",
    "procedurelog ADD COLUMN FeeSource BIGINT NOT NULL DEFAULT 0",
    "procnote ADD COLUMN SignedAt DATETIME NULL",
    "claim ADD COLUMN ClearingHouse BIGINT UNSIGNED NULL",
    "claimproc ADD COLUMN RemarkCode VARCHAR(10) NULL AFTER ProcNum",
    "payment ADD COLUMN IsRefund TINYINT(1) NOT NULL DEFAULT 0",
    "paysplit ADD COLUMN SplitRatio DOUBLE NULL",
    "adjustment ADD COLUMN ApprovedBy BIGINT NOT NULL DEFAULT 0",
    "commlog ADD COLUMN Channel ENUM('phone','mail','text') NULL",
    "document ADD COLUMN Checksum BINARY(16) NULL",
    "securitylog ADD COLUMN Device VARCHAR(60) NULL",
    "sheet ADD COLUMN RevisedAt TIMESTAMP(3) NULL",
    "recall ADD COLUMN Reminders SMALLINT NOT NULL DEFAULT 0",
    "fee ADD COLUMN FeeNote VARCHAR(255) NULL",
    "preference ADD COLUMN Scope JSON NULL",
    "perioexam ADD COLUMN ExamScore DECIMAL(8,3) NULL",
];

/// Columns that hold more than before.
const WIDENED: &[&str] = &[
    "provider MODIFY ProvColor BIGINT NOT NULL",
    "definition MODIFY ItemColor BIGINT NOT NULL",
    "procedurecode MODIFY GraphicColor BIGINT NOT NULL",
    "appointment MODIFY ColorOverride BIGINT NOT NULL",
    "patient MODIFY AskToArriveEarly BIGINT NOT NULL",
];

const DROPPED: &[&str] = &["patient DROP COLUMN TrophyFolder", "provider DROP COLUMN EcwID"];

const NEW: &[&str] = &[
    "CREATE TABLE carrierlink (CarrierLinkNum BIGINT AUTO_INCREMENT PRIMARY KEY, Url VARCHAR(255) NOT NULL)",
    "CREATE TABLE msgtopic (MsgTopicNum BIGINT AUTO_INCREMENT PRIMARY KEY, Title VARCHAR(80) NULL)",
    "CREATE TABLE apptrule (ApptRuleNum BIGINT AUTO_INCREMENT PRIMARY KEY, Length DECIMAL(6,2) NOT NULL)",
];

#[test]
fn the_upgrade_of_an_application_is_carried_in_the_next_night() {
    assert_eq!(ADDED.len() + WIDENED.len() + DROPPED.len() + NEW.len(), 30);
    let trio = Trio::new("structure upgrade");
    practice::create(&mut trio.source(), &Practice::at_scale(0.001)).unwrap();
    let name = |alter: &&str| alter.split(' ').next().unwrap().to_owned();
    let mut tables: Vec<String> = ADDED.iter().map(name).collect();
    tables.extend(["carrierlink", "msgtopic", "apptrule"].map(str::to_owned));
    let include = tables.iter().map(|table| format!("\"{table}\"")).collect::<Vec<_>>().join(", ");
    let etl = Etl::with(&format!("{}\n[run]\ninclude = [{include}]\n", trio.settings_toml()));
    etl.ok(&["run"]);
    trio.sql_target(
        "CREATE SCHEMA mart AUTHORIZATION etl; SET ROLE etl; \
         CREATE VIEW mart.providers AS SELECT \"ProvNum\", \"ProvColor\", \"EcwID\" FROM raw.provider; \
         CREATE VIEW mart.colors AS SELECT \"ProvColor\", count(*) AS n FROM mart.providers GROUP BY 1",
    );
    for alter in ADDED.iter().chain(WIDENED).chain(DROPPED) {
        trio.sql_source(&format!("ALTER TABLE {alter}"));
    }
    NEW.iter().for_each(|create| trio.sql_source(create));
    trio.sql_source(
        "UPDATE preference SET Scope = '{\"site\": 1}'; UPDATE appointment SET ColorOverride = 5000000000;
         INSERT INTO carrierlink VALUES (1, 'https://carrier.example'); INSERT INTO apptrule VALUES (1, 2.5)",
    );
    etl.ok(&["plan"]);
    let report = run(&etl, 0, &["--prove"]);
    assert_eq!(report.len(), tables.len());
    for (table, found) in &report {
        assert_eq!(found["proof"]["verdict"], "equal", "{table}: {found}");
    }
    let count = |sql: &str| trio.target().query_one(sql, &[]).unwrap().get::<_, i64>(0);
    let of_class = |class: &str| {
        count(&format!("SELECT count(*) FROM raw.etl_schema_changes WHERE class = '{class}'"))
    };
    assert_eq!(of_class("column_added"), 20);
    assert_eq!(of_class("built_anew"), 5);
    // The dropped columns stay, and need no value any more.
    assert_eq!(of_class("column_kept"), 2);
    let kept = "SELECT count(*) FROM information_schema.columns WHERE column_name IN ('TrophyFolder', 'EcwID')";
    assert_eq!(count(kept), 3, "two tables and a view");
    assert_eq!(
        count("SELECT count(*) FROM raw.appointment WHERE \"ColorOverride\" <> 5000000000"),
        0
    );
    assert!(count("SELECT count(*) FROM mart.colors") > 0);
    assert_eq!(etl.ok(&["schema", "--diff"]).stdout, "-- nothing to change\n");
}
