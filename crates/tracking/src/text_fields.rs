//! A row of a tracking table as text.

use crate::error::{Result, TrackingError};
use crate::layout::TableLayout;
use handoff_model::TableName;

/// A row as text, in the order of its layout's columns.
pub(crate) struct TextFields {
    layout: &'static TableLayout,
    texts: Vec<Option<String>>,
}

impl TextFields {
    pub(crate) fn new(layout: &'static TableLayout, texts: Vec<Option<String>>) -> TextFields {
        TextFields { layout, texts }
    }

    pub(crate) fn table(&self) -> Result<TableName> {
        self.required("table_name", |text| TableName::new(text).ok())
    }

    pub(crate) fn get(&self, column: &str) -> Option<&str> {
        let position = self.layout.columns.iter().position(|known| known.name == column);
        self.texts.get(position?)?.as_deref()
    }

    pub(crate) fn text(&self, column: &str) -> Option<String> {
        self.get(column).map(str::to_owned)
    }

    pub(crate) fn count(&self, column: &'static str) -> Result<Option<u64>> {
        self.read(column, |text| text.parse().ok())
    }

    /// Reads a column that may be NULL.
    pub(crate) fn read<T>(
        &self,
        column: &'static str,
        parse: impl Fn(&str) -> Option<T>,
    ) -> Result<Option<T>> {
        self.get(column).map(|text| parse(text).ok_or_else(|| self.bad(column))).transpose()
    }

    pub(crate) fn required<T>(
        &self,
        column: &'static str,
        parse: impl Fn(&str) -> Option<T>,
    ) -> Result<T> {
        self.get(column).and_then(parse).ok_or_else(|| self.bad(column))
    }

    fn bad(&self, column: &'static str) -> TrackingError {
        let row = self.get("table_name").unwrap_or_default().to_owned();
        TrackingError::Row { table: self.layout.name, row, column }
    }
}
