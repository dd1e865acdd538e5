//! The tables of the source, as the settings take them.

use crate::findings::Findings;
use crate::human::some;
use crate::report::CheckSubject as S;
use handoff_connect::{Fault, MyConn, Result, Side, quote_my_text};
use handoff_model::human::{bytes, counted};
use handoff_model::{ColumnName, TableName, chain};
use handoff_plan::{NameWeight, OmissionReport, UnmatchedName};
use handoff_schema::{SchemaError, SourceCatalogue, TableMapping, TableSchema};
use handoff_settings::toml_text::{glob, text};
use handoff_settings::{RunSettings, Settings, TableFilter, TableSettings};
use std::collections::HashMap;

/// The tables of the source.
pub(crate) struct SourceTables {
    pub(crate) catalogue: SourceCatalogue,
    /// The tables that the settings take.
    pub(crate) taken: Vec<TableName>,
    /// Bytes that those take, indexes included.
    pub(crate) bytes: u64,
    /// Bytes that the largest of them takes.
    pub(crate) largest: u64,
}

impl SourceTables {
    pub(crate) fn read(
        conn: &mut MyConn,
        database: &str,
        run: &RunSettings,
    ) -> Result<SourceTables> {
        let catalogue = SourceCatalogue::read(conn, database).map_err(|error| match error {
            SchemaError::Catalogue(fault) => fault,
            other => Fault::new(Side::Source, other.to_string()),
        })?;
        let filter = TableFilter::new(run)
            .map_err(|error| Fault::new(Side::Source, format!("a glob of [run]: {error}")))?;
        let taken: Vec<TableName> =
            catalogue.tables.keys().filter(|table| filter.takes(table)).cloned().collect();
        let all = sizes(conn, database)?;
        let own: Vec<u64> =
            taken.iter().map(|table| all.get(table.as_str()).copied().unwrap_or(0)).collect();
        let (bytes, largest) = (own.iter().sum(), own.iter().copied().max().unwrap_or(0));
        Ok(SourceTables { catalogue, taken, bytes, largest })
    }

    /// Says which tables a run takes, and which of them cannot be moved. `denied` are those that
    /// may not be read, about which another finding is.
    pub(crate) fn findings(
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
        let lines = exclude(settings, refused.iter().map(|(table, _)| *table));
        for (_, error) in &refused {
            let finding = findings.fault(S::Mapping, chain(error));
            if !is_mended_in_the_settings(error) {
                finding.setting(lines.as_str());
            }
        }
    }

    /// Returns what a table becomes in the target.
    pub(crate) fn mapping(
        &self,
        table: &TableName,
        settings: &Settings,
    ) -> Result<TableMapping, SchemaError> {
        let schema = self.catalogue.tables[table].as_ref().map_err(Clone::clone)?;
        TableMapping::new(schema, &settings.table(table), &settings.values)
    }

