//! Log lines on standard error.
//!
//! A line is `LEVEL text`; `-v` adds the time and the module. `RUST_LOG` chooses levels for the
//! modules of Handoff as it does everywhere else.
//!
//! Whatever `RUST_LOG` says, nothing of any other crate is printed: the drivers log parameters and
//! notices, which are rows, and what they have to say of faults arrives in our own errors.

use crate::screen::Screen;
use env_logger::{Builder, Env, Logger, Target, WriteStyle};
use handoff_model::visible;
use log::{LevelFilter, Log, Metadata, Record};
use std::io::{self, Write};

/// The amount of output.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verbosity {
    /// `-q`: faults and warnings; no progress.
    Quiet,
    /// Messages that a person should know.
    Normal,
    /// `-v`: each step, with times.
    Verbose,
    /// `-vv`: everything.
    Full,
}

impl Verbosity {
    /// Reads the number of `-v` and whether there is a `-q`.
    pub fn from_flags(verbose: u8, quiet: bool) -> Verbosity {
        match (quiet, verbose) {
            (true, _) => Verbosity::Quiet,
            (false, 0) => Verbosity::Normal,
            (false, 1) => Verbosity::Verbose,
            (false, _) => Verbosity::Full,
        }
    }

    fn level(self) -> LevelFilter {
        match self {
            Verbosity::Quiet => LevelFilter::Warn,
            Verbosity::Normal => LevelFilter::Info,
            Verbosity::Verbose => LevelFilter::Debug,
            Verbosity::Full => LevelFilter::Trace,
        }
    }
}

/// Starts logging to `screen`. A second call changes nothing.
pub fn start(verbosity: Verbosity, screen: &Screen) {
    let logger = OwnOnly(logger(verbosity, screen));
    let level = logger.0.filter();
    if log::set_boxed_logger(Box::new(logger)).is_ok() {
        log::set_max_level(level);
    }
}

/// Has a panic say where it was, and not what it said: that may be a row.
pub fn hide_panics(screen: &Screen) {
    let shared = screen.clone();
    std::panic::set_hook(Box::new(move |panic| {
        let place = panic.location().map_or_else(String::new, |place| format!(" at {place}"));
        shared.write(format!("ERROR a panic{place}\n").as_bytes());
    }));
}

fn logger(verbosity: Verbosity, screen: &Screen) -> Logger {
    let mut builder = Builder::new();
    builder.filter_module(OWN, verbosity.level());
    builder.parse_env(Env::new().filter("RUST_LOG"));
    builder.target(Target::Pipe(Box::new(LogWriter { screen: screen.clone(), line: Vec::new() })));
    let colour = screen.is_terminal() && std::env::var_os("NO_COLOR").is_none();
    builder.write_style(if colour { WriteStyle::Always } else { WriteStyle::Never });
    if verbosity < Verbosity::Verbose {
        builder.format_timestamp(None).format_target(false).format_module_path(false);
    } else {
        builder.format_timestamp_millis();
    }
    let dated = verbosity >= Verbosity::Verbose;
    builder.format(move |line, record| {
        let style = line.default_level_style(record.level());
        if dated {
            write!(line, "{} ", line.timestamp_millis())?;
        }
        write!(line, "{style}{:<5}{style:#} ", record.level())?;
        if dated {
            write!(line, "[{}] ", record.target())?;
        }
        writeln!(line, "{}", visible(&record.args().to_string()))
    });
    builder.build()
}

/// The prefix of our modules' names.
const OWN: &str = "handoff";

/// Lets the records of our own crates through.
struct OwnOnly(Logger);

impl Log for OwnOnly {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target().starts_with(OWN) && self.0.enabled(metadata)
    }

    fn log(&self, record: &Record<'_>) {
        if self.enabled(record.metadata()) {
            self.0.log(record);
        }
    }

    fn flush(&self) {
        self.0.flush();
    }
}

/// Hands whole lines to the screen.
struct LogWriter {
    screen: Screen,
    line: Vec<u8>,
}

impl Write for LogWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.line.extend_from_slice(bytes);
        if self.line.ends_with(b"\n") {
            self.screen.write(&self.line);
            self.line.clear();
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use log::Level;

    #[test]
    fn no_verbosity_lets_a_driver_speak() {
        let mut builder = Builder::new();
        builder.filter_level(LevelFilter::Trace);
        let logger = OwnOnly(builder.build());
        let enabled = |target| {
            logger.enabled(&Metadata::builder().level(Level::Error).target(target).build())
        };
        assert!(enabled("handoff_connect::my_pool"));
        for target in ["tokio_postgres::query", "mysql", "r2d2", "rustls::client"] {
            assert!(!enabled(target), "{target}");
        }
    }
}
