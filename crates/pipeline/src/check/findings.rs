//! Gathering findings.

use super::report::{CheckFinding, CheckSubject, CheckVerdict, Mend, MendKind};
use handoff_connect::{Fault, Result, Side, paste_my, paste_pg};
use handoff_model::{is_hidden, visible};

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
        self.untold(subject, fault.message());
    }

    /// Says that something cannot be found out, and why.
    pub(super) fn untold(&mut self, subject: CheckSubject, why: &str) {
        self.warning(subject, format!("this cannot be found out: {why}"));
    }

    fn add(
        &mut self,
        subject: CheckSubject,
        verdict: CheckVerdict,
        what: String,
    ) -> &mut CheckFinding {
        let side = self.side;
        let what = shown(what);
        self.found.push(CheckFinding { side, subject, verdict, what, mend: Vec::new() });
        self.found.last_mut().expect("a finding was just pushed")
    }
}

fn shown(what: String) -> String {
    if what.contains(is_hidden) { visible(&what).into_owned() } else { what }
}

impl CheckFinding {
    pub(super) fn statement(&mut self, sql: impl AsRef<str>) -> &mut CheckFinding {
        let paste = match self.side {
            Side::Source | Side::Replica => paste_my,
            Side::Target => paste_pg,
        };
        self.mend(MendKind::Statement, paste(sql.as_ref()))
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
