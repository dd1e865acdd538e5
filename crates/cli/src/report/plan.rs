//! The preview of the next run as text.

use super::run::omissions;
use crate::human::{count, counted, duration};
use crate::report::columns::{ColumnAlign, TextColumns};
use crate::report::run::Listing;
use handoff_connect::paste_pg;
use handoff_model::{Priority, Reason};
use handoff_pipeline::{
    Action, ObjectKind, ObjectPreview, PlanPreview, StructureReport, TablePreview,
};
use std::time::Duration;

/// Prints the tables in the order of their turns, the tables that would fail, the clean-up that comes
/// first, and one line of totals. Skipped tables are counted; [`Listing::All`] lists them too.
pub fn plan_text(preview: &PlanPreview, listing: Listing) -> String {
    let refused: String = preview
        .refused
        .iter()
        .map(|refused| format!("{} would fail: {}\n", refused.table, refused.error))
        .collect();
    let mended = match &preview.mended[..] {
        [] => String::new(),
        sentences => {
            let lines: String = sentences.iter().map(|text| format!("  {text}\n")).collect();
            format!("cleaned up first:\n{lines}")
        }
    };
    let notes: String = preview.notes.iter().map(|note| format!("{note}\n")).collect();
    let holder = preview.in_progress.as_ref();
    let progress = holder.map(|holder| format!("in progress: {holder}\n")).unwrap_or_default();
    let left_out = omissions(&preview.omissions, listing);
    let sections = [
        tables(preview, listing),
        structure(preview),
        refused,
        mended,
        objects(preview, listing),
        notes,
        left_out,
        progress,
    ];
    let filled = sections.into_iter().filter(|text| !text.is_empty());
    filled.chain([format!("{}\n", totals(preview))]).collect::<Vec<_>>().join("\n")
}

/// Lists the changes of tables' structures, with their statements one by one.
fn structure(preview: &PlanPreview) -> String {
    let changes = preview
        .tables
        .iter()
        .flat_map(|table| table.structure.iter().map(move |change| (&table.table, change)));
    let lines = changes.map(|(table, change)| {
        let statements = change.statements.iter().map(|statement| format!("    {statement};\n"));
        format!("{table}: {}{}\n{}", change.said, effects(change), statements.collect::<String>())
    });
    lines.collect()
}

/// Says what else a change of a structure comes with.
fn effects(change: &StructureReport) -> String {
    let views = match &change.views[..] {
        [] => String::new(),
        views => format!("; put up again: {}", views.join(", ")),
    };
    let rows = if change.rows_filled { "; every row is loaded again" } else { "" };
    format!("{views}{rows}")
}

/// Prints the statements that make the objects around the columns. Comments are counted unless all is listed.
fn objects(preview: &PlanPreview, listing: Listing) -> String {
    let is_shown =
        |object: &&ObjectPreview| listing == Listing::All || object.kind != ObjectKind::Comment;
    let shown = preview.objects.iter().filter(is_shown);
    let statements = shown.flat_map(|object| &object.statements);
    let lines: String =
        statements.map(|statement| format!("  {};\n", paste_pg(statement))).collect();
    let comments = preview.objects.len() - preview.objects.iter().filter(is_shown).count();
    let counted = match comments {
        0 => String::new(),
        comments => format!("  {} to set (-v lists them)\n", counted(comments as u64, "comment")),
    };
    match lines + &counted {
        lines if lines.is_empty() => lines,
        lines => format!("around the columns, after the rows:\n{lines}"),
    }
}

fn tables(preview: &PlanPreview, listing: Listing) -> String {
    let mut columns = TextColumns::new(&[
        ("table", ColumnAlign::Left),
        ("next run", ColumnAlign::Left),
        ("rows", ColumnAlign::Right),
        ("strategy", ColumnAlign::Left),
        ("last time", ColumnAlign::Left),
        ("why", ColumnAlign::Left),
    ]);
    for table in &preview.tables {
        if listing == Listing::All || !is_left(table) {
            columns.row(cells(table));
        }
    }
    if columns.is_empty() { String::new() } else { columns.print() }
}

fn is_left(table: &TablePreview) -> bool {
    matches!(table.action, Action::LeaveAlone | Action::LeaveIfEmpty)
}

