//! What the whole of it promises: proof, whole states after a crash, writers and readers that do
//! not wait, and no value anywhere but in the tables.

use crate::etl::{Etl, binary};
use crate::meanwhile::SetOnDrop;
use handoff_testbed::practice::{self, Day, Practice};
use handoff_testbed::{Trio, row};
use mysql::prelude::Queryable;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

fn small_practice(trio: &Trio) -> Practice {
    let practice = Practice::at_scale(0.001);
    practice::create(&mut trio.source(), &practice).unwrap();
    practice
}

#[test]
fn a_practice_arrives_proved_and_again_after_a_day() {
    let trio = Trio::new("practice");
    let practice = small_practice(&trio);
    let etl = Etl::new(&trio);
    let first = etl.ok(&["run", "--prove"]);
    assert!(first.stdout.contains("446 tables, "), "{}", first.stdout);
    assert!(first.stdout.contains("source = replica = raw"), "{}", first.stdout);
    practice::a_day_of_work(&mut trio.source(), &practice, &Day::number(1)).unwrap();
    let second = etl.ok(&["run", "--prove"]);
    assert!(second.stdout.contains("source = replica = raw"), "{}", second.stdout);
}

#[test]
fn a_practice_arrives_directly() {
    let trio = Trio::new("practice_direct");
    let practice = small_practice(&trio);
    let etl = Etl::direct(&trio);
    etl.ok(&["run", "--prove"]);
    practice::a_day_of_work(&mut trio.source(), &practice, &Day::number(1)).unwrap();
    let second = etl.ok(&["run", "--prove"]);
    assert!(second.stdout.contains("source = raw"), "{}", second.stdout);
}

/// Every value planted in the practice, looked for in all that a run says and keeps.
#[test]
fn no_value_leaves_the_tables() {
    let trio = Trio::new("secrecy");
    let practice = small_practice(&trio);
    // A table that fails with the values in its hands: a key PostgreSQL cannot hold.
    trio.sql_source(&format!(
        "CREATE TABLE bad (id VARCHAR(80) CHARACTER SET utf8mb4 PRIMARY KEY, note TEXT); \
         INSERT INTO bad VALUES (CONCAT('{0}', CHAR(0)), '{0}')",
        practice::PLANTED
    ));
    let etl = Etl::new(&trio);
    let mut said = String::new();
    for arguments in [&["run", "--prove", "-v"][..], &["run", "--json", "-vv"], &["status"]] {
        let mut command = etl.command(arguments);
        command.env("RUST_LOG", "trace");
        let output = command.output().unwrap();
        said += &String::from_utf8_lossy(&output.stdout);
        said += &String::from_utf8_lossy(&output.stderr);
    }
    practice::a_day_of_work(&mut trio.source(), &practice, &Day::number(1)).unwrap();
    said += &etl.run(&["run", "--prove"]).stderr;
    let mut replica = trio.replica();
    let statuses: Vec<mysql::Row> = replica.query("SELECT * FROM etl_copy_status").unwrap();
    assert!(statuses.len() >= 446);
    said += &format!("{statuses:?}");
    let mut target = trio.target();
    for table in ["etl_load_status", "etl_runs"] {
        let query = format!("SELECT t::text FROM raw.{table} t");
        for row in target.query(&query, &[]).unwrap() {
            said += &row.get::<_, String>(0);
        }
    }
    assert!(said.contains("bad"), "the bad table is not even named");
    let found = said.find(practice::PLANTED);
    assert_eq!(
        found.map(|at| said[at.saturating_sub(300)..].chars().take(400).collect()),
        None::<String>
    );
}

