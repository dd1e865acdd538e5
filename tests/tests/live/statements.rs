//! What a small table costs, in statements: most tables of a practice are small or empty, and behind
//! a VPN every statement is a round trip.
//!
//! Everything a run sends is counted, connections and catalogues included, and divided by its
//! tables. The servers are the test's own: they count all that is sent to them.

use crate::etl::Etl;
use handoff_testbed::practice::{self, Day, Practice};
use handoff_testbed::{MariaDb, Postgres, ServerOptions, Trio, quoted};
use mysql::prelude::Queryable;
use std::collections::BTreeMap;
use std::fmt::Write;

/// The promise: statements a table and server. Before anything is published each side is asked whether the run still holds its
/// lock, and the target what stands around a new table by now.
const MOST: f64 = 9.0;

/// Tables with fewer rows are small.
const SMALL: u64 = 1_000;

const PRACTICE: Practice = Practice { scale: 0.001, seed: 7 };

#[test]
fn a_small_table_costs_nine_statements_a_server_at_most() {
    let servers = Servers::start();
    let trio = servers.trio("statements");
    practice::create(&mut trio.source(), &PRACTICE).unwrap();
    let (small, large): (Vec<_>, Vec<_>) =
        PRACTICE.tables().into_iter().partition(|(_, rows)| *rows < SMALL);
    let large: Vec<String> = large.iter().map(|(table, _)| format!("\"{table}\"")).collect();
    let settings = format!("{}\n[run]\nexclude = [{}]\n", trio.settings_toml(), large.join(", "));
    let etl = Etl::with(&settings);
    let mut counter = Counter::new(&trio);
    let mut check = |what: &str| {
        // The test's own changes are none of a run's.
        counter.skip();
        let done = etl.ok(&["run"]);
        let said = format!("{} tables", small.len());
        assert!(done.stdout.contains(&said), "{what}: {said}\n{}", done.stdout);
        counter.check(what, small.len(), MOST);
    };

    check("the first run");
    check("again, nothing changed");
    practice::a_day_of_work(&mut trio.source(), &PRACTICE, &Day::number(1)).unwrap();
    check("after a day of work");
    trio.sql_source(&thin_out(&small));
    check("every table has changed");
}

/// Spells statements that take a row from every table that has two.
fn thin_out(tables: &[(String, u64)]) -> String {
    let filled = tables.iter().filter(|(_, rows)| *rows > 1);
    filled.map(|(table, _)| format!("DELETE FROM {} LIMIT 1;", quoted(table))).collect()
}

/// Servers that nobody else sends anything to.
pub struct Servers {
    source: MariaDb,
    replica: MariaDb,
    target: Postgres,
}

impl Servers {
    pub fn start() -> Servers {
        // Statements that name tables are kept apart, and none is to be forgotten.
        let arguments = ["-c", "pg_stat_statements.max=50000"].map(str::to_owned).to_vec();
        let target = ServerOptions { arguments, ..ServerOptions::default() };
        Servers {
            source: MariaDb::start(&ServerOptions::default()).unwrap(),
            replica: MariaDb::start(&ServerOptions::default()).unwrap(),
            target: Postgres::start(&target).unwrap(),
        }
    }

    pub fn trio(&self, test: &str) -> Trio {
        Trio::on(test, self.source.endpoint(), self.replica.endpoint(), self.target.endpoint())
    }
}

/// Reads the servers' own counters.
pub struct Counter {
    source: MySqlCounter,
    replica: MySqlCounter,
    target: PgCounter,
}

impl Counter {
    /// Counts what is sent from here on.
    pub fn new(trio: &Trio) -> Counter {
        Counter {
            source: MySqlCounter::new(trio.source_server().admin().unwrap()),
            replica: MySqlCounter::new(trio.replica_server().admin().unwrap()),
            target: PgCounter::new(trio),
        }
    }