fn cells(table: &TablePreview) -> Vec<String> {
    let strategy = if is_left(table) { "" } else { table.strategy.name() };
    vec![
        table.table.to_string(),
        label(table.action).to_owned(),
        count(table.rows),
        strategy.to_owned(),
        last_time(table),
        why(table),
    ]
}

fn label(action: Action) -> &'static str {
    match action {
        Action::MoveAll => "in full",
        Action::MoveChanged => "changed rows",
        Action::Compare => "compared",
        Action::Load => "loaded only",
        Action::LeaveIfEmpty => "skipped if still empty",
        Action::LeaveAlone => "skipped",
    }
}

fn last_time(table: &TablePreview) -> String {
    let Some(last) = table.last.as_ref().filter(|_| !is_left(table)) else { return String::new() };
    let rows = last.rows_copied.or(last.rows_loaded).unwrap_or(0);
    format!("{}, {}", counted(rows, "row"), duration(Duration::from_millis(last.duration_ms())))
}

/// The reason of the plan, the reason why the table is not skipped, and its priority.
fn why(table: &TablePreview) -> String {
    let since: Vec<String> =
        table.since.iter().map(|since| format!("{} from {}", since.column, since.from)).collect();
    let mut parts = vec![reason(table.plan.reason).to_owned()];
    if !since.is_empty() {
        parts = vec![since.join(" or ")];
    }
    let moved = table.moved_because.iter().filter(|_| table.plan.reason == Reason::Configured);
    parts.extend(moved.cloned());
    if table.plan.priority != Priority::Medium {
        parts.push(format!("{} priority", table.plan.priority));
    }
    parts.join("; ")
}

fn reason(reason: Reason) -> &'static str {
    match reason {
        Reason::Asked => "--full",
        Reason::NewSource => "it came from another source",
        Reason::Configured => "all rows",
        Reason::FirstRun => "it was never moved",
        Reason::NoWatermark => "it has no usable watermark yet",
        Reason::SchemaChanged => "its structure changed",
        Reason::PoliciesChanged => "[values] changed",
        Reason::ReplicaDamaged => "its table in the replica is damaged",
        Reason::RowsDeleted => "rows were deleted",
        Reason::RowsDiffer => "rows differed",
        Reason::Collided => "changed rows collided with others",
        Reason::GapTooLong => "its last good run is too long ago",
        Reason::NoKey => "it has no key to compare by",
        Reason::NotCompared => "there is nothing to compare with",
        Reason::ManyDiffer => "too many rows differ",
        Reason::Compared => "its rows are compared",
        Reason::Recheck => "recheck of the whole target",
        Reason::Repair => "repair",
        Reason::Interrupted => "the last attempt did not finish",
        Reason::Watermark => "rows after the watermark",
        Reason::CopiedNotLoaded => {
            "it was copied but not loaded, and the source has not changed since"
        }
        Reason::Unchanged => "the source has not changed since it was moved",
    }
}

/// Counts the tables to which this happens.
fn number(preview: &PlanPreview, action: Action) -> usize {
    preview.tables.iter().filter(|table| table.action == action).count()
}

fn totals(preview: &PlanPreview) -> String {
    let kinds = [
        Action::MoveAll,
        Action::MoveChanged,
        Action::Compare,
        Action::Load,
        Action::LeaveIfEmpty,
        Action::LeaveAlone,
    ];
    let numbers = kinds.into_iter().map(|kind| (number(preview, kind), label(kind).to_owned()));
    let refused = (preview.refused.len(), "would fail".to_owned());
    let parts: Vec<String> = numbers
        .chain([refused])
        .filter(|(number, _)| *number > 0)
        .map(|(number, what)| format!("{} {what}", count(number as u64)))
        .collect();
    let tables = counted((preview.tables.len() + preview.refused.len()) as u64, "table");
    let millis = preview.tables.iter().map(TablePreview::expected_ms).sum();
    let took = match millis {
        0 => String::new(),
        millis => {
            format!("; these moves took {} last time", duration(Duration::from_millis(millis)))
        }
    };
    format!("{tables}: {}{}{took}", parts.join(", "), forced(preview))
}

fn forced(preview: &PlanPreview) -> String {
    match preview.tables.iter().filter(|table| table.plan.force_full_applied).count() {
        0 => String::new(),
        number => {
            format!("; full this time despite its extraction: {}", counted(number as u64, "table"))
        }
    }
}
