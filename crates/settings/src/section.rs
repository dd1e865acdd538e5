//! Taking typed values out of one section of the files.

use crate::document::TomlEntry;
use crate::duration;
use crate::error::FilePlace;
use crate::reader::SettingsReader;
use crate::suggest::one_of;
use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::time::Duration;
use toml::de::DeValue;

/// A text of the files with its variables put in.
pub(crate) struct Text {
    /// The key it belongs to, such as `source.url`.
    pub(crate) subject: String,
    /// The text.
    pub(crate) value: String,
    /// The text as it is written, which is safe to show where the value may not be.
    pub(crate) written: String,
    /// Its place in the file.
    pub(crate) place: FilePlace,
}

/// The lengths of time that a key takes, as they are written.
#[derive(Debug, Clone, Copy)]
pub(crate) struct LengthRange {
    /// The shortest.
    pub(crate) least: &'static str,
    /// The longest.
    pub(crate) most: &'static str,
}

impl LengthRange {
    fn holds(self, length: Duration) -> bool {
        let [least, most] = [self.least, self.most].map(duration::parse);
        least.is_some_and(|least| least <= length) && most.is_some_and(|most| length <= most)
    }
}

/// A section such as `[source]` or `[tables.patient]`. Values are taken out; what is left at the
/// end is unknown.
pub(crate) struct Section<'d> {
    kind: &'static str,
    name: String,
    entries: BTreeMap<String, TomlEntry<'d>>,
}

impl<'d> Section<'d> {
    /// Makes the section called `name`; sections of one `kind` take the same keys.
    pub(crate) fn new(
        kind: &'static str,
        name: impl Into<String>,
        entries: impl Iterator<Item = (String, TomlEntry<'d>)>,
    ) -> Section<'d> {
        Section { kind, name: name.into(), entries: entries.collect() }
    }

    /// Adds a key; one that is there already is a fault.
    pub(crate) fn add(
        &mut self,
        key: String,
        entry: TomlEntry<'d>,
        reader: &mut SettingsReader<'_>,
    ) {
        if let Some(first) = self.entries.get(&key) {
            let message =
                format!("{} stands at {} as well; keep one", self.subject(&key), first.place);
            reader.problem(&entry.place, message);
        } else {
            self.entries.insert(key, entry);
        }
    }

    /// Returns the full name of a key, such as `source.url`.
    pub(crate) fn subject(&self, key: &str) -> String {
        format!("{}.{key}", self.name)
    }

    /// Returns where `key` stands, if it does.
    pub(crate) fn place(&self, key: &str) -> Option<FilePlace> {
        self.entries.get(key).map(|entry| entry.place.clone())
    }

    /// Takes the value of `key` as it is.
    pub(crate) fn take(
        &mut self,
        key: &'static str,
        reader: &mut SettingsReader<'_>,
    ) -> Option<TomlEntry<'d>> {
        reader.takes(self.kind, key);
        self.entries.remove(key)
    }

    /// Takes a text.
    pub(crate) fn text(
        &mut self,
        key: &'static str,
        reader: &mut SettingsReader<'_>,
    ) -> Option<Text> {
        let entry = self.take(key, reader)?;
        text_of(&entry, self.subject(key), reader)
    }

    /// Takes a list of texts.
    pub(crate) fn texts(
        &mut self,
        key: &'static str,
        reader: &mut SettingsReader<'_>,
    ) -> Option<Vec<Text>> {
        let entry = self.take(key, reader)?;
        let subject = self.subject(key);
        let Some(items) = entry.items() else {
            let message =
                format!("{subject} is {}; it takes a list such as [\"…\"]", entry.shown());
            reader.problem(&entry.place, message);
            return None;
        };
        let texts = items.map(|item| text_of(&item, subject.clone(), reader)).collect::<Vec<_>>();
        texts.into_iter().collect()
    }

    /// Takes a whole number.
    pub(crate) fn number(
        &mut self,
        key: &'static str,
        range: RangeInclusive<u32>,
        reader: &mut SettingsReader<'_>,
    ) -> Option<u32> {
        let entry = self.take(key, reader)?;
        let number = match entry.value {
            DeValue::Integer(integer) => {
                u32::from_str_radix(integer.as_str(), integer.radix()).ok()
            }
            _ => None,
        };
        if let Some(number) = number.filter(|number| range.contains(number)) {
            return Some(number);
        }
        let message = format!(
            "{} is {}; it takes a whole number from {} to {}",
            self.subject(key),
            entry.shown(),
            range.start(),
            range.end()
        );
        reader.problem(&entry.place, message);
        None
    }

    /// Takes a length of time.
    pub(crate) fn duration(
        &mut self,
        key: &'static str,
        range: LengthRange,
        reader: &mut SettingsReader<'_>,
    ) -> Option<Duration> {
        let entry = self.take(key, reader)?;
        let subject = self.subject(key);
        let text = match entry.value.as_str() {
            Some(_) => text_of(&entry, subject.clone(), reader)?.value,
            None => String::new(),
        };
        let length = duration::parse(&text).filter(|length| range.holds(*length));
        if length.is_none() {
            let message = format!(
                "{subject} is {}; it takes a length of time from \"{}\" to \"{}\", such as \"5m\" \
                 or \"12h\"",
                entry.shown(),
                range.least,
                range.most
            );
            reader.problem(&entry.place, message);
        }
        length
    }

    /// Takes true or false.
    pub(crate) fn flag(
        &mut self,
        key: &'static str,
        reader: &mut SettingsReader<'_>,
    ) -> Option<bool> {
        let entry = self.take(key, reader)?;
        if let DeValue::Boolean(flag) = entry.value {
            return Some(*flag);
        }
        let message = format!("{} is {}; it takes true or false", self.subject(key), entry.shown());
        reader.problem(&entry.place, message);
        None
    }

    /// Takes one of a few words.
    pub(crate) fn choice<T: Copy>(
        &mut self,
        key: &'static str,
        choices: &[(&str, T)],
        reader: &mut SettingsReader<'_>,
    ) -> Option<T> {
        let text = self.text(key, reader)?;
        if let Some((_, chosen)) = choices.iter().find(|(name, _)| *name == text.value) {
            return Some(*chosen);
        }
        let names = choices.iter().map(|(name, _)| *name).collect::<Vec<_>>();
        reader.problem(
            &text.place,
            format!("{} is {:?}; it takes {}", text.subject, text.written, one_of(&names)),
        );
        None
    }

    /// Hands over what nobody took.
    pub(crate) fn finish(self, reader: &mut SettingsReader<'_>) {
        for (key, entry) in self.entries {
            reader.unknown(self.kind, &self.name, key, entry.place);
        }
    }
}

/// Reads an entry as a text and puts its variables in.
pub(crate) fn text_of(
    entry: &TomlEntry<'_>,
    subject: String,
    reader: &mut SettingsReader<'_>,
) -> Option<Text> {
    let Some(written) = entry.value.as_str() else {
        let message = format!("{subject} is {}; it takes a text in \"quotes\"", entry.shown());
        reader.problem(&entry.place, message);
        return None;
    };
    match reader.expanded(written) {
        Ok(value) => {
            let (written, place) = (written.to_owned(), entry.place.clone());
            Some(Text { subject, value, written, place })
        }
        Err(what) => {
            reader.problem(&entry.place, format!("{subject} {what}"));
            None
        }
    }
}
