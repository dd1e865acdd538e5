//! The text of a configuration file as values, each with its line.

use crate::error::{FilePlace, SettingsProblem};
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// One configuration file, parsed and not yet judged.
pub(crate) struct Document<'t> {
    name: Arc<Path>,
    lines: Vec<usize>,
    root: DeTable<'t>,
    /// Text that is not TOML.
    pub(crate) problems: Vec<SettingsProblem>,
}

impl<'t> Document<'t> {
    /// Parses `text`, which errors call `name`. What is no TOML is noted and the rest kept.
    pub(crate) fn parse(text: &'t str, name: &Path) -> Document<'t> {
        let (spanned, errors) = DeTable::parse_recoverable(text);
        let root = spanned.into_inner();
        let lines = text.match_indices('\n').map(|(at, _)| at).collect();
        let mut document = Document { name: name.into(), lines, root, problems: Vec::new() };
        document.problems = errors
            .iter()
            .map(|error| {
                let place = document.place(&error.span().unwrap_or_default());
                SettingsProblem::new(place, format!("this is not TOML: {}", error.message()))
            })
            .collect();
        document
    }

    /// Returns the keys at the top of the file.
    pub(crate) fn entries(&self) -> impl Iterator<Item = (String, TomlEntry<'_>)> {
        self.entries_of(&self.root)
    }

    /// Returns where the file begins.
    pub(crate) fn start(&self) -> FilePlace {
        FilePlace::File(Arc::clone(&self.name), 1)
    }

    fn place(&self, span: &Range<usize>) -> FilePlace {
        let line = self.lines.partition_point(|newline| *newline < span.start) + 1;
        FilePlace::File(Arc::clone(&self.name), line)
    }

    fn entries_of<'d>(
        &'d self,
        table: &'d DeTable<'d>,
    ) -> impl Iterator<Item = (String, TomlEntry<'d>)> {
        table.iter().map(|(key, value)| {
            let entry = TomlEntry {
                document: self,
                place: self.place(&key.span()),
                value: value.get_ref(),
            };
            (key.get_ref().to_string(), entry)
        })
    }
}

/// The value of one key, and where the key stands.
pub(crate) struct TomlEntry<'d> {
    document: &'d Document<'d>,
    pub(crate) place: FilePlace,
    pub(crate) value: &'d DeValue<'d>,
}

impl<'d> TomlEntry<'d> {
    /// Returns the keys of a table, or [`None`] for any other value.
    pub(crate) fn table(&self) -> Option<impl Iterator<Item = (String, TomlEntry<'d>)> + use<'d>> {
        self.value.as_table().map(|table| self.document.entries_of(table))
    }

    /// Returns the items of a list, each with its own place, or [`None`] for any other value.
    pub(crate) fn items(&self) -> Option<impl Iterator<Item = TomlEntry<'d>> + use<'d>> {
        let document = self.document;
        let items: &'d [Spanned<DeValue<'d>>] = self.value.as_array()?;
        Some(items.iter().map(move |item| TomlEntry {
            document,
            place: document.place(&item.span()),
            value: item.get_ref(),
        }))
    }

    /// Returns the value as an error shows it: `3`, `"three"`, `a list`.
    pub(crate) fn shown(&self) -> String {
        match self.value {
            DeValue::String(text) => format!("{text:?}"),
            DeValue::Integer(number) => number.to_string(),
            DeValue::Float(number) => number.to_string(),
            DeValue::Boolean(value) => value.to_string(),
            DeValue::Datetime(value) => value.to_string(),
            DeValue::Array(_) => "a list".to_owned(),
            DeValue::Table(_) => "a section".to_owned(),
        }
    }
}