/// As many rounds as `HANDOFF_KILLS` says, by default ten; a long form: `HANDOFF_KILLS=60`.
#[test]
fn killed_at_any_moment_the_next_run_ends_equal() {
    let trio = Trio::new("killed");
    let practice = small_practice(&trio);
    // Tables long enough to be killed in: MyISAM and InnoDB, a copy and a load of a second or so.
    for (table, engine) in [("long_myisam", "MyISAM"), ("long_innodb", "InnoDB")] {
        trio.sql_source(&format!(
            "CREATE TABLE {table} (id INT PRIMARY KEY, note VARCHAR(200), KEY(note)) ENGINE={engine}; \
             INSERT INTO {table} SELECT seq, REPEAT(MD5(seq), 5) FROM seq_1_to_60000"
        ));
    }
    let etl = Etl::new(&trio);
    let clock = Instant::now();
    etl.ok(&["run", "--prove"]);
    let whole = clock.elapsed();
    let seed = std::env::var("HANDOFF_SEED").ok().and_then(|seed| seed.parse().ok());
    let seed: u64 = seed.unwrap_or_else(|| u64::from(std::process::id()) * 0x9E37_79B9);
    println!("HANDOFF_SEED={seed} repeats this");
    let mut random = seed;
    let rounds = std::env::var("HANDOFF_KILLS").ok();
    let rounds: u32 = rounds.map_or(10, |rounds| rounds.parse().unwrap());
    let mut interrupted = 0;
    for round in 0..rounds {
        practice::a_day_of_work(&mut trio.source(), &practice, &Day::number(round + 2)).unwrap();
        trio.sql_source("UPDATE long_myisam SET note = REVERSE(note) WHERE id % 3 = 0");
        trio.sql_source("UPDATE long_innodb SET note = REVERSE(note) WHERE id % 3 = 1");
        let before = Sums::of(&trio);
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        let share = (random >> 33) as f64 / f64::from(1_u32 << 31);
        let mut child = etl.start(&["run"]);
        std::thread::sleep(whole.mul_f64(share * 0.8));
        // kill -9: no destructor, no rollback of ours.
        child.kill().unwrap();
        interrupted += u32::from(child.wait().unwrap().code().is_none());
        before.assert_whole(&trio, round);
        let next = etl.ok(&["run", "--prove"]);
        assert!(next.stdout.contains("source = replica = raw"), "round {round}: {}", next.stdout);
    }
    println!("{interrupted} of {rounds} runs were killed, each next one ended equal");
    assert!(interrupted > 0, "each run had ended before it was killed");
}

const LONG: [&str; 2] = ["long_myisam", "long_innodb"];

/// The sums of the long tables: what they were, and what they are to become.
struct Sums {
    source: Vec<u64>,
    replica: Vec<u64>,
    target: Vec<String>,
    source_as_text: Vec<String>,
}

impl Sums {
    fn of(trio: &Trio) -> Sums {
        let md5 = |conn: &mut mysql::Conn, table: &str| {
            conn.query_drop("SET SESSION group_concat_max_len = 1 << 30").unwrap();
            let query = format!("SELECT CAST(SUM(CRC32(CONCAT(id, note))) AS CHAR) FROM {table}");
            conn.query_first::<String, _>(query).unwrap().unwrap()
        };
        let (mut source, mut replica) = (trio.source(), trio.replica());
        Sums {
            source: LONG.iter().map(|table| checksum(&mut source, table)).collect(),
            replica: LONG.iter().map(|table| checksum(&mut replica, table)).collect(),
            target: LONG.iter().map(|table| trio_sum(trio, table)).collect(),
            source_as_text: LONG.iter().map(|table| md5(&mut source, table)).collect(),
        }
    }

    /// Every table in replica and target is the old one or the new one, whole.
    fn assert_whole(&self, trio: &Trio, round: u32) {
        let now = Sums::of(trio);
        for (index, table) in LONG.iter().enumerate() {
            let replica = now.replica[index];
            assert!(
                replica == self.replica[index] || replica == self.source[index],
                "round {round}: {table} in the replica is neither old nor new"
            );
            let target = &now.target[index];
            let whole = *target == self.target[index] || *target == self.source_as_text[index];
            assert!(whole, "round {round}: {table} in the target is neither old nor new");
        }
    }
}

fn checksum(conn: &mut mysql::Conn, table: &str) -> u64 {
    let row: Option<(String, u64)> =
        conn.query_first(format!("CHECKSUM TABLE {table} EXTENDED")).unwrap();
    row.unwrap().1
}

/// The same sum as MySQL's SUM(CRC32(CONCAT(id, note))), of the target.
fn trio_sum(trio: &Trio, table: &str) -> String {
    let mut sum: u64 = 0;
    let query = format!("SELECT id::text || note FROM raw.{table}");
    for row in trio.target().query(&query, &[]).unwrap() {
        sum += u64::from(crc32(row.get::<_, String>(0).as_bytes()));
    }
    sum.to_string()
}

fn crc32(bytes: &[u8]) -> u32 {
    let step = |crc: u32, byte: &u8| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| {
            if crc & 1 == 1 { (crc >> 1) ^ 0xEDB8_8320 } else { crc >> 1 }
        })
    };
    !bytes.iter().fold(!0, step)
}

