//! The proposals, from the evidence alone.

use crate::evidence::{ColumnTally, RECENT_DAYS, RecentRows, SeenRows, TableEvidence};
use crate::narrow::NarrowType;
use crate::report::{ColumnProposal, ExtractionProposal, TableProposal, TableSize, WrittenAs};
use crate::watermark;
use handoff_model::Extraction;
use handoff_model::human::grouped;
use handoff_rows::has_key_values;
use handoff_schema::{TableMapping, TableSchema};
use handoff_settings::{TableSettings, ValuePolicies};

/// Rows from which a TINYINT that is not declared as a flag may be called one.
const ENOUGH_ROWS: u64 = 1_000;

/// Values from which a TIME may be called a time of the day.
const ENOUGH_TIMES: u64 = 100;

/// Proposes how to carry a table.
pub(crate) fn table(evidence: &TableEvidence<'_>) -> TableProposal {
    let mut proposal = TableProposal::new(evidence.schema, &evidence.looked);
    if proposal.size == TableSize::Large {
        proposal.extraction = Some(extraction(evidence));
    }
    proposal.columns =
        evidence.tallies.iter().filter_map(|tally| narrower(evidence, tally)).collect();
    proposal
}

/// Proposes how to copy a table that is worth a thought: by the column that the server moves if
/// there is one, as each run finds cheaper if its rows can be compared, in full otherwise.
fn extraction(evidence: &TableEvidence<'_>) -> ExtractionProposal {
    let schema = evidence.schema;
    if schema.key().is_none() {
        return full("it has no key that identifies its rows");
    }
    if let Some(column) = watermark::moved_by_server(schema) {
        return by_server(evidence, column);
    }
    if !is_looked_up_by_key(schema) {
        return full(
            "no column shows which rows changed, and rows cannot be looked up by a key of its type",
        );
    }
    compared(schema)
}

/// Returns true if the rows of a table can be compared and moved one by one.
fn is_looked_up_by_key(schema: &TableSchema) -> bool {
    let mapping = TableMapping::new(schema, &TableSettings::default(), &ValuePolicies::default());
    mapping.is_ok_and(|mapping| has_key_values(&mapping))
}

fn full(why: &str) -> ExtractionProposal {
    ExtractionProposal {
        extraction: Extraction::FullTable,
        watermark: Vec::new(),
        written: WrittenAs::InForce,
        why: vec![format!("Copied in full: {why}.")],
    }
}

fn by_server(evidence: &TableEvidence<'_>, column: usize) -> ExtractionProposal {
    let schema = evidence.schema;
    let name = &schema.columns[column].name;
    let mut why = vec![format!(
        "The server sets `{name}` whenever a row changes (ON UPDATE CURRENT_TIMESTAMP)."
    )];
    why.push(match watermark::is_indexed(schema, column) {
        true => "An index finds the changed rows.".to_owned(),
        false => {
            "No index begins with it: each run scans the whole table for changed rows, and sends \
                  only those."
                .to_owned()
        }
    });
    why.extend(evidence.recent.map(|recent| lately(recent, schema)));
    let written = match evidence.recent {
        _ if schema.columns[column].nullable => {
            why.push(
                "It may be NULL, and a change that leaves it NULL would never be found.".to_owned(),
            );
            WrittenAs::Commented
        }
        Some(recent) if recent.rows.saturating_mul(2) > recent.of => {
            why.push("So many rows change that copying in full may be as good.".to_owned());
            WrittenAs::Commented
        }
        _ => WrittenAs::InForce,
    };
    incremental(schema, &[column], written, why)
}

/// No column need be trusted where all rows are compared.
fn compared(schema: &TableSchema) -> ExtractionProposal {
    let columns = watermark::moved_by_application(schema);
    let names: Vec<String> =
        columns.iter().map(|&column| format!("`{}`", schema.columns[column].name)).collect();
    let mut why = vec![
        "The server sets no column when a row changes. So each run compares all rows with the copy and moves \
         those that differ, deleted rows included, or moves all where that takes less (auto)."
            .to_owned(),
    ];
    if !names.is_empty() {
        why.push(format!(
            "The application may set {}, but a change that does not set it would never be found, so it is \
             no watermark.",
            names.join(" or ")
        ));
    } else if let Some(column) = watermark::integer_key(schema) {
        why.push(format!(
            "`{}` finds new rows only, never changed ones.",
            schema.columns[column].name
        ));
    }
    ExtractionProposal {
        extraction: Extraction::Auto,
        watermark: Vec::new(),
        written: WrittenAs::InForce,
        why,
    }
}

fn incremental(
    schema: &TableSchema,
    columns: &[usize],
    written: WrittenAs,
    why: Vec<String>,
) -> ExtractionProposal {
    let watermark = columns.iter().map(|&column| schema.columns[column].name.clone()).collect();
    ExtractionProposal { extraction: Extraction::Incremental, watermark, written, why }
}

/// Says how many rows moved lately.
fn lately(recent: RecentRows, schema: &TableSchema) -> String {
    let RecentRows { rows, of, capped } = recent;
    let least = if capped { "At least " } else { "" };
    let looked = if of == schema.rows || capped { "" } else { " that were read" };
    let share = match (rows, rows.saturating_mul(1000) / of.max(1)) {
        (0, _) => String::new(),
        (_, 0) => " (below 0.1 %)".to_owned(),
        (_, mille) => format!(" ({}.{} %)", mille / 10, mille % 10),
    };
    format!(
        "{least}{} of {} rows{looked} changed in the last {RECENT_DAYS} days{share}.",
        grouped(rows),
        grouped(of)
    )
}

/// Proposes a narrower type for a column if every value that was looked at fits.
fn narrower(evidence: &TableEvidence<'_>, tally: &ColumnTally) -> Option<ColumnProposal> {
    let column = &evidence.schema.columns[tally.column];
    let convinces = match tally.narrow {
        // TINYINT(1) is how a flag is declared; other TINYINTs are mostly codes, of which a table
        // may happen to hold the first two only.
        NarrowType::Boolean => {
            column.column_type.starts_with("tinyint(1)")
                || (tally.values >= ENOUGH_ROWS && (1..tally.values).contains(&tally.ones))
        }
        // Spans of time that happen to be short are taken for times of the day otherwise.
        NarrowType::TimeOfDay => tally.values >= ENOUGH_TIMES,
        NarrowType::Uuid | NarrowType::BigInt => true,
    };
    (tally.misfits == 0 && tally.values > 0 && convinces).then(|| ColumnProposal {
        column: column.name.clone(),
        to: tally.narrow.pg(),
        why: format!("{}, {}", tally.narrow.says(), of_rows(evidence)),
    })
}

/// Says how far the rows were looked at.
fn of_rows(evidence: &TableEvidence<'_>) -> String {
    // An estimate may be below what was seen.
    let all = grouped(evidence.schema.rows.max(evidence.looked.rows()));
    match evidence.looked {
        SeenRows::No | SeenRows::Failed(_) => "checked no row".to_owned(),
        SeenRows::All { rows: 1 } => "checked the only row".to_owned(),
        SeenRows::All { rows } => format!("checked all {} rows", grouped(rows)),
        SeenRows::First { rows } => {
            format!("checked the first {} of {all} rows", grouped(rows))
        }
        SeenRows::Spread { rows } => format!("checked {} of {all} rows", grouped(rows)),
    }
}
