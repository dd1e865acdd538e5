//! Reads `handoff.toml` and the environment into validated [`Settings`].
//!
//! Settings are read in two stages. A document holds what the files say, with the line of every
//! value; [`Settings`] hold what that means: defaults filled in, URLs taken apart, secrets fetched,
//! globs and names checked. Nothing downstream reads a file or the environment again.
//!
//! Every fault of every file is found before any is reported, so that one look mends them all.
//! A [`SettingsProblem`] names the file, the line and the fix, and never holds a password.
//!
//! # Example
//!
//! ```
//! use handoff_settings::Settings;
//!
//! # fn main() -> Result<(), handoff_settings::SettingsError> {
//! let mut settings = Settings::new(
//!     "mysql://reader@clinic/opendental",
//!     None,
//!     "postgres://etl@127.0.0.1/opendental_analytics",
//! )?;
//! settings.run.exclude.push("tmp_*".to_owned());
//! assert_eq!(settings.source.port, 3306);
//! assert_eq!(settings.target.schema, "raw");
//! # Ok(())
//! # }
//! ```

#![warn(unreachable_pub)]

mod default_file;
mod document;
mod duration;
mod error;
mod filter;
mod fingerprint;
mod load;
mod objects;
mod read;
mod reader;
mod secret;
mod section;
mod server;
mod settings;
mod structure;
mod suggest;
mod table;
mod time_of_day;
pub mod toml_text;
mod url;
mod values;
mod written;

pub use crate::url::UrlError;
pub use default_file::DEFAULT_FILE;
pub use error::{SettingsError, SettingsProblem};
pub use filter::TableFilter;
pub use fingerprint::CertificatePin;
pub use objects::{NameCase, ObjectSettings, UniqueTexts};
pub use secret::Secret;
pub use server::{MySqlServer, PgServer, RequireAuth, TlsMode, TlsSettings};
pub use settings::{IdentityBy, RunSettings, Settings, StrategySelection, TargetSettings};
pub use structure::{DroppedColumns, DroppedTables, StructurePolicy};
pub use suggest::closest;
pub use table::{AVAILABLE_STRATEGIES, Lookback, TableSettings};
pub use time_of_day::{NoTimeOfDay, TimeOfDay};
pub use values::{BadJson, BadText, NulBytes, ValuePolicies, ZeroDates};
pub use written::WrittenAt;
