//! Servers that go mad once they have let us in: each command ends by itself within its bounds, says so by its exit
//! code, and gives nothing away.
//!
//! They are real servers up to an answer or a packet, and what follows is ours: [`my_cases`] and [`pg_cases`] are the
//! kinds of madness, [`mutations`] changes one packet of a conversation at random.

mod child;
mod mutations;
mod my_cases;
mod pg_cases;
mod proxy;

use crate::etl::Etl;
use child::{Watched, watch};
use handoff_testbed::Trio;
use mutations::{KINDS, changed};
use proxy::{Conduct, Madness, Proxy, Speech};
use std::time::Duration;

/// Content of rows and of whatever else a mad server sends; none of it may be shown.
const MARKER: &str = "Sm1th-HIV-p0sitive";
/// A file that no server gets.
const FILE: &str = "/proc/self/environ";

/// The memory that a run is given, and what it may take beside it.
const LIMIT_MB: u64 = 32;
const BESIDE_MB: u64 = 64;
/// Source, replica and target.
const SERVERS: usize = 3;
/// The silence that is waited for is two seconds; a run has several waits, and the machine is busy.
const ENOUGH: Duration = Duration::from_secs(40);

const COMMANDS: [&str; 4] = ["check", "plan", "run", "verify"];

const ROWS: &str = "CREATE TABLE sick (id INT PRIMARY KEY, note VARCHAR(100), seen DATETIME, cost DECIMAL(9,2), KEY (note)) \
     ENGINE=InnoDB; \
     INSERT INTO sick SELECT seq, CONCAT('Sm1th-HIV-p0sitive', seq), '2024-02-29 10:00:00', seq / 7 FROM seq_1_to_3000; \
     CREATE TABLE well (id INT PRIMARY KEY, note VARCHAR(100)) ENGINE=MyISAM; \
     INSERT INTO well VALUES (1, 'Sm1th-HIV-p0sitive')";

/// Numbers that come again with their seed (SplitMix64).
pub struct Random(u64);

impl Random {
    pub fn new(seed: u64) -> Random {
        Random(seed)
    }

    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// Returns a number below `end`, or 0.
    pub fn below(&mut self, end: usize) -> usize {
        (self.next() % end.max(1) as u64) as usize
    }

    pub fn bytes(&mut self, count: usize) -> Vec<u8> {
        (0..count).map(|_| self.next().to_le_bytes()[0]).collect()
    }
}

/// The three servers of a trio, each of which may go mad.
struct Madhouse {
    etl: Etl,
    /// Source, replica and target.
    servers: [Proxy; 3],
    passwords: Vec<String>,
    trio: Trio,
}

impl Madhouse {
    fn new(name: &str) -> Madhouse {
        Madhouse::hasty(name, 20)
    }

    /// Gives each command so many seconds.
    fn hasty(name: &str, seconds: u64) -> Madhouse {
        let trio = Trio::new(name);
        let urls = [trio.source_url(), trio.replica_url(), trio.target_url()];
        let speech = [Speech::MySql, Speech::MySql, Speech::Postgres];
        let servers = [0, 1, 2].map(|index| Proxy::to(speech[index], &urls[index]));
        let mut toml = trio.settings_toml();
        for (url, server) in urls.iter().zip(&servers) {
            toml = toml.replacen(url, server.url(), 1);
        }
        let password = |url: &String| {
            let account = url.split("//").nth(1)?.split('@').next()?;
            account.split_once(':').map(|(_, password)| password.to_owned())
        };
        let run = format!(
            "memory_limit_mb = {LIMIT_MB}\nsilence_timeout = \"2s\"\nmax_retries = 0\n\
             max_duration = \"{seconds}s\"\njobs = 2"
        );
        let etl = Etl::with(&format!("{toml}\n[run]\n{run}\n"));
        trio.sql_source(ROWS);
        etl.ok(&["run", "--prove"]);
        Madhouse { etl, servers, passwords: urls.iter().filter_map(password).collect(), trio }
    }

    /// Makes work for the next run.
    fn news(&self) {
        self.trio.sql_source(
            "UPDATE sick SET cost = cost + 1; UPDATE well SET note = CONCAT('Sm1th-HIV-p0sitive', RAND())",
        );
    }

    /// Runs a command before a server that behaves so, and fails the test unless it ends as it should.
    #[track_caller]
    fn survives(&self, server: usize, conduct: Conduct, command: &str, what: &str) -> Watched {
        self.servers[server].behaves(conduct);
        let done = watch(self.etl.command(&[command]), ENOUGH);
        self.servers[server].behaves(Conduct::Honest);
        let said = format!("{what}, {command}: {}", done.shown());
        let done = done.unless_late(&said);
        assert!(matches!(done.code, Some(0..=3)), "{said}");
        assert!(!done.said.contains("panic"), "{said}");
        assert!(!done.said.contains(MARKER), "{said}");
        assert!(done.said.len() < 100_000, "{} bytes: {said:.1000}", done.said.len());
        assert!(done.peak_mb <= LIMIT_MB + BESIDE_MB, "{} MiB: {said}", done.peak_mb);
        let heard = self.servers[server].heard();
        for password in &self.passwords {
            assert!(!holds(&heard, password.as_bytes()) && !done.said.contains(password), "{said}");
        }
        done
    }

