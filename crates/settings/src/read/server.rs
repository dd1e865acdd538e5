//! `[source]` and `[replica]`, and what `[target]` has in common with them.

use super::tls::read_tls;
use super::{access, tls};
use crate::error::FilePlace;
use crate::reader::{SettingsReader, is_variable_name};
use crate::secret::Secret;
use crate::section::{Section, Text};
use crate::server::MySqlServer;
use crate::url::UrlError;
use std::fs;

/// The words of a message for a missing file or variable.
pub(super) const MISSING: &str = " is missing; ";

/// Reads `[source]` or `[replica]`.
pub(super) fn mysql(
    mut section: Section<'_>,
    place: &FilePlace,
    reader: &mut SettingsReader<'_>,
) -> Option<MySqlServer> {
    let from_url = url(&mut section, place, reader, MySqlServer::from_url);
    let in_url = from_url.as_ref().is_some_and(|server| !server.password.is_empty());
    let beside_url = read_password(&mut section, in_url, reader);
    let tls = read_tls(&mut section, reader);
    let public_key = tls::public_key(&mut section, &tls, reader);
    section.finish(reader);
    let server = from_url?;
    let password = beside_url.unwrap_or(server.password);
    Some(MySqlServer { password, tls, public_key, ..server })
}

/// Takes the URL apart.
pub(super) fn url<T>(
    section: &mut Section<'_>,
    place: &FilePlace,
    reader: &mut SettingsReader<'_>,
    parse: fn(&str) -> Result<T, UrlError>,
) -> Option<T> {
    let subject = section.subject("url");
    let Some(entry) = section.take("url", reader) else {
        let name = subject.trim_end_matches(".url");
        reader.problem(place, format!("{subject}{MISSING}{}", example(name)));
        return None;
    };
    if entry.value.as_str().is_none() {
        reader.problem(&entry.place, format!("{subject} is no text; {}", example_of(&subject)));
        return None;
    }
    let text = crate::section::text_of(&entry, subject, reader)?;
    access::warn_of_url(&text, reader);
    parse(&text.value)
        .map_err(|error| reader.problem(&text.place, format!("{}: {error}", text.subject)))
        .ok()
}

fn example_of(subject: &str) -> String {
    example(subject.trim_end_matches(".url"))
}

/// Says what to write for a section that must be there.
pub(super) fn example(section: &str) -> String {
    let url = match section {
        "target" => "postgres://USER@HOST:5432/DATABASE",
        _ => "mysql://USER@HOST:3306/DATABASE",
    };
    format!("write below [{section}]: url = \"{url}\"")
}

/// Fetches the password that stands outside of the URL, if one does.
pub(super) fn read_password(
    section: &mut Section<'_>,
    in_url: bool,
    reader: &mut SettingsReader<'_>,
) -> Option<Secret> {
    let variable = section.text("password_env", reader);
    let file = section.text("password_file", reader);
    if let (Some(variable), Some(file)) = (&variable, &file) {
        let message =
            format!("{} and {} exclude each other; keep one", variable.subject, file.subject);
        reader.problem(&file.place, message);
        return None;
    }
    if let (true, Some(text)) = (in_url, variable.as_ref().or(file.as_ref())) {
        let message = format!(
            "{} names a password and {} holds another; take the one in the URL out",
            text.subject,
            section.subject("url")
        );
        reader.problem(&text.place, message);
        return None;
    }
    match (variable, file) {
        (Some(text), _) => from_variable(&text, reader),
        (None, Some(text)) => from_file(&text, reader),
        (None, None) => None,
    }
}

fn from_variable(text: &Text, reader: &mut SettingsReader<'_>) -> Option<Secret> {
    let Text { subject, value: name, place, .. } = text;
    // Some write the password itself here, so what does not look like a name is not repeated.
    if !is_variable_name(name) {
        let message = format!(
            "{subject} is no name of an environment variable; it takes the name, such as \
             \"{EXAMPLE_VARIABLE}\", never the password itself"
        );
        reader.problem(place, message);
        return None;
    }
    let upper = name.bytes().all(|b| !b.is_ascii_lowercase());
    let shown = if upper { format!("the variable {name}") } else { "a variable".to_owned() };
    reader
        .variable(name)
        .map(Secret::new)
        .map_err(|what| {
            reader.problem(place, format!("{subject} names {shown}, which {what}"));
        })
        .ok()
}

const EXAMPLE_VARIABLE: &str = "SOURCE_PASSWORD";

fn from_file(text: &Text, reader: &mut SettingsReader<'_>) -> Option<Secret> {
    let path = reader.path(&text.value);
    let read = fs::read_to_string(&path).map_err(|error| error.to_string()).and_then(|password| {
        let ended = password.strip_suffix('\n').unwrap_or(&password);
        match ended.strip_suffix('\r').unwrap_or(ended) {
            "" => Err("it is empty".to_owned()),
            line if line.contains('\n') => Err("it has more than one line".to_owned()),
            line => Ok(Secret::new(line)),
        }
    });
    if read.is_ok() {
        access::warn_of_readers(text, &path, reader);
    }
    read.map_err(|what| {
        let message = format!(
            "{}: cannot take a password from {} ({what}); write the password alone into that file \
             and let this account read it",
            text.subject,
            path.display()
        );
        reader.problem(&text.place, message);
    })
    .ok()
}