    /// Says which names in the settings match nothing.
    pub(crate) fn names(&self, names: &[UnmatchedName], findings: &mut Findings) {
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
    pub(crate) fn omissions(&self, omissions: &OmissionReport, findings: &mut Findings) {
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
    let more = refused.map(|table| glob(table.as_str()));
    let names: Vec<String> =
        settings.run.exclude.iter().cloned().chain(more).map(|name| text(&name)).collect();
    format!("[run]\nexclude = [{}]", names.join(", "))
}

/// Returns the bytes of every table of a database, indexes included.
pub(crate) fn sizes(conn: &mut MyConn, database: &str) -> Result<HashMap<String, u64>> {
    let query = format!(
        "SELECT TABLE_NAME, COALESCE(DATA_LENGTH, 0) + COALESCE(INDEX_LENGTH, 0) \
         FROM information_schema.TABLES WHERE TABLE_SCHEMA = {}",
        quote_my_text(database)
    );
    let rows: Vec<(String, u64)> = conn.query(query).map_err(|error| conn.fault(&error))?;
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

    use crate::report::{CheckFinding, CheckVerdict};
    use handoff_schema::{ColumnSchema, NotCopied};

    fn name(name: &str) -> TableName {
        TableName::new(name).unwrap()
    }

    /// The tables `a` and `b` of which the settings take `taken`.
    fn tables(taken: &[&str]) -> SourceTables {
        let mut catalogue = SourceCatalogue::empty();
        for table in ["a", "b"] {
            let columns = vec![ColumnSchema::of_type("id", "int").unwrap()];
            let schema = TableSchema { columns, ..TableSchema::empty(table) };
            catalogue.tables.insert(name(table), Ok(schema));
        }
        let taken = taken.iter().map(|table| name(table)).collect();
        SourceTables { catalogue, taken, bytes: 2_000_000, largest: 1_000_000 }
    }

    fn settings() -> Settings {
        Settings::new("mysql://a@b/c", None, "postgres://a@b/c").unwrap()
    }

    fn judged(
        tables: &SourceTables,
        settings: &Settings,
        denied: &[TableName],
    ) -> Vec<CheckFinding> {
        let mut findings = Findings::of(Side::Source);
        tables.findings(settings, denied, &mut findings);
        findings.into_vec()
    }

    #[test]
    fn the_tables_that_are_taken_are_counted_with_their_size() {
        let all = judged(&tables(&["a", "b"]), &settings(), &[]);
        assert_eq!(all[0].what, "2 tables, 2.0 MB");
        let one = judged(&tables(&["a"]), &settings(), &[]);
        assert_eq!(one[0].what, "1 table of 2, 2.0 MB");
    }

    #[test]
    fn settings_that_take_no_table_are_warned_of() {
        let none = judged(&tables(&[]), &settings(), &[]);
        assert_eq!(none[0].verdict, CheckVerdict::Warning);
        assert_eq!(none[0].what, "include and exclude of [run] take none of 2 tables");
        assert_eq!(none[0].fixes[0].text, "[run]\ninclude = [\"*\"]\nexclude = []");
        let mut empty = tables(&[]);
        empty.catalogue = SourceCatalogue::empty();
        let nothing = judged(&empty, &settings(), &[]);
        assert_eq!(nothing[0].what, "the database has no table that the account may see");
        assert!(nothing[0].fixes.is_empty());
    }

    #[test]
    fn things_that_are_no_tables_are_named() {
        let mut tables = tables(&["a"]);
        let view = NotCopied { name: "v".to_owned(), kind: "VIEW".to_owned() };
        tables.catalogue.not_carried.push(view);
        let found = judged(&tables, &settings(), &[]);
        assert_eq!(found[1].what, "not moved: `v` (VIEW)");
    }

    fn broken() -> SourceTables {
        let mut tables = tables(&["a", "b"]);
        let error = SchemaError::Undescribed { table: name("b"), reason: "a test".to_owned() };
        tables.catalogue.tables.insert(name("b"), Err(error));
        tables
    }

    #[test]
    fn a_table_that_cannot_be_carried_can_be_left_out() {
        let found = judged(&broken(), &settings(), &[]);
        let fault = found.iter().find(|found| found.subject == S::Mapping).unwrap();
        assert_eq!(fault.verdict, CheckVerdict::Fault);
        assert_eq!(fault.fixes[0].text, "[run]\nexclude = [\"b\"]");
    }

    #[test]
    fn a_table_that_is_denied_has_a_finding_of_its_own() {
        let found = judged(&broken(), &settings(), &[name("b")]);
        let mapping = found.iter().find(|found| found.subject == S::Mapping).unwrap();
        assert_eq!(mapping.what, "every type can be moved");
    }

    #[test]
    fn a_mistake_in_the_settings_is_not_to_be_left_out() {
        let mut settings = settings();
        let column = ColumnName::new("gone").unwrap();
        let columns = [(column, "bigint".to_owned())].into();
        settings.tables.insert(name("a"), TableSettings { columns, ..TableSettings::default() });
        let found = judged(&tables(&["a"]), &settings, &[]);
        let fault = found.iter().find(|found| found.verdict == CheckVerdict::Fault).unwrap();
        assert!(fault.fixes.is_empty(), "{fault:?}");
    }

    #[test]
    fn a_watermark_that_is_not_there_is_a_fault() {
        let mut settings = settings();
        let watermark = vec![ColumnName::new("gone").unwrap(), ColumnName::new("id").unwrap()];
        let of_table = TableSettings { watermark, ..TableSettings::default() };
        settings.tables.insert(name("a"), of_table);
        let found = judged(&tables(&["a"]), &settings, &[]);
        let fault = found.iter().find(|found| found.verdict == CheckVerdict::Fault).unwrap();
        assert_eq!(
            fault.what,
            "watermark or lookback of `a` in the settings name a column that it does not have: `gone`"
        );
    }

    #[test]
    fn names_in_vain_weigh_as_they_do_in_a_run() {
        let mut settings = settings();
        settings.run.exclude = vec!["c".to_owned(), "tmp_*".to_owned()];
        settings.tables.insert(name("aa"), TableSettings::default());
        let tables = tables(&["a"]);
        let mut findings = Findings::of(Side::Source);
        tables.names(&handoff_plan::unmatched(&settings, &tables.catalogue), &mut findings);
        let found = findings.into_vec();
        let verdicts: Vec<CheckVerdict> = found.iter().map(|found| found.verdict).collect();
        assert_eq!(verdicts, [CheckVerdict::Fault, CheckVerdict::Ok, CheckVerdict::Warning]);
    }
}
