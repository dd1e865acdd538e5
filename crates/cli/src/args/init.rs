//! What stands behind `etl init`.

use clap::Args;
use handoff_settings::Fingerprint;

/// What `etl init` takes.
///
/// A password in a URL is seen by everybody who lists the machine's processes, so each may come from
/// an environment variable instead; the files only ever name the variable.
#[derive(Debug, Clone, Args)]
pub struct InitArgs {
    /// The database to read, as mysql://USER@HOST:3306/DATABASE; without it the source of the
    /// configuration file that is there, beside which tables.toml is then written.
    #[arg(value_name = "SOURCE_URL")]
    pub source: Option<String>,
    /// A MySQL of your own in between, as mysql://USER@HOST:3306/DATABASE.
    #[arg(long, value_name = "URL", requires = "source")]
    pub replica: Option<String>,
    /// The analytics database, as postgres://USER@HOST:5432/DATABASE.
    #[arg(long, value_name = "URL", requires = "source")]
    pub target: Option<String>,
    /// The environment variable with the source's password; SOURCE_PASSWORD unless given.
    #[arg(long, value_name = "NAME", requires = "source")]
    pub source_password_env: Option<String>,
    /// The source's certificate, as sha256: and what openssl x509 -noout -fingerprint -sha256 prints of
    /// it there; for a server on another machine that signs for itself.
    #[arg(long, value_name = "SHA256", requires = "source", value_parser = fingerprint)]
    pub source_fingerprint: Option<Fingerprint>,
    /// The environment variable with the replica's password; REPLICA_PASSWORD unless given.
    #[arg(long, value_name = "NAME", requires = "replica")]
    pub replica_password_env: Option<String>,
    /// The environment variable with the target's password; TARGET_PASSWORD unless given.
    #[arg(long, value_name = "NAME", requires = "target")]
    pub target_password_env: Option<String>,
    /// Look at the catalogue only and at no rows: no narrower types, no shares of recent rows.
    #[arg(long)]
    pub quick: bool,
    /// Replace files that are there.
    #[arg(long)]
    pub force: bool,
    /// Print what was found and proposed as one JSON document.
    #[arg(long)]
    pub json: bool,
}

fn fingerprint(text: &str) -> Result<Fingerprint, &'static str> {
    Fingerprint::parse(text).ok_or("write sha256: and 64 hexadecimal digits")
}
