//! The options of `etl init`.

use clap::Args;
use handoff_settings::CertificatePin;

/// The options of `etl init`.
///
/// A password in a URL is visible to everybody who lists the machine's processes, so each may come from
/// an environment variable instead. The written files name the variable only.
#[derive(Debug, Clone, Args)]
pub struct InitArgs {
    /// The source, as mysql://USER@HOST:3306/DATABASE [default: the source in the existing configuration
    /// file; then only tables.toml is written].
    #[arg(value_name = "SOURCE_URL")]
    pub source: Option<String>,
    /// The replica, as mysql://USER@HOST:3306/DATABASE.
    #[arg(long, value_name = "URL", requires = "source")]
    pub replica: Option<String>,
    /// The target, as postgres://USER@HOST:5432/DATABASE.
    #[arg(long, value_name = "URL", requires = "source")]
    pub target: Option<String>,
    /// The environment variable that holds the source's password [default: SOURCE_PASSWORD].
    #[arg(long, value_name = "NAME", requires = "source")]
    pub source_password_env: Option<String>,
    /// The fingerprint of the source's self-signed certificate, as sha256:HEX; on the server, openssl
    /// x509 -noout -fingerprint -sha256 -in FILE prints it.
    #[arg(long, value_name = "SHA256", requires = "source", value_parser = fingerprint)]
    pub source_fingerprint: Option<CertificatePin>,
    /// The environment variable that holds the replica's password [default: REPLICA_PASSWORD].
    #[arg(long, value_name = "NAME", requires = "replica")]
    pub replica_password_env: Option<String>,
    /// The environment variable that holds the target's password [default: TARGET_PASSWORD].
    #[arg(long, value_name = "NAME", requires = "target")]
    pub target_password_env: Option<String>,
    /// Read the catalogue only and no rows; proposes no narrower types and no shares of recent rows.
    #[arg(long)]
    pub quick: bool,
    /// Overwrite existing files.
    #[arg(long)]
    pub force: bool,
    /// Print the findings and proposals as one JSON document.
    #[arg(long)]
    pub json: bool,
}

fn fingerprint(text: &str) -> Result<CertificatePin, &'static str> {
    CertificatePin::parse(text).ok_or("write sha256: and 64 hexadecimal digits")
}
