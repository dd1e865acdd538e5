//! The proposals, as values and as JSON.

use crate::certificate::SeenCertificate;
use crate::evidence::{self, SeenRows};
use handoff_model::{ColumnName, Extraction, TableName};
use handoff_plan::OmissionReport;
use handoff_schema::{NotCopied, TableSchema};
use jiff::Timestamp;
use serde::Serialize;

/// The findings and proposals of [`init`](crate::init). Fields are added in later versions, never renamed.
#[derive(Debug, Clone, Serialize)]
pub struct InitReport {
    /// The time of the look at the source, UTC.
    pub made_at: Timestamp,
    /// The source's URL, without its password.
    pub source: String,
    /// The source's kind and version.
    pub server: String,
    /// The source's certificate, where it is known by nothing else.
    pub certificate: Option<SeenCertificate>,
    /// True if rows were looked at, and not the catalogue alone.
    pub rows_looked_at: bool,
    /// The tables that can be carried, by name.
    pub tables: Vec<TableProposal>,
    /// The tables that cannot.
    pub unfit: Vec<Unfit>,
    /// The other things in the database, such as views; they are not carried.
    pub not_carried: Vec<Other>,
    /// The parts of all this that have no place in PostgreSQL.
    pub omissions: OmissionReport,
    /// Tables that may not be worth carrying.
    pub exclude: Vec<ExcludeProposal>,
}

/// The proposals for one table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TableProposal {
    /// The table.
    pub table: TableName,
    /// Its engine.
    pub engine: String,
    /// Rows: exact for MyISAM and Aria, an estimate for others.
    pub rows: u64,
    /// True if `rows` is exact.
    pub rows_are_exact: bool,
    /// Bytes of the data, without indexes.
    pub bytes: u64,
    /// The class of work that its size means.
    pub size: TableSize,
    /// The columns by which rows are told apart; empty if there are none.
    pub key: Vec<ColumnName>,
    /// Rows that were looked at.
    pub rows_looked_at: u64,
    /// The reason why the rows could not be looked at, if they could not.
    pub fault: Option<String>,
    /// The extraction; [`None`] for tables that are copied in full without a thought.
    pub extraction: Option<ExtractionProposal>,
    /// Narrower types that its rows allow.
    pub columns: Vec<ColumnProposal>,
}

/// The class of work that a table is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum TableSize {
    /// No rows.
    Empty,
    /// Copied in full in a moment.
    Small,
    /// Worth a thought.
    Large,
}

/// An extraction, proposed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ExtractionProposal {
    /// The extraction.
    pub extraction: Extraction,
    /// The watermark columns.
    pub watermark: Vec<ColumnName>,
    /// The form in which it is written.
    pub written: WrittenAs,
    /// The reasons for it, and against it, one sentence each.
    pub why: Vec<String>,
}

/// The form of a proposal in the files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum WrittenAs {
    /// As a setting: what is known of the table proves it right.
    InForce,
    /// As a comment: only a person can know.
    Commented,
}

/// A narrower type, which is always written as a comment: types never depend on rows by themselves.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ColumnProposal {
    /// The column.
    pub column: ColumnName,
    /// The PostgreSQL type, as the settings write it.
    pub to: &'static str,
    /// The reasons for it.
    pub why: String,
}

/// A table that may not be worth carrying.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ExcludeProposal {
    /// The table.
    pub table: TableName,
    /// The reasons for it.
    pub why: String,
}

/// A table that cannot be moved.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Unfit {
    /// The table.
    pub table: TableName,
    /// The reason.
    pub why: String,
}

/// Something in the database that is no table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Other {
    /// Its name.
    pub name: String,
    /// Its kind, as the server spells it.
    pub kind: String,
}

impl InitReport {
    /// Returns the tables of one size.
    pub fn of_size(&self, size: TableSize) -> impl Iterator<Item = &TableProposal> {
        self.tables.iter().filter(move |table| table.size == size)
    }
}

impl TableSize {
    pub(crate) fn of(schema: &TableSchema) -> TableSize {
        if evidence::is_empty(schema) {
            TableSize::Empty
        } else if evidence::is_small(schema) {
            TableSize::Small
        } else {
            TableSize::Large
        }
    }
}

impl TableProposal {
    /// Starts with what the catalogue says.
    pub(crate) fn new(schema: &TableSchema, looked: &SeenRows) -> TableProposal {
        let key = schema.key().unwrap_or_default();
        let fault = match looked {
            SeenRows::Failed(why) => Some(why.clone()),
            _ => None,
        };
        TableProposal {
            table: schema.name.clone(),
            engine: schema.engine.name().to_owned(),
            rows: schema.rows,
            rows_are_exact: schema.rows_are_exact(),
            bytes: schema.data_bytes,
            size: TableSize::of(schema),
            key: key.iter().map(|&index| schema.columns[index].name.clone()).collect(),
            rows_looked_at: looked.rows(),
            fault,
            extraction: None,
            columns: Vec::new(),
        }
    }

    /// Returns the extraction, if it is written in force and no default.
    pub fn in_force(&self) -> Option<&ExtractionProposal> {
        let proposal = self.extraction.as_ref()?;
        let is_in_force = proposal.written == WrittenAs::InForce;
        (is_in_force && proposal.extraction.is_by_watermark()).then_some(proposal)
    }

    /// Returns the extraction, if it is written as a comment.
    pub fn commented(&self) -> Option<&ExtractionProposal> {
        self.extraction.as_ref().filter(|proposal| proposal.written == WrittenAs::Commented)
    }
}

impl Unfit {
    pub(crate) fn denied(table: &TableName, grant: &str) -> Unfit {
        let why = format!("this account may not read all of it: {grant}");
        Unfit { table: table.clone(), why }
    }
}

impl From<NotCopied> for Other {
    fn from(other: NotCopied) -> Other {
        Other { name: other.name, kind: other.kind }
    }
}
