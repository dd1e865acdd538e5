//! The process dies at every named point of both hops, and the next run ends equal.
//!
//! Each point is tried on a practice in small: once in a run that refreshes what earlier runs
//! brought, and, where that run does not come by, in a first run. A point that no run comes by fails
//! the test: it would prove nothing.

use crate::etl::{Etl, arm};
use handoff_connect::FAULT_POINTS;
use handoff_testbed::{Bed, Durability, MariaDb, Postgres, ServerOptions, Trio};
use std::collections::BTreeMap;
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// Every way of hop 1: in place (`few`), swapped (`heap`, `notes`), swapped with its indexes last
/// (`many`, as large as `parallel` wants it), merged (`moved`, `moved_heap`), merged with what is gone
/// (`swept`, `swept_heap`), in slices (`sliced`), compared and merged (`compared`). Every way of hop 2
/// comes with them.
const TABLES: &str = "
    CREATE TABLE few (id INT PRIMARY KEY, code INT UNIQUE, note TEXT) ENGINE=InnoDB;
    INSERT INTO few SELECT seq, seq, MD5(seq) FROM seq_1_to_300;
    CREATE TABLE heap (id INT PRIMARY KEY, note TEXT, KEY (note(20))) ENGINE=MyISAM;
    INSERT INTO heap SELECT seq, REPEAT(MD5(seq), 9) FROM seq_1_to_4000;
    CREATE TABLE notes (note TEXT) ENGINE=Aria;
    INSERT INTO notes SELECT MD5(seq % 50) FROM seq_1_to_400;
    CREATE TABLE many (id INT PRIMARY KEY, note TEXT, KEY (note(20))) ENGINE=InnoDB;
    INSERT INTO many SELECT seq, REPEAT(MD5(seq), 40) FROM seq_1_to_21000;
    CREATE TABLE moved (id INT PRIMARY KEY, code INT UNIQUE, note TEXT, stamp TIMESTAMP(3)
        DEFAULT CURRENT_TIMESTAMP(3) ON UPDATE CURRENT_TIMESTAMP(3), KEY (stamp)) ENGINE=InnoDB;
    INSERT INTO moved (id, code, note, stamp)
        SELECT seq, seq, MD5(seq), '2024-01-01' FROM seq_1_to_2000;
    CREATE TABLE moved_heap LIKE moved;
    ALTER TABLE moved_heap ENGINE=MyISAM;
    INSERT INTO moved_heap SELECT * FROM moved;
    CREATE TABLE swept LIKE moved; INSERT INTO swept SELECT * FROM moved WHERE id <= 600;
    CREATE TABLE swept_heap LIKE moved_heap; INSERT INTO swept_heap SELECT * FROM swept;
    CREATE TABLE sliced LIKE moved; INSERT INTO sliced SELECT * FROM moved WHERE id <= 1500;
    CREATE TABLE compared (id INT PRIMARY KEY, note TEXT) ENGINE=MyISAM;
    INSERT INTO compared SELECT seq, MD5(seq) FROM seq_1_to_2000;
    CREATE TABLE nothing (id INT PRIMARY KEY) ENGINE=InnoDB;
    ANALYZE TABLE many";

/// What happens between two runs: rows come, change with and without a new stamp, swap a unique
/// value, and go.
const CHANGES: &str = "
    UPDATE few SET note = REVERSE(note) WHERE id % 3 = 0; DELETE FROM few WHERE id % 50 = 1;
    UPDATE heap SET note = REVERSE(note) WHERE id % 3 = 0; DELETE FROM heap WHERE id % 50 = 1;
    INSERT INTO notes SELECT MD5(RAND()) FROM seq_1_to_5;
    UPDATE many SET note = REVERSE(note) WHERE id % 3 = 0; DELETE FROM many WHERE id % 50 = 1;
    UPDATE moved SET note = REVERSE(note) WHERE id % 7 = 0;
    UPDATE moved SET code = -1 WHERE id = 3; UPDATE moved SET code = 3 WHERE id = 4;
    UPDATE moved SET code = 4 WHERE id = 3; UPDATE moved SET code = id WHERE id = 3 AND code = id;
    UPDATE moved_heap SET note = REVERSE(note) WHERE id % 7 = 0;
    UPDATE swept SET note = REVERSE(note) WHERE id % 7 = 0; DELETE FROM swept ORDER BY RAND() LIMIT 3;
    INSERT INTO swept (id, code, stamp) SELECT MAX(id) + 1, MAX(code) + 1, '2020-01-01' FROM swept;
    UPDATE swept_heap SET note = REVERSE(note) WHERE id % 7 = 0; DELETE FROM swept_heap ORDER BY RAND() LIMIT 3;
    UPDATE sliced SET note = REVERSE(note), stamp = NOW(3) - INTERVAL id % 40 SECOND WHERE id % 2 = 0;
    DELETE FROM sliced ORDER BY RAND() LIMIT 3;
    UPDATE compared SET note = REVERSE(note) WHERE id % 30 = 0;
    DELETE FROM compared ORDER BY RAND() LIMIT 5;
    INSERT INTO moved_heap (id, code, note) SELECT MAX(id) + 1, MAX(code) + 1, 'new' FROM moved_heap";

