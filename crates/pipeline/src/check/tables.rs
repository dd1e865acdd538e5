//! The tables of the source, as the settings take them.

use super::findings::Findings;
use super::report::CheckSubject as S;
use crate::OmissionReport;
use crate::names::{NameWeight, UnmatchedName};
use crate::toml_text::{glob, text};
use crate::wording::{bytes, counted, some};
use handoff_connect::{Fault, MyConn, Result, Side, quote_my_text};
use handoff_model::{ColumnName, TableName};
use handoff_schema::{SchemaError, SourceCatalogue, TableMapping, TableSchema};
use handoff_settings::{RunSettings, Settings, TableFilter, TableSettings};
use std::collections::HashMap;

/// The tables of the source.
pub(super) struct Tables {
    pub(super) catalogue: SourceCatalogue,
    /// The tables that the settings take.
    pub(super) taken: Vec<TableName>,
    /// Bytes that those take, indexes included.
    pub(super) bytes: u64,
    /// Bytes that the largest of them takes.
    pub(super) largest: u64,
}

impl Tables {
    pub(super) fn read(conn: &mut MyConn, database: &str, run: &RunSettings) -> Result<Tables> {
        let catalogue = SourceCatalogue::read(conn, database).map_err(|error| match error {
            SchemaError::Catalogue(fault) => fault,
            other => Fault::new(Side::Source, other.to_string()),
        })?;
        let filter = TableFilter::new(run)
            .map_err(|error| Fault::new(Side::Source, format!("a glob of [run]: {error}")))?;
        let taken: Vec<TableName> =
            catalogue.tables.keys().filter(|table| filter.takes(table)).cloned().collect();
        let sizes = sizes(conn, database)?;
        let size = |table: &TableName| sizes.get(table.as_str()).copied().unwrap_or(0);
        let bytes = taken.iter().map(size).sum();
        let largest = taken.iter().map(size).max().unwrap_or(0);
        Ok(Tables { catalogue, taken, bytes, largest })
    }

    /// Says which tables a run takes, and which of them cannot be moved. `denied` are those that
    /// may not be read, about which another finding is.
    pub(super) fn findings(
        &self,
        settings: &Settings,
        denied: &[TableName],
        findings: &mut Findings,
    ) {
        self.taken(findings);
        for (table, of_table) in &settings.tables {
            self.settings_of(table, of_table, findings);
        }
        let mappable = self.taken.iter().filter(|table| !denied.contains(table));
        let refused: Vec<(&TableName, SchemaError)> = mappable
            .filter_map(|table| Some((table, self.mapping(table, settings).err()?)))
            .collect();
        if refused.is_empty() {
            findings.ok(S::Mapping, "every type can be moved");
        }
        let exclude = exclude(settings, refused.iter().map(|(table, _)| *table));
        for (_, error) in &refused {
            let finding = findings.fault(S::Mapping, crate::chain(error));
            if !is_mended_in_the_settings(error) {
                finding.setting(exclude.as_str());
            }
        }
    }

    /// Returns what a table becomes in the target.
    pub(super) fn mapping(
        &self,
        table: &TableName,
        settings: &Settings,
    ) -> Result<TableMapping, SchemaError> {
        let schema = self.catalogue.tables[table].as_ref().map_err(Clone::clone)?;
        TableMapping::new(schema, &settings.table(table), &settings.values)
    }

    /// Says which names in the settings match nothing.
    pub(super) fn names(&self, names: &[UnmatchedName], findings: &mut Findings) {
        for name in names {
            let finding = match name.weight {
                NameWeight::Fault => findings.fault(S::Tables, name.to_string()),
                NameWeight::Warning => findings.warning(S::Tables, name.to_string()),
                NameWeight::Quiet => {
                    findings.ok(S::Tables, name.to_string());
                    continue;
                }
            };
            if let Some(section) = name.section() {
                finding.setting(section);
            }
        }
    }

