//! What follows `cargo bench --`.

use clap::Parser;

/// Runs benchmarks against servers of their own.
#[derive(Debug, Clone, Parser)]
pub struct Arguments {
    /// Run only what has this in its name, such as `load` or `wide`.
    pub filter: Option<String>,
    /// Rows of the narrow table; the others have fewer, of about as many bytes. Each bench has a
    /// default of its own.
    #[arg(long)]
    pub rows: Option<u64>,
    /// How often each contender has its turn.
    #[arg(long, default_value_t = 5)]
    pub rounds: usize,
    /// Leave out contenders whose names begin like this.
    #[arg(long)]
    pub skip: Vec<String>,
    /// Cargo says so to every bench.
    #[arg(long, hide = true)]
    pub bench: bool,
}

impl Arguments {
    /// Reads the arguments of this process, and ends it if they make no sense.
    pub fn read() -> Arguments {
        let mut arguments = Arguments::parse();
        arguments.rounds = arguments.rounds.max(1);
        arguments
    }

    /// Returns true if a contest of this name is to run.
    pub fn wants(&self, name: &str) -> bool {
        self.filter.as_ref().is_none_or(|filter| name.contains(filter.as_str()))
    }
}
