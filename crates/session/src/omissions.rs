//! The parts of the source that the target does not get, read.

use crate::error::{SessionError, SessionResult};
use crate::scope::TableScope;
use crate::session::Session;
use handoff_connect::{MyPool, SessionProfile};
use handoff_model::TableName;
use handoff_plan::OmissionReport;
use handoff_schema::{OmittedPart, SourceCatalogue};
use handoff_settings::TableFilter;
use std::collections::BTreeSet;

impl Session<'_> {
    /// Reads which parts of the source the target does not get.
    ///
    /// # Errors
    ///
    /// Returns a [`SessionError`] if the source fails.
    pub fn omissions(&self, scope: &TableScope) -> SessionResult<OmissionReport> {
        let filter = self.table_filter()?;
        read_omissions(self.servers.source.as_ref(), &scope.catalogue, &scope.wanted, &filter)
    }
}

/// Reads which parts of a source the target does not get; of a source that is not read, the parts of its tables.
///
/// # Errors
///
/// Returns a [`SessionError`] if the source fails.
pub fn read_omissions(
    source: Option<&MyPool>,
    catalogue: &SourceCatalogue,
    wanted: &BTreeSet<TableName>,
    filter: &TableFilter,
) -> SessionResult<OmissionReport> {
    let others = match source {
        Some(source) => {
            let mut conn = source.get(SessionProfile::Read).map_err(SessionError::Connect)?;
            OmittedPart::read_others(&mut conn, source.database())
                .map_err(SessionError::Catalogue)?
        }
        None => Vec::new(),
    };
    Ok(OmissionReport::new(catalogue, others, |name| {
        if catalogue.tables.contains_key(name) { wanted.contains(name) } else { filter.takes(name) }
    }))
}
