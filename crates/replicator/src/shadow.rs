//! The definition of the replica's table, put together from the known parts of the source's.
//!
//! Nothing of the source's definition is copied but the parts that are known: types, character sets,
//! constants, comments, and indexes over columns. So no engine but a plain one, no address, file or
//! sequence can come along.

use crate::definition::{
    ColumnClause, ElementKind, IndexClause, IndexWord, TableDefinition, TableOptions,
};
use handoff_connect::{ServerFlavor, quote_my};
use handoff_model::own;
use handoff_schema::{
    ColumnSchema, IndexPart, IndexSchema, MySqlType, OmissionKind, OmittedPart, TableSchema,
};

/// The moment at which secondary indexes are made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum IndexTiming {
    /// In `CREATE TABLE`.
    First,
    /// By one `ALTER TABLE` once the rows are there.
    Last,
}

/// The statements that make a shadow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ShadowSql {
    /// `CREATE TABLE`.
    pub(crate) create: String,
    /// `ALTER TABLE … ADD …` for after the rows.
    pub(crate) add_indexes: Option<String>,
}

/// The table that a replica is to hold.
pub(crate) struct ReplicaTable<'a> {
    definition: &'a TableDefinition,
    options: TableOptions,
    source: &'a TableSchema,
    /// The table as the replica's catalogue will show it.
    plain: TableSchema,
    flavor: ServerFlavor,
    /// True if the server demands a primary key of every table, or makes one of its own.
    demands_key: bool,
}