    fn taken(&self, findings: &mut Findings) {
        let all = self.catalogue.tables.len();
        if self.taken.is_empty() {
            let what = match all {
                0 => "the database has no table that the account may see".to_owned(),
                _ => format!("include and exclude of [run] take none of {}", counted(all, "table")),
            };
            let finding = findings.warning(S::Tables, what);
            if all > 0 {
                finding.setting("[run]\ninclude = [\"*\"]\nexclude = []");
            }
            return;
        }
        let taken = counted(self.taken.len(), "table");
        let of = if self.taken.len() == all { String::new() } else { format!(" of {all}") };
        findings.ok(S::Tables, format!("{taken}{of}, {}", bytes(self.bytes)));
        let others = &self.catalogue.not_carried;
        let others: Vec<String> =
            others.iter().map(|other| format!("`{}` ({})", other.name, other.kind)).collect();
        if !others.is_empty() {
            findings.ok(S::Tables, format!("not moved: {}", others.join(", ")));
        }
    }

    /// Says what of the source the target does not get.
    pub(super) fn omissions(&self, omissions: &OmissionReport, findings: &mut Findings) {
        if !omissions.items.is_empty() {
            findings.ok(S::Tables, omissions.line());
        }
        for note in omissions.reserved() {
            findings.warning(S::Tables, note);
        }
    }

    fn settings_of(&self, table: &TableName, settings: &TableSettings, findings: &mut Findings) {
        // A name that is not there is looked for with all others.
        if let Some(Ok(schema)) = self.catalogue.tables.get(table) {
            columns_of(schema, settings, findings);
        }
    }
}

/// Says which columns the settings of a table name in vain. The overrides of types are the
/// mapping's.
fn columns_of(schema: &TableSchema, settings: &TableSettings, findings: &mut Findings) {
    let lookback = settings.lookback.iter().flat_map(|lookback| &lookback.columns);
    let named = settings.watermark.iter().chain(lookback);
    let missing: Vec<&str> =
        named.map(ColumnName::as_str).filter(|column| schema.column(column).is_none()).collect();
    if !missing.is_empty() {
        let table = &schema.name;
        findings.fault(
            S::Tables,
            format!(
                "watermark or lookback of `{table}` in the settings name {} that it does not have: \
                 {}",
                if missing.len() == 1 { "a column" } else { "columns" },
                some(&missing)
            ),
        );
    }
}

fn is_mended_in_the_settings(error: &SchemaError) -> bool {
    matches!(error, SchemaError::BadOverride { .. } | SchemaError::NoSuchColumn { .. })
}

/// Spells `exclude` as it would have to be without the tables that cannot be moved.
fn exclude<'a>(settings: &Settings, refused: impl Iterator<Item = &'a TableName>) -> String {
    let refused = refused.map(|table| glob(table.as_str()));
    let names: Vec<String> =
        settings.run.exclude.iter().cloned().chain(refused).map(|name| text(&name)).collect();
    format!("[run]\nexclude = [{}]", names.join(", "))
}

/// Returns the bytes of every table of a database, indexes included.
pub(super) fn sizes(conn: &mut MyConn, database: &str) -> Result<HashMap<String, u64>> {
    let query = format!(
        "SELECT TABLE_NAME, COALESCE(DATA_LENGTH, 0) + COALESCE(INDEX_LENGTH, 0) \
         FROM information_schema.TABLES WHERE TABLE_SCHEMA = {}",
        quote_my_text(database)
    );
    let rows: Vec<(String, u64)> = conn.gather(query).map_err(|error| conn.fault(&error))?;
    Ok(rows.into_iter().collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_for_the_settings_are_valid() {
        let mut settings = Settings::new("mysql://a@b/c", None, "postgres://a@b/c").unwrap();
        settings.run.exclude.push("tmp_*".to_owned());
        let table = |name| TableName::new(name).unwrap();
        let refused = [table("a\"b"), table("c[1]*")];
        assert_eq!(
            exclude(&settings, refused.iter()),
            "[run]\nexclude = [\"tmp_*\", \"a\\\"b\", \"c\\\\[1\\\\]\\\\*\"]"
        );
    }
}
