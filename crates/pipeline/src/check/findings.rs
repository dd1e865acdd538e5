//! Gathering findings.

use super::report::{CheckFinding, CheckSubject, CheckVerdict, Mend, MendKind};
use handoff_connect::{Fault, Result, Side};

/// The findings of one side, in the order in which they were made.
pub(super) struct Findings {
    side: Side,
    found: Vec<CheckFinding>,
}

impl Findings {
    pub(super) fn of(side: Side) -> Findings {
        Findings { side, found: Vec::new() }
    }

    pub(super) fn side(&self) -> Side {
        self.side
    }

    pub(super) fn into_vec(self) -> Vec<CheckFinding> {
        self.found
    }

    pub(super) fn ok(&mut self, subject: CheckSubject, what: impl Into<String>) {
        self.add(subject, CheckVerdict::Ok, what.into());
    }

    pub(super) fn warning(
        &mut self,
        subject: CheckSubject,
        what: impl Into<String>,
    ) -> &mut CheckFinding {
        self.add(subject, CheckVerdict::Warning, what.into())
    }

    pub(super) fn fault(
        &mut self,
        subject: CheckSubject,
        what: impl Into<String>,
    ) -> &mut CheckFinding {
        self.add(subject, CheckVerdict::Fault, what.into())
    }

    /// Looks at one subject. What can't be found out is said, and the others are looked at.
    pub(super) fn look(
        &mut self,
        subject: CheckSubject,
        look: impl FnOnce(&mut Findings) -> Result<()>,
    ) {
        if let Err(fault) = look(self) {
            self.unknown(subject, &fault);
        }
    }

    pub(super) fn unknown(&mut self, subject: CheckSubject, fault: &Fault) {
        self.warning(subject, format!("this cannot be found out: {}", fault.message()));
    }

    fn add(
        &mut self,
        subject: CheckSubject,
        verdict: CheckVerdict,
        what: String,
    ) -> &mut CheckFinding {
        let side = self.side;
        self.found.push(CheckFinding { side, subject, verdict, what, mend: Vec::new() });
        self.found.last_mut().expect("a finding was just pushed")
    }
}

impl CheckFinding {
    pub(super) fn statement(&mut self, sql: impl Into<String>) -> &mut CheckFinding {
        self.mend(MendKind::Statement, sql.into())
    }

    pub(super) fn setting(&mut self, lines: impl Into<String>) -> &mut CheckFinding {
        self.mend(MendKind::Setting, lines.into())
    }

    pub(super) fn command(&mut self, line: impl Into<String>) -> &mut CheckFinding {
        self.mend(MendKind::Command, line.into())
    }

    fn mend(&mut self, kind: MendKind, text: String) -> &mut CheckFinding {
        self.mend.push(Mend { kind, text });
        self
    }
}

/// Lists names for a sentence: the first few, and how many more there are.
pub(super) fn some<T: AsRef<str>>(names: &[T]) -> String {
    const SHOWN: usize = 5;
    let shown: Vec<String> =
        names.iter().take(SHOWN).map(|name| format!("`{}`", name.as_ref())).collect();
    match names.len().saturating_sub(SHOWN) {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}

/// Spells a number of things: `1 table`, `3 tables`.
pub(super) fn counted(count: usize, thing: &str) -> String {
    if count == 1 { format!("1 {thing}") } else { format!("{count} {thing}s") }
}

/// Spells bytes for people, in powers of 1000 as disks are sold.
pub(super) fn bytes(bytes: u64) -> String {
    let units = ["bytes", "kB", "MB", "GB", "TB"];
    let mut size = bytes as f64;
    let mut unit = 0;
    while size >= 999.5 && unit + 1 < units.len() {
        size /= 1000.0;
        unit += 1;
    }
    let digits = usize::from(unit > 0 && size < 9.95);
    format!("{size:.digits$} {}", units[unit])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_lists_are_cut() {
        assert_eq!(some(&["a", "b"]), "`a`, `b`");
        assert_eq!(some(&["a"; 7]), "`a`, `a`, `a`, `a`, `a` and 2 more");
    }

    #[test]
    fn sizes_have_two_digits() {
        for (size, text) in
            [(0, "0 bytes"), (999, "999 bytes"), (4_000_000_000, "4.0 GB"), (16_777_216, "17 MB")]
        {
            assert_eq!(bytes(size), text);
        }
    }
}