impl<'a> ReplicaTable<'a> {
    pub(crate) fn new(
        source: &'a TableSchema,
        definition: &'a TableDefinition,
        flavor: ServerFlavor,
        demands_key: bool,
    ) -> ReplicaTable<'a> {
        let (options, plain) = (definition.options(), source.in_replica());
        ReplicaTable { definition, options, source, plain, flavor, demands_key }
    }

    /// Renders the statements that make the table under a name.
    pub(crate) fn shadow(&self, name: &str, indexes: IndexTiming) -> ShadowSql {
        let name = quote_my(name);
        let mut parts: Vec<String> = self.columns(ColumnNumbering::AsInSource);
        let mut later = Vec::new();
        for (clause, index) in self.indexes() {
            let rendered = index_clause(clause, index, &self.plain);
            if indexes == IndexTiming::Last && self.may_come_last(clause, index) {
                later.push(format!("ADD {rendered}"));
            } else {
                parts.push(rendered);
            }
        }
        parts.extend(self.row_number());
        let create =
            format!("CREATE TABLE {name} (\n  {}\n){}", parts.join(",\n  "), self.options_clause());
        let add_indexes =
            (!later.is_empty()).then(|| format!("ALTER TABLE {name} {}", later.join(", ")));
        ShadowSql { create, add_indexes }
    }

    /// Renders the text behind `CREATE [TEMPORARY] TABLE ` of a table in which changed rows are gathered:
    /// the columns and the key, so that its rows are held byte for byte. Nothing is numbered, and no
    /// other index is kept.
    pub(crate) fn staging(&self, name: &str) -> String {
        let mut parts = self.columns(ColumnNumbering::None);
        let primary = self.plain.indexes.iter().find(|index| index.name == "PRIMARY");
        match primary {
            Some(primary) => {
                parts.push(format!("PRIMARY KEY {}", columns_of(primary, &self.plain)));
            }
            None => parts.extend(self.unique_key()),
        }
        parts.extend(self.row_number());
        // Not the others: a temporary table can't be compressed.
        let options: String = ["DEFAULT CHARSET", "COLLATE"]
            .iter()
            .filter_map(|name| Some(format!(" {name}={}", self.options.get(name)?)))
            .collect();
        let engine = self.plain.engine.name();
        format!("{} (\n  {}\n) ENGINE={engine}{options}", quote_my(name), parts.join(",\n  "))
    }

    /// Returns the parts of the source's table that the replica's does not have.
    pub(crate) fn omissions(&self) -> Vec<OmittedPart> {
        let mut found = Vec::new();
        for element in &self.definition.elements {
            match &element.kind {
                ElementKind::Column(column) => {
                    found.extend(column.left_out.iter().map(|&kind| self.omit(kind, &column.name)));
                }
                ElementKind::Index(clause) if self.index(clause).is_none() => {
                    found.push(self.omit(OmissionKind::Index, &clause.name));
                }
                ElementKind::Index(_) => {}
                ElementKind::ForeignKey { name } => {
                    found.push(self.omit(OmissionKind::ForeignKey, name));
                }
                ElementKind::Check { name } => found.push(self.omit(OmissionKind::Check, name)),
                ElementKind::Period { name } => found.push(self.omit(OmissionKind::Period, name)),
                ElementKind::Other => found.push(self.omit(OmissionKind::TableOption, "")),
            }
        }
        if self.options.versioned || self.source.system_versioned {
            found.push(self.omit(OmissionKind::History, ""));
        }
        if self.options.partitioned {
            found.push(self.omit(OmissionKind::Partitions, ""));
        }
        let left_out = self.options.options.iter().filter(|option| !self.is_kept(&option.name));
        found.extend(left_out.map(|option| self.omit(OmissionKind::TableOption, &option.name)));
        found
    }

    fn omit(&self, kind: OmissionKind, name: &str) -> OmittedPart {
        OmittedPart { table: self.source.name.clone(), kind, name: name.to_owned() }
    }

    fn columns(&self, numbering: ColumnNumbering) -> Vec<String> {
        let clauses = self.definition.elements.iter().filter_map(|element| match &element.kind {
            ElementKind::Column(column) if column.name != own::ROW_NUMBER => Some(column),
            _ => None,
        });
        let columns = clauses.zip(&self.plain.columns);
        columns.map(|(clause, column)| self.column(clause, column, numbering)).collect()
    }

    fn column(
        &self,
        clause: &ColumnClause,
        column: &ColumnSchema,
        numbering: ColumnNumbering,
    ) -> String {
        let name = quote_my(clause.name.as_str());
        let mut text = format!("{name} {}", clause.type_text);
        // Said of each: a TIMESTAMP of which nothing is said is something else on each server.
        text.push_str(if column.nullable { " NULL" } else { " NOT NULL" });
        let timestamp = matches!(column.kind, MySqlType::Timestamp(_)) && !column.nullable;
        let zero = timestamp.then(|| "0".to_owned());
        for (word, value) in [
            (" ", clause.reference_system.as_ref()),
            (" DEFAULT ", clause.default.as_ref().or(zero.as_ref())),
            (" ON UPDATE ", clause.on_update.as_ref()),
        ] {
            value.into_iter().for_each(|value| text.push_str(&format!("{word}{value}")));
        }
        if numbering == ColumnNumbering::AsInSource && self.is_numbered(clause, column) {
            text.push_str(" AUTO_INCREMENT");
        }
        if let Some(comment) = &clause.comment {
            text.push_str(&format!(" COMMENT {comment}"));
        }
        // MariaDB's JSON is a text with this check, by which its catalogue tells it.
        if self.flavor == ServerFlavor::MariaDb && column.kind == MySqlType::Json {
            text.push_str(&format!(" CHECK (json_valid({name}))"));
        }
        text
    }

    /// Returns true if the server goes on numbering the column: not on another engine, which may want
    /// another key for it.
    fn is_numbered(&self, clause: &ColumnClause, column: &ColumnSchema) -> bool {
        use MySqlType as M;
        let integer = matches!(
            column.kind,
            M::TinyInt(_) | M::SmallInt(_) | M::MediumInt(_) | M::Int(_) | M::BigInt(_)
        );
        clause.numbered && integer && self.source.engine.is_plain() && !self.has_row_number()
    }

    /// Returns the indexes that the replica has, with the clause of each.
    fn indexes(&self) -> impl Iterator<Item = (&IndexClause, &IndexSchema)> {
        self.definition.elements.iter().filter_map(|element| match &element.kind {
            ElementKind::Index(clause) => Some((clause, self.index(clause)?)),
            _ => None,
        })
    }

    fn index(&self, clause: &IndexClause) -> Option<&IndexSchema> {
        let known = clause.word != IndexWord::Other;
        self.plain.indexes.iter().find(|index| known && index.name == clause.name)
    }

    /// Returns true for an index that may be added to the rows. The server wants a key on the column
    /// that it numbers from the start; without a primary key InnoDB orders the rows by a unique one,
    /// and would build the table anew for it.
    fn may_come_last(&self, clause: &IndexClause, index: &IndexSchema) -> bool {
        let has_primary = self.plain.indexes.iter().any(|index| index.name == "PRIMARY");
        let first_column = index.parts.first().and_then(|part| part.column);
        let first = first_column.map(|column| self.plain.columns[column].name.as_str());
        let numbers = self.definition.numbered().any(|numbered| Some(numbered) == first);
        match clause.word {
            IndexWord::Plain => !numbers,
            IndexWord::Unique => !numbers && has_primary,
            _ => false,
        }
    }

    fn has_row_number(&self) -> bool {
        self.demands_key && !self.plain.indexes.iter().any(|index| index.name == "PRIMARY")
    }

    /// Renders a primary key of our own, where the server demands one and the table has none. Nobody
    /// reads it.
    fn row_number(&self) -> Option<String> {
        let name = quote_my(own::ROW_NUMBER);
        let invisible = match self.flavor {
            ServerFlavor::MariaDb => "INVISIBLE",
            ServerFlavor::MySql => "/*!80023 INVISIBLE */",
        };
        self.has_row_number().then(|| {
            format!(
                "{name} BIGINT UNSIGNED NOT NULL AUTO_INCREMENT {invisible},\n  PRIMARY KEY ({name})"
            )
        })
    }

    fn unique_key(&self) -> Option<String> {
        let columns = self.plain.key()?;
        let names =
            columns.iter().map(|&column| quote_my(self.plain.columns[column].name.as_str()));
        Some(format!("UNIQUE KEY ({})", names.collect::<Vec<_>>().join(", ")))
    }

    fn options_clause(&self) -> String {
        let mut text = format!(" ENGINE={}", self.plain.engine.name());
        let kept = self.options.options.iter();
        for option in kept.filter(|option| option.name != "ENGINE" && self.is_kept(&option.name)) {
            text.push_str(&format!(" {}={}", option.name, option.value));
        }
        text
    }

    /// Returns true for an option that the replica's table has.
    fn is_kept(&self, option: &str) -> bool {
        let same_engine = self.source.engine.is_plain();
        match option {
            "ENGINE" | "DEFAULT CHARSET" | "COLLATE" | "COMMENT" => true,
            // They decide how large the table is, and how fast.
            "ROW_FORMAT" | "KEY_BLOCK_SIZE" | "TRANSACTIONAL" => same_engine,
            "AUTO_INCREMENT" => same_engine && !self.has_row_number(),
            _ => false,
        }
    }
}

