//! `etl init`: reads a source, and writes settings that load.

mod command;

use crate::check::Own;
use handoff_model::Extraction;
use handoff_pipeline::{InitReport, LookAt, TableProposal, TableSize, WrittenAs, init};
use handoff_settings::{MySqlServer, RunSettings};
use handoff_testbed::practice::{self, Practice};
use handoff_testbed::{Bed, MariaDb, MySql9, ServerOptions, Trio};
use mysql::prelude::Queryable;

/// A schema with one table for each kind of evidence.
const BY_HAND: &str = "
    CREATE TABLE nothing (id INT PRIMARY KEY, flag TINYINT(1));
    CREATE TABLE setting (id INT PRIMARY KEY, code TINYINT, flag TINYINT(1), at TIME, span TIME,
        u BINARY(16), hash BINARY(16), big BIGINT UNSIGNED, huge BIGINT UNSIGNED);
    INSERT INTO setting VALUES
        (1, 0, 0, '00:00:00', '30:00:00', UNHEX('0190a1b2c3d47e5f8a9b0c1d2e3f4051'),
            UNHEX('d41d8cd98f00b204e9800998ecf8427e'), 7, 18446744073709551615),
        (2, 1, 1, '23:59:59', '-01:00:00', UNHEX('0190a1b2c3d47e5f9a9b0c1d2e3f4051'),
            UNHEX('00112233445500778899aabbccddeeff'), 9223372036854775807, 1),
        (3, 1, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
    CREATE TABLE numbers (n INT PRIMARY KEY);
    INSERT INTO numbers VALUES (0),(1),(2),(3),(4),(5),(6),(7),(8),(9);
    CREATE TABLE tracked (id BIGINT PRIMARY KEY, code TINYINT, flag TINYINT, at TIME,
        moved TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP ON UPDATE CURRENT_TIMESTAMP,
        KEY (moved)) ENGINE=MyISAM;
    INSERT INTO tracked SELECT 7 * (a.n + 10 * b.n + 100 * c.n + 1000 * d.n + 10000 * e.n) - 9,
        IF(a.n = 9 AND b.n = 9 AND c.n = 9 AND d.n = 9, 2, a.n % 2), b.n % 2, SEC_TO_TIME(a.n),
        IF(a.n + b.n + c.n = 0, NOW(), '2020-01-01')
        FROM numbers a, numbers b, numbers c, numbers d, numbers e WHERE e.n < 7;
    CREATE TABLE churning LIKE tracked;
    INSERT INTO churning SELECT id, code, flag, at, NOW() FROM tracked WHERE id < 100000;
    CREATE TABLE edited (id INT PRIMARY KEY, edited_at DATETIME, body TEXT) ENGINE=InnoDB;
    INSERT INTO edited SELECT id + 9, NULL, REPEAT('PLANTED', 50) FROM tracked WHERE id < 100000;
    CREATE TABLE keyless (a INT, moved TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP
        ON UPDATE CURRENT_TIMESTAMP) ENGINE=MyISAM;
    INSERT INTO keyless SELECT id, '2020-01-01' FROM tracked WHERE id < 100000;
    CREATE TABLE setting_old LIKE setting;
    CREATE TABLE `odd.name \"x\"` (`a b` TINYINT(1), PRIMARY KEY (`a b`));
    INSERT INTO `odd.name \"x\"` VALUES (0), (1);
    CREATE TABLE etl_runs (id INT PRIMARY KEY);
    CREATE VIEW shown AS SELECT 1 AS a;
    ANALYZE TABLE setting, edited, `odd.name \"x\"`";

fn propose(trio: &Trio, at: LookAt) -> InitReport {
    let source = MySqlServer::from_url(&trio.source_url()).unwrap();
    init(&source, &RunSettings::default(), at).unwrap()
}

#[track_caller]
fn of<'r>(report: &'r InitReport, table: &str) -> &'r TableProposal {
    report.tables.iter().find(|found| found.table.as_str() == table).unwrap()
}

/// Returns the narrower types of a table as `column type`.
fn types(table: &TableProposal) -> Vec<String> {
    table.columns.iter().map(|column| format!("{} {}", column.column, column.to)).collect()
}

#[track_caller]
fn extraction(report: &InitReport, table: &str, expected: (Extraction, WrittenAs), why: &str) {
    let proposal = of(report, table).extraction.as_ref().unwrap();
    assert_eq!((proposal.extraction, proposal.written), expected, "{proposal:?}");
    assert!(proposal.why.iter().any(|said| said == why), "{why:?} is missing in {proposal:?}");
}

