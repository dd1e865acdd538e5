//! The tables whose columns are made up.

use super::kind::Kind;
use super::table::{Column, Engine, Table};
use crate::practice::figures::COLUMNS;

/// Column names of OpenDental that occur in many tables, with their kinds.
const PALETTE: &[(&str, &str)] = &[
    ("PatNum", "ref:patient"),
    ("Description", "words"),
    ("ItemOrder", "int:90"),
    ("IsHidden", "flag"),
    ("SecUserNumEntry", "ref:userod"),
    ("SecDateTEdit", "stamp"),
    ("Note", "note"),
    ("ProvNum", "ref0:provider"),
    ("DateEntry", "day"),
    ("ClinicNum", "ref:clinic"),
    ("FKey", "big:100000"),
    ("Amount", "money"),
    ("DateTimeEntry", "moment"),
    ("Status", "code:6"),
    ("ValueString", "text"),
    ("DateTerm", "date"),
    ("Abbr", "vc:20"),
    ("UserNum", "ref0:userod"),
    ("ObjectType", "ucode:9"),
    ("DateStop", "zdate"),
    ("Comments", "ntext"),
    ("Code", "code5"),
    ("ProcNum", "ref0:procedurelog"),
    ("ColorText", "int:16777216"),
    ("DateTimeLast", "datetime"),
    ("Quantity", "small:400"),
    ("Rate", "decimal"),
    ("EmailAddress", "email"),
    ("TimeStart", "time"),
    ("LName", "last"),
    ("FName", "first"),
    ("Guid", "guid"),
    ("PhoneNumber", "phone"),
    ("Weight", "float"),
    ("Percentage", "percent"),
    ("Body", "note"),
    ("IsDeleted", "flag"),
    ("TimeSpanMax", "ntime"),
    ("MessageText", "long"),
    ("Signature", "vc:500"),
];

pub(super) fn tables(core: &[Table]) -> Vec<Table> {
    let mut filled = true;
    let mut tables = Vec::new();
    for line in include_str!("others.txt").lines().filter(|line| !line.starts_with('#')) {
        match line {
            "filled" | "empty" => filled = line == "filled",
            _ => tables.extend(line.split_whitespace().map(|word| named(word, filled))),
        }
    }
    let missing = COLUMNS - core.iter().chain(&tables).map(|t| t.columns.len()).sum::<usize>();
    let count = tables.len();
    for (position, table) in tables.iter_mut().enumerate() {
        let share = missing / count + usize::from(position < missing % count);
        add_columns(table, share);
    }
    tables
}

/// Makes a table with its key and a first few columns from `NAME`, `NAME=ROWS`, `NAME=ROWS!` (no
/// key) or `NAME=ROWS+` (composite key).
fn named(word: &str, filled: bool) -> Table {
    let (name, size) = word.split_once('=').unwrap_or((word, "0"));
    let rows = size.trim_end_matches(['!', '+']);
    let hash = fnv(name);
    let mut table = Table {
        name: name.to_owned(),
        engine: match hash % 16 {
            0..=1 => Engine::InnoDb,
            2 => Engine::Aria,
            _ => Engine::MyIsam,
        },
        full_rows: rows.parse().expect("others.txt has a number of rows"),
        columns: Vec::new(),
    };
    debug_assert_eq!(filled, table.full_rows > 0);
    let column = |name: String, kind| Column { name, kind, indexed: false };
    match size.chars().last() {
        Some('!') => {}
        Some('+') => table.columns.extend([
            column("OwnerNum".to_owned(), Kind::Major),
            column("Position".to_owned(), Kind::Minor),
        ]),
        _ => table.columns.push(column(key_name(name), Kind::Key)),
    }
    add_columns(&mut table, 1 + (hash / 16 % 14) as usize);
    table
}

/// Adds columns from the palette, from a place that depends on the table.
fn add_columns(table: &mut Table, count: usize) {
    let start = fnv(&table.name) as usize;
    for _ in 0..count {
        let (name, kind) = (start..start + PALETTE.len())
            .map(|place| PALETTE[place.wrapping_mul(7) % PALETTE.len()])
            .find(|(name, _)| !table.columns.iter().any(|column| column.name == *name))
            .expect("the palette has more columns than any table");
        let kind = Kind::parse(kind).expect("the palette's kinds are kinds");
        let indexed = matches!(kind, Kind::Ref { .. });
        table.columns.push(Column { name: name.to_owned(), kind, indexed });
    }
}

/// `treatplan` has the key `TreatplanNum`.
fn key_name(table: &str) -> String {
    let mut letters = table.chars();
    let first = letters.next().map(|c| c.to_ascii_uppercase()).into_iter();
    first.chain(letters).chain("Num".chars()).collect()
}

/// FNV-1a: short, and the same everywhere for ever.
pub(super) fn fnv(text: &str) -> u32 {
    text.bytes().fold(0x811c_9dc5, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193))
}
