//! One change of a table's structure.

use std::fmt;

/// The kind of a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ChangeClass {
    /// A column is added.
    ColumnAdded,
    /// A column may be NULL from now on.
    MadeNullable,
    /// A column takes a type that holds all of its values.
    Widened,
    /// A column takes another type, or a wider one without holding up readers: it is built beside the old one,
    /// filled, and takes its name.
    BuiltAnew,
    /// The key is taken off before the rows and put on with them, over other columns or columns of other types.
    KeyChanged,
    /// A column that is gone from the source stays, and needs no value any more.
    ColumnKept,
    /// A column that is gone from the source is dropped.
    ColumnDropped,
}

impl ChangeClass {
    /// Returns the name that is recorded.
    pub fn name(self) -> &'static str {
        match self {
            ChangeClass::ColumnAdded => "column_added",
            ChangeClass::MadeNullable => "made_nullable",
            ChangeClass::Widened => "widened",
            ChangeClass::BuiltAnew => "built_anew",
            ChangeClass::KeyChanged => "key_changed",
            ChangeClass::ColumnKept => "column_kept",
            ChangeClass::ColumnDropped => "column_dropped",
        }
    }

    /// Returns true if rows that are there have to be loaded again for it.
    pub fn fills_rows(self) -> bool {
        matches!(self, ChangeClass::ColumnAdded | ChangeClass::BuiltAnew | ChangeClass::KeyChanged)
    }
}

/// One change of a table's structure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StructureChange {
    /// Its kind.
    pub class: ChangeClass,
    /// The column, by its name in the target; empty for a key.
    pub column: String,
    /// The change in words, as a part of a sentence.
    pub said: String,
    /// The statement that comes before the rows, if one does.
    pub before: Option<String>,
    /// The statements that come with the rows and take their time, while others read.
    pub building: Vec<String>,
    /// The statements that come with the rows, in the transaction that publishes them, while nobody reads.
    pub with_rows: Vec<String>,
    /// True if views that use the column stand in the way of the statement before the rows.
    pub is_viewed: bool,
}

impl StructureChange {
    /// Returns true if the views over the column are taken down for it.
    pub fn takes_views_down(&self) -> bool {
        self.is_viewed || self.class == ChangeClass::BuiltAnew
    }

    /// Returns all of its statements in their order.
    pub fn statements(&self) -> impl Iterator<Item = &str> {
        self.before.iter().chain(&self.building).chain(&self.with_rows).map(String::as_str)
    }
}

impl fmt::Display for StructureChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.said)
    }
}
