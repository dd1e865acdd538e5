//! What goes wrong, and what is left then.

use super::{NoSeal, Pair};
use handoff_model::{CancelToken, CopyId, NopObserver, Observer, RunEvent, TableName};
use handoff_replicator::{Error, PublishMode};
use handoff_testbed::{Bed, MariaDb, ServerOptions, Trio};
use mysql::prelude::Queryable;
use std::sync::{Arc, Mutex};

/// Runs an action once rows have moved.
struct OnProgress(Box<dyn Fn() + Send + Sync>);

impl Observer for OnProgress {
    fn event(&self, event: &RunEvent) {
        if matches!(event, RunEvent::Progress { .. }) {
            (self.0)();
        }
    }
}

const MANY: &str = "CREATE TABLE many (a INT PRIMARY KEY, b VARCHAR(300)) ENGINE={ENGINE};
    INSERT INTO many SELECT seq, REPEAT('x', 250) FROM seq_1_to_400000";

#[test]
fn a_source_killed_in_the_middle_leaves_the_old_table() {
    for engine in ["InnoDB", "MyISAM"] {
        let (bed, server) = (Bed::shared(), MariaDb::start(&ServerOptions::default()).unwrap());
        let trio = Trio::on("replicator killed", server.endpoint(), bed.replica(), bed.target());
        trio.sql_source(&MANY.replace("{ENGINE}", engine));
        old_table(&trio);
        let server = Arc::new(server);
        let killed = Arc::clone(&server);
        let observer = Arc::new(OnProgress(Box::new(move || killed.kill9())));
        let pair = Pair::of(trio, CancelToken::new(), observer);
        let error = pair.copy("many").unwrap_err();
        assert!(error.is_transient(), "{engine}: {}", super::chain(&error));
        check_old_table(&pair);
    }
}

#[test]
fn a_cancelled_copy_leaves_the_old_table() {
    for engine in ["InnoDB", "MyISAM"] {
        let trio = Trio::new("replicator cancelled");
        trio.sql_source(&MANY.replace("{ENGINE}", engine));
        old_table(&trio);
        let cancel = CancelToken::new();
        let asked = cancel.clone();
        let observer = Arc::new(OnProgress(Box::new(move || asked.cancel())));
        let pair = Pair::of(trio, cancel, observer);
        let error = pair.copy("many").unwrap_err();
        assert!(error.is_cancelled() && !error.is_transient(), "{}", super::chain(&error));
        check_old_table(&pair);
    }
}

fn old_table(trio: &Trio) {
    trio.sql_replica("CREATE TABLE many (a INT PRIMARY KEY); INSERT INTO many VALUES (42)");
}

#[track_caller]
fn check_old_table(pair: &Pair) {
    let rows: Vec<u32> = pair.trio.replica().query("SELECT a FROM many").unwrap();
    assert_eq!(rows, [42]);
    assert_eq!(pair.replicator.leftovers().unwrap(), []);
}

#[test]
fn a_duplicate_or_a_changed_value_fails_the_table() {
    let pair = Pair::new("replicator refused rows");
    pair.trio.sql_source(
        "CREATE TABLE t (a INT, b VARCHAR(20)) ENGINE=MyISAM; INSERT INTO t VALUES (1, 'abcdef'), (1, 'b')",
    );
    pair.check("t");
    // The shadow is made unlike the source between the two steps.
    for (change, expected) in [
        ("ADD UNIQUE KEY (a)", "2 rows of `t` were sent and 1 arrived: the replica refused some"),
        (
            "MODIFY b VARCHAR(3)",
            "the replica changed values of `t` (1 warnings): its rows are not the source's",
        ),
    ] {
        let copy_id = CopyId::new();
        let error = pair
            .copy_as(copy_id, "t", |opened| {
                pair.trio.sql_replica(&format!("ALTER TABLE __handoff_new_{copy_id} {change}"));
                opened.finish(&NoSeal)
            })
            .unwrap_err();
        assert_eq!(error.to_string(), expected);
        pair.check_equal("t");
    }
}

#[test]
fn a_replica_that_takes_no_rows_is_told_of() {
    let (bed, server) = (Bed::shared(), MariaDb::start(&ServerOptions::default()).unwrap());
    let trio = Trio::on("replicator stalled", bed.source(), server.endpoint(), bed.target());
    trio.sql_source(&MANY.replace("{ENGINE}", "MyISAM"));
    let told = Arc::new(Mutex::new(Some(server.admin().unwrap())));
    let pair = Pair::of(trio, CancelToken::new(), Arc::new(Unlocks(Arc::clone(&told))));
    pair.copy_with("many", |opened| {
        let mut holder = told.lock().unwrap();
        holder.as_mut().unwrap().query_drop("FLUSH TABLES WITH READ LOCK").unwrap();
        drop(holder);
        opened.finish(&NoSeal)
    })
    .unwrap();
    assert!(told.lock().unwrap().is_none(), "told, and so unlocked");
    pair.check_sums("many");
}

/// Ends the session that holds a lock once it is told that the replica takes no rows.
struct Unlocks(Arc<Mutex<Option<mysql::Conn>>>);

impl Observer for Unlocks {
    fn event(&self, event: &RunEvent) {
        if let RunEvent::Notice { table: Some(table), text } = event {
            assert!(text.starts_with("the replica has taken no row of `many` for"), "{text}");
            assert_eq!(table.as_str(), "many");
            self.0.lock().unwrap().take();
        }
    }
}