/// The numbering of columns by the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ColumnNumbering {
    AsInSource,
    None,
}

fn index_clause(clause: &IndexClause, index: &IndexSchema, table: &TableSchema) -> String {
    let name = quote_my(index.name.as_str());
    let begin = match clause.word {
        IndexWord::Primary => "PRIMARY KEY".to_owned(),
        IndexWord::Unique => format!("UNIQUE KEY {name}"),
        IndexWord::FullText => format!("FULLTEXT KEY {name}"),
        IndexWord::Spatial => format!("SPATIAL KEY {name}"),
        IndexWord::Plain | IndexWord::Other => format!("KEY {name}"),
    };
    let columns = match clause.word {
        IndexWord::FullText | IndexWord::Spatial => columns_of(&whole(index), table),
        _ => columns_of(index, table),
    };
    let comment = clause.comment.as_ref().map(|comment| format!(" COMMENT {comment}"));
    format!("{begin} {columns}{}", comment.unwrap_or_default())
}

/// Returns the index over whole columns: the prefix that the catalogue gives a SPATIAL one is none.
fn whole(index: &IndexSchema) -> IndexSchema {
    let mut whole = index.clone();
    for part in &mut whole.parts {
        (part.prefix, part.descending) = (None, false);
    }
    whole
}

fn columns_of(index: &IndexSchema, table: &TableSchema) -> String {
    let parts: Vec<String> = index.parts.iter().filter_map(|part| key_part(part, table)).collect();
    format!("({})", parts.join(", "))
}

fn key_part(part: &IndexPart, table: &TableSchema) -> Option<String> {
    let name = quote_my(table.columns[part.column?].name.as_str());
    let prefix = part.prefix.map(|prefix| format!("({prefix})")).unwrap_or_default();
    let order = if part.descending { " DESC" } else { "" };
    Some(format!("{name}{prefix}{order}"))
}

#[cfg(test)]
mod tests;
