//! The plain table in which a replica holds a table's rows.

use crate::column::ColumnSchema;
use crate::table::{IndexSchema, StorageEngine, TableSchema};

impl TableSchema {
    /// Describes the table that a copy of this one is, as the replica's catalogue shows it: the same
    /// columns, types and rows in a plain storage engine, where nothing is computed, hidden, divided
    /// into partitions or kept of the past.
    #[must_use]
    pub fn in_replica(&self) -> TableSchema {
        TableSchema {
            engine: self.engine.plain(),
            system_versioned: false,
            partitioned: false,
            columns: self.columns.iter().map(ColumnSchema::in_replica).collect(),
            indexes: self.indexes.iter().filter(|index| index.is_plain()).cloned().collect(),
            ..self.clone()
        }
    }

    /// Returns true if `replica` holds rows as a copy of this table does. Further indexes do not
    /// count.
    pub fn is_copied_as(&self, replica: &TableSchema) -> bool {
        self.in_replica().fingerprint() == replica.fingerprint()
    }

    /// Returns true if `replica` is what a copy of this table makes, indexes included.
    pub fn is_copied_in_full_as(&self, replica: &TableSchema) -> bool {
        self.is_copied_as(replica)
            && self.in_replica().indexes == replica.indexes
            && !replica.partitioned
    }
}

impl ColumnSchema {
    /// Describes the column that holds the values of this one. Those of a generated column are data
    /// there: computed anew, they may come out differently under another time zone, language or
    /// version.
    fn in_replica(&self) -> ColumnSchema {
        ColumnSchema {
            column_type: without_comments(&self.column_type),
            generated: false,
            expression: None,
            invisible: false,
            ..self.clone()
        }
    }
}

impl IndexSchema {
    /// Returns true if it is over values of columns alone.
    pub fn is_plain(&self) -> bool {
        self.parts.iter().all(|part| part.column.is_some())
    }
}

impl StorageEngine {
    /// Returns the plain storage engine that holds the rows of such a table in a replica: the same, or
    /// InnoDB.
    #[must_use]
    pub fn plain(&self) -> StorageEngine {
        match self {
            StorageEngine::Other(_) => StorageEngine::InnoDb,
            plain => plain.clone(),
        }
    }

    /// Returns true for InnoDB, MyISAM and Aria: a table is its rows, on its own server, and nothing
    /// else.
    pub fn is_plain(&self) -> bool {
        !matches!(self, StorageEngine::Other(_))
    }

    /// Returns why no row is carried of a table of this engine; [`None`] for one that keeps its rows
    /// itself. An engine that nobody here knows may be anything.
    pub fn not_carried(&self) -> Option<&'static str> {
        let StorageEngine::Other(name) = self else { return None };
        match name.to_ascii_uppercase().as_str() {
            // MERGE shows the rows of tables of its own server.
            "MEMORY" | "HEAP" | "CSV" | "ARCHIVE" | "MRG_MYISAM" | "MERGE" => None,
            "ROCKSDB" | "TOKUDB" | "COLUMNSTORE" | "MROONGA" | "S3" => None,
            "NDB" | "NDBCLUSTER" | "XTRADB" | "PBXT" => None,
            "BLACKHOLE" | "EXAMPLE" => Some("it keeps no rows"),
            "SEQUENCE" => Some("it makes its rows up"),
            "FEDERATED" | "SPIDER" => {
                Some("its rows are another server's, which the settings do not name")
            }
            "CONNECT" => Some("its rows are in a file or on another server"),
            "SPHINX" | "OQGRAPH" => Some("it answers searches, and keeps no rows"),
            "PERFORMANCE_SCHEMA" => Some("its rows are the state of the server"),
            _ => Some("whether it keeps rows of its own is not known"),
        }
    }

    /// Returns true if no two rows of a table of this engine have the same values in a unique index. A
    /// MERGE table may, since it looks after none of the tables that it shows.
    pub(crate) fn keeps_unique(&self) -> bool {
        let StorageEngine::Other(name) = self else { return true };
        !["MRG_MYISAM", "MERGE"].iter().any(|merge| merge.eq_ignore_ascii_case(name))
    }
}

