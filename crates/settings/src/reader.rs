//! The state of reading a configuration: sources of values, and faults found.

use crate::error::{FilePlace, SettingsProblem};
use crate::suggest::{closest, one_of};
use std::env::VarError;
use std::path::{Path, PathBuf};

/// The source of environment variables.
pub(crate) type Env<'e> = &'e dyn Fn(&str) -> Result<String, VarError>;

/// A key that no code took: its section's kind and name, the key, and where it stands.
type Unknown = (&'static str, String, String, FilePlace);

/// The state of reading: sources of values, and faults found.
pub(crate) struct SettingsReader<'e> {
    env: Env<'e>,
    folder: PathBuf,
    pub(crate) problems: Vec<SettingsProblem>,
    /// Notes of what is allowed and unwise.
    pub(crate) warnings: Vec<SettingsProblem>,
    known: Vec<(&'static str, &'static str)>,
    unknown: Vec<Unknown>,
}

impl<'e> SettingsReader<'e> {
    /// Starts reading files of `folder`, to which the paths in them are relative.
    pub(crate) fn new(env: Env<'e>, folder: &Path) -> SettingsReader<'e> {
        let (problems, warnings, known, unknown) = Default::default();
        SettingsReader { env, folder: folder.to_owned(), problems, warnings, known, unknown }
    }

    pub(crate) fn problem(&mut self, place: &FilePlace, message: impl Into<String>) {
        self.problems.push(SettingsProblem::new(place.clone(), message));
    }

    pub(crate) fn warning(&mut self, place: &FilePlace, message: impl Into<String>) {
        self.warnings.push(SettingsProblem::new(place.clone(), message));
    }

    /// Returns the value of the environment variable `name`.
    pub(crate) fn variable(&self, name: &str) -> Result<String, String> {
        match (self.env)(name) {
            Ok(value) => Ok(value),
            Err(VarError::NotPresent) => Err("is not set; export it".to_owned()),
            Err(VarError::NotUnicode(_)) => Err("is not UTF-8; export it as UTF-8".to_owned()),
        }
    }

    /// Returns `written` as a path, relative to the folder of the files.
    pub(crate) fn path(&self, written: &str) -> PathBuf {
        self.folder.join(written)
    }

    /// Puts the environment's values in place of `${NAME}`; `$${` stands for `${`.
    pub(crate) fn expanded(&self, written: &str) -> Result<String, String> {
        let mut text = String::with_capacity(written.len());
        let mut rest = written;
        while let Some(at) = rest.find("${") {
            let (before, after) = (&rest[..at], &rest[at + 2..]);
            if let Some(before) = before.strip_suffix('$') {
                text.push_str(before);
                text.push_str("${");
                rest = after;
                continue;
            }
            let Some((name, after)) = after.split_once('}') else {
                return Err("has a ${ without its }; close it, or write $${ for ${".to_owned());
            };
            if !is_variable_name(name) {
                return Err("has a ${…} that is no name of a variable; write ${NAME}, or $${ \
                            for ${"
                    .to_owned());
            }
            text.push_str(before);
            text.push_str(
                &self.variable(name).map_err(|what| format!("uses ${{{name}}}, which {what}"))?,
            );
            rest = after;
        }
        text.push_str(rest);
        Ok(text)
    }

    /// Notes that sections of `kind` take `key`.
    pub(crate) fn takes(&mut self, kind: &'static str, key: &'static str) {
        if !self.known.contains(&(kind, key)) {
            self.known.push((kind, key));
        }
    }

    /// Returns the names of the keys that were asked for.
    #[cfg(test)]
    pub(crate) fn known_keys(&self) -> Vec<&'static str> {
        self.known.iter().map(|(_, key)| *key).collect()
    }

    /// Notes a key that nobody took.
    pub(crate) fn unknown(
        &mut self,
        kind: &'static str,
        name: &str,
        key: String,
        place: FilePlace,
    ) {
        self.unknown.push((kind, name.to_owned(), key, place));
    }

    /// Reports the keys that nobody took.
    pub(crate) fn report_unknown(&mut self) {
        for (kind, section, key, place) in std::mem::take(&mut self.unknown) {
            let message = self.about_unknown(kind, &section, &key);
            self.problem(&place, message);
        }
    }

    fn about_unknown(&self, kind: &'static str, section: &str, key: &str) -> String {
        if let Some((.., why)) = NOT_TAKEN.iter().find(|(of, name, _)| *of == kind && *name == key)
        {
            return format!("`{key}` in [{section}]: {why}");
        }
        let siblings = self.known.iter().filter(|(of, _)| *of == kind).map(|(_, name)| *name);
        let elsewhere = self.known.iter().find(|(_, name)| *name == key).map(|(of, _)| *of);
        let all = siblings.clone().collect::<Vec<_>>();
        let fix = match (elsewhere, closest(key, siblings)) {
            (Some(home), _) => format!("it belongs in [{home}]"),
            (None, Some(near)) => format!("did you mean `{near}`?"),
            (None, None) => format!("it takes {}", one_of(&all)),
        };
        format!("unknown key `{key}` in [{section}]; {fix}")
    }
}

/// Keys that people may expect, and why there is no such key: kind of section, key, reason.
const NOT_TAKEN: &[(&str, &str, &str)] = &[
    ("source", "password", NO_PASSWORD),
    ("replica", "password", NO_PASSWORD),
    ("target", "password", NO_PASSWORD),
];
const NO_PASSWORD: &str = "a password does not stand in this file; name an environment variable \
                           with password_env, or a file with password_file";

/// Returns true for what a shell takes as the name of a variable.
pub(crate) fn is_variable_name(name: &str) -> bool {
    !name.is_empty()
        && !name.starts_with(|c: char| c.is_ascii_digit())
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
}