#[test]
fn a_row_that_fits_no_packet_is_named_with_the_remedy() {
    let bed = Bed::shared();
    let options = ServerOptions {
        arguments: vec!["--max-allowed-packet=1M".to_owned()],
        ..ServerOptions::default()
    };
    let server = MariaDb::start(&options).unwrap();
    let trio = Trio::on("replicator packet", bed.source(), server.endpoint(), bed.target());
    let pair = Pair::of(trio, CancelToken::new(), Arc::new(NopObserver));
    pair.trio.sql_source(
        "CREATE TABLE t (a INT PRIMARY KEY, b LONGTEXT) ENGINE=MyISAM;
         INSERT INTO t VALUES (1, 'x'), (2, REPEAT('x', 3000000))",
    );
    let error = pair.copy("t").unwrap_err();
    assert_eq!(
        error.to_string(),
        "row 2 of `t` does not fit into the max_allowed_packet of the replica (1048576 bytes): run \
         there SET GLOBAL max_allowed_packet = 4194304, and set it in the server's configuration"
    );
    assert_eq!(pair.replicator.leftovers().unwrap(), []);
}

/// What may happen to a column between its description and its copy without a new name.
const ALTERATIONS: [&str; 5] = [
    "ADD z INT",
    "MODIFY b TEXT CHARACTER SET utf8mb4",
    "MODIFY b TEXT CHARACTER SET latin1 COLLATE latin1_bin",
    "MODIFY c DATETIME(3)",
    "CONVERT TO CHARACTER SET utf8mb4",
];

const ALTERED: &str = "CREATE OR REPLACE TABLE t (a INT PRIMARY KEY, b TEXT, c DATETIME) \
     ENGINE=InnoDB DEFAULT CHARSET=latin1; INSERT INTO t VALUES (1, 'é', '2024-02-29 01:02:03')";

#[test]
fn a_structure_that_is_not_the_described_one_is_refused() {
    let pair = Pair::new("replicator altered");
    for alteration in ALTERATIONS {
        pair.trio.sql_source(ALTERED);
        let described = pair.describe(handoff_connect::Side::Source, "t").unwrap();
        pair.trio.sql_source(&format!("ALTER TABLE t {alteration}"));
        let error = pair
            .replicator
            .open(handoff_replicator::CopyJob {
                table: &described,
                copy_id: CopyId::new(),
                replica_table: None,
                filter: &handoff_model::RowFilter::All,
                canonical: None,
            })
            .err()
            .unwrap_or_else(|| panic!("{alteration}"));
        assert!(matches!(error, Error::Changed { .. }), "{alteration}: {error}");
        assert!(error.to_string().ends_with("run the table again"), "{error}");
        assert_eq!(pair.replicator.leftovers().unwrap(), []);
    }
}

#[test]
fn a_structure_that_changes_before_the_rows_are_read_is_refused() {
    let pair = Pair::new("replicator altered later");
    // The first copy is by a swap; the later ones are in a transaction.
    for (again, alteration) in
        ALTERATIONS[1..].iter().flat_map(|alteration| [(false, alteration), (true, alteration)])
    {
        pair.trio.sql_source(ALTERED);
        pair.trio.sql_replica("DROP TABLE IF EXISTS t");
        if again {
            pair.check("t");
        }
        let error = pair
            .copy_with("t", |opened| {
                assert_eq!(opened.mode() == PublishMode::InTransaction, again);
                pair.trio.sql_source(&format!("ALTER TABLE t {alteration}"));
                opened.finish(&NoSeal)
            })
            .unwrap_err();
        assert!(matches!(error, Error::Changed { .. }), "{alteration}: {error}");
        assert_eq!(pair.replicator.leftovers().unwrap(), []);
        let there = pair.describe(handoff_connect::Side::Replica, "t");
        assert_eq!(there.is_some(), again, "{alteration}");
        if again {
            let rows: Vec<String> = pair.trio.replica().query("SELECT b FROM t").unwrap();
            assert_eq!(rows, ["é"], "{alteration}");
        }
    }
}

#[test]
fn a_table_put_aside_gets_its_name_back_unless_another_came() {
    let pair = Pair::new("replicator restore");
    let (name, copy_id) = (TableName::new("t").unwrap(), CopyId::new());
    let asides = || pair.replicator.leftovers().unwrap().len();
    pair.trio.sql_replica(&format!("CREATE TABLE __handoff_old_{copy_id} (a INT)"));
    pair.replicator.restore_old(&name, copy_id).unwrap();
    assert_eq!((pair.replicator.has(&name).unwrap(), asides()), (true, 0));
    pair.replicator.restore_old(&name, copy_id).unwrap();

    pair.trio.sql_replica(&format!("CREATE TABLE __handoff_old_{copy_id} (b INT)"));
    pair.replicator.restore_old(&name, copy_id).unwrap();
    assert_eq!(asides(), 1);
    pair.trio.sql_replica("SELECT a FROM t");
}

#[test]
fn a_table_of_somebody_else_is_left_alone() {
    let pair = Pair::new("replicator unknown table");
    pair.trio.sql_source("CREATE TABLE t (a INT); INSERT INTO t VALUES (1)");
    let described = pair.describe(handoff_connect::Side::Source, "t").unwrap();
    pair.trio.sql_replica("CREATE TABLE t (mine INT)");
    let job = handoff_replicator::CopyJob {
        table: &described,
        copy_id: CopyId::new(),
        replica_table: None,
        filter: &handoff_model::RowFilter::All,
        canonical: None,
    };
    let error = pair.replicator.open(job).unwrap().finish(&NoSeal).unwrap_err();
    assert_eq!(error.to_string(), "cannot swap in the copy of `t` (after 1 rows)");
    pair.trio.sql_replica("SELECT mine FROM t");
    assert_eq!(pair.replicator.leftovers().unwrap(), []);
}
