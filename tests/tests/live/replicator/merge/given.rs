//! Rows brought into line by their keys.

use super::{ENGINES, Pair, chain};
use crate::replicator::{NoSeal, pool};
use handoff_connect::{MyPool, PoolOptions, Side};
use handoff_model::{CancelToken, CopyId, MoveFigures, NopObserver, RowFilter};
use handoff_replicator::{CopyJob, CopyOutcome, Error, PublishMode, Replicator, Result};
use handoff_rows::KeyList;
use handoff_schema::TableMapping;
use handoff_settings::{MySqlServer, TableSettings, ValuePolicies};
use handoff_testbed::{Account, Trio};
use std::sync::Arc;

impl Pair {
    fn try_keys(&self, keys: &[Vec<&[u8]>]) -> Result<CopyOutcome> {
        let source = self.describe(Side::Source, "t").unwrap();
        let replica = self.describe(Side::Replica, "t");
        let mapping =
            TableMapping::new(&source, &TableSettings::default(), &ValuePolicies::default());
        let mut list = KeyList::new(&mapping.unwrap()).unwrap();
        for key in keys {
            list.push(key).unwrap();
        }
        let job = CopyJob {
            table: &source,
            copy_id: CopyId::new(),
            replica_table: replica.as_ref(),
            filter: &RowFilter::All,
            canonical: None,
        };
        let opened = self.replicator.open_keys(job, &list)?;
        assert_eq!(opened.mode(), PublishMode::Merge);
        opened.finish(&NoSeal)
    }

    /// Brings rows into line; inserted, updated, deleted, unchanged.
    #[track_caller]
    fn keys(&self, keys: &[Vec<&[u8]>]) -> (u64, u64, u64, u64) {
        let done = self.try_keys(keys).unwrap_or_else(|error| panic!("{}", chain(&error)));
        let MoveFigures { rows, inserted, updated, deleted, .. } = done.figures;
        assert_eq!(rows, inserted + updated + done.unchanged);
        (inserted, updated, deleted, done.unchanged)
    }

    #[track_caller]
    fn ids(&self, ids: &[i32]) -> (u64, u64, u64, u64) {
        let ids: Vec<_> = ids.iter().map(|id| id.to_be_bytes()).collect();
        self.keys(&ids.iter().map(|id| vec![&id[..]]).collect::<Vec<_>>())
    }
}

#[test]
fn exactly_the_rows_of_the_keys_are_moved() {
    let pair = Pair::new("replicator keys");
    for engine in ENGINES {
        pair.start(&format!(
            "CREATE TABLE t (id INT PRIMARY KEY, a INT) ENGINE={engine};
             INSERT INTO t SELECT seq, 0 FROM seq_1_to_3000"
        ));
        pair.trio.sql_source(
            "DELETE FROM t WHERE id IN (1, 2, 3000); UPDATE t SET a = 1 WHERE id IN (3, 4, 2999);
             INSERT INTO t VALUES (-1, 0), (4000, 0)",
        );
        // 5 is as it was, 6000 is nowhere, one key comes twice.
        let all = [1, 3000, 3, 2999, -1, 5, 6000, 3];
        assert_eq!(pair.ids(&all), (1, 2, 2, 1), "{engine}");
        assert_eq!(pair.ids(&all), (0, 0, 0, 4), "{engine}");
        assert_eq!(pair.ids(&[]), (0, 0, 0, 0), "{engine}");
        let rows: Vec<(i32, i32)> = mysql::prelude::Queryable::query(
            &mut pair.trio.replica(),
            "SELECT id, a FROM t WHERE id < 6 OR id > 2998 ORDER BY id",
        )
        .unwrap();
        assert_eq!(rows, [(-1, 0), (2, 0), (3, 1), (4, 0), (5, 0), (2999, 1)], "{engine}");
        // Only those that are left.
        assert_eq!(pair.ids(&[2, 4, 4000]), (1, 1, 1, 0), "{engine}");
        pair.check_sums("t");
        // More than a statement takes, and than there is in the source.
        pair.trio
            .sql_replica("UPDATE t SET a = 7 WHERE id % 2 = 0; DELETE FROM t WHERE id % 3 = 0");
        let every: Vec<i32> = (-5..5_000).collect();
        pair.ids(&every);
        pair.check_sums("t");
    }
}

