//! Finding and reading the files.

use crate::document::Document;
use crate::error::SettingsError;
use crate::read;
use crate::reader::Env;
use crate::settings::Settings;
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
        let extra = tables.as_deref().map(|text| ConfigText { text, path: &beside });
        from_texts(&ConfigText { text: &main, path }, extra.as_ref(), &|name| env::var(name))
    }

    /// Reads a configuration from `text`. Errors call it `path`, and the files that it names are
    /// looked for from the folder of `path`; of `path` itself nothing but its mode is looked at.
    ///
    /// # Errors
    ///
    /// Returns [`SettingsError::Invalid`] with everything that is wrong.
    pub fn from_toml(text: &str, path: &Path) -> Result<Settings, SettingsError> {
        from_texts(&ConfigText { text, path }, None, &|name| env::var(name))
    }
}

/// The text of a configuration file.
pub(crate) struct ConfigText<'a> {
    pub(crate) text: &'a str,
    pub(crate) path: &'a Path,
}

impl<'a> ConfigText<'a> {
    fn parse(&self) -> Document<'a> {
        Document::parse(self.text, self.path)
    }
}

/// Reads settings from the texts of the files.
pub(crate) fn from_texts(
    main: &ConfigText<'_>,
    extra: Option<&ConfigText<'_>>,
    env: Env<'_>,
) -> Result<Settings, SettingsError> {
    let folder = main.path.parent().map(PathBuf::from).unwrap_or_default();
    read::settings(&main.parse(), extra.map(ConfigText::parse).as_ref(), &folder, env)
}

fn text_of(path: &Path) -> Result<Option<String>, SettingsError> {
    match fs::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(source) => Err(SettingsError::Unreadable { path: path.to_owned(), source }),
    }
}
