//! The objects around the columns that tables of the target get.

/// The case of names in the target.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash)]
pub enum NameCase {
    /// As in the source.
    #[default]
    Kept,
    /// In lower case.
    Lower,
}

impl NameCase {
    /// Returns a name of the source as it is in the target.
    pub fn apply(self, name: &str) -> String {
        match self {
            NameCase::Kept => name.to_owned(),
            NameCase::Lower => name.to_lowercase(),
        }
    }
}

/// The comparison of texts in a unique index of the target.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash)]
pub enum UniqueTexts {
    /// By their bytes: the index lets in what the source would take for a duplicate.
    #[default]
    Bytes,
    /// By a nondeterministic ICU collation that is like the source's.
    Icu,
}

impl UniqueTexts {
    /// All of them.
    pub const ALL: [UniqueTexts; 2] = [UniqueTexts::Bytes, UniqueTexts::Icu];

    /// Returns the name that the settings use.
    pub fn name(self) -> &'static str {
        match self {
            UniqueTexts::Bytes => "bytes",
            UniqueTexts::Icu => "icu",
        }
    }
}

/// The kinds of objects that a table of the target gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ObjectSettings {
    /// Indexes that are not unique.
    pub indexes: bool,
    /// Unique indexes beside the key.
    pub unique: bool,
    /// The comparison of texts in them.
    pub unique_texts: UniqueTexts,
    /// Defaults.
    pub defaults: bool,
    /// CHECKs.
    pub checks: bool,
    /// Comments of tables and columns.
    pub comments: bool,
    /// AUTO_INCREMENT, as an identity.
    pub identity: bool,
    /// ON UPDATE CURRENT_TIMESTAMP, as a trigger.
    pub on_update: bool,
    /// Foreign keys.
    pub foreign_keys: bool,
}

impl ObjectSettings {
    /// The objects that a nightly copy needs: its keys, which every table has, and comments.
    pub const KEYS: ObjectSettings = ObjectSettings {
        indexes: false,
        unique: false,
        unique_texts: UniqueTexts::Bytes,
        defaults: false,
        checks: false,
        comments: true,
        identity: false,
        on_update: false,
        foreign_keys: false,
    };

    /// All objects that stay in place while rows are loaded.
    pub const ALL: ObjectSettings = ObjectSettings {
        indexes: true,
        unique: true,
        defaults: true,
        checks: true,
        identity: true,
        ..ObjectSettings::KEYS
    };

    /// Returns true if a table gets nothing beside its key.
    pub fn is_none(self) -> bool {
        let bare = ObjectSettings { comments: false, ..ObjectSettings::KEYS };
        ObjectSettings { unique_texts: UniqueTexts::Bytes, ..self } == bare
    }

    /// Returns true if objects are asked for that cannot be compared with the source by their text alone, so that
    /// their making is recorded.
    pub fn wants_more_than_comments(self) -> bool {
        !ObjectSettings { comments: false, ..self }.is_none()
    }
}

impl Default for ObjectSettings {
    fn default() -> ObjectSettings {
        ObjectSettings::KEYS
    }
}
