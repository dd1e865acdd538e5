//! The table of faults: which are tried again, which cost their table, which end the run, and what
//! the operator can do. Nothing else in the workspace decides this.

use crate::fault::kind::FaultKind;

/// Faults that are answered alike.
#[derive(Debug)]
pub(super) struct AnswerRow {
    /// The event, for the page of operations.
    #[cfg_attr(not(test), expect(dead_code, reason = "a test writes that page"))]
    what: &'static str,
    /// The reaction of a run.
    pub(super) kind: FaultKind,
    /// Errors of MySQL and MariaDB.
    pub(super) my: &'static [u16],
    /// SQLSTATEs of PostgreSQL, or the classes they begin with.
    pub(super) pg: &'static [&'static str],
    /// The operator's remedy; follows the server's message where that needs one.
    pub(super) advice: &'static str,
}

pub(super) static ROWS: &[AnswerRow] = &[
    AnswerRow {
        what: "too many connections",
        kind: FaultKind::Transient,
        my: &[1040, 1203],
        pg: &["53300"],
        advice: "lower jobs in [run] or raise the server's limit",
    },
    AnswerRow {
        what: "a lock did not come free",
        kind: FaultKind::Transient,
        my: &[1205],
        pg: &[],
        advice: "another session held a lock for longer than lock_wait_timeout allows, and `SHOW \
                 FULL PROCESSLIST` lists them all",
    },
    AnswerRow {
        what: "a lock did not come free",
        kind: FaultKind::Transient,
        my: &[],
        pg: &["55P03"],
        advice: "another session held a lock, and pg_stat_activity lists them all",
    },
    AnswerRow {
        what: "a deadlock, or a change that came in between",
        kind: FaultKind::Transient,
        my: &[1020, 1213, 1614, 1615, 1637],
        pg: &["40001", "40P01"],
        advice: "",
    },
    AnswerRow {
        what: "the connection was lost, or the server stops or starts",
        kind: FaultKind::Disconnect,
        my: &[1053, 1080, 1152, 1158, 1159, 1160, 1161, 1184, 1927, 2006, 2013, 3169, 4031],
        pg: &["08", "25P03", "57P01", "57P02", "57P03", "57P05"],
        advice: "",
    },
    AnswerRow {
        what: "somebody ended the statement, or a time limit of the server did",
        kind: FaultKind::Cancelled,
        my: &[1317, 1969, 3024],
        pg: &["57014"],
        advice: "",
    },
    AnswerRow {
        what: "the disk is full",
        kind: FaultKind::Lasting,
        my: &[1021, 1114],
        pg: &[],
        advice: "the server's disk is full, or its tablespace may not grow: free some space",
    },
    AnswerRow {
        what: "the disk is full (of MySQL and MariaDB also 3, 1005, 1026, 1030 and others, where their messages say so)",
        kind: FaultKind::Lasting,
        my: &[20, 135, 136],
        pg: &[NO_ROOM],
        advice: "the server's disk is full: free some space",
    },
    AnswerRow {
        what: "a table without a key, where the server takes none",
        kind: FaultKind::Lasting,
        my: &[3750],
        pg: &[],
        advice: "sql_require_primary_key is on: grant the account SESSION_VARIABLES_ADMIN ON *.*, so \
                 that Handoff turns it off in its own sessions",
    },
    AnswerRow {
        what: "the server met a fault of its files, memory or storage engine, which may pass",
        kind: FaultKind::Transient,
        my: &[
            1, 2, 3, 4, 5, 6, 7, 9, 10, 11, 12, 13, 14, 15, 16, 17, 21, 23, 24, 25, 26, 27, 29, 31,
            32, 33, 123, 128, 146, 147, 149, 157, 159,
        ],
        pg: &[],
        advice: "the server's error log says more",
    },
    AnswerRow {
        what: "the server's storage engine refused, or its files are damaged",
        kind: FaultKind::Lasting,
        my: &[
            120, 121, 122, 124, 126, 127, 130, 131, 132, 133, 134, 137, 138, 139, 140, 141, 144,
            145, 150, 151, 152, 155, 156, 160,
        ],
        pg: &[],
        advice: "the server's error log says more",
    },
    AnswerRow {
        what: "a right is missing",
        kind: FaultKind::Lasting,
        my: &[1044, 1142, 1143, 1227],
        pg: &[],
        advice: "`etl check` prints the GRANT that is missing",
    },
];

