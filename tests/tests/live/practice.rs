//! The sample practice: the same from the same seed, and changed as a day's work says.

use handoff_testbed::{
    MySql9, ServerOptions, Trio,
    practice::{self, Day, EMPTY_TABLES, PLANTED, Practice, TABLES},
};
use mysql::{Conn, prelude::Queryable};
use std::collections::BTreeMap;

const SMALLEST: Practice = Practice { scale: 0.001, seed: 1 };

#[test]
fn the_smallest_practice_is_whole_and_the_same_from_the_same_seed() {
    let trio = Trio::new("practice seed");
    let created = practice::create(&mut trio.source(), &SMALLEST).unwrap();
    assert_eq!((created.tables, created.rows), (TABLES, SMALLEST.rows()));

    let counts = counts(&mut trio.source());
    assert_eq!(counts.len(), TABLES);
    assert_eq!(counts.values().filter(|rows| **rows == 0).count(), EMPTY_TABLES);
    assert_eq!(counts, SMALLEST.tables().into_iter().collect());

    practice::create(&mut trio.replica(), &SMALLEST).unwrap();
    assert_eq!(checksums(&mut trio.source()), checksums(&mut trio.replica()));
}

#[test]
fn another_seed_gives_other_values() {
    let trio = Trio::new("practice other seed");
    practice::create(&mut trio.source(), &SMALLEST).unwrap();
    practice::create(&mut trio.replica(), &Practice { seed: 2, ..SMALLEST }).unwrap();
    let (one, two) = (checksums(&mut trio.source()), checksums(&mut trio.replica()));
    assert!(one["patient"] != two["patient"] && one["allergy"] != two["allergy"]);
}

#[test]
fn names_and_notes_hold_planted_strings_and_odd_characters() {
    let trio = Trio::new("practice planted");
    practice::create(&mut trio.source(), &Practice::at_scale(0.002)).unwrap();
    let mut conn = trio.source();
    let mut found = |sql: &str| conn.query_first::<u64, _>(sql).unwrap().unwrap() > 0;
    for column in ["LName", "AddrNote"] {
        assert!(found(&format!("SELECT COUNT(*) FROM patient WHERE {column} LIKE '{PLANTED}%'")));
    }
    for odd in ["\u{1F600}", "\r\n", "\t", "\\\\N", "''"] {
        let like = format!("SELECT COUNT(*) FROM procnote WHERE INSTR(Note, '{odd}') > 0");
        assert!(found(&like), "{odd:?}");
    }
    assert!(found("SELECT COUNT(*) FROM recall WHERE DisableUntilDate = '0000-00-00'"));
    assert!(found("SELECT COUNT(*) FROM recall WHERE DateDue = '0001-01-01'"));
}

#[test]
fn a_day_of_work_changes_what_it_says() {
    let trio = Trio::new("practice day");
    let practice = Practice::at_scale(0.002);
    let mut conn = trio.source();
    practice::create(&mut conn, &practice).unwrap();
    conn.query_drop("CREATE TABLE old_log LIKE histappointment").unwrap();
    conn.query_drop("INSERT INTO old_log SELECT * FROM histappointment").unwrap();
    let (rows_before, sums_before) = (counts(&mut conn), checksums(&mut conn));

    // `histappointment` is among the tables of this day.
    let day = Day { number: 2, share: 0.1 };
    let work = practice::a_day_of_work(&mut conn, &practice, &day).unwrap();

    let (rows, sums) = (counts(&mut conn), checksums(&mut conn));
    let changed: BTreeMap<&str, _> = work.tables.iter().map(|t| (t.table.as_str(), t)).collect();
    assert!((120..190).contains(&changed.len()), "{} tables", changed.len());
    for (table, before) in &rows_before {
        let (more, fewer) =
            changed.get(table.as_str()).map_or((0, 0), |day| (day.inserted, day.deleted));
        assert_eq!(rows[table] + fewer, before + more, "{table}");
        let same = sums[table] == sums_before[table];
        assert_eq!(same, !changed.contains_key(table.as_str()), "{table}");
    }
    let total = work.total();
    assert!(total.inserted > 1_000 && total.updated > 50 && total.deleted > 100, "{total:?}");

    let counted = changed["histappointment"];
    let mut count = |moved: &str| {
        conn.query_first::<u64, _>(format!(
            "SELECT COUNT(*) FROM histappointment JOIN old_log USING (HistApptNum) \
             WHERE histappointment.HistApptAction <> old_log.HistApptAction \
             AND histappointment.DateTStamp {moved} old_log.DateTStamp"
        ))
        .unwrap()
        .unwrap()
    };
    // Deletes come after the updates and may take a row that was just changed.
    let (silently, loudly) = (count("="), count(">"));
    assert!(counted.updated_silently > 10 && counted.updated > 10);
    assert!(
        (counted.updated_silently - counted.deleted..=counted.updated_silently).contains(&silently)
    );
    assert!((counted.updated - counted.deleted..=counted.updated).contains(&loudly));
}

#[test]
fn mysql_9_takes_the_practice_too() {
    let server = match MySql9::start(&ServerOptions::default()) {
        Ok(server) => server,
        Err(error) if error.is_missing() => {
            eprintln!("not run: {error}");
            return;
        }
        Err(error) => panic!("{}", error.chain()),
    };
    server.endpoint().create_database("practice").unwrap();
    let mut conn = server.endpoint().admin_in("practice").unwrap();
    let created = practice::create(&mut conn, &SMALLEST).unwrap();
    assert_eq!((created.tables, created.rows), (TABLES, SMALLEST.rows()));
    let work = practice::a_day_of_work(&mut conn, &SMALLEST, &Day::number(1)).unwrap();
    assert!(work.total().inserted > 100);
}

fn tables(conn: &mut Conn) -> Vec<String> {
    conn.query("SHOW TABLES").unwrap()
}

fn counts(conn: &mut Conn) -> BTreeMap<String, u64> {
    let tables = tables(conn);
    let count = |table: String| {
        let rows = conn.query_first(format!("SELECT COUNT(*) FROM `{table}`")).unwrap().unwrap();
        (table, rows)
    };
    tables.into_iter().map(count).collect()
}

fn checksums(conn: &mut Conn) -> BTreeMap<String, Option<u64>> {
    let tables = tables(conn);
    let sum = |table: String| {
        let sql = format!("CHECKSUM TABLE `{table}` EXTENDED");
        let (_, sum): (String, Option<u64>) = conn.query_first(sql).unwrap().unwrap();
        (table, sum)
    };
    tables.into_iter().map(sum).collect()
}
