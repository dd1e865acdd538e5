//! Parts of a table's definition that its copy does not have.

use handoff_connect::quote_my;
use handoff_model::{TableName, visible};
use std::fmt;

/// The kinds of parts that are left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum OmissionKind {
    /// A foreign key.
    ForeignKey,
    /// A CHECK.
    Check,
    /// An index.
    Index,
    /// A unique index other than the key.
    UniqueKey,
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
    /// AUTO_INCREMENT.
    AutoIncrement,
    /// ON UPDATE CURRENT_TIMESTAMP.
    OnUpdate,
    /// A collation of texts, whose order and equality it decides.
    Collation,
    /// The comment of a table or column.
    Comment,
    /// A view.
    View,
    /// A sequence.
    Sequence,
    /// An event.
    Event,
    /// A procedure or function.
    Routine,
    /// A table of the source that has a name of Handoff's own.
    ReservedName,
    /// A table of an engine that keeps no rows of its own.
    Engine,
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
            kind => kind.singular(),
        }
    }

    /// Returns the name in JSON.
    pub fn name(self) -> &'static str {
        self.words().json
    }

    /// Returns the noun for one of them.
    pub fn singular(self) -> &'static str {
        self.words().singular
    }

    /// Returns the noun for several of them.
    pub fn plural(self) -> &'static str {
        self.words().plural
    }

    fn words(self) -> KindWords {
        let (json, singular, plural) = match self {
            OmissionKind::ForeignKey => ("foreign_key", "foreign key", "foreign keys"),
            OmissionKind::Check => ("check", "CHECK", "CHECKs"),
            OmissionKind::Index => ("index", "secondary index", "secondary indexes"),
            OmissionKind::UniqueKey => ("unique_key", "unique key", "unique keys"),
            OmissionKind::Default => ("default", "DEFAULT", "DEFAULTs"),
            OmissionKind::Expression => {
                ("expression", "generation expression", "generation expressions")
            }
            OmissionKind::Period => ("period", "period", "periods"),
            OmissionKind::Partitions => ("partitions", "partitioning", "partitionings"),
            OmissionKind::History => ("history", "history of the rows", "histories of rows"),
            OmissionKind::Triggers => ("trigger", "trigger", "triggers"),
            OmissionKind::ColumnAttribute => {
                ("column_attribute", "column attribute", "column attributes")
            }
            OmissionKind::TableOption => ("table_option", "table option", "table options"),
            OmissionKind::AutoIncrement => ("auto_increment", "AUTO_INCREMENT", "AUTO_INCREMENTs"),
            OmissionKind::OnUpdate => ("on_update", "ON UPDATE", "ON UPDATEs"),
            OmissionKind::Collation => ("collation", "collation", "collations"),
            OmissionKind::Comment => ("comment", "comment", "comments"),
            OmissionKind::View => ("view", "view", "views"),
            OmissionKind::Sequence => ("sequence", "sequence", "sequences"),
            OmissionKind::Event => ("event", "event", "events"),
            OmissionKind::Routine => ("routine", "routine", "routines"),
            OmissionKind::ReservedName => (
                "reserved_name",
                "table with a name of Handoff's own",
                "tables with names of Handoff's own",
            ),
            OmissionKind::Engine => {
                ("engine", "table without rows of its own", "tables without rows of their own")
            }
        };
        KindWords { json, singular, plural }
    }
}

/// The words for a kind.
struct KindWords {
    json: &'static str,
    singular: &'static str,
    plural: &'static str,
}

/// A part of a table's definition that its copy does not have. No row depends on it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OmittedPart {
    /// The table; of what is no table, its own name.
    pub table: TableName,
    /// The kind of part.
    pub kind: OmissionKind,
    /// Its name, or that of its column; empty where it has none.
    pub name: String,
}

impl fmt::Display for OmittedPart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let noun = self.kind.noun();
        match (self.kind, self.name.as_str()) {
            (_, "") => write!(f, "{noun}"),
            (OmissionKind::TableOption, name) => write!(f, "{noun} {}", visible(name)),
            (_, name) => write!(f, "{noun} {}", visible(&quote_my(name))),
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
            OmittedPart { table, kind, name: name.to_owned() }.to_string()
        };
        assert_eq!(print(OmissionKind::ForeignKey, "fk"), "foreign key `fk`");
        assert_eq!(print(OmissionKind::Check, ""), "CHECK");
        assert_eq!(print(OmissionKind::TableOption, "DATA DIRECTORY"), "option DATA DIRECTORY");
    }

    #[test]
    fn every_kind_has_words_of_its_own() {
        use OmissionKind as K;
        let kinds = [
            K::ForeignKey,
            K::Check,
            K::Index,
            K::UniqueKey,
            K::Default,
            K::Expression,
            K::Period,
            K::Partitions,
            K::History,
            K::Triggers,
            K::ColumnAttribute,
            K::TableOption,
            K::AutoIncrement,
            K::OnUpdate,
            K::Collation,
            K::Comment,
            K::View,
            K::Sequence,
            K::Event,
            K::Routine,
            K::ReservedName,
            K::Engine,
        ];
        let names: std::collections::BTreeSet<&str> =
            kinds.iter().map(|kind| kind.name()).collect();
        assert_eq!(names.len(), kinds.len());
        for kind in kinds {
            assert_ne!(kind.singular(), kind.plural(), "{}", kind.name());
            assert!(!kind.noun().is_empty());
        }
    }
}
