//! A hash of everything that determines the rows of a load and their form.
//!
//! The hash is stored with a checkpoint, so its text is spelled out here: a type or variant that is
//! renamed changes no hash.

use crate::job::LoadMode;
use crate::key_position;
use crate::shared_staging::StagingKind;
use handoff_model::{CopyId, RowFilter, WatermarkWindow};
use handoff_rows::hash_row;
use handoff_schema::{TableMapping, TableSchema};
use handoff_settings::{BadJson, BadText, NulBytes, ValuePolicies, ZeroDates};

/// Goes up when the description below changes its meaning.
const VERSION: u8 = 2;

/// The origin of the rows of a load, and their form.
#[derive(Clone, Copy)]
pub(crate) struct LoadOrigin<'a> {
    pub(crate) copy: Option<CopyId>,
    pub(crate) mode: LoadMode,
    pub(crate) kind: StagingKind,
    pub(crate) table: &'a TableSchema,
    pub(crate) mapping: &'a TableMapping,
    pub(crate) values: &'a ValuePolicies,
    pub(crate) filter: &'a RowFilter,
}

impl LoadOrigin<'_> {
    /// Returns the hash, as 32 hex digits.
    pub(crate) fn hash(&self) -> String {
        format!("{:032x}", hash_row(&self.describe()))
    }

    fn describe(&self) -> Vec<u8> {
        let copy = self.copy.map(|copy| copy.to_string()).unwrap_or_default();
        let mode = match self.mode {
            LoadMode::Full => "full",
            LoadMode::Incremental => "incremental",
        };
        let kind = match self.kind {
            StagingKind::Target => "target",
            StagingKind::Build => "build",
            StagingKind::Temporary => "temporary",
            StagingKind::Unlogged => "unlogged",
        };
        let mut text = format!("{VERSION} {copy} {mode} {kind} {}", describe_values(self.values));
        text.push_str(&format!("\n{:016x}", self.table.fingerprint()));
        for column in &self.mapping.columns {
            text.push_str(&format!("\n{} {}", column.pg_name, column.pg));
        }
        let mut all = text.into_bytes();
        describe_filter(self.filter, &mut all);
        all
    }
}

fn describe_values(values: &ValuePolicies) -> String {
    let zero_dates = match values.zero_dates {
        ZeroDates::Null => "null".to_owned(),
        ZeroDates::Fail => "fail".to_owned(),
        ZeroDates::Date(year, month, day) => format!("{year}-{month}-{day}"),
    };
    let nul_bytes = match values.nul_bytes {
        NulBytes::Strip => "strip",
        NulBytes::Replace => "replace",
        NulBytes::Fail => "fail",
    };
    let bad_text = match values.bad_text {
        BadText::Replace => "replace",
        BadText::Fail => "fail",
    };
    let bad_json = match values.bad_json {
        BadJson::Null => "null",
        BadJson::Fail => "fail",
    };
    format!("{zero_dates} {nul_bytes} {bad_text} {bad_json}")
}

fn describe_filter(filter: &RowFilter, out: &mut Vec<u8>) {
    match filter {
        RowFilter::All => {}
        RowFilter::Changed { bounds, nulls } => {
            for WatermarkWindow { column, from, below } in bounds {
                let below = below.as_ref().map(ToString::to_string).unwrap_or_default();
                out.extend_from_slice(format!("\n{column} {from} {below}").as_bytes());
            }
            for column in nulls {
                out.extend_from_slice(format!("\n{column}").as_bytes());
            }
        }
        RowFilter::Range(range) => {
            for bound in [&range.after, &range.upto] {
                out.push(b'\n');
                out.extend(bound.iter().flat_map(|key| key_position::to_bytes(key)));
            }
        }
        RowFilter::Keys(keys) => {
            for key in keys {
                out.push(b'\n');
                out.extend_from_slice(&key_position::to_bytes(key));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use handoff_model::{ColumnName, KeyRange, KeyValue, Watermark};
    use handoff_schema::ColumnSchema;
    use handoff_settings::TableSettings;

    fn check_different(one: LoadOrigin<'_>, others: &[LoadOrigin<'_>]) {
        for (index, other) in others.iter().enumerate() {
            assert_ne!(one.hash(), other.hash(), "{index}");
        }
    }

    #[test]
    fn whatever_determines_the_rows_changes_the_hash() {
        let columns = vec![ColumnSchema::of_type("a", "int").unwrap()];
        let table = &TableSchema { columns, ..TableSchema::empty("t") };
        let values = &ValuePolicies::default();
        let mapping = &TableMapping::new(table, &TableSettings::default(), values).unwrap();
        let (mode, kind, filter) = (LoadMode::Full, StagingKind::Unlogged, &RowFilter::All);
        let one = LoadOrigin { copy: None, mode, kind, table, mapping, values, filter };
        assert_eq!(one.hash(), one.hash());
        let described = String::from_utf8(one.describe()).unwrap();
        let begin =
            format!("2  full unlogged null strip fail fail\n{:016x}\na ", table.fingerprint());
        assert!(described.starts_with(&begin), "{described}");

        let strict = &ValuePolicies { zero_dates: ZeroDates::Fail, ..*values };
        let wide = &TableSchema {
            columns: vec![ColumnSchema::of_type("a", "bigint").unwrap()],
            ..TableSchema::empty("t")
        };
        let key = |number| Some(vec![KeyValue::Int(number)]);
        let after = &RowFilter::Range(KeyRange { after: key(1), upto: None });
        let upto = &RowFilter::Range(KeyRange { after: None, upto: key(1) });
        let column = ColumnName::new("a").unwrap();
        let bound = WatermarkWindow { column, from: Watermark::Integer(1), below: None };
        let changed = &RowFilter::Changed { bounds: vec![bound], nulls: Vec::new() };
        check_different(
            one,
            &[
                LoadOrigin { copy: Some(CopyId::new()), ..one },
                LoadOrigin { mode: LoadMode::Incremental, ..one },
                LoadOrigin { kind: StagingKind::Build, ..one },
                LoadOrigin { values: strict, ..one },
                LoadOrigin { table: wide, ..one },
                LoadOrigin { filter: after, ..one },
                LoadOrigin { filter: changed, ..one },
            ],
        );
        check_different(LoadOrigin { filter: after, ..one }, &[LoadOrigin { filter: upto, ..one }]);
    }
}