/// Takes out what MariaDB says of a type in comments: `/*M!100301 COMPRESSED*/`. Labels are left
/// alone.
fn without_comments(column_type: &str) -> String {
    let mut kept = String::with_capacity(column_type.len());
    let mut quoted = false;
    let mut rest = column_type;
    while let Some(first) = rest.chars().next() {
        let comment = rest.strip_prefix("/*").filter(|_| !quoted);
        if let Some((_, behind)) = comment.and_then(|inside| inside.split_once("*/")) {
            rest = behind;
            continue;
        }
        quoted ^= first == '\'';
        kept.push(first);
        rest = &rest[first.len_utf8()..];
    }
    kept.trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::IndexPart;

    fn index(name: &str, column: Option<usize>) -> IndexSchema {
        let parts = vec![IndexPart { column, prefix: None, descending: false }];
        IndexSchema { name: name.to_owned(), unique: name == "PRIMARY", parts }
    }

    fn table() -> TableSchema {
        let id =
            ColumnSchema { nullable: false, ..ColumnSchema::of_type("id", "int(11)").unwrap() };
        let made = ColumnSchema {
            generated: true,
            invisible: true,
            expression: Some("`id` + 1".to_owned()),
            ..ColumnSchema::of_type("made", "int(11)").unwrap()
        };
        TableSchema {
            engine: StorageEngine::Other("MEMORY".to_owned()),
            partitioned: true,
            columns: vec![id, made],
            indexes: vec![index("PRIMARY", Some(0)), index("e", None), index("m", Some(1))],
            ..TableSchema::empty("t")
        }
    }

    #[test]
    fn a_replica_computes_hides_and_divides_nothing() {
        let plain = table().in_replica();
        assert_eq!((&plain.engine, plain.partitioned), (&StorageEngine::InnoDb, false));
        assert!(
            plain.columns.iter().all(|c| !c.generated && !c.invisible && c.expression.is_none())
        );
        let names: Vec<&str> = plain.indexes.iter().map(|index| index.name.as_str()).collect();
        assert_eq!(names, ["PRIMARY", "m"]);
        assert_eq!(plain.in_replica(), plain);
    }

    #[test]
    fn a_replica_of_an_older_version_is_another_table() {
        let (source, plain) = (table(), table().in_replica());
        assert!(source.is_copied_as(&plain) && source.is_copied_in_full_as(&plain));
        let old = TableSchema { columns: source.columns.clone(), ..plain.clone() };
        assert!(!source.is_copied_as(&old));
        let merge =
            TableSchema { engine: StorageEngine::Other("MRG_MyISAM".to_owned()), ..plain.clone() };
        assert!(!source.is_copied_as(&merge));
        let fewer = TableSchema { indexes: plain.indexes[..1].to_vec(), ..plain.clone() };
        assert!(source.is_copied_as(&fewer) && !source.is_copied_in_full_as(&fewer));
        let divided = TableSchema { partitioned: true, ..plain };
        assert!(!source.is_copied_in_full_as(&divided));
    }

    #[test]
    fn engines_are_plain_carried_or_not_known() {
        let engine = |name: &str| StorageEngine::named(name);
        for plain in ["InnoDB", "MyISAM", "aria"] {
            assert!(engine(plain).is_plain() && engine(plain).not_carried().is_none(), "{plain}");
            assert_eq!(engine(plain).plain(), engine(plain));
        }
        for carried in ["MEMORY", "CSV", "ARCHIVE", "MRG_MyISAM", "ROCKSDB", "ndbcluster"] {
            assert!(engine(carried).not_carried().is_none(), "{carried}");
            assert_eq!(engine(carried).plain(), StorageEngine::InnoDb);
        }
        for foreign in
            ["FEDERATED", "Federated", "CONNECT", "SPIDER", "BLACKHOLE", "SEQUENCE", "new"]
        {
            assert!(engine(foreign).not_carried().is_some(), "{foreign}");
        }
        assert!(engine("MEMORY").keeps_unique() && !engine("MRG_MyISAM").keeps_unique());
    }

    #[test]
    fn comments_of_a_type_are_taken_out() {
        assert_eq!(without_comments("varchar(9) /*M!100301 COMPRESSED*/"), "varchar(9)");
        assert_eq!(without_comments("enum('/*a*/','it''s /*') "), "enum('/*a*/','it''s /*')");
        assert_eq!(without_comments("int(11) unsigned"), "int(11) unsigned");
    }
}