/// PostgreSQL's code for a full disk, as which a failed write of MySQL may be answered as well.
pub(super) const NO_ROOM: &str = "53100";

/// Everything that is in no row: what was sent was wrong, and is wrong the next time.
static OTHERS: AnswerRow =
    AnswerRow { what: "anything else", kind: FaultKind::Lasting, my: &[], pg: &[], advice: "" };

/// Returns how an error of MySQL or MariaDB is answered.
pub(super) fn of_my(code: u16) -> &'static AnswerRow {
    ROWS.iter().find(|row| row.my.contains(&code)).unwrap_or(&OTHERS)
}

/// Returns how a SQLSTATE of PostgreSQL is answered.
pub(super) fn of_pg(code: &str) -> &'static AnswerRow {
    let row = ROWS.iter().find(|row| row.pg.iter().any(|prefix| code.starts_with(prefix)));
    row.unwrap_or(&OTHERS)
}

impl AnswerRow {
    /// Returns the advice as it stands behind a message.
    pub(super) fn remedy(&self) -> String {
        if self.advice.is_empty() { String::new() } else { format!("; {}", self.advice) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fmt::Write as _;

    fn answer(kind: FaultKind) -> &'static str {
        match kind {
            FaultKind::Transient => "tried again; then the table fails",
            FaultKind::Disconnect => {
                "tried again over a new connection; then the table fails, and if the server cannot \
                 be reached at all no further table is started"
            }
            FaultKind::Cancelled | FaultKind::Lasting => "the table fails",
        }
    }

    fn as_markdown() -> String {
        let mut text = String::from(
            "| Fault | MySQL, MariaDB | PostgreSQL | What is done | What helps |\n\
             | --- | --- | --- | --- | --- |\n",
        );
        for row in ROWS.iter().chain([&OTHERS]) {
            let my: Vec<String> = row.my.iter().map(u16::to_string).collect();
            let (what, advice, answer) = (row.what, row.advice, answer(row.kind));
            let (my, pg) = (my.join(", "), row.pg.join(", "));
            writeln!(text, "| {what} | {my} | {pg} | {answer} | {advice} |").unwrap();
        }
        text
    }

    #[test]
    fn no_fault_has_two_answers() {
        for row in ROWS {
            for &code in row.my {
                assert!(std::ptr::eq(of_my(code), row), "{code}");
            }
            for code in row.pg {
                assert!(std::ptr::eq(of_pg(code), row), "{code}");
            }
        }
    }

    /// With `HANDOFF_BLESS=1` the page is written instead of compared.
    #[test]
    fn the_page_of_operations_shows_the_table() {
        const BEGIN: &str = "<!-- faults, by HANDOFF_BLESS=1 cargo test -p handoff-connect -->\n";
        const END: &str = "<!-- end of faults -->";
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/operations.md");
        let page = std::fs::read_to_string(path).unwrap();
        let (before, rest) = page.split_once(BEGIN).expect("the page has the first marker");
        let (_, after) = rest.split_once(END).expect("the page has the second marker");
        let generated = format!("{before}{BEGIN}\n{}\n{END}{after}", as_markdown());
        if std::env::var_os("HANDOFF_BLESS").is_some() {
            std::fs::write(path, &generated).unwrap();
        }
        assert!(
            page == generated || std::env::var_os("HANDOFF_BLESS").is_some(),
            "docs/operations.md differs from the table of faults; run HANDOFF_BLESS=1 cargo test \
             -p handoff-connect"
        );
    }
}
