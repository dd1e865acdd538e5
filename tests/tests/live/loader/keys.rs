//! Rows brought into line by their keys.

use super::{Bench, Error, LoadJob, LoadMode, LoadOutcome, chain, changes};
use handoff_model::RowFilter;
use handoff_rows::{KeyList, Locking};

impl Bench {
    fn try_keys(&self, keys: &[Vec<&[u8]>]) -> Result<LoadOutcome, Error> {
        let (schema, mapping) = self.describe("t");
        let target = self.target("t");
        let mut list = KeyList::new(&mapping).unwrap();
        for key in keys {
            list.push(key).unwrap();
        }
        let job = LoadJob {
            table: &schema,
            mapping: &mapping,
            filter: &RowFilter::All,
            mode: LoadMode::Full,
            copy_id: None,
            locking: Locking::Free,
            target: target.as_ref(),
        };
        self.loader().load_keys(&job, &list, &self.seal)
    }

    /// Brings rows into line; inserted, updated, deleted.
    #[track_caller]
    fn keys(&self, keys: &[Vec<&[u8]>]) -> (u64, u64, u64) {
        let outcome = self.try_keys(keys).unwrap_or_else(|error| panic!("{}", chain(&error)));
        let sealed = self.seal.last();
        assert_eq!((sealed.inserted, sealed.updated, sealed.deleted), changes(&outcome));
        changes(&outcome)
    }

    #[track_caller]
    fn ids(&self, ids: &[i32]) -> (u64, u64, u64) {
        let ids: Vec<_> = ids.iter().map(|id| id.to_be_bytes()).collect();
        self.keys(&ids.iter().map(|id| vec![&id[..]]).collect::<Vec<_>>())
    }
}

#[test]
fn exactly_the_rows_of_the_keys_are_moved() {
    let bench = Bench::new("loader keys");
    for unique in ["", ", UNIQUE KEY (u)"] {
        bench.mysql(&format!(
            "DROP TABLE IF EXISTS t; CREATE TABLE t (id INT PRIMARY KEY, a INT, u INT{unique});
             INSERT INTO t SELECT seq, 0, seq FROM seq_1_to_3000"
        ));
        bench.pg("DROP TABLE IF EXISTS raw.t");
        let error = bench.try_keys(&[]).unwrap_err();
        assert!(matches!(error, Error::NothingThere { .. }), "{error}");
        bench.load("t").unwrap();
        if !unique.is_empty() {
            bench.pg("CREATE UNIQUE INDEX ON raw.t (u)");
        }
        bench.mysql(
            "DELETE FROM t WHERE id IN (1, 2, 3000); UPDATE t SET a = 1 WHERE id IN (3, 4, 2999);
             INSERT INTO t VALUES (-1, 0, -1), (4000, 0, 1)",
        );
        let all = [1, 3000, 3, 2999, -1, 5, 6000, 3];
        assert_eq!(bench.ids(&all), (1, 2, 2), "{unique}");
        assert_eq!(bench.ids(&all), (0, 0, 0), "{unique}");
        assert_eq!(bench.ids(&[]), (0, 0, 0), "{unique}");
        let rows = bench.ask(
            "SELECT string_agg(id || ' ' || a, ', ' ORDER BY id) FROM raw.t WHERE id < 6 OR id > 2998",
        );
        assert_eq!(rows, "-1 0, 2 0, 3 1, 4 0, 5 0, 2999 1", "{unique}");
        // Nothing but rows that are gone.
        assert_eq!(bench.ids(&[2]), (0, 0, 1), "{unique}");
        assert_eq!(bench.ids(&[4, 4000]), (1, 1, 0), "{unique}");
        assert_eq!(bench.load("t").unwrap().sum, bench.sum("t"));
        bench.mysql(
            "UPDATE t SET u = -10000 - u WHERE id > 0; UPDATE t SET u = 13001 + u WHERE id > 0;
             DELETE FROM t WHERE id % 3 = 0",
        );
        bench.ids(&(-5..15_000).collect::<Vec<_>>());
        let sum = bench.sum("t");
        let again = bench.load("t").unwrap();
        assert_eq!((changes(&again), again.sum), ((0, 0, 0), sum), "{unique}");
        assert_eq!(bench.loader().leftovers().unwrap(), Vec::<String>::new());
    }
}

#[test]
fn two_spellings_of_a_key_bring_one_row() {
    let bench = Bench::new("loader keys texts");
    bench.mysql(
        "SET NAMES utf8mb4; CREATE TABLE t (a VARCHAR(20) CHARACTER SET latin1 PRIMARY KEY, b INT);
         INSERT INTO t VALUES ('Änne', 1), ('b', 1), ('gone', 1)",
    );
    bench.load("t").unwrap();
    bench.mysql("SET NAMES utf8mb4; UPDATE t SET a = 'änne', b = 2 WHERE b = 1 AND a = 'ÄNNE'; DELETE FROM t WHERE a = 'gone'");
    // The two spellings are looked up by different statements.
    let fillers: Vec<String> = (0..1_000).map(|number| format!("none {number}")).collect();
    let mut keys = vec![vec!["Änne".as_bytes()]];
    keys.extend(fillers.iter().map(|filler| vec![filler.as_bytes()]));
    keys.extend([vec!["änne".as_bytes()], vec![b"gone"], vec!["日本".as_bytes()]]);
    assert_eq!(bench.keys(&keys), (1, 0, 2));
    assert_eq!(bench.ask("SELECT string_agg(a || b, ' ' ORDER BY a) FROM raw.t"), "b1 änne2");
}

#[test]
fn a_role_without_temporary_tables_will_do() {
    let bench = Bench::new("loader keys no temporary");
    bench.mysql("CREATE TABLE t (id INT PRIMARY KEY); INSERT INTO t VALUES (1), (2)");
    bench.load("t").unwrap();
    bench.mysql("DELETE FROM t WHERE id = 1; INSERT INTO t VALUES (3)");
    let name = bench.trio.target_name();
    bench.trio.sql_target(&format!("REVOKE TEMPORARY ON DATABASE \"{name}\" FROM PUBLIC, etl"));
    assert_eq!(bench.ids(&[1, 3]), (1, 0, 1));
    assert_eq!(
        bench.ask("SELECT count(*)::text FROM pg_class WHERE relname LIKE '\\_\\_handoff%'"),
        "0"
    );
}