fn by_hand(trio: &Trio) {
    use Extraction::{Auto, FullTable, Incremental};
    use WrittenAs::{Commented, InForce};
    trio.sql_source(BY_HAND);
    let report = propose(trio, LookAt::Rows);

    assert_eq!(of(&report, "nothing").size, TableSize::Empty);
    assert_eq!(of(&report, "nothing").columns, []);
    let setting = of(&report, "setting");
    assert_eq!((setting.size, setting.rows_looked_at), (TableSize::Small, 3));
    assert_eq!(types(setting), ["flag boolean", "u uuid", "big bigint"]);
    assert_eq!(setting.columns[0].why, "only 0 and 1, checked all 3 rows");
    let odd = of(&report, "odd.name \"x\"");
    assert_eq!(types(odd), ["a b boolean"]);

    extraction(&report, "tracked", (Incremental, InForce), "An index finds the changed rows.");
    let lately = "70 of 70,000 rows changed in the last 30 days (0.1 %).";
    extraction(&report, "tracked", (Incremental, InForce), lately);
    let tracked = of(&report, "tracked");
    // Of 70,000 rows a third of 50,000 is looked at in three places; the 2 in `code` is in each.
    assert_eq!(tracked.rows_looked_at, 49_998);
    assert_eq!(types(tracked), ["flag boolean", "at time"]);
    let why = "only 0 and 1, checked 49,998 of 70,000 rows";
    assert_eq!(tracked.columns[0].why, why);
    let why = "So many rows change that copying in full may be as good.";
    extraction(&report, "churning", (Incremental, Commented), why);
    let edited = of(&report, "edited").extraction.as_ref().unwrap();
    assert_eq!((edited.extraction, edited.written), (Auto, InForce));
    assert!(edited.why[1].contains("The application may set `edited_at`"), "{edited:?}");
    let why = "Copied in full: it has no key that identifies its rows.";
    extraction(&report, "keyless", (FullTable, InForce), why);

    let strays: Vec<&str> = report.exclude.iter().map(|found| found.table.as_str()).collect();
    assert_eq!(strays, ["setting_old"]);
    assert_eq!(report.unfit.len(), 1);
    assert!(report.unfit[0].why.contains("`etl_runs` cannot be moved"), "{:?}", report.unfit);
    assert_eq!((&*report.not_carried[0].name, &*report.not_carried[0].kind), ("shown", "VIEW"));

    let quick = propose(trio, LookAt::Catalogue);
    assert!(quick.tables.iter().all(|table| table.rows_looked_at == 0 && table.columns.is_empty()));
    extraction(&quick, "tracked", (Incremental, InForce), "An index finds the changed rows.");
}

#[test]
fn each_kind_of_evidence_leads_to_its_proposal() {
    by_hand(&Trio::new("init by hand"));
}

#[test]
fn mysql_9_shows_the_same_evidence() {
    let server = match MySql9::start(&ServerOptions::default()) {
        Ok(server) => server,
        Err(error) if error.is_missing() => {
            eprintln!("not run: {error}");
            return;
        }
        Err(error) => panic!("{}", error.chain()),
    };
    let target = Bed::shared().target();
    by_hand(&Trio::on("init mysql 9", server.endpoint(), server.endpoint(), target));
}

#[test]
fn a_table_that_cannot_be_read_is_told_and_the_others_are_looked_at() {
    let trio = Trio::new("init refused");
    trio.sql_source(
        "CREATE TABLE a (id INT PRIMARY KEY, flag TINYINT(1)) ENGINE=MyISAM; \
         CREATE TABLE b LIKE a; CREATE TABLE c LIKE a; \
         INSERT INTO a VALUES (1, 0); INSERT INTO b VALUES (1, 0); INSERT INTO c VALUES (1, 0)",
    );
    let database = trio.source_name();
    let own = Own::new(trio.source_server(), "init_reader", "i1");
    for rights in ["SELECT ON `{}`.a", "SELECT (id) ON `{}`.b", "SELECT ON `{}`.c"] {
        own.run(&format!("GRANT {} TO 'init_reader'@'%'", rights.replace("{}", &database)));
    }
    let mut other = trio.source();
    other.query_drop("LOCK TABLES a WRITE").unwrap();
    let source = MySqlServer::from_url(&own.url(&database)).unwrap();
    let report = init(&source, &RunSettings::default(), LookAt::Rows).unwrap();

    let fault = of(&report, "a").fault.as_ref().unwrap();
    assert!(fault.contains("max_statement_time"), "{fault}");
    assert_eq!((of(&report, "a").rows_looked_at, types(of(&report, "a")).len()), (0, 0));
    assert_eq!(types(of(&report, "c")), ["flag boolean"]);
    let [unfit] = report.unfit.as_slice() else { panic!("{:?}", report.unfit) };
    assert_eq!(
        (unfit.table.as_str(), &*unfit.why),
        (
            "b",
            &*format!(
                "this account may not read all of it: GRANT SELECT ON `{database}`.`b` TO \
                 `init_reader`@`%`"
            )
        )
    );
}

/// A source is somebody's live database: what is asked of it is counted by a server of its own.
#[test]
fn a_source_is_asked_a_handful_of_statements_a_table() {
    let server = MariaDb::start(&ServerOptions::default()).unwrap();
    let trio =
        Trio::on("init polite", server.endpoint(), server.endpoint(), Bed::shared().target());
    practice::create(&mut trio.source(), &Practice { scale: 0.03, seed: 1 }).unwrap();
    let mut admin = server.admin().unwrap();
    let mut asked = |at| {
        let mut questions = || {
            let counter = "SHOW GLOBAL STATUS LIKE 'Questions'";
            admin.query_first::<(String, u64), _>(counter).unwrap().unwrap().1
        };
        let before = questions();
        let report = propose(&trio, at);
        (questions() - before, report)
    };
    let (quick, report) = asked(LookAt::Catalogue);
    assert!(quick <= 15, "{quick} statements for the catalogue");
    let of = |size| report.of_size(size).count() as u64;
    let (small, large) = (of(TableSize::Small), of(TableSize::Large));
    assert!(small > 200 && large > 3, "{small} small and {large} large tables");
    let (rows, report) = asked(LookAt::Rows);
    // Of the bound statements of a sample each is prepared, run and closed.
    let most = quick + 1 + small + 12 * large;
    assert!(rows <= most, "{rows} statements, at most {most}");
    let most = report.tables.iter().map(|table| table.rows_looked_at).max();
    assert!(most <= Some(50_000), "{most:?}");
}