#[test]
fn unique_values_swap_and_come_from_rows_that_are_gone() {
    let pair = Pair::new("replicator keys swap");
    for engine in ENGINES {
        pair.start(&format!(
            "CREATE TABLE t (id INT PRIMARY KEY, u INT, UNIQUE KEY uni (u)) ENGINE={engine};
             INSERT INTO t VALUES (1, 10), (2, 20), (3, 30), (4, 40)"
        ));
        pair.trio.sql_source(
            "UPDATE t SET u = -u; DELETE FROM t WHERE id = 4; UPDATE t SET u = 20 WHERE id = 1;
             UPDATE t SET u = 10 WHERE id = 2; UPDATE t SET u = 40 WHERE id = 3;
             INSERT INTO t VALUES (5, 30)",
        );
        assert_eq!(pair.ids(&[5, 4, 3, 2, 1]), (1, 3, 1, 0), "{engine}");
        pair.check_sums("t");
    }
    // A row that is not among the keys has the value.
    pair.start(
        "CREATE TABLE t (id INT PRIMARY KEY, u INT, UNIQUE KEY uni (u));
         INSERT INTO t VALUES (1, 10), (2, 20)",
    );
    pair.trio.sql_source("DELETE FROM t WHERE id = 2; UPDATE t SET u = 20");
    let id = 1_i32.to_be_bytes();
    let error = pair.try_keys(&[vec![&id]]).unwrap_err();
    assert!(error.is_merge_conflict(), "{error}");
    assert_eq!(pair.ids(&[1, 2]), (0, 1, 1, 0));
    pair.check_sums("t");
}

#[test]
fn keys_that_the_server_calls_equal_are_one() {
    let pair = Pair::new("replicator keys texts");
    for engine in ENGINES {
        pair.start(&format!(
            "CREATE TABLE t (a VARCHAR(20) CHARACTER SET latin1, b DATETIME(3), c DECIMAL(9,3), v INT,
                 PRIMARY KEY (c, a, b)) ENGINE={engine};
             SET NAMES utf8mb4;
             INSERT INTO t VALUES ('Änne', '2024-01-01 00:00:00.5', -1.5, 1),
                 ('Öde', '2024-01-01', 2, 1), ('gone', '2024-01-01', 3, 1)"
        ));
        pair.trio.sql_source(
            "SET NAMES utf8mb4; UPDATE t SET a = 'änne', v = 2 WHERE c = -1.5; DELETE FROM t WHERE c = 3",
        );
        let numeric = |parts: &[i16]| -> Vec<u8> {
            parts.iter().flat_map(|part| part.to_be_bytes()).collect()
        };
        let (minus, three) = (numeric(&[2, 0, 0x4000, 3, 1, 5000]), numeric(&[1, 0, 0, 3, 3]));
        let day = (366 * 6 + 365 * 18) as i64 * 86_400_000_000;
        let (half, day) = ((day + 500_000).to_be_bytes(), day.to_be_bytes());
        let keys = [
            vec![&minus[..], "Änne".as_bytes(), &half[..]],
            vec![&minus, "änne".as_bytes(), &half],
            vec![&three, b"gone", &day],
            vec![&three, "日本".as_bytes(), &day],
        ];
        // The two spellings are looked up by different statements.
        let fillers: Vec<String> = (0..1_000).map(|number| format!("none {number}")).collect();
        let mut keys = Vec::from(keys);
        keys.splice(1..1, fillers.iter().map(|text| vec![&three[..], text.as_bytes(), &day]));
        assert_eq!(pair.keys(&keys), (0, 1, 1, 0), "{engine}");
        pair.check_sums("t");
    }
}

#[test]
fn without_the_right_to_temporary_tables_ordinary_ones_are_used_and_dropped() {
    let trio = Trio::new("replicator keys no temporary");
    let account = Account { user: "no_temporary_keys".into(), password: "n1".into() };
    let rights = "SELECT, INSERT, UPDATE, DELETE, CREATE, DROP, ALTER, INDEX";
    trio.replica_server().create_account(&account, rights, &trio.replica_name()).unwrap();
    let url = trio.replica_server().url_as(&account, &trio.replica_name());
    let server = MySqlServer::from_url(&url).unwrap();
    let options = PoolOptions { size: 4, ..PoolOptions::default() };
    let replica = MyPool::open(&server, Side::Replica, &options).unwrap();
    let source = pool(&trio, Side::Source);
    let observer = Arc::new(NopObserver);
    let replicator =
        Replicator::new(source.clone(), replica.clone(), CancelToken::new(), observer).unwrap();
    let pair = Pair { trio, source, replica, replicator };
    pair.start("CREATE TABLE t (id INT PRIMARY KEY) ENGINE=MyISAM; INSERT INTO t VALUES (1), (2)");
    pair.trio.sql_source("DELETE FROM t WHERE id = 1; INSERT INTO t VALUES (3)");
    assert_eq!(pair.ids(&[1, 3]), (1, 0, 1, 0));
    pair.check_sums("t");
}

#[test]
fn a_table_of_another_structure_is_refused() {
    let pair = Pair::new("replicator keys refused");
    pair.start("CREATE TABLE t (id INT PRIMARY KEY); INSERT INTO t VALUES (1)");
    pair.trio.sql_source("ALTER TABLE t ADD a INT");
    let id = 1_i32.to_be_bytes();
    let error = pair.try_keys(&[vec![&id]]).unwrap_err();
    assert!(matches!(error, Error::NotMergeable { .. }), "{error}");
}
