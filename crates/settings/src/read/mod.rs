//! From what the files say to [`Settings`].

mod access;
mod extraction;
mod run;
mod server;
mod table;
mod target;
mod tls;
mod values;

#[cfg(test)]
mod tests;

use crate::document::{Document, Entry};
use crate::error::Problem;
use crate::reader::{Env, Reader};
use crate::section::Section;
use crate::settings::REPLICA_IS_SOURCE;
use crate::suggest::{closest, one_of};
use crate::{IdentityBy, Settings, SettingsError};
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
    let mut reader = Reader::new(env, folder);
    let mut sections = sections(main, &mut reader);
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
fn all_problems(syntax: Vec<Problem>, others: Vec<Problem>) -> Vec<Problem> {
    let damaged = |other: &Problem| {
        syntax.iter().any(|s| (s.file(), s.line()) == (other.file(), other.line()))
    };
    let missing = |other: &Problem| !syntax.is_empty() && other.message().contains(MISSING);
    let mut problems =
        others.into_iter().filter(|other| !damaged(other) && !missing(other)).collect::<Vec<_>>();
    problems.extend(syntax);
    problems.sort();
    problems.dedup();
    problems
}

/// How a message says that something is not there.
const MISSING: &str = " is missing; ";

fn assemble(
    main: &Document<'_>,
    sections: &mut BTreeMap<String, Entry<'_>>,
    reader: &mut Reader<'_>,
) -> Option<Settings> {
    let mut take = |name: &'static str, reader: &mut Reader<'_>| {
        let entry = sections.remove(name)?;
        section(name, &entry, reader).map(|section| (section, entry.place))
    };
    let source = take("source", reader);
    let replica = take("replica", reader);
    let target = take("target", reader);
    for (name, given) in [("source", source.is_some()), ("target", target.is_some())] {
        if !given {
            reader.problem(&main.start(), format!("[{name}]{MISSING}{}", server::example(name)));
        }
    }
    let mut max_rows_per_second = None;
    let mut source_identity = IdentityBy::default();
    let source = source.and_then(|(mut section, place)| {
        let rate = section.number("max_rows_per_second", 1..=u32::MAX, reader);
        max_rows_per_second = rate.and_then(NonZeroU32::new);
        source_identity = section.choice("identity", &IDENTITIES, reader).unwrap_or_default();
        server::mysql(section, &place, reader)
    });
    let replica = replica.map(|(section, place)| {
        let replica = server::mysql(section, &place, reader)?;
        if source.as_ref().is_some_and(|source| replica.is_same_database(source)) {
            reader.problem(&place, REPLICA_IS_SOURCE);
        }
        Some(replica)
    });
    let target = target.and_then(|(section, place)| target::target(section, &place, reader));
    let mut optional = |name| take(name, reader).map(|(section, _)| section);
    let (run, values, selection) = (optional("run"), optional("values"), optional("selection"));
    let run = run::run(run, reader);
    let values = values::values(values, reader);
    let selection = run::selection(selection, reader);
    let settings = Settings::assemble(source?, replica.flatten(), target?);
    Some(Settings { max_rows_per_second, source_identity, run, values, selection, ..settings })
}

const IDENTITIES: [(&str, IdentityBy); 2] =
    [("server", IdentityBy::Server), ("address", IdentityBy::Address)];

/// Returns the known sections of `main` and reports everything else that stands at its top.
fn sections<'d>(main: &'d Document<'d>, reader: &mut Reader<'_>) -> BTreeMap<String, Entry<'d>> {
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
fn only_tables<'d>(extra: &'d Document<'d>, reader: &mut Reader<'_>) -> Option<Entry<'d>> {
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
    entry: &Entry<'d>,
    reader: &mut Reader<'_>,
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
    let mut reader = Reader::new(&|_| Err(std::env::VarError::NotPresent), Path::new(""));
    let mut sections = sections(&main, &mut reader);
    assemble(&main, &mut sections, &mut reader);
    table::tables(sections.remove("tables").into_iter(), &mut reader);
    reader.known_keys()
}
