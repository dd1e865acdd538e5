//! Finding and reading the files.

use crate::document::Document;
use crate::reader::Env;
use crate::{Settings, SettingsError, read};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::{env, fs};

/// The name of the file, beside the configuration file, that may hold more tables.
const TABLES_FILE: &str = "tables.toml";

impl Settings {
    /// Reads the configuration file at `path`, `tables.toml` beside it if there is one, the
    /// environment, and the files of passwords and certificates that they name.
    ///
    /// # Errors
    ///
    /// Returns [`SettingsError::Missing`] if there is no file at `path`,
    /// [`SettingsError::Unreadable`] if one cannot be read, and [`SettingsError::Invalid`] with
    /// everything that is wrong in them.
    pub fn load(path: &Path) -> Result<Settings, SettingsError> {
        let Some(main) = text_of(path)? else {
            let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
            return Err(SettingsError::Missing { path });
        };
        let beside = path.with_file_name(TABLES_FILE);
        let tables = text_of(&beside)?;
        let extra = tables.as_deref().map(|text| (text, &*beside));
        from_texts((&main, path), extra, &|name| env::var(name))
    }

    /// Reads a configuration from `text`. Errors call it `path`, and the files that it names are
    /// looked for from the folder of `path`; of `path` itself nothing but its mode is looked at.
    ///
    /// # Errors
    ///
    /// Returns [`SettingsError::Invalid`] with everything that is wrong.
    pub fn from_toml(text: &str, path: &Path) -> Result<Settings, SettingsError> {
        from_texts((text, path), None, &|name| env::var(name))
    }
}

/// Reads settings from the texts of the files, each with its path.
pub(crate) fn from_texts(
    main: (&str, &Path),
    extra: Option<(&str, &Path)>,
    env: Env<'_>,
) -> Result<Settings, SettingsError> {
    let folder = main.1.parent().map(PathBuf::from).unwrap_or_default();
    let main = Document::parse(main.0, main.1);
    let beside = extra.map(|(text, path)| Document::parse(text, path));
    read::settings(&main, beside.as_ref(), &folder, env)
}

fn text_of(path: &Path) -> Result<Option<String>, SettingsError> {
    match fs::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(source) => Err(SettingsError::Unreadable { path: path.to_owned(), source }),
    }
}