    /// Has a server go mad in each of these ways, at several places of several commands.
    fn goes_mad(&self, server: usize, cases: &[(&str, Madness)]) {
        let answers = COMMANDS.map(|command| self.answers(server, command));
        for (index, &(name, madness)) in cases.iter().enumerate() {
            for (turn, command) in COMMANDS.iter().enumerate() {
                if !is_long() && (index + turn) % 2 == 0 {
                    continue;
                }
                // At the first answer, and in the middle of the work.
                let from = answers[turn] * ((index as u64 / 2 + turn as u64) % 4) / 4;
                let what = format!("{name} from answer {from} on");
                // There is as much to do as when the answers were counted.
                self.news();
                let done = self.survives(server, Conduct::Mad(from, madness), command, &what);
                assert!(tells(&done), "{what}, {command}: {}", done.said);
            }
        }
    }

    /// Has a server answer slowly and without end, each time to another command.
    fn dawdles(&self, server: usize, cases: &[(&str, Madness)]) {
        let answers = COMMANDS.map(|command| self.answers(server, command));
        for (index, &(name, madness)) in cases.iter().enumerate() {
            for (turn, command) in COMMANDS.iter().enumerate() {
                if !is_long() && (index + turn) % COMMANDS.len() != server {
                    continue;
                }
                self.news();
                let done = self.survives(
                    server,
                    Conduct::Mad(answers[turn] * (index as u64 % 3) / 3, madness),
                    command,
                    name,
                );
                assert!(tells(&done), "{name}, {command}: {}", done.said);
            }
        }
    }

    /// Returns how many answers a command takes of a server.
    fn answers(&self, server: usize, command: &str) -> u64 {
        self.news();
        self.servers[server].behaves(Conduct::Honest);
        self.etl.run(&[command]);
        self.servers[server].said().1
    }
}

/// Returns true if a command failed, or says that it could not find out everything that it looks for.
fn tells(done: &Watched) -> bool {
    done.code != Some(0) || done.said.contains("this cannot be found out")
}

/// Returns true if the long form was asked for.
fn is_long() -> bool {
    rounds().is_some()
}

/// Returns how many changed conversations there are to be, if anybody says so.
fn rounds() -> Option<u64> {
    number("HANDOFF_ROGUE_ROUNDS")
}

/// Returns the number that a variable of the environment holds, if there is one.
fn number(variable: &str) -> Option<u64> {
    std::env::var(variable).ok().map(|text| text.parse().unwrap())
}

fn holds(bytes: &[u8], part: &[u8]) -> bool {
    !part.is_empty() && bytes.windows(part.len()).any(|window| window == part)
}

#[test]
fn a_source_that_goes_mad_is_survived() {
    Madhouse::new("rogue_source").goes_mad(0, &my_cases::CASES);
}

#[test]
fn a_replica_that_goes_mad_is_survived() {
    Madhouse::new("rogue_replica").goes_mad(1, &my_cases::CASES);
}

#[test]
fn a_target_that_goes_mad_is_survived() {
    Madhouse::new("rogue_target").goes_mad(2, &pg_cases::CASES);
}

/// No server is silent for two seconds here, so that the duration of the whole is the only bound.
#[test]
fn servers_that_answer_slowly_and_without_end_are_survived() {
    let house = Madhouse::hasty("rogue_slow", 8);
    house.dawdles(0, &my_cases::SLOW);
    house.dawdles(1, &my_cases::SLOW);
    house.dawdles(2, &pg_cases::SLOW);
}

/// A server that asks for a file, whatever the statement, gets none, and be it our replica, which is sent files.
#[test]
fn a_server_that_asks_for_a_file_gets_none() {
    let house = Madhouse::new("rogue_file");
    for server in [0, 1] {
        for command in COMMANDS {
            let answers = house.answers(server, command);
            for part in 0..4 {
                house.news();
                let conduct = Conduct::Mad(answers * part / 4, my_cases::infile);
                let done = house.survives(server, conduct, command, "a request for a file");
                assert!(tells(&done), "{}", done.said);
            }
        }
    }
}

/// Conversations with each of the servers, one packet changed. `HANDOFF_ROGUE_ROUNDS` says how many for each server, by
/// default twenty; `HANDOFF_ROGUE_SEED` repeats them, and `HANDOFF_ROGUE_SERVER` (0, 1 or 2) those of one server only.
#[test]
fn conversations_that_are_changed_are_survived() {
    let house = Madhouse::new("rogue_changes");
    let seed = number("HANDOFF_ROGUE_SEED").unwrap_or_else(|| u64::from(std::process::id()));
    let only = number("HANDOFF_ROGUE_SERVER");
    println!("HANDOFF_ROGUE_SEED={seed}");
    let (mut ends, mut peak, mut slowest) = ([0_u64; 4], 0, Duration::ZERO);
    let mut packets = [[0; 4]; SERVERS];
    for (server, known) in packets.iter_mut().enumerate() {
        for (turn, command) in COMMANDS.iter().enumerate() {
            house.answers(server, command);
            known[turn] = house.servers[server].said().0;
        }
    }
    for round in 0..rounds().unwrap_or(20) * SERVERS as u64 {
        let mut random = Random::new(seed.wrapping_add(round));
        let (server, turn) = (round as usize % SERVERS, random.below(COMMANDS.len()));
        if only.is_some_and(|only| only != server as u64) {
            continue;
        }
        let at = random.next() % packets[server][turn].max(1);
        let kind = KINDS[random.below(KINDS.len())];
        let what = format!("seed {seed} round {round}, server {server}, packet {at}, {kind:?}");
        if COMMANDS[turn] == "run" {
            house.news();
        }
        let conduct = Conduct::Changed(at, changed(kind, random.next()));
        let done = house.survives(server, conduct, COMMANDS[turn], &what);
        ends[usize::try_from(done.code.unwrap()).unwrap()] += 1;
        peak = peak.max(done.peak_mb);
        slowest = slowest.max(done.took);
    }
    println!("exit codes 0 to 3: {ends:?}; peak {peak} MiB; slowest {slowest:.1?}");
}
