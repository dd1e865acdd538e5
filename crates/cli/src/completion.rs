//! Completion of what is typed in a shell: options by their definitions, tables by what is tracked.

use clap_complete::engine::{ArgValueCompleter, CompletionCandidate};
use handoff_pipeline::tracked_tables;
use handoff_settings::Settings;
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::time::Duration;
use std::{env, thread};

/// The longest time that a shell waits for the names of tables.
const PATIENCE: Duration = Duration::from_secs(2);

/// Completes the names of tables: those of the tracking tables, and those that the configuration names.
pub(crate) fn table_completer() -> ArgValueCompleter {
    ArgValueCompleter::new(tables_beginning_with)
}

fn tables_beginning_with(typed: &OsStr) -> Vec<CompletionCandidate> {
    let typed = typed.to_string_lossy();
    let names = known_tables(&configuration_of(env::args_os()));
    let matching = names.into_iter().filter(|name| name.starts_with(&*typed));
    matching.map(CompletionCandidate::new).collect()
}

/// Returns the configuration file that a typed line names.
fn configuration_of(line: impl IntoIterator<Item = OsString>) -> PathBuf {
    let words: Vec<OsString> = line.into_iter().collect();
    let beside = words.iter().zip(words.iter().skip(1));
    let apart = beside.filter(|(option, _)| *option == "--config").map(|(_, path)| path.into());
    let joined =
        words.iter().filter_map(|word| word.to_str()?.strip_prefix("--config=").map(PathBuf::from));
    apart.chain(joined).last().unwrap_or_else(|| PathBuf::from("handoff.toml"))
}

/// Returns the names of the tables in their order; none if the configuration cannot be read.
fn known_tables(config: &Path) -> Vec<String> {
    let Ok(settings) = Settings::load(config) else { return Vec::new() };
    let mut names: Vec<String> = settings.tables.keys().map(ToString::to_string).collect();
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || sender.send(tracked_tables(&settings)));
    if let Ok(Ok(tracked)) = receiver.recv_timeout(PATIENCE) {
        names.extend(tracked.iter().map(ToString::to_string));
    }
    names.sort();
    names.dedup();
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    fn configuration(line: &[&str]) -> PathBuf {
        configuration_of(line.iter().map(OsString::from))
    }

    #[test]
    fn the_configuration_is_the_one_of_the_line() {
        assert_eq!(configuration(&["etl", "run", "pat"]), PathBuf::from("handoff.toml"));
        assert_eq!(configuration(&["etl", "--config", "a.toml", "run"]), PathBuf::from("a.toml"));
        assert_eq!(configuration(&["etl", "run", "--config=b.toml", "p"]), PathBuf::from("b.toml"));
    }

    #[test]
    fn without_a_configuration_nothing_is_offered() {
        assert!(known_tables(Path::new("/nowhere/handoff.toml")).is_empty());
    }
}
