//! The policies of a table whose structure in the source changed.

/// The policy for a table of the target whose structure in the source changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash)]
pub enum StructurePolicy {
    /// It follows: columns are added, widened and built anew.
    #[default]
    Follow,
    /// It is extended: columns are added and widened, and whatever else changed fails the table.
    Extend,
    /// It is left as it is, and every change fails the table.
    Fail,
}

impl StructurePolicy {
    /// All of them.
    pub const ALL: [StructurePolicy; 3] =
        [StructurePolicy::Follow, StructurePolicy::Extend, StructurePolicy::Fail];

    /// Returns the name that the settings use.
    pub fn name(self) -> &'static str {
        match self {
            StructurePolicy::Follow => "follow",
            StructurePolicy::Extend => "extend",
            StructurePolicy::Fail => "fail",
        }
    }
}

/// The fate of a table of the target that is gone from the source.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash)]
pub enum DroppedTables {
    /// It stays with its last rows, and is marked as gone.
    #[default]
    Keep,
    /// It is dropped, if it is ours and nothing depends on it.
    Drop,
}

impl DroppedTables {
    /// All of them.
    pub const ALL: [DroppedTables; 2] = [DroppedTables::Keep, DroppedTables::Drop];

    /// Returns the name that the settings use.
    pub fn name(self) -> &'static str {
        match self {
            DroppedTables::Keep => "keep",
            DroppedTables::Drop => "drop",
        }
    }
}

/// The fate of a column of the target that is gone from the source.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash)]
pub enum DroppedColumns {
    /// It stays with its values, and is no longer written.
    #[default]
    Keep,
    /// It is dropped, if a load of ours has written it once.
    Drop,
}

impl DroppedColumns {
    /// All of them.
    pub const ALL: [DroppedColumns; 2] = [DroppedColumns::Keep, DroppedColumns::Drop];

    /// Returns the name that the settings use.
    pub fn name(self) -> &'static str {
        match self {
            DroppedColumns::Keep => "keep",
            DroppedColumns::Drop => "drop",
        }
    }
}