#[test]
fn a_writer_of_a_myisam_table_never_waits_a_second() {
    let trio = Trio::new("writer");
    trio.sql_source(
        "CREATE TABLE busy (id INT PRIMARY KEY, note VARCHAR(255), n INT) ENGINE=MyISAM; \
         INSERT INTO busy SELECT seq, REPEAT(MD5(seq), 7), 0 FROM seq_1_to_600000",
    );
    let etl = Etl::new(&trio);
    let done = AtomicBool::new(false);
    let (waits, slowest) = std::thread::scope(|scope| {
        let writer = scope.spawn(|| {
            let mut conn = trio.source();
            let (mut waits, mut slowest) = (0_u32, Duration::ZERO);
            while !done.load(Ordering::SeqCst) {
                let clock = Instant::now();
                conn.query_drop("UPDATE busy SET n = n + 1 WHERE id = 300000").unwrap();
                slowest = slowest.max(clock.elapsed());
                waits += 1;
                std::thread::sleep(Duration::from_millis(50));
            }
            (waits, slowest)
        });
        let ended = SetOnDrop(&done);
        etl.ok(&["run"]);
        drop(ended);
        writer.join().unwrap()
    });
    println!("{waits} updates during the copy, the slowest took {slowest:?}");
    assert!(waits > 10, "the copy was over too soon to say: {waits} updates");
    assert!(slowest < Duration::from_secs(1), "a writer waited {slowest:?}");
}

#[test]
fn a_reader_of_a_view_sees_only_whole_states() {
    let trio = Trio::new("reader");
    trio.sql_source(
        "CREATE TABLE visit (id INT PRIMARY KEY, generation INT) ENGINE=InnoDB; \
         INSERT INTO visit SELECT seq, 0 FROM seq_1_to_20000",
    );
    let etl = Etl::new(&trio);
    etl.ok(&["run"]);
    trio.sql_target("CREATE VIEW public.visits AS SELECT * FROM raw.visit");
    let done = AtomicBool::new(false);
    let polls = std::thread::scope(|scope| {
        let reader = scope.spawn(|| {
            let mut client = trio.target();
            let mut polls = 0_u32;
            while !done.load(Ordering::SeqCst) {
                let query = "SELECT count(*), min(generation), max(generation) FROM public.visits";
                let row = client.query_one(query, &[]).unwrap();
                let (count, low, high): (i64, i32, i32) = (row.get(0), row.get(1), row.get(2));
                assert_eq!((count, low), (20_000, high), "a mixed state");
                polls += 1;
            }
            polls
        });
        let ended = SetOnDrop(&done);
        for _ in 0..10 {
            // Ids move on by one, so that rows come, change and go.
            trio.sql_source(
                "UPDATE visit SET id = id + 1, generation = generation + 1 ORDER BY id DESC",
            );
            etl.ok(&["run"]);
        }
        drop(ended);
        reader.join().unwrap()
    });
    println!("{polls} polls during ten refreshes");
    assert!(polls > 10);
    let top = trio.target().query_one("SELECT max(id), max(generation) FROM public.visits", &[]);
    let top = top.unwrap();
    assert_eq!((top.get::<_, i32>(0), top.get::<_, i32>(1)), (20_010, 10));
}

#[test]
fn the_embedding_example_runs() {
    let trio = Trio::new("embed");
    trio.sql_source(
        "CREATE TABLE t (id INT PRIMARY KEY, day DATE); INSERT INTO t VALUES (1, '0000-00-00')",
    );
    let output = Command::new(binary("examples/embed"))
        .args([trio.source_url(), trio.replica_url(), trio.target_url()])
        .output()
        .unwrap();
    let stdout = String::from_utf8(output.stdout).unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(0), "{stdout}{stderr}");
    assert!(stdout.contains("1 table, 1 row: source = replica = raw"), "{stdout}");
    assert_eq!(trio.rows("t"), [row!["1", "0001-01-01"]]);
}

#[test]
fn odd_names_and_shapes_arrive() {
    let trio = Trio::new("odd");
    trio.sql_source(
        "CREATE TABLE `a\"b``c. d%s` (`k``\"'%` INT PRIMARY KEY, `select` TEXT, `üx` INT); \
         INSERT INTO `a\"b``c. d%s` VALUES (1, '', NULL), (2, 'x', 3); \
         CREATE TABLE nokey (a INT, b TEXT); INSERT INTO nokey VALUES (1, 'x'), (1, 'x'), (NULL, NULL); \
         CREATE TABLE empty (a INT PRIMARY KEY); \
         CREATE TABLE pair (a INT, b VARCHAR(20), c INT, PRIMARY KEY (b, a)); \
         INSERT INTO pair VALUES (1, 'x', 1), (2, 'x', 2), (1, 'y', 3)",
    );
    let etl = Etl::new(&trio);
    etl.ok(&["run", "--prove"]);
    assert_eq!(trio.rows("a\"b`c. d%s"), [row!["1", "", None], row!["2", "x", "3"]]);
    assert_eq!(trio.rows("nokey").len(), 3);
    assert_eq!(trio.rows("pair").len(), 3);
    assert!(trio.rows("empty").is_empty());
}
