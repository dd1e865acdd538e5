//! Contenders in turns.

use crate::{Arguments, Result, median};
use std::time::Duration;

/// What every contender of a contest moves, so that times become rates.
#[derive(Debug, Clone, Copy)]
pub struct Amount {
    /// Rows.
    pub rows: u64,
    /// Bytes of their canonical form, or of what the contest says.
    pub bytes: u64,
}

/// One of several ways to do the same work.
struct Contender<'a> {
    name: &'static str,
    run: Box<dyn FnMut() -> Result<Duration> + 'a>,
    times: Vec<f64>,
}

impl Contender<'_> {
    fn fastest(&self) -> f64 {
        self.times.iter().copied().fold(f64::INFINITY, f64::min)
    }
}

/// A comparison of several ways to do the same work. The first that enters is the reference.
pub struct Contest<'a> {
    name: String,
    contenders: Vec<Contender<'a>>,
}

impl<'a> Contest<'a> {
    /// Makes a contest nobody has entered.
    pub fn new(name: impl Into<String>) -> Contest<'a> {
        Contest { name: name.into(), contenders: Vec::new() }
    }

    /// Enters a contender, which measures itself, so that what it has to prepare does not count.
    #[must_use]
    pub fn enter(
        mut self,
        name: &'static str,
        run: impl FnMut() -> Result<Duration> + 'a,
    ) -> Contest<'a> {
        self.contenders.push(Contender { name, run: Box::new(run), times: Vec::new() });
        self
    }

    /// Gives each contender one turn that does not count, then its turns; prints each as it ends and
    /// a table of the medians at last.
    ///
    /// # Errors
    ///
    /// Returns the first error of a contender.
    pub fn run(mut self, amount: Amount, arguments: &Arguments) -> Result<()> {
        let Amount { rows, bytes } = amount;
        self.contenders.retain(|contender| {
            !arguments.skip.iter().any(|skipped| contender.name.starts_with(skipped.as_str()))
        });
        println!("## {}: {rows} rows, {:.1} MB\n", self.name, bytes as f64 / 1e6);
        for contender in &mut self.contenders {
            (contender.run)()?;
        }
        for round in 0..arguments.rounds {
            self.round(round)?;
        }
        println!("\n{}", self.table(amount));
        Ok(())
    }

    /// Lets everyone have a turn, beginning with another contender each time.
    fn round(&mut self, round: usize) -> Result<()> {
        let count = self.contenders.len();
        for turn in 0..count {
            let contender = &mut self.contenders[(round + turn) % count];
            let seconds = (contender.run)()?.as_secs_f64();
            contender.times.push(seconds);
            println!("round {} {:<24} {:>12}", round + 1, contender.name, spelled(seconds));
        }
        Ok(())
    }

    /// Spells the results in Markdown.
    fn table(&self, Amount { rows, bytes }: Amount) -> String {
        let mut table =
            "| contender | median | rows/s | MB/s | ratio | fastest | ratio of the fastest |\n\
                         | --- | ---: | ---: | ---: | ---: | ---: | ---: |\n"
                .to_owned();
        let Some(reference) = self.contenders.first() else { return table };
        for contender in &self.contenders {
            let (middle, fastest) = (median(&contender.times), contender.fastest());
            let ratios: Vec<f64> =
                contender.times.iter().zip(&reference.times).map(|(a, b)| a / b).collect();
            table += &format!(
                "| {} | {} | {:.0} | {:.1} | {:.2} | {} | {:.2} |\n",
                contender.name,
                spelled(middle),
                rows as f64 / middle,
                bytes as f64 / 1e6 / middle,
                median(&ratios),
                spelled(fastest),
                fastest / reference.fastest(),
            );
        }
        table
    }
}

/// Spells a time with three digits at least.
fn spelled(seconds: f64) -> String {
    if seconds < 0.1 { format!("{:.2} ms", seconds * 1e3) } else { format!("{seconds:.3} s") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::RefCell;

    #[test]
    fn everyone_has_a_turn_in_every_round_and_goes_first_in_some() {
        let turns = RefCell::new(String::new());
        let taking = |name: char| {
            let turns = &turns;
            move || {
                turns.borrow_mut().push(name);
                Ok(Duration::from_secs(if name == 'a' { 2 } else { 1 }))
            }
        };
        let mut contest = Contest::new("test").enter("a", taking('a')).enter("b", taking('b'));
        for round in 0..2 {
            contest.round(round).unwrap();
        }
        assert_eq!(*turns.borrow(), "abba");
        let table = contest.table(Amount { rows: 100, bytes: 2_000_000 });
        assert!(table.contains("| a | 2.000 s | 50 | 1.0 | 1.00 | 2.000 s | 1.00 |"), "{table}");
        assert!(table.contains("| b | 1.000 s | 100 | 2.0 | 0.50 | 1.000 s | 0.50 |"), "{table}");
    }
}
