//! The first settings: what a source holds, and how its tables are best carried.
//!
//! Looking and judging are apart. `sampler` gathers evidence with a handful of bounded statements a
//! table; `propose` decides from the evidence alone; the files are written from the proposals.
//! What is certain by the declaration stands in the files in force, what only a person can know
//! stands there as a comment. A row's value is never part of the evidence: only how many rows have
//! some property.

mod certificate;
mod evidence;
mod handoff_file;
mod leftovers;
mod narrow;
mod propose;
mod report;
mod sample;
mod sampler;
mod tables_file;
mod watermark;

#[cfg(test)]
mod tests;

pub use certificate::{CertificateStanding, SeenCertificate};
pub use handoff_file::{InitServer, InitServers};
pub use report::{
    ColumnProposal, ExcludeProposal, ExtractionProposal, InitReport, TableProposal, TableSize,
    Unfit, WrittenAs,
};
pub use sampler::LookAt;

use crate::sampler::Sampler;
use handoff_connect::{MyPool, SessionProfile};
use handoff_model::{CancelToken, RunId, TableName, chain};
use handoff_schema::{OmissionKind, SourceCatalogue, TableMapping, TableSchema};
use handoff_session::{
    HiddenTables, SessionError, SessionOptions, SessionResult, open_source, pool_options,
    read_omissions,
};
use handoff_settings::{MySqlServer, RunSettings, TableFilter, TableSettings, ValuePolicies};
use jiff::Timestamp;
use std::collections::{BTreeMap, BTreeSet};

/// Looks at the tables of `source` that `run` takes, and proposes how to carry them.
///
/// Every statement is bounded in rows and in time. A table that cannot be looked at is told in the
/// report, and the others are looked at. Nothing is written anywhere.
///
/// # Errors
///
/// Returns an error if the source cannot be reached, is too old, or does not show its catalogue.
pub fn init(source: &MySqlServer, run: &RunSettings, at: LookAt) -> SessionResult<InitReport> {
    let made_at = Timestamp::now();
    let filter = TableFilter::new(run).map_err(SessionError::Globs)?;
    let session = SessionOptions { run: RunId::new(), connections: 1, cancel: CancelToken::new() };
    let pool = open_source(source, &pool_options(run, &session))?;
    let FoundTables { catalogue, denied } = find(&pool, &filter)?;
    let wanted = catalogue.tables.keys().cloned().collect();
    let omissions = read_omissions(Some(&pool), &catalogue, &wanted, &filter)?;
    let omissions = omissions.without_kind(OmissionKind::Comment);
    let names: BTreeSet<&str> = catalogue.tables.keys().map(TableName::as_str).collect();
    let exclude = leftovers::among(&names);

    let (mut tables, mut unfit) = (Vec::new(), Vec::new());
    let mut sampler = Sampler::new(&pool, at);
    for (name, described) in &catalogue.tables {
        let schema = described.as_ref().map_err(chain_of).and_then(fits);
        match (schema, denied.get(name)) {
            (_, Some(grant)) => unfit.push(Unfit::denied(name, grant)),
            (Err(why), None) => unfit.push(Unfit { table: name.clone(), why }),
            (Ok(schema), None) => tables.push(propose::table(&sampler.inspect(schema))),
        }
    }
    Ok(InitReport {
        made_at,
        source: source.url(),
        server: pool.version().to_string(),
        certificate: certificate::seen(source, &pool)?,
        rows_looked_at: at == LookAt::Rows,
        tables,
        unfit,
        not_carried: catalogue.not_carried.into_iter().map(report::Other::from).collect(),
        omissions,
        exclude,
    })
}

/// The tables of the source that the settings take.
struct FoundTables {
    catalogue: SourceCatalogue,
    /// Those that the account may not read in full, with the statement that lets it.
    denied: BTreeMap<TableName, String>,
}

fn find(pool: &MyPool, filter: &TableFilter) -> SessionResult<FoundTables> {
    let mut conn = pool.get(SessionProfile::Read).map_err(SessionError::Connect)?;
    let mut catalogue =
        SourceCatalogue::read(&mut conn, pool.database()).map_err(SessionError::Catalogue)?;
    let found = catalogue.tables.len();
    catalogue.tables.retain(|name, _| filter.takes(name));
    if catalogue.tables.is_empty() {
        return Err(SessionError::NoTables { found });
    }
    let wanted = catalogue.tables.keys().cloned().collect();
    let hidden = HiddenTables::look(&mut conn, &catalogue, &wanted, &BTreeSet::new())?;
    Ok(FoundTables { catalogue, denied: hidden.denied })
}

/// Returns the table if PostgreSQL can hold it, or else why it cannot.
fn fits(schema: &TableSchema) -> Result<&TableSchema, String> {
    match TableMapping::new(schema, &TableSettings::default(), &ValuePolicies::default()) {
        Ok(_) => Ok(schema),
        Err(error) => Err(chain(&error)),
    }
}

fn chain_of(error: &handoff_schema::SchemaError) -> String {
    chain(error)
}