const SETTINGS: &str = "
[selection]
chunk_rows = 300
[tables.heap]
loader = \"chunked\"
[tables.many]
loader = \"parallel\"
[tables.notes]
loader = \"copy_csv\"
[tables.moved]
extraction = \"incremental\"
watermark = \"stamp\"
[tables.moved_heap]
extraction = \"incremental\"
watermark = \"stamp\"
[tables.swept]
extraction = \"incremental\"
watermark = \"stamp\"
deletes = \"sweep\"
[tables.swept_heap]
extraction = \"incremental\"
watermark = \"stamp\"
deletes = \"sweep\"
[tables.sliced]
extraction = \"incremental_chunked\"
watermark = \"stamp\"
deletes = \"sweep\"
[tables.compared]
extraction = \"diff\"
";

struct Scene {
    trio: Trio,
    etl: Etl,
}

impl Scene {
    fn new(test: &str) -> Scene {
        Scene::on(Trio::new(test))
    }

    fn on(trio: Trio) -> Scene {
        trio.sql_source(TABLES);
        let etl = Etl::with(&(trio.settings_toml() + SETTINGS));
        Scene { trio, etl }
    }

    /// Runs with a point armed. Returns false if the run did not come by.
    fn dies_at(&self, point: &str) -> bool {
        let mut command = self.etl.command(&["run"]);
        arm(&mut command, point).stdout(Stdio::null()).stderr(Stdio::null());
        let status = command.status().unwrap();
        if status.code() == Some(0) {
            return false;
        }
        assert_eq!(status.signal(), Some(libc::SIGABRT), "{point}: {status}");
        true
    }

    /// Returns what readers see: of each table the number of its rows and their sum.
    fn seen(&self) -> BTreeMap<String, String> {
        let tables = "SELECT table_name::text FROM raw.etl_load_status";
        let mut target = self.trio.target();
        let names = target.query(tables, &[]).unwrap();
        let names = names.iter().map(|row| row.get::<_, String>(0));
        let mut seen = BTreeMap::new();
        for name in names {
            let sum = format!(
                "SELECT count(*) || ':' || coalesce(sum(hashtextextended(t::text, 0)), 0) FROM raw.{name} t"
            );
            seen.insert(name, target.query_one(&sum, &[]).unwrap().get(0));
        }
        seen
    }

    /// The next run ends equal, and nothing of the dead one is left.
    #[track_caller]
    fn recovers(&self, point: &str) {
        let next = self.etl.run(&["run", "--prove"]);
        let proved = next.code == Some(0) && next.stdout.contains("source = replica = raw");
        assert!(proved, "after {point}\n{}\n{}", next.stdout, next.stderr);
        let (replica, target) = (self.trio.replica_name(), self.trio.target_name());
        let query = "SELECT COUNT(*) FROM information_schema.tables \
                     WHERE table_schema = ? AND table_name LIKE '\\_\\_handoff%'";
        let mut conn = self.trio.replica();
        let left = mysql::prelude::Queryable::exec_first(&mut conn, query, (&replica,)).unwrap();
        assert_eq!(left, Some(0), "after {point} a table of ours is left in {replica}");
        let query = "SELECT count(*) FROM pg_class WHERE relname LIKE '\\_\\_handoff%'";
        let left: i64 = self.trio.target().query_one(query, &[]).unwrap().get(0);
        assert_eq!(left, 0, "after {point} a table of ours is left in {target}");
    }
}

