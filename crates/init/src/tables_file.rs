//! Writes `tables.toml`.

use crate::report::{
    ColumnProposal, ExtractionProposal, InitReport, TableProposal, TableSize, WrittenAs,
};
use handoff_model::human::{bytes, counted, grouped};
use handoff_model::{ColumnName, toml_key, visible};
use handoff_settings::toml_text::{comment, text};

/// The introduction of the file.
const HEAD: &str = "\
# The settings in force follow from the declarations of the tables. A key behind # is a proposal: remove
# the # if you know that it is right. A table without an extraction is copied in full (full_table),
# which is always right. With a narrower type, a value that does not fit fails its table and changes
# nothing.
#
# ON UPDATE CURRENT_TIMESTAMP does not act in a statement that sets the column itself. If you know of
# such statements, name the dates by which their rows can be found; those rows are then moved again:
#   lookback = { days = 30, columns = [\"DateEntry\"] }
";

impl InitReport {
    /// Returns a `tables.toml` with the proposals and what speaks for them.
    pub fn tables_toml(&self) -> String {
        let mut file = self.tables_head();
        let (mut large, mut small) = (String::new(), String::new());
        for table in &self.tables {
            let part = if table.size == TableSize::Large { &mut large } else { &mut small };
            part.push_str(&entry(table));
        }
        if !large.is_empty() {
            file.push_str("\n# The large tables.\n");
            file.push_str(&large);
        }
        if !small.is_empty() {
            file.push_str("\n# Small tables, copied in full, whose columns could be narrower.\n");
            file.push_str(&small);
        }
        file
    }

    fn tables_head(&self) -> String {
        let day = self.made_at.strftime("%Y-%m-%d");
        let mut head = comment(&format!(
            "The tables of {} ({}), by etl init on {day}.",
            self.source, self.server
        ));
        let sizes = [
            (TableSize::Empty, "empty"),
            (TableSize::Small, "small (below 10,000 rows and 4 MB)"),
            (TableSize::Large, "large"),
        ];
        let counts = sizes.map(|(size, word)| {
            format!("{} {word}", grouped(u64::try_from(self.of_size(size).count()).unwrap_or(0)))
        });
        head +=
            &comment(&format!("{}: {}.", counted(self.tables.len(), "table"), counts.join(", ")));
        if !self.rows_looked_at {
            head += "# No row was read (--quick), so no narrower type is proposed.\n";
        }
        head += "#\n";
        head += HEAD;
        if !self.not_carried.is_empty() {
            let names: Vec<String> = self
                .not_carried
                .iter()
                .map(|other| format!("`{}` ({})", visible(&other.name), other.kind.to_lowercase()))
                .collect();
            head += "#\n";
            head += &comment(&format!("Not moved: {}.", names.join(", ")));
        }
        head
    }
}

/// Writes what is proposed for a table; nothing if there is nothing to say.
fn entry(table: &TableProposal) -> String {
    let lines = keys(table);
    if lines.is_empty() && table.extraction.is_none() && table.fault.is_none() {
        return String::new();
    }
    let mut entry = format!("\n{}", comment(&facts(table)));
    if let Some(fault) = &table.fault {
        entry += &comment(&format!("Its rows could not be inspected: {fault}."));
    }
    for why in table.extraction.iter().flat_map(|proposal| &proposal.why) {
        entry += &comment(why);
    }
    // In a section of its own no line can be taken for another table's once its # is off.
    if !lines.is_empty() {
        entry += &format!("{}\n{lines}", table.table.section());
    }
    entry
}

fn facts(table: &TableProposal) -> String {
    let about = if table.rows_are_exact { "" } else { "about " };
    let rows = match table.rows {
        1 => "1 row".to_owned(),
        rows => format!("{} rows", grouped(rows)),
    };
    let names: Vec<&str> = table.key.iter().map(ColumnName::as_str).collect();
    let key =
        if names.is_empty() { "no key".to_owned() } else { format!("key {}", names.join(", ")) };
    format!("{}: {about}{rows}, {}, {}, {key}.", table.table, bytes(table.bytes), table.engine)
}

fn keys(table: &TableProposal) -> String {
    let extraction = table.extraction.as_ref().map(extraction_keys).unwrap_or_default();
    extraction + &table.columns.iter().map(column_line).collect::<String>()
}

fn column_line(proposal: &ColumnProposal) -> String {
    let why = comment(&proposal.why);
    format!("#columns.{} = {}  {why}", toml_key(proposal.column.as_str()), text(proposal.to))
}

fn extraction_keys(proposal: &ExtractionProposal) -> String {
    if !proposal.extraction.is_by_watermark() {
        return String::new();
    }
    let off = match proposal.written {
        WrittenAs::InForce => "",
        WrittenAs::Commented => "#",
    };
    let columns: Vec<String> =
        proposal.watermark.iter().map(|column| text(column.as_str())).collect();
    let watermark = match columns.as_slice() {
        [one] => one.clone(),
        many => format!("[{}]", many.join(", ")),
    };
    let extraction = format!("{off}extraction = \"{}\"\n", proposal.extraction);
    if columns.is_empty() {
        return extraction;
    }
    extraction + &format!("{off}watermark = {watermark}\n")
}
