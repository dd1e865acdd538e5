//! `[values]`.

use crate::reader::SettingsReader;
use crate::section::{Section, text_of};
use crate::values::{BadJson, BadText, NulBytes, ValuePolicies, ZeroDates};
use toml::de::DeValue;

pub(super) fn read_values(
    section: Option<Section<'_>>,
    reader: &mut SettingsReader<'_>,
) -> ValuePolicies {
    let Some(mut section) = section else { return ValuePolicies::default() };
    let values = ValuePolicies {
        zero_dates: zero_dates(&mut section, reader).unwrap_or_default(),
        nul_bytes: section.choice("nul_bytes", NulBytes::NAMES, reader).unwrap_or_default(),
        bad_text: section.choice("bad_text", BadText::NAMES, reader).unwrap_or_default(),
        bad_json: section.choice("bad_json", BadJson::NAMES, reader).unwrap_or_default(),
    };
    section.finish(reader);
    values
}

/// Reads a word or a date; the date may stand in quotes or, as TOML writes dates, without.
fn zero_dates(section: &mut Section<'_>, reader: &mut SettingsReader<'_>) -> Option<ZeroDates> {
    let entry = section.take("zero_dates", reader)?;
    let subject = section.subject("zero_dates");
    let (place, shown) = (entry.place.clone(), entry.shown());
    let word = match entry.value {
        DeValue::Datetime(date) => date.to_string(),
        _ => text_of(&entry, subject.clone(), reader)?.value,
    };
    let chosen = ZeroDates::by_name(&word);
    if chosen.is_none() {
        let message =
            format!("{subject} is {shown}; it takes null, fail or a day such as 0001-01-01");
        reader.problem(&place, message);
    }
    chosen
}