    /// Prints what was sent since the last check, and fails if a server was sent too much.
    #[track_caller]
    #[expect(clippy::print_stderr, reason = "the figures are what the issue asks for")]
    pub fn check(&mut self, what: &str, tables: usize, most: f64) {
        let counted = [
            ("source", self.source.take()),
            ("replica", self.replica.take()),
            ("target", self.target.take()),
        ];
        let mut too_many = String::new();
        for (server, counted) in counted {
            let a_table = counted.total as f64 / tables as f64;
            eprintln!("{what}: {server}: {} statements, {a_table:.2} a table", counted.total);
            if a_table > most {
                write!(too_many, "\n{server}, {a_table:.2} a table:{}", counted.kinds).unwrap();
            }
        }
        assert!(too_many.is_empty(), "{what}: over {most} statements a table{too_many}");
    }

    /// Starts anew, so that what was sent in between counts for nothing.
    pub fn skip(&mut self) {
        self.source.take();
        self.replica.take();
        self.target.take();
    }
}

/// What a server was sent.
struct Counted {
    total: i64,
    /// What kinds of statements, one a line, the most frequent first.
    kinds: String,
}

/// Spells the most frequent kinds of statements.
fn most_frequent(mut kinds: Vec<(i64, String)>) -> String {
    kinds.sort_unstable_by(|a, b| b.cmp(a));
    let lines = kinds.iter().take(25).filter(|(count, _)| *count > 0);
    lines.map(|(count, kind)| format!("\n{count:>8}  {kind}")).collect()
}

/// `Questions` leaves out what prepares a statement, so `Com_stmt_prepare` is added.
struct MySqlCounter {
    conn: mysql::Conn,
    before: BTreeMap<String, i64>,
}

impl MySqlCounter {
    fn new(conn: mysql::Conn) -> MySqlCounter {
        let mut counter = MySqlCounter { conn, before: BTreeMap::new() };
        counter.before = counter.read();
        counter
    }

    fn read(&mut self) -> BTreeMap<String, i64> {
        let sql = "SHOW GLOBAL STATUS WHERE Variable_name = 'Questions' \
                   OR Variable_name LIKE 'Com\\_%'";
        self.conn.query::<(String, i64), _>(sql).unwrap().into_iter().collect()
    }

    fn take(&mut self) -> Counted {
        let now = self.read();
        let sent = |name: &str| now[name] - self.before[name];
        // The reading itself is one question.
        let total = sent("Questions") + sent("Com_stmt_prepare") - 1;
        let kinds = now.keys().map(|name| (sent(name), name.clone())).collect();
        self.before = now;
        Counted { total, kinds: most_frequent(kinds) }
    }
}

/// Everything under the role that loads.
struct PgCounter {
    client: postgres::Client,
}

impl PgCounter {
    fn new(trio: &Trio) -> PgCounter {
        let mut counter = PgCounter { client: trio.target_server().admin().unwrap() };
        counter.take();
        counter
    }

    fn take(&mut self) -> Counted {
        let sql = "SELECT calls, regexp_replace(query, '\\s+', ' ', 'g') \
                   FROM pg_stat_statements s JOIN pg_roles r ON r.oid = s.userid \
                   WHERE rolname <> current_user";
        let rows = self.client.query(sql, &[]).unwrap();
        let forgotten = "SELECT dealloc FROM pg_stat_statements_info";
        assert_eq!(self.client.query_one(forgotten, &[]).unwrap().get::<_, i64>(0), 0);
        self.client.query("SELECT pg_stat_statements_reset()", &[]).unwrap();
        let mut kinds: BTreeMap<String, i64> = BTreeMap::new();
        for row in &rows {
            let beginning = row.get::<_, String>(1).chars().take(28).collect();
            *kinds.entry(beginning).or_default() += row.get::<_, i64>(0);
        }
        let total = kinds.values().sum();
        let kinds = kinds.into_iter().map(|(kind, count)| (count, kind)).collect();
        Counted { total, kinds: most_frequent(kinds) }
    }
}
