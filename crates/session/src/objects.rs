//! The objects of the source that the target is to get.

use crate::error::{SessionError, SessionResult};
use crate::scope::TableScope;
use crate::session::Session;
use handoff_connect::{MyPool, SessionProfile};
use handoff_model::TableName;
use handoff_objects::{DescribedTable, ObjectInputs, ObjectKind, PresentObjects, WantedObjects};
use handoff_plan::OmissionReport;
use handoff_schema::{
    OmittedPart, ReferringObjects, SourceCatalogue, TableMapping, UntranslatedPart,
};
use handoff_settings::Settings;
use std::collections::{BTreeMap, BTreeSet};

impl Session<'_> {
    /// Decides the objects that all tables of the settings are to get, whichever are moved; [`None`] if the source is not
    /// read.
    ///
    /// # Errors
    ///
    /// Returns a [`SessionError`] if the source fails.
    pub fn objects(&self, scope: &TableScope) -> SessionResult<Option<WantedObjects>> {
        let Some(source) = &self.servers.source else { return Ok(None) };
        let filter = self.table_filter()?;
        let tables = scope.catalogue.tables.keys().filter(|name| filter.takes(name));
        let all = tables.cloned().collect();
        decide_objects(source, self.settings, &scope.catalogue, &all).map(Some)
    }

    /// Reads the views, triggers, routines and events of the source.
    ///
    /// # Errors
    ///
    /// Returns a [`SessionError`] if the source fails.
    pub fn untranslated_parts(&self) -> SessionResult<Vec<UntranslatedPart>> {
        let Some(source) = &self.servers.source else { return Ok(Vec::new()) };
        let mut conn = source.get(SessionProfile::Read).map_err(SessionError::Connect)?;
        UntranslatedPart::read_all(&mut conn, source.database()).map_err(SessionError::Catalogue)
    }

    /// Reads the objects that the target has.
    ///
    /// # Errors
    ///
    /// Returns [`SessionError::TargetCatalogue`] if they cannot be read.
    pub fn read_objects(&self) -> SessionResult<PresentObjects> {
        let mut conn = self.servers.target.get().map_err(SessionError::Connect)?;
        PresentObjects::read(&mut conn, &self.settings.target.schema)
            .map_err(SessionError::TargetCatalogue)
    }
}

/// Decides the objects that the target is to get of the tables that are `wanted`.
///
/// # Errors
///
/// Returns a [`SessionError`] if the source fails.
pub fn decide_objects(
    source: &MyPool,
    settings: &Settings,
    catalogue: &SourceCatalogue,
    wanted: &BTreeSet<TableName>,
) -> SessionResult<WantedObjects> {
    let tables: BTreeMap<_, _> = wanted
        .iter()
        .filter_map(|name| Some((name.clone(), described(settings, catalogue, name)?)))
        .collect();
    let refers = |table: &DescribedTable<'_>| table.settings.foreign_keys || table.settings.checks;
    let referring = match tables.values().any(refers) {
        true => {
            let mut conn = source.get(SessionProfile::Read).map_err(SessionError::Connect)?;
            ReferringObjects::read(&mut conn, source.database()).map_err(SessionError::Catalogue)?
        }
        false => ReferringObjects::default(),
    };
    Ok(WantedObjects::decide(&ObjectInputs {
        schema: &settings.target.schema,
        database: source.database(),
        name_case: settings.target.name_case,
        tables,
        referring: &referring,
    }))
}

/// Describes a table; [`None`] for one that is not carried.
fn described<'c>(
    settings: &Settings,
    catalogue: &'c SourceCatalogue,
    name: &TableName,
) -> Option<DescribedTable<'c>> {
    let schema = catalogue.tables.get(name)?.as_ref().ok()?;
    let mapping = TableMapping::new(schema, &settings.table(name), &settings.values).ok()?;
    let objects = catalogue.objects.get(name)?;
    Some(DescribedTable { schema, mapping, objects, settings: settings.objects_of(name) })
}

/// Takes what the target gets out of a report of what it does not, and gives the rest its reasons.
pub fn without_objects(omissions: OmissionReport, wanted: &WantedObjects) -> OmissionReport {
    let part = |table: &TableName, kind: ObjectKind, name: &str| OmittedPart {
        table: table.clone(),
        kind: kind.omission(),
        name: name.to_owned(),
    };
    let carried = wanted.objects.iter();
    let carried = carried.map(|object| part(&object.table, object.kind, &object.part)).collect();
    let reasons = wanted.uncarried.iter().map(|uncarried| {
        let (table, kind, name) = (uncarried.table.clone(), uncarried.kind, uncarried.name.clone());
        (OmittedPart { table, kind, name }, uncarried.because.clone())
    });
    omissions.without(&carried, &reasons.collect())
}
