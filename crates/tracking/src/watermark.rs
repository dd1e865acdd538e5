//! Watermarks as the tracking tables keep them.

use handoff_model::{ColumnName, CopyId, Watermark};
use serde::{Deserialize, Serialize};

/// The value up to which one watermark column of a table is known to have been moved.
///
/// A table's watermarks are stored as a JSON list of these, such as
/// `[{"column":"DateTStamp","watermark":{"type":"timestamp","value":"2026-01-31 23:00:00"},
/// "base":"0123456789abcdef"}]`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WatermarkAt {
    /// The column.
    pub column: ColumnName,
    /// Every row with a lower value was moved, up to the overlap.
    pub watermark: Watermark,
    /// The full copy that it builds on. Where replica and target name the same one, all that the
    /// replica got since are changed rows; where they do not, the target lacks a full copy.
    pub base: CopyId,
}

pub(crate) fn to_json(watermarks: &[WatermarkAt]) -> String {
    serde_json::to_string(watermarks).expect("names, numbers and texts can be written as JSON")
}

pub(crate) fn from_json(text: &str) -> Option<Vec<WatermarkAt>> {
    serde_json::from_str(text).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn watermarks_are_read_as_they_are_written() {
        let column = ColumnName::new("Größe \"x\"").unwrap();
        let watermarks: Vec<WatermarkAt> = [
            Watermark::Integer(i128::from(u64::MAX)),
            Watermark::Integer(-5),
            Watermark::Decimal("12.50".into()),
            Watermark::Timestamp("2026-01-31 23:00:00.000001".into()),
        ]
        .into_iter()
        .map(|watermark| WatermarkAt { column: column.clone(), watermark, base: CopyId::new() })
        .collect();
        assert_eq!(from_json(&to_json(&watermarks)), Some(watermarks));
        // jsonb prints keys in an order of its own, with blanks.
        let printed = r#"[{"base": "00000000000000ab", "column": "c",
            "watermark": {"type": "integer", "value": 7}}]"#;
        assert_eq!(from_json(printed).unwrap()[0].watermark, Watermark::Integer(7));
        assert_eq!(from_json("2026-01-31 23:00:00"), None);
    }
}
