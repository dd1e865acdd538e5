//! From what the files say to [`Settings`].

mod access;
mod extraction;
mod objects;
mod run;
mod server;
mod table;
mod target;
mod tls;
mod values;

#[cfg(test)]
mod tests;

use self::run::{read_run, read_selection};
use self::server::MISSING;
use self::values::read_values;
use crate::document::{Document, TomlEntry};
use crate::error::{SettingsError, SettingsProblem};
use crate::reader::{Env, SettingsReader};
use crate::section::Section;
use crate::settings::{IdentityBy, REPLICA_IS_SOURCE, Settings};
use crate::suggest::{closest, one_of};
use std::collections::BTreeMap;
use std::num::NonZeroU32;
use std::path::Path;

/// The sections of `handoff.toml`.
const SECTIONS: &[&str] = &["source", "replica", "target", "run", "values", "selection", "tables"];

/// Reads `main` (`handoff.toml`) and, if there is one, `extra` (`tables.toml`).
pub(crate) fn settings(
    main: &Document<'_>,
    extra: Option<&Document<'_>>,
    folder: &Path,
    env: Env<'_>,
) -> Result<Settings, SettingsError> {
    let mut reader = SettingsReader::new(env, folder);
    let mut sections = known_sections(main, &mut reader);
    let settings = assemble(main, &mut sections, &mut reader);
    let tables =
        [sections.remove("tables"), extra.and_then(|extra| only_tables(extra, &mut reader))];
    let tables = table::tables(tables.into_iter().flatten(), &mut reader);
    reader.report_unknown();

    let syntax = [Some(main), extra].into_iter().flatten().flat_map(|file| &file.problems);
    let problems = all_problems(syntax.cloned().collect(), reader.problems);
    match settings {
        Some(settings) if problems.is_empty() => {
            Ok(Settings { tables, warnings: reader.warnings, ..settings })
        }
        _ => Err(SettingsError::Invalid { problems }),
    }
}

/// Joins what is no TOML with what is wrong in the rest, in the order of the files. Of a line that
/// is no TOML nothing else is said, and nothing is called missing.
fn all_problems(
    syntax: Vec<SettingsProblem>,
    others: Vec<SettingsProblem>,
) -> Vec<SettingsProblem> {
    let mut problems: Vec<SettingsProblem> =
        others.into_iter().filter(|other| !follows_from(other, &syntax)).collect();
    problems.extend(syntax);
    problems.sort();
    problems.dedup();
    problems
}

/// Returns true if a problem may come from text that is not TOML.
fn follows_from(other: &SettingsProblem, syntax: &[SettingsProblem]) -> bool {
    let same_line = syntax.iter().any(|s| (s.file(), s.line()) == (other.file(), other.line()));
    same_line || !syntax.is_empty() && other.message().contains(MISSING)
}

fn assemble(
    main: &Document<'_>,
    sections: &mut BTreeMap<String, TomlEntry<'_>>,
    reader: &mut SettingsReader<'_>,
) -> Option<Settings> {
    let mut take = |name: &'static str, reader: &mut SettingsReader<'_>| {
        let entry = sections.remove(name)?;
        section(name, &entry, reader).map(|section| (section, entry.place))
    };
    let of_source = take("source", reader);
    let of_replica = take("replica", reader);
    let of_target = take("target", reader);
    for (name, given) in [("source", of_source.is_some()), ("target", of_target.is_some())] {
        if !given {
            reader.problem(&main.start(), format!("[{name}]{MISSING}{}", server::example(name)));
        }
    }
    let mut max_rows_per_second = None;
    let mut source_identity = IdentityBy::default();
    let source = of_source.and_then(|(mut section, place)| {
        let rate = section.number("max_rows_per_second", 1..=u32::MAX, reader);
        max_rows_per_second = rate.and_then(NonZeroU32::new);
        source_identity = section.choice("identity", &IDENTITIES, reader).unwrap_or_default();
        server::mysql(section, &place, reader)
    });
    let replica = of_replica.map(|(section, place)| {
        let replica = server::mysql(section, &place, reader)?;
        if source.as_ref().is_some_and(|source| replica.is_same_database(source)) {
            reader.problem(&place, REPLICA_IS_SOURCE);
        }
        Some(replica)
    });
    let target = of_target.and_then(|(section, place)| target::target(section, &place, reader));
    let [of_run, of_values, of_selection] =
        ["run", "values", "selection"].map(|name| take(name, reader).map(|(section, _)| section));
    let run = read_run(of_run, reader);
    let values = read_values(of_values, reader);
    let selection = read_selection(of_selection, reader);
    let settings = Settings::assemble(source?, replica.flatten(), target?);
    Some(Settings { max_rows_per_second, source_identity, run, values, selection, ..settings })
}

const IDENTITIES: [(&str, IdentityBy); 2] =
    [("server", IdentityBy::Server), ("address", IdentityBy::Address)];

/// Returns the known sections of `main` and reports everything else that stands at its top.
fn known_sections<'d>(
    main: &'d Document<'d>,
    reader: &mut SettingsReader<'_>,
) -> BTreeMap<String, TomlEntry<'d>> {
    let (known, others) =
        main.entries().partition::<Vec<_>, _>(|(name, _)| SECTIONS.contains(&&**name));
    for (name, entry) in others {
        let fix = match closest(&name, SECTIONS.iter().copied()) {
            Some(near) => format!("did you mean [{near}]?"),
            None => format!("the sections are {}", one_of(SECTIONS)),
        };
        let message = match entry.table() {
            Some(_) => format!("unknown section [{name}]; {fix}"),
            None => format!("`{name}` stands in no section; write it below its [section]"),
        };
        reader.problem(&entry.place, message);
    }
    known.into_iter().collect()
}

/// Returns `[tables]` of `tables.toml` and reports everything else that stands there.
fn only_tables<'d>(
    extra: &'d Document<'d>,
    reader: &mut SettingsReader<'_>,
) -> Option<TomlEntry<'d>> {
    let mut tables = None;
    for (name, entry) in extra.entries() {
        if name == "tables" {
            tables = Some(entry);
        } else {
            let message = match entry.table() {
                Some(_) if SECTIONS.contains(&&*name) => {
                    format!("[{name}] does not belong here; move it to handoff.toml")
                }
                Some(_) => format!("unknown section [{name}]; write [tables.{name}] for a table"),
                None => format!("`{name}` stands in no section; write it below [tables.NAME]"),
            };
            reader.problem(&entry.place, message);
        }
    }
    tables
}

fn section<'d>(
    name: &'static str,
    entry: &TomlEntry<'d>,
    reader: &mut SettingsReader<'_>,
) -> Option<Section<'d>> {
    let Some(entries) = entry.table() else {
        let message = format!("{name} is {}; write [{name}] and its keys below", entry.shown());
        reader.problem(&entry.place, message);
        return None;
    };
    Some(Section::new(name, name, entries))
}

/// Returns the name of every key that some section takes.
#[cfg(test)]
pub(crate) fn known_keys() -> Vec<&'static str> {
    let all = "[source]\n[replica]\n[target]\n[run]\n[values]\n[selection]\n[tables.a]\n";
    let main = Document::parse(all, Path::new("handoff.toml"));
    let mut reader = SettingsReader::new(&|_| Err(std::env::VarError::NotPresent), Path::new(""));
    let mut sections = known_sections(&main, &mut reader);
    assemble(&main, &mut sections, &mut reader);
    table::tables(sections.remove("tables").into_iter(), &mut reader);
    reader.known_keys()
}
