//! `objects`, of `[target]` and of a table.

use crate::document::TomlEntry;
use crate::objects::{ObjectSettings, UniqueTexts};
use crate::reader::SettingsReader;
use crate::section::Section;
use crate::suggest::one_of;
use toml::de::DeValue;

const KINDS: [&str; 9] = [
    "indexes",
    "unique",
    "unique_texts",
    "defaults",
    "checks",
    "comments",
    "identity",
    "on_update",
    "foreign_keys",
];

/// Reads the objects that tables get: the name of a set, or the departures from all.
pub(super) fn read_objects(
    section: &mut Section<'_>,
    reader: &mut SettingsReader<'_>,
) -> Option<ObjectSettings> {
    let entry = section.take("objects", reader)?;
    let subject = section.subject("objects");
    let Some(entries) = entry.table() else { return named_set(&entry, &subject, reader) };
    let mut objects = ObjectSettings::ALL;
    for (name, entry) in entries {
        read_kind(&mut objects, &name, &entry, &subject, reader);
    }
    Some(objects)
}

fn named_set(
    entry: &TomlEntry<'_>,
    subject: &str,
    reader: &mut SettingsReader<'_>,
) -> Option<ObjectSettings> {
    match entry.value.as_str() {
        Some("keys") => Some(ObjectSettings::KEYS),
        Some("all") => Some(ObjectSettings::ALL),
        _ => {
            let message = format!(
                "{subject} is {}; it takes \"keys\", \"all\", or what departs from all, such as \
                 {{ foreign_keys = true }}",
                entry.shown()
            );
            reader.problem(&entry.place, message);
            None
        }
    }
}

fn read_kind(
    objects: &mut ObjectSettings,
    name: &str,
    entry: &TomlEntry<'_>,
    subject: &str,
    reader: &mut SettingsReader<'_>,
) {
    let field = match name {
        "indexes" => &mut objects.indexes,
        "unique" => &mut objects.unique,
        "defaults" => &mut objects.defaults,
        "checks" => &mut objects.checks,
        "comments" => &mut objects.comments,
        "identity" => &mut objects.identity,
        "on_update" => &mut objects.on_update,
        "foreign_keys" => &mut objects.foreign_keys,
        "unique_texts" => return read_texts(objects, entry, subject, reader),
        _ => {
            let message = format!("{subject} has no {name}; it takes {}", one_of(&KINDS));
            return reader.problem(&entry.place, message);
        }
    };
    match entry.value {
        DeValue::Boolean(flag) => *field = *flag,
        _ => {
            let message = format!("{subject}.{name} is {}; it takes true or false", entry.shown());
            reader.problem(&entry.place, message);
        }
    }
}

fn read_texts(
    objects: &mut ObjectSettings,
    entry: &TomlEntry<'_>,
    subject: &str,
    reader: &mut SettingsReader<'_>,
) {
    let texts = entry.value.as_str();
    match UniqueTexts::ALL.into_iter().find(|known| Some(known.name()) == texts) {
        Some(texts) => objects.unique_texts = texts,
        None => {
            let message = format!(
                "{subject}.unique_texts is {}; it takes \"bytes\" or \"icu\"",
                entry.shown()
            );
            reader.problem(&entry.place, message);
        }
    }
}
