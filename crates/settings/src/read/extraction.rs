//! `extraction`, `watermark`, `lookback` and `deletes` of `[tables.NAME]`.

use crate::error::FilePlace;
use crate::reader::SettingsReader;
use crate::section::{Section, Text, text_of};
use crate::table::Lookback;
use handoff_model::{ColumnName, Deletes, Extraction};

/// The rows of a table to move, as written.
#[derive(Default)]
pub(super) struct RowSettings {
    pub(super) extraction: Option<Extraction>,
    pub(super) watermark: Vec<ColumnName>,
    pub(super) lookback: Option<Lookback>,
    pub(super) deletes: Deletes,
}

const KEYS: [&str; 4] = ["extraction", "watermark", "lookback", "deletes"];

/// Reads the four keys, and reports those that do not go together.
pub(super) fn rows(section: &mut Section<'_>, reader: &mut SettingsReader<'_>) -> RowSettings {
    let choices: Vec<_> = Extraction::ALL.iter().map(|choice| (choice.name(), *choice)).collect();
    let deletes: Vec<_> = Deletes::ALL.iter().map(|choice| (choice.name(), *choice)).collect();
    let places = KEYS.map(|key| section.place(key));
    let subjects = KEYS.map(|key| section.subject(key));
    let written = RowSettings {
        extraction: section.choice("extraction", &choices, reader),
        watermark: watermark(section, reader),
        lookback: lookback(section, reader),
        deletes: section.choice("deletes", &deletes, reader).unwrap_or_default(),
    };
    let moved = written.extraction.unwrap_or(Extraction::Auto);
    let mut refuse = |place: &Option<FilePlace>, message: String| {
        if let Some(place) = place {
            reader.problem(place, message);
        }
    };
    let [extraction, watermark, ..] = &subjects;
    if !moved.is_by_watermark() {
        let what = match moved {
            Extraction::Diff => "all rows are compared",
            Extraction::FullTable => "the whole table is moved",
            _ => "no watermark is used",
        };
        // An extraction that could not be read has been reported.
        let full = places[0].is_none() || written.extraction.is_some();
        for (place, subject) in places.iter().zip(&subjects).skip(1).filter(|_| full) {
            let message = format!(
                "{subject} has no effect while {what}; write {extraction} = \
                 \"incremental\", or leave it out"
            );
            refuse(place, message);
        }
    } else if places[1].is_none() {
        let message = format!(
            "{extraction} is {:?} and {watermark} is missing; name the column that grows when a \
             row is written, such as {watermark} = \"DateTStamp\"",
            moved.name()
        );
        refuse(&places[0], message);
    } else if moved == Extraction::IncrementalChunked && written.watermark.len() > 1 {
        let message = format!(
            "{watermark} names {} columns, and slices are taken of one; name one, or write \
             {extraction} = \"incremental\"",
            written.watermark.len()
        );
        refuse(&places[1], message);
    }
    written
}

/// Reads a name, or a list of names.
fn watermark(section: &mut Section<'_>, reader: &mut SettingsReader<'_>) -> Vec<ColumnName> {
    let subject = section.subject("watermark");
    let Some(entry) = section.take("watermark", reader) else { return Vec::new() };
    let texts: Vec<Option<Text>> = match entry.items() {
        Some(items) => items.map(|item| text_of(&item, subject.clone(), reader)).collect(),
        None if entry.value.as_str().is_some() => vec![text_of(&entry, subject.clone(), reader)],
        None => {
            let message = format!(
                "{subject} is {}; it takes the name of a column, or a list of names",
                entry.shown()
            );
            reader.problem(&entry.place, message);
            return Vec::new();
        }
    };
    if texts.is_empty() {
        reader.problem(&entry.place, format!("{subject} is empty; name a column"));
    }
    names(texts.into_iter().flatten(), reader)
}

fn lookback(section: &mut Section<'_>, reader: &mut SettingsReader<'_>) -> Option<Lookback> {
    let subject = section.subject("lookback");
    let entry = section.take("lookback", reader)?;
    let Some(entries) = entry.table() else {
        let message = format!(
            "{subject} is {}; it takes days and columns, such as {{ days = 30, columns = \
             [\"ProcDate\"] }}",
            entry.shown()
        );
        reader.problem(&entry.place, message);
        return None;
    };
    let mut section = Section::new("tables.NAME.lookback", subject.clone(), entries);
    let given = ["days", "columns"].map(|key| section.place(key).is_some());
    let days = section.number("days", 1..=36_500, reader);
    let texts = section.texts("columns", reader);
    section.finish(reader);
    for (key, _) in ["days", "columns"].into_iter().zip(given).filter(|(_, given)| !given) {
        reader.problem(&entry.place, format!("{subject}.{key} is missing; write it beside"));
    }
    let columns = names(texts?.into_iter(), reader);
    if columns.is_empty() {
        reader.problem(&entry.place, format!("{subject}.columns is empty; name a date column"));
    }
    Some(Lookback { days: days?, columns })
}

/// Turns texts into names of columns; one that stands twice is a fault.
fn names(texts: impl Iterator<Item = Text>, reader: &mut SettingsReader<'_>) -> Vec<ColumnName> {
    let mut names: Vec<ColumnName> = Vec::new();
    for text in texts {
        match ColumnName::new(&text.value) {
            Ok(name) if names.contains(&name) => {
                let message = format!("{} names `{name}` twice; keep one", text.subject);
                reader.problem(&text.place, message);
            }
            Ok(name) => names.push(name),
            Err(error) => reader.problem(&text.place, format!("{}: {error}", text.subject)),
        }
    }
    names
}