#[test]
fn at_every_fault_point_the_next_run_ends_equal() {
    let scene = Scene::new("faultpoints");
    let first = scene.etl.ok(&["run", "--prove"]).stdout;
    assert!(!first.contains("not in parallel"), "`many` is too small now\n{first}");
    let mut died = BTreeMap::new();
    // The steps of changes of structure and of objects have tests of their own (`structure/killed.rs`,
    // `objects/killed.rs`).
    let is_of_rows =
        |point: &str| !["structure.", "objects."].iter().any(|own| point.starts_with(own));
    let points = || FAULT_POINTS.iter().filter(|point| is_of_rows(point));
    for &point in points() {
        let old = scene.seen();
        scene.trio.sql_source(CHANGES);
        if scene.dies_at(point) {
            let between = scene.seen();
            scene.recovers(point);
            let new = scene.seen();
            for (table, seen) in &between {
                let whole = [&old[table], &new[table]].contains(&seen);
                assert!(whole, "after {point} {table} is neither old nor new");
            }
            died.insert(point, "a refresh");
            continue;
        }
        let first = Scene::new("faultpoints first");
        if first.dies_at(point) {
            first.recovers(point);
            died.insert(point, "a first run");
        }
    }
    let missed: Vec<_> = points().filter(|point| !died.contains_key(*point)).collect();
    println!("died at {} points: {died:?}", died.len());
    assert!(missed.is_empty(), "no run comes by {missed:?}");
}

/// Which server a crash takes.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Victim {
    Replica,
    Target,
}

/// Both crash with what a power cut would leave them, and are there again when the run goes on.
const CRASHES: &[(&str, Victim)] = &[
    ("replicator.filling:many", Victim::Replica),
    ("replicator.renamed:heap", Victim::Replica),
    ("replicator.before_commit:few", Victim::Replica),
    ("replicator.merge_deleted:moved_heap", Victim::Replica),
    ("replicator.merge_checked:swept", Victim::Replica),
    ("loader.keys_staged:swept", Victim::Target),
    ("replicator.filled:many", Victim::Target),
    ("loader.chunk_committed:heap", Victim::Target),
    ("loader.moved:many", Victim::Target),
    ("loader.published:notes", Victim::Target),
    ("loader.sealed:few", Victim::Target),
    ("loader.committed:heap", Victim::Target),
];

#[test]
fn whichever_server_crashes_in_the_middle_the_next_run_ends_equal() {
    let options = ServerOptions { durability: Durability::Durable, ..ServerOptions::default() };
    let (replica, target) = (MariaDb::start(&options).unwrap(), Postgres::start(&options).unwrap());
    let source = Bed::shared().source();
    let scene = Scene::on(Trio::on("crashes", source, replica.endpoint(), target.endpoint()));
    scene.etl.ok(&["run", "--prove"]);
    for &(point, victim) in CRASHES {
        scene.trio.sql_source(CHANGES);
        let mut command = scene.etl.command(&["run"]);
        arm(&mut command, format!("stop {point}"));
        let mut run = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        wait_until_stopped(&mut run, point);
        match victim {
            Victim::Replica => {
                replica.kill9();
                replica.restart().unwrap();
            }
            Victim::Target => {
                target.kill9();
                target.restart().unwrap();
            }
        }
        let id = run.id().to_string();
        assert!(Command::new("kill").args(["-CONT", &id]).status().unwrap().success());
        let status = run.wait().unwrap();
        assert!(matches!(status.code(), Some(0 | 1 | 3)), "{point}: {status}");
        scene.recovers(point);
    }
}

/// Waits until a fault point has stopped `run`.
pub fn wait_until_stopped(run: &mut Child, point: &str) {
    let until = Instant::now() + Duration::from_secs(120);
    let path = format!("/proc/{}/stat", run.id());
    while !std::fs::read_to_string(&path).unwrap().contains(") T ") {
        assert!(run.try_wait().unwrap().is_none(), "no run comes by {point}");
        assert!(Instant::now() < until, "no run comes by {point}");
        std::thread::sleep(Duration::from_millis(10));
    }
}
