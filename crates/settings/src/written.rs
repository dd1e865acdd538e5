//! Where the names in the settings are written.

use crate::error::Place;
use std::fmt;

/// The place in a file of each item of a setting, in their order; none for settings made in code.
///
/// It is no part of what the settings say: two places are always equal.
#[derive(Debug, Clone, Default)]
pub struct WrittenAt(Vec<Place>);

impl WrittenAt {
    pub(crate) fn new(places: Vec<Place>) -> WrittenAt {
        WrittenAt(places)
    }

    /// Returns the file and line of an item as messages name them: `handoff.toml:12`.
    pub fn of(&self, item: usize) -> Option<String> {
        self.0.get(item).map(ToString::to_string)
    }
}

impl PartialEq for WrittenAt {
    fn eq(&self, _: &WrittenAt) -> bool {
        true
    }
}

impl Eq for WrittenAt {}

impl fmt::Display for WrittenAt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.of(0).unwrap_or_else(|| "the settings".to_owned()))
    }
}
