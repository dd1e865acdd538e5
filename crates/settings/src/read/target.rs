//! `[target]`.

use super::server::{password, url};
use super::tls::{require_auth, tls};
use crate::error::Place;
use crate::reader::Reader;
use crate::section::{Section, Text};
use crate::{PgServer, Target};

/// The longest identifier PostgreSQL keeps, in bytes (`NAMEDATALEN` less one).
const MAX_IDENTIFIER_BYTES: usize = 63;

pub(super) fn target(
    mut section: Section<'_>,
    place: &Place,
    reader: &mut Reader<'_>,
) -> Option<Target> {
    let server = url(&mut section, place, reader, PgServer::from_url);
    let in_url = server.as_ref().is_some_and(|server| !server.password.is_empty());
    let password = password(&mut section, in_url, reader);
    let tls = tls(&mut section, reader);
    let host = server.as_ref().map(|server| server.host.as_str());
    let require_auth = require_auth(&mut section, host, reader);
    let schema = schema(&mut section, reader);
    let roles = roles(&mut section, reader);
    section.finish(reader);
    let server = server?;
    let password = password.unwrap_or(server.password);
    let server = PgServer { password, tls, require_auth, ..server };
    let target = Target { grant_select_to: roles, ..Target::new(server) };
    Some(match schema {
        Some(schema) => Target { schema, ..target },
        None => target,
    })
}

fn schema(section: &mut Section<'_>, reader: &mut Reader<'_>) -> Option<String> {
    let text = section.text("schema", reader)?;
    let fault = identifier_fault(&text.value).or_else(|| {
        let system = text.value.starts_with("pg_") || text.value == "information_schema";
        system.then_some("belongs to PostgreSQL itself")
    });
    report(&text, fault, "name a schema of your own, such as \"raw\"", reader)?;
    Some(text.value)
}

fn roles(section: &mut Section<'_>, reader: &mut Reader<'_>) -> Vec<String> {
    let texts = section.texts("grant_select_to", reader).unwrap_or_default();
    let role = |text: Text| {
        let fault = identifier_fault(&text.value).or_else(|| {
            let everybody = text.value.eq_ignore_ascii_case("public");
            everybody.then_some("is everybody, not a role")
        });
        report(&text, fault, "name roles, such as [\"dbt\"]", reader)?;
        Some(text.value)
    };
    texts.into_iter().filter_map(role).collect()
}

fn identifier_fault(name: &str) -> Option<&'static str> {
    if name.is_empty() {
        Some("is empty")
    } else if name.len() > MAX_IDENTIFIER_BYTES {
        Some("is longer than 63 bytes")
    } else if name.contains('\0') {
        Some("holds a NUL character")
    } else {
        None
    }
}

fn report(text: &Text, fault: Option<&str>, fix: &str, reader: &mut Reader<'_>) -> Option<()> {
    let Some(fault) = fault else { return Some(()) };
    let shown = if text.value.is_empty() { String::new() } else { format!(" {:?}", text.written) };
    reader.problem(&text.place, format!("{}{shown} {fault}; {fix}", text.subject));
    None
}
