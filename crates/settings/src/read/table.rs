//! `[tables.NAME]`, of both files.

use super::extraction::{self, RowSettings};
use super::objects::read_objects;
use super::run::percent;
use super::target::read_structure;
use crate::document::TomlEntry;
use crate::error::FilePlace;
use crate::objects::NameCase;
use crate::reader::SettingsReader;
use crate::section::{Section, text_of};
use crate::suggest::one_of;
use crate::table::{AVAILABLE_STRATEGIES, TableSettings};
use crate::written::WrittenAt;
use handoff_model::{ColumnName, Priority, Strategy, TableName};
use std::collections::BTreeMap;

/// Reads the tables of every file; a table may stand in both, a key of it in one.
pub(super) fn tables<'d>(
    files: impl Iterator<Item = TomlEntry<'d>>,
    reader: &mut SettingsReader<'_>,
) -> BTreeMap<TableName, TableSettings> {
    let mut sections = BTreeMap::<TableName, NamedTable<'d>>::new();
    for file in files {
        let Some(tables) = file.table() else {
            let message =
                format!("tables is {}; write [tables.NAME] and its keys below", file.shown());
            reader.problem(&file.place, message);
            continue;
        };
        for (name, entry) in tables {
            gather(&mut sections, &name, &entry, reader);
        }
    }
    let tables = sections.into_iter();
    tables.map(|(name, named)| (name, table(named.section, named.place, reader))).collect()
}

/// The section of a table, and where it is first named.
struct NamedTable<'d> {
    section: Section<'d>,
    place: FilePlace,
}

fn gather<'d>(
    sections: &mut BTreeMap<TableName, NamedTable<'d>>,
    name: &str,
    entry: &TomlEntry<'d>,
    reader: &mut SettingsReader<'_>,
) {
    let table = match TableName::new(name) {
        Ok(table) => table,
        Err(error) => return reader.problem(&entry.place, format!("[tables.NAME]: {error}")),
    };
    let Some(keys) = entry.table() else {
        let message =
            format!("tables.{name} is {}; write [tables.{name}] above its keys", entry.shown());
        return reader.problem(&entry.place, message);
    };
    let named = sections.entry(table).or_insert_with(|| NamedTable {
        section: Section::new("tables.NAME", format!("tables.{name}"), [].into_iter()),
        place: entry.place.clone(),
    });
    for (key, value) in keys {
        named.section.add(key, value, reader);
    }
}

fn table(
    mut section: Section<'_>,
    place: FilePlace,
    reader: &mut SettingsReader<'_>,
) -> TableSettings {
    let rows = extraction::rows(&mut section, reader);
    let (loader, keep_spool) = loading(&mut section, reader);
    let priority = section.choice("priority", &PRIORITIES, reader).unwrap_or_default();
    let max_delete_percent = percent(&mut section, reader);
    let structure = read_structure(&mut section, reader);
    let columns = read_columns(&mut section, reader);
    let objects = read_objects(&mut section, reader);
    section.finish(reader);
    let RowSettings { extraction, watermark, lookback, deletes } = rows;
    TableSettings {
        extraction,
        watermark,
        lookback,
        deletes,
        max_delete_percent,
        loader,
        keep_spool,
        priority,
        structure,
        columns,
        name_case: NameCase::Kept,
        objects,
        written: WrittenAt::new(vec![place]),
    }
}

const PRIORITIES: [(&str, Priority); 3] =
    [("high", Priority::High), ("medium", Priority::Medium), ("low", Priority::Low)];

/// Reads the strategy and whether its file stays.
fn loading(section: &mut Section<'_>, reader: &mut SettingsReader<'_>) -> (Option<Strategy>, bool) {
    let [of_loader, of_keep] = ["loader", "keep_spool"].map(|key| section.place(key));
    let loader = read_loader(section, reader);
    let keep_spool = section.flag("keep_spool", reader).unwrap_or_default();
    // A strategy that could not be read has been reported.
    let known = loader.is_some() || of_loader.is_none();
    if let (true, true, Some(place)) = (keep_spool, known, of_keep)
        && loader != Some(Strategy::CopyCsv)
    {
        let [keep, loader] = ["keep_spool", "loader"].map(|key| section.subject(key));
        let message = format!(
            "{keep} has no effect, since only copy_csv writes a file; write {loader} = \
             \"copy_csv\", or leave it out"
        );
        reader.problem(&place, message);
    }
    (loader, keep_spool)
}

fn read_loader(section: &mut Section<'_>, reader: &mut SettingsReader<'_>) -> Option<Strategy> {
    let text = section.text("loader", reader)?;
    let strategy = Strategy::by_name(&text.value);
    let available = strategy.filter(|strategy| AVAILABLE_STRATEGIES.contains(strategy));
    if available.is_none() {
        let names = AVAILABLE_STRATEGIES.iter().map(|strategy| strategy.name()).collect::<Vec<_>>();
        let known = if strategy.is_some() { ", which is for benches" } else { "" };
        let message =
            format!("{} is {:?}{known}; it takes {}", text.subject, text.written, one_of(&names));
        reader.problem(&text.place, message);
    }
    available
}

fn read_columns(
    section: &mut Section<'_>,
    reader: &mut SettingsReader<'_>,
) -> BTreeMap<ColumnName, String> {
    let Some(entry) = section.take("columns", reader) else { return BTreeMap::new() };
    let subject = section.subject("columns");
    let Some(entries) = entry.table() else {
        let message = format!(
            "{subject} is {}; it takes the types of columns, such as {{ IsLocked = \"boolean\" }}",
            entry.shown()
        );
        reader.problem(&entry.place, message);
        return BTreeMap::new();
    };
    let column = |(name, entry): (String, TomlEntry<'_>)| {
        let text = text_of(&entry, format!("{subject}.{name}"), reader)?;
        let column = ColumnName::new(&name)
            .map_err(|error| reader.problem(&text.place, format!("{subject}: {error}")))
            .ok()?;
        if text.value.trim().is_empty() {
            let message = format!("{} names no type; write one such as \"boolean\"", text.subject);
            reader.problem(&text.place, message);
        }
        Some((column, text.value))
    };
    entries.filter_map(column).collect()
}
