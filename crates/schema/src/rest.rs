//! The parts of a database that are no tables and that nobody translates: views, triggers, routines and events.

use crate::catalogue::{ask_optional, ask_texts};
use crate::error::Result;
use handoff_connect::{MyConn, quote_my, quote_my_text};
use serde::Serialize;

/// A part of the source that a person has to make in the target, with its text in the source's dialect.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct UntranslatedPart {
    /// Its kind: `view`, `trigger`, `procedure`, `function` or `event`.
    pub kind: String,
    /// Its name.
    pub name: String,
    /// The statement that makes it in the source; empty if the account may not see it.
    pub text: String,
}

impl UntranslatedPart {
    /// Reads all of `database`: two statements, and one for each part.
    ///
    /// # Errors
    ///
    /// Returns [`SchemaError::Catalogue`](crate::SchemaError::Catalogue) if the server refuses.
    pub fn read_all(conn: &mut MyConn, database: &str) -> Result<Vec<UntranslatedPart>> {
        let mut parts = Vec::new();
        for row in ask_texts(conn, &names(database))? {
            let [kind, name] = row.as_slice() else { continue };
            let show = format!("SHOW CREATE {} {}", kind.to_uppercase(), quote_my(name.as_str()));
            let shown = ask_optional(conn, &show)?;
            let text = shown.into_iter().next().and_then(|row| row.into_iter().nth(column(kind)));
            let text = text.flatten().unwrap_or_default();
            parts.push(UntranslatedPart { kind: kind.clone(), name: name.clone(), text });
        }
        parts.sort();
        Ok(parts)
    }
}

/// Returns the place of the statement in the answer of `SHOW CREATE`.
fn column(kind: &str) -> usize {
    match kind {
        "view" => 1,
        "event" => 3,
        _ => 2,
    }
}

fn names(database: &str) -> String {
    let database = quote_my_text(database);
    format!(
        "SELECT 'view', TABLE_NAME FROM information_schema.VIEWS WHERE TABLE_SCHEMA = {database} \
         UNION ALL SELECT 'trigger', TRIGGER_NAME FROM information_schema.TRIGGERS \
             WHERE TRIGGER_SCHEMA = {database} \
         UNION ALL SELECT LOWER(ROUTINE_TYPE), ROUTINE_NAME FROM information_schema.ROUTINES \
             WHERE ROUTINE_SCHEMA = {database} AND ROUTINE_TYPE IN ('PROCEDURE', 'FUNCTION') \
         UNION ALL SELECT 'event', EVENT_NAME FROM information_schema.EVENTS \
             WHERE EVENT_SCHEMA = {database}"
    )
}
