//! A hash of values that is the same in every run, process and build.

use crate::column::ColumnSchema;
use crate::mapping::TableMapping;
use crate::mysql_type::MySqlType;
use xxhash_rust::xxh3::Xxh3;

/// Hashes values one by one, each written out explicitly: renaming a type or a variant of the code changes no hash.
/// For hashes that are stored.
pub struct StableHash(Xxh3);

impl StableHash {
    /// Begins a hash. `version` goes up when the values that follow change their meaning.
    pub fn new(version: u8) -> StableHash {
        let mut hash = StableHash(Xxh3::new());
        hash.0.update(&[version]);
        hash
    }

    /// Adds all that decides the values of a column.
    pub fn column(&mut self, column: &ColumnSchema) {
        self.text(column.name.as_str());
        self.text(&column.kind.to_string());
        // The length of a text counts: hop 1 must widen the replica's column.
        let has_length = matches!(
            column.kind,
            MySqlType::Char
                | MySqlType::VarChar
                | MySqlType::Text
                | MySqlType::VarBinary
                | MySqlType::Blob
                | MySqlType::Geometry
        );
        self.text(if has_length { &column.column_type } else { "" });
        self.option(column.charset.as_deref().map(modern).as_deref());
        self.option(column.collation.as_deref().map(modern).as_deref());
        for flag in [column.nullable, column.on_update, column.generated, column.invisible] {
            self.flag(flag);
        }
        self.option(column.expression.as_deref());
        self.option(column.srid.map(|srid| srid.to_string()).as_deref());
    }

    /// Adds all that decides the rows of a table in the target.
    pub fn mapping(&mut self, mapping: &TableMapping) {
        self.text(mapping.table.as_str());
        self.text(&mapping.pg_table);
        self.number(mapping.columns.len());
        for column in &mapping.columns {
            self.column(&column.source);
            self.text(&column.pg.to_string());
            self.text(&column.pg_name);
            self.flag(column.nullable);
            self.flag(column.key);
        }
        self.number(mapping.key.len());
        for &index in &mapping.key {
            self.number(index);
        }
    }

    /// Adds a text. Its length comes first, so that no two lists of texts look alike.
    pub fn text(&mut self, text: &str) {
        self.number(text.len());
        self.0.update(text.as_bytes());
    }

    /// Adds a text that may be missing.
    pub fn option(&mut self, text: Option<&str>) {
        self.flag(text.is_some());
        self.text(text.unwrap_or_default());
    }

    /// Adds a number.
    pub fn number(&mut self, number: usize) {
        self.0.update(&(number as u64).to_le_bytes());
    }

    /// Adds a truth value.
    pub fn flag(&mut self, flag: bool) {
        self.0.update(&[u8::from(flag)]);
    }

    /// Returns the hash.
    pub fn digest(&self) -> u64 {
        self.0.digest()
    }
}

/// Spells `utf8` and `utf8_…` as newer servers do, so that an upgrade changes no hash.
pub(crate) fn modern(charset: &str) -> String {
    match charset.strip_prefix("utf8") {
        Some(rest) if rest.is_empty() || rest.starts_with('_') => format!("utf8mb3{rest}"),
        _ => charset.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hash(add: impl FnOnce(&mut StableHash)) -> u64 {
        let mut hash = StableHash::new(1);
        add(&mut hash);
        hash.digest()
    }

    #[test]
    fn no_two_lists_of_texts_are_alike() {
        let texts = |texts: [&str; 2]| hash(|hash| texts.iter().for_each(|text| hash.text(text)));
        assert_ne!(texts(["ab", "c"]), texts(["a", "bc"]));
        assert_ne!(hash(|hash| hash.option(None)), hash(|hash| hash.option(Some(""))));
    }

    #[test]
    fn the_version_counts() {
        assert_ne!(StableHash::new(1).digest(), StableHash::new(2).digest());
    }
}
