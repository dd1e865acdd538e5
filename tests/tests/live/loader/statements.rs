//! The fixed cost of a table, in statements: most tables of a practice are small or empty.

use super::Bench;
use handoff_loader::{CopyCsv, LoadMode, LoadStrategy, StandardLoad, StreamingLoad};
use handoff_model::RowFilter;

#[test]
fn small_tables_cost_few_statements() {
    let bench = Bench::new("load statements");
    bench.mysql("CREATE TABLE t (id INT PRIMARY KEY, n INT)");
    // The first load of a run asks once whether it may make temporary tables.
    check(&bench, "an empty table, first", 6);
    check(&bench, "an empty table, again", 7);
    bench.mysql("INSERT INTO t SELECT seq, 1 FROM seq_1_to_500");
    check(&bench, "filled", 11);
    check(&bench, "unchanged", 7);
    bench.mysql("UPDATE t SET n = 2 WHERE id = 7");
    // Too few for statistics.
    check(&bench, "one row changed", 10);
    // Every strategy of one connection compares before it opens anything.
    let others: [&dyn LoadStrategy; 2] = [&StandardLoad::default(), &CopyCsv::default()];
    for strategy in others {
        check_by(&bench, "t", strategy, "unchanged", 7);
    }
    bench.mysql("CREATE TABLE u (id INT PRIMARY KEY, n INT); INSERT INTO u VALUES (1, 1)");
    check_table(&bench, "u", "one row, first", 8);
}

#[track_caller]
fn check(bench: &Bench, what: &str, expected: i64) {
    check_table(bench, "t", what, expected);
}

#[track_caller]
fn check_table(bench: &Bench, table: &str, what: &str, expected: i64) {
    check_by(bench, table, &StreamingLoad::default(), what, expected);
}

/// Counts the statements of one load, seal, BEGIN and COMMIT included.
#[track_caller]
fn check_by(bench: &Bench, table: &str, by: &dyn LoadStrategy, what: &str, expected: i64) {
    let count = |reset| {
        let mut admin = bench.trio.target_server().admin().unwrap();
        let sql = "SELECT COALESCE(sum(calls), 0)::int8 FROM pg_stat_statements s \
                   JOIN pg_database d ON d.oid = s.dbid WHERE datname = $1::text \
                   AND query NOT LIKE '%our own look%'";
        let calls: i64 = admin.query_one(sql, &[&bench.trio.target_name()]).unwrap().get(0);
        if reset {
            let sql = "SELECT pg_stat_statements_reset(0, oid, 0) FROM pg_database \
                       WHERE datname = $1::text";
            admin.execute(sql, &[&bench.trio.target_name()]).unwrap();
        }
        calls
    };
    let (schema, mapping) = bench.describe(table);
    let target = bench.target(&mapping.pg_table);
    count(true);
    let job = handoff_loader::LoadJob {
        table: &schema,
        mapping: &mapping,
        filter: &RowFilter::All,
        mode: LoadMode::Full,
        copy_id: None,
        locking: handoff_rows::Locking::Free,
        target: target.as_ref(),
    };
    bench.loader().load(&job, by, &bench.seal).unwrap();
    assert_eq!(count(false), expected, "{what} by {}", by.name());
}

/// Batches follow the clock, in sizes that are few, so that few statements are prepared, and none is
/// larger than the memory that rows may be gathered in.
#[test]
fn batches_are_of_few_sizes_and_fit_into_memory() {
    const ROW: i64 = 200;
    const BUFFER: i64 = 20_000;
    let bench = Bench::new("load batches");
    bench.mysql(&format!(
        "CREATE TABLE t (id INT PRIMARY KEY, body TEXT); \
         INSERT INTO t SELECT seq, REPEAT('x', {ROW} + seq % 300) FROM seq_1_to_6000"
    ));
    let standard = StandardLoad { rows: 1000, buffer: usize::try_from(BUFFER).unwrap() };
    let outcome = bench.load_as("t", &standard, LoadMode::Full, &RowFilter::All).unwrap();
    assert_eq!((outcome.figures.rows, outcome.sum), (6000, bench.sum("t")));
    let sql = "SELECT (rows / calls)::int8, calls FROM pg_stat_statements s \
               JOIN pg_database d ON d.oid = s.dbid \
               WHERE datname = $1::text AND query LIKE 'INSERT INTO \"raw\".\"t\"%'";
    let mut admin = bench.trio.target_server().admin().unwrap();
    let statements = admin.query(sql, &[&bench.trio.target_name()]).unwrap();
    let mut sizes: Vec<(i64, i64)> =
        statements.iter().map(|row| (row.get(0), row.get(1))).collect();
    sizes.sort_unstable();
    assert_eq!(sizes.iter().map(|(rows, calls)| rows * calls).sum::<i64>(), 6000, "{sizes:?}");
    let fits = |rows: i64| rows.cast_unsigned().is_power_of_two() && rows <= BUFFER / ROW;
    assert!(sizes.len() > 1 && sizes.iter().all(|&(rows, _)| fits(rows)), "{sizes:?}");
}
