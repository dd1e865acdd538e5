//! The places in the files where names are written.

use crate::error::FilePlace;
use std::fmt;

/// The place in a file of each item of a setting, in their order; none for settings made in code.
///
/// It is no part of what the settings say: two places are always equal.
#[derive(Debug, Clone, Default)]
pub struct WrittenAt(Vec<FilePlace>);

impl WrittenAt {
    pub(crate) fn new(places: Vec<FilePlace>) -> WrittenAt {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_item_is_named_by_its_line_and_one_of_code_is_not() {
        let file = std::path::Path::new("tables.toml");
        let written = WrittenAt::new(vec![FilePlace::File(file.into(), 12)]);
        assert_eq!(written.of(0).as_deref(), Some("tables.toml:12"));
        assert_eq!(written.of(1), None);
        assert_eq!(written.to_string(), "tables.toml:12");
        assert_eq!(WrittenAt::default().to_string(), "the settings");
        assert_eq!(written, WrittenAt::default(), "places are no part of what settings say");
    }
}
