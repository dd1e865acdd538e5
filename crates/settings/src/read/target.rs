//! `[target]`.

use super::objects::read_objects;
use super::server::{read_password, url};
use super::tls::{read_require_auth, read_tls};
use crate::error::FilePlace;
use crate::objects::NameCase;
use crate::reader::SettingsReader;
use crate::section::{LengthRange, Section, Text};
use crate::server::PgServer;
use crate::settings::TargetSettings;
use crate::structure::{DroppedColumns, DroppedTables, StructurePolicy};

/// The longest identifier PostgreSQL keeps, in bytes (`NAMEDATALEN` less one).
const MAX_IDENTIFIER_BYTES: usize = 63;

pub(super) fn target(
    mut section: Section<'_>,
    place: &FilePlace,
    reader: &mut SettingsReader<'_>,
) -> Option<TargetSettings> {
    let from_url = url(&mut section, place, reader, PgServer::from_url);
    let in_url = from_url.as_ref().is_some_and(|server| !server.password.is_empty());
    let beside_url = read_password(&mut section, in_url, reader);
    let tls = read_tls(&mut section, reader);
    let host = from_url.as_ref().map(|server| server.host.as_str());
    let require_auth = read_require_auth(&mut section, host, reader);
    let schema = read_schema(&mut section, reader);
    let roles = read_roles(&mut section, reader);
    let structure = read_structure(&mut section, reader);
    let choices: Vec<_> = DroppedColumns::ALL.iter().map(|one| (one.name(), *one)).collect();
    let dropped = section.choice("dropped_columns", &choices, reader);
    let choices: Vec<_> = DroppedTables::ALL.iter().map(|one| (one.name(), *one)).collect();
    let dropped_tables = section.choice("dropped_tables", &choices, reader);
    let lock_timeout = section.duration("lock_timeout", LOCK_TIMEOUT, reader);
    let objects = read_objects(&mut section, reader).unwrap_or_default();
    let name_case = match section.flag("lower_case_names", reader) {
        Some(true) => NameCase::Lower,
        _ => NameCase::Kept,
    };
    section.finish(reader);
    let parsed = from_url?;
    let password = beside_url.unwrap_or(parsed.password);
    let server = PgServer { password, tls, require_auth, ..parsed };
    let defaults = TargetSettings::new(server);
    let target = TargetSettings {
        grant_select_to: roles,
        name_case,
        objects,
        structure: structure.unwrap_or_default(),
        dropped_columns: dropped.unwrap_or_default(),
        dropped_tables: dropped_tables.unwrap_or_default(),
        lock_timeout: lock_timeout.unwrap_or(defaults.lock_timeout),
        ..defaults
    };
    Some(match schema {
        Some(schema) => TargetSettings { schema, ..target },
        None => target,
    })
}

/// The lengths of time that `lock_timeout` takes.
const LOCK_TIMEOUT: LengthRange = LengthRange { least: "1ms", most: "10m" };

/// Reads `structure`, of `[target]` and of a table.
pub(super) fn read_structure(
    section: &mut Section<'_>,
    reader: &mut SettingsReader<'_>,
) -> Option<StructurePolicy> {
    let choices: Vec<_> = StructurePolicy::ALL.iter().map(|one| (one.name(), *one)).collect();
    section.choice("structure", &choices, reader)
}

fn read_schema(section: &mut Section<'_>, reader: &mut SettingsReader<'_>) -> Option<String> {
    let text = section.text("schema", reader)?;
    let fault = identifier_fault(&text.value).or_else(|| {
        let system = text.value.starts_with("pg_") || text.value == "information_schema";
        system.then_some("belongs to PostgreSQL itself")
    });
    report(&text, fault, "name a schema of your own, such as \"raw\"", reader)?;
    Some(text.value)
}

fn read_roles(section: &mut Section<'_>, reader: &mut SettingsReader<'_>) -> Vec<String> {
    let texts = section.texts("grant_select_to", reader).unwrap_or_default();
    texts.into_iter().filter_map(|text| role(text, reader)).collect()
}

fn role(text: Text, reader: &mut SettingsReader<'_>) -> Option<String> {
    let fault = identifier_fault(&text.value).or_else(|| {
        let everybody = text.value.eq_ignore_ascii_case("public");
        everybody.then_some("is everybody, not a role")
    });
    report(&text, fault, "name roles, such as [\"dbt\"]", reader)?;
    Some(text.value)
}

fn identifier_fault(name: &str) -> Option<&'static str> {
    if name.is_empty() {
        Some("is empty")
    } else if name.len() > MAX_IDENTIFIER_BYTES {
        Some("is longer than 63 bytes")
    } else if name.contains('\0') {
        Some("holds a NUL character")
    } else {
        None
    }
}

fn report(
    text: &Text,
    fault: Option<&str>,
    fix: &str,
    reader: &mut SettingsReader<'_>,
) -> Option<()> {
    let Some(fault) = fault else { return Some(()) };
    let shown = if text.value.is_empty() { String::new() } else { format!(" {:?}", text.written) };
    reader.problem(&text.place, format!("{}{shown} {fault}; {fix}", text.subject));
    None
}
