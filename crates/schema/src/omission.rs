//! Parts of a table's definition that its copy does not have.

use handoff_connect::quote_my;
use handoff_model::TableName;
use std::fmt;

/// What kind of part is left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum OmissionKind {
    /// A foreign key.
    ForeignKey,
    /// A CHECK.
    Check,
    /// An index.
    Index,
    /// The DEFAULT of a column.
    Default,
    /// The expression of a generated column, whose values are carried.
    Expression,
    /// A period of time that two columns bound.
    Period,
    /// The division into partitions.
    Partitions,
    /// The rows as they were before (system versioning).
    History,
    /// Triggers.
    Triggers,
    /// An attribute of a column, such as COMPRESSED or INVISIBLE.
    ColumnAttribute,
    /// An option of the table, such as TABLESPACE or DATA DIRECTORY.
    TableOption,
}

impl OmissionKind {
    /// Returns the noun for reports.
    pub fn noun(self) -> &'static str {
        match self {
            OmissionKind::ForeignKey => "foreign key",
            OmissionKind::Check => "CHECK",
            OmissionKind::Index => "index",
            OmissionKind::Default => "DEFAULT",
            OmissionKind::Expression => "expression of the generated column",
            OmissionKind::Period => "period",
            OmissionKind::Partitions => "partitions",
            OmissionKind::History => "history of the rows",
            OmissionKind::Triggers => "triggers",
            OmissionKind::ColumnAttribute => "attribute",
            OmissionKind::TableOption => "option",
        }
    }
}

/// A part of a table's definition that its copy does not have. No row depends on it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Omission {
    /// The table.
    pub table: TableName,
    /// What kind of part it is.
    pub kind: OmissionKind,
    /// Its name, or that of its column; empty where it has none.
    pub name: String,
}

impl fmt::Display for Omission {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let noun = self.kind.noun();
        match (self.kind, self.name.as_str()) {
            (_, "") => write!(f, "{noun}"),
            (OmissionKind::TableOption, name) => write!(f, "{noun} {name}"),
            (_, name) => write!(f, "{noun} {}", quote_my(name)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_omission_is_a_noun_and_a_name() {
        let print = |kind, name: &str| {
            let table = TableName::new("t").unwrap();
            Omission { table, kind, name: name.to_owned() }.to_string()
        };
        assert_eq!(print(OmissionKind::ForeignKey, "fk"), "foreign key `fk`");
        assert_eq!(print(OmissionKind::Check, ""), "CHECK");
        assert_eq!(print(OmissionKind::TableOption, "DATA DIRECTORY"), "option DATA DIRECTORY");
    }
}
