//! The harness of the benchmarks: contenders in turns, medians, ratios, and the machine named.
//!
//! Servers answer unevenly, and other programs disturb. So no contender is measured alone: in every
//! round each has its turn, the first of a round going last in the next, and what counts is the
//! median over the rounds of its time *divided by the reference's time in the same round*. On a
//! machine that has other work the fastest rounds say more, so their ratio stands beside it.
//!
//! | Bench | What it compares |
//! | --- | --- |
//! | `load` | hop 2 with `psql \copy` of the same rows |
//! | `strategies` | hop 2 by every strategy, with `psql \copy` of the same rows, at four sizes |
//! | `merge` | hop 2 of changed rows, with the same statements by hand in `psql` |
//! | `replicate` | hop 1, two tables at a time, with `mariadb-dump \| mariadb` |
//! | `verify` | comparing a table with the slower of the plain reads of its sides |
//! | `encode` | the encoder alone, from memory to memory |
//! | `memory` | the most memory that `etl` takes for the three largest tables of the practice |
//!
//! `cargo bench -- --rows 100000 --rounds 3 wide` runs what has `wide` in its name, quickly.
#![expect(clippy::print_stdout, reason = "a benchmark's results go to standard output")]

mod arguments;
mod comparing;
mod contest;
mod hop1;
mod hop2;
mod lap;
mod largest;
mod machine;
mod median;
mod merging;
pub mod peak_memory;
mod psql;
mod shapes;

pub use arguments::Arguments;
pub use comparing::{Comparing, Engine};
pub use contest::{Amount, Contest};
pub use hop1::{Hop1, Pipes};
pub use hop2::{Described, Hop2};
pub use lap::lap;
pub use largest::{largest, make_largest};
pub use machine::machine;
pub use median::median;
pub use merging::Merging;
pub use psql::{Analyze, Psql, PsqlCopy};
pub use shapes::{Key, Shape};

/// Ends a benchmark that cannot go on: there is nobody to handle an error.
pub type Result<T, E = Box<dyn std::error::Error + Send + Sync>> = std::result::Result<T, E>;

/// Prints the title of a bench and the machine it runs on.
pub fn begin(title: &str) {
    println!("\n# {title}\n\n{}\n", machine());
}

/// Prints one line of explanation.
pub fn say(text: &str) {
    println!("{text}");
}
