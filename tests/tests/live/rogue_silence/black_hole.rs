//! Networks that swallow everything, at any moment of a run.

use super::hole::Passes;
use super::{NEWS, ROWS, Swallowed, ends_within, shown, start};
use std::time::{Duration, Instant};

/// Bounds for the tests: the silence itself, the second session, and what a run does beside.
const SILENCE: &str = "silence_timeout = \"3s\"";
const ENOUGH: Duration = Duration::from_secs(45);

/// Nothing passes any more, in the middle of each hop: the run ends, and the next one carries all.
#[test]
fn a_black_hole_in_the_middle_of_a_run_ends_it() {
    let world = Swallowed::new("black_hole");
    let hasty = world.etl(&format!("{SILENCE}\nmax_retries = 0"));
    world.trio.sql_source(ROWS);
    hasty.ok(&["run"]);
    for (side, hole) in &world.holes {
        world.trio.sql_source(NEWS);
        hole.opens_after(400_000, Passes::Nothing);
        let child = start(&hasty, &["run"]);
        hole.wait();
        let done = ends_within(ENOUGH, child);
        let said = shown(&done);
        assert!(matches!(done.code, Some(1 | 3)), "{side}: {said}");
        assert!(said.contains(&format!("{side}: ")), "{side}: {said}");
        assert!(said.contains("silent") || said.contains("does not sign us in"), "{side}: {said}");
        hole.lets(Passes::All);
        world.equal_again();
    }
}

/// The connections of a moment are lost, and new ones pass: the run makes new ones and arrives.
#[test]
fn connections_that_are_lost_in_silence_are_made_anew() {
    let world = Swallowed::new("black_hole_new");
    let etl = world.etl(SILENCE);
    world.trio.sql_source(ROWS);
    etl.ok(&["run"]);
    for (side, hole) in &world.holes {
        world.trio.sql_source(NEWS);
        hole.opens_after(400_000, Passes::New);
        let child = start(&etl, &["run", "--prove"]);
        hole.wait();
        let done = ends_within(2 * ENOUGH, child);
        // The run's own lock may have been on one of the lost connections.
        assert!(matches!(done.code, Some(0 | 1 | 3)), "{side}: {}", shown(&done));
        hole.lets(Passes::All);
        world.equal_again();
    }
}

/// A server that takes connections and says nothing, for each command that meets it.
#[test]
fn a_server_that_says_nothing_is_given_up_while_connecting() {
    let world = Swallowed::new("black_hole_first");
    let etl = world.etl(&format!("{SILENCE}\nmax_retries = 0"));
    world.trio.sql_source(ROWS);
    etl.ok(&["run"]);
    for (side, hole) in &world.holes {
        hole.lets(Passes::Nothing);
        for command in ["run", "plan", "check", "status", "verify"] {
            // It does not ask the source.
            if *side == "source" && command == "status" {
                continue;
            }
            let done = ends_within(ENOUGH, start(&etl, &[command]));
            let said = shown(&done);
            assert_eq!(done.code, Some(3), "{side} {command}: {said}");
            assert!(said.contains("does not sign us in within 3 s"), "{side}: {said}");
        }
        hole.lets(Passes::All);
    }
    world.equal_again();
}

/// As many rounds as `HANDOFF_BLACK_HOLES` says, each with the hole at another place: by default three. A
/// long form, with the silence that is usual: `HANDOFF_BLACK_HOLES=60 HANDOFF_SILENCE=2m`.
#[test]
fn black_holes_at_random_are_survived() {
    let variable = |name: &str| std::env::var(name).ok();
    let rounds: u64 = variable("HANDOFF_BLACK_HOLES").map_or(3, |rounds| rounds.parse().unwrap());
    let silence = variable("HANDOFF_SILENCE").unwrap_or_else(|| "2s".to_owned());
    let world = Swallowed::new("black_hole_random");
    let etl = world.etl(&format!("silence_timeout = \"{silence}\"\nmax_retries = 1"));
    world.trio.sql_source(ROWS);
    etl.ok(&["run"]);
    let seed = variable("HANDOFF_SEED").and_then(|seed| seed.parse().ok());
    let seed: u64 = seed.unwrap_or_else(|| u64::from(std::process::id()));
    println!("HANDOFF_SEED={seed} repeats this");
    for round in 0..rounds {
        let random = (seed + round).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        let (side, hole) = &world.holes[(round % 3) as usize];
        let passes = if random >> 60 & 1 == 0 { Passes::New } else { Passes::Nothing };
        world.trio.sql_source(NEWS);
        hole.opens_after(1_000 + (random >> 20) % 1_500_000, passes);
        let limit = if silence == "2s" { 2 * ENOUGH } else { Duration::from_secs(1200) };
        let begun = Instant::now();
        let done = ends_within(limit, start(&etl, &["run"]));
        println!("round {round}, {side}: exit {:?} after {:?}", done.code, begun.elapsed());
        hole.lets(Passes::All);
        world.equal_again();
    }
}

impl Swallowed {
    /// Fails unless the next run carries everything, and proves it.
    #[track_caller]
    fn equal_again(&self) {
        // Sessions that were cut here may be alive there for a moment.
        let etl = self.etl("max_retries = 5");
        let done = ends_within(2 * ENOUGH, start(&etl, &["run", "--prove", "--wait"]));
        assert_eq!(done.code, Some(0), "{}", shown(&done));
        assert!(done.stdout.contains("source = replica = raw"), "{}", shown(&done));
    }
}
