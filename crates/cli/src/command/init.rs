//! `etl init`: the first settings, from what the source holds.

use crate::args::InitArgs;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::report::{WrittenFiles, init_text};
use crate::shell::Shell;
use handoff_pipeline::{InitServer, InitServers, LookAt};
use handoff_settings::{MySqlServer, RunSettings, Secret, Settings, TlsSettings};
use std::env;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use tempfile::NamedTempFile;

/// Looks at the source, writes the files, and prints what is in them.
pub(super) fn init(shell: &Shell, args: &InitArgs) -> Result<Exit, Failure> {
    shell.ended_by_signals()?;
    let files = ConfigFiles::new(&shell.config, args);
    files.refuse_to_overwrite()?;
    let (source, run, servers) = match &args.source {
        Some(url) => {
            let (source, servers) = servers(args, url)?;
            (source, RunSettings::default(), Some(servers))
        }
        None => {
            let settings = shell.settings()?;
            (settings.source, settings.run, None)
        }
    };
    shell.ended_in_time(&run);
    let at = if args.quick { LookAt::Catalogue } else { LookAt::Rows };
    let report = handoff_pipeline::init(&source, &run, at)?;
    if let Some(servers) = &servers {
        files.write(&files.handoff, &report.handoff_toml(servers))?;
    }
    files.write(&files.tables, &report.tables_toml())?;
    if args.json {
        shell.print_json(&report)?;
    } else {
        let written = WrittenFiles {
            handoff: servers.is_some().then_some(&*files.handoff),
            tables: &files.tables,
            config: (shell.config != Path::new("handoff.toml")).then_some(&*shell.config),
            unset: servers.as_ref().map(unset).unwrap_or_default(),
            target_is_missing: args.source.is_some() && args.target.is_none(),
        };
        shell.print(&init_text(&report, &written))?;
    }
    Ok(Exit::Well)
}

/// The target of a new file that knows none.
const ANY_TARGET: &str = "postgres://etl@127.0.0.1:5432/analytics";

/// Takes the URLs apart: the source to look at, and all servers for the file.
fn servers(args: &InitArgs, source: &str) -> Result<(MySqlServer, InitServers), Failure> {
    let target = args.target.as_deref().unwrap_or(ANY_TARGET);
    let Settings { source, replica, target, .. } =
        Settings::new(source, args.replica.as_deref(), target)?;
    let of_source = PasswordHome::new(args.source_password_env.as_deref(), "SOURCE_PASSWORD");
    let of_replica = PasswordHome::new(args.replica_password_env.as_deref(), "REPLICA_PASSWORD");
    let of_target = PasswordHome::new(args.target_password_env.as_deref(), "TARGET_PASSWORD");
    let target = args.target.is_some().then_some(target.server);
    of_source.warn_of_url("source", &source.password);
    if let Some(replica) = &replica {
        of_replica.warn_of_url("replica", &replica.password);
    }
    if let Some(target) = &target {
        of_target.warn_of_url("target", &target.password);
    }
    let servers = InitServers {
        source: of_source.server(source.url(), &source.password),
        replica: replica.map(|replica| of_replica.server(replica.url(), &replica.password)),
        target: target.map(|target| of_target.server(target.url(), &target.password)),
    };
    let password = of_source.read(source.password)?;
    let tls = TlsSettings { fingerprint: args.source_fingerprint, ..source.tls };
    Ok((MySqlServer { password, tls, ..source }, servers))
}

/// The place where a password is kept.
struct PasswordHome<'a> {
    variable: &'a str,
    /// True if the arguments name the variable.
    named: bool,
}

impl<'a> PasswordHome<'a> {
    fn new(named: Option<&'a str>, usual: &'a str) -> PasswordHome<'a> {
        PasswordHome { variable: named.unwrap_or(usual), named: named.is_some() }
    }

    /// A server that has a password, wherever it is now, is to have it in the variable.
    fn server(&self, url: String, in_url: &Secret) -> InitServer {
        let has_password = self.named || !in_url.is_empty() || env::var_os(self.variable).is_some();
        InitServer { url, password_env: self.variable.to_owned(), has_password }
    }

    /// Warns of a password in an argument.
    fn warn_of_url(&self, side: &str, in_url: &Secret) {
        if !in_url.is_empty() {
            log::warn!(
                "the password in the URL of the {side} can be seen by everybody who lists this \
                 machine's processes, and stays in the shell's history: next time put it into {} and \
                 leave it out of the URL",
                self.variable
            );
        }
    }

    /// Returns the password to connect with now.
    fn read(&self, in_url: Secret) -> Result<Secret, Failure> {
        match env::var(self.variable) {
            _ if !in_url.is_empty() => Ok(in_url),
            Ok(password) => Ok(Secret::new(password)),
            Err(_) if self.named => Err(Failure::Unset {
                option: "--source-password-env",
                variable: self.variable.to_owned(),
            }),
            Err(_) => Ok(in_url),
        }
    }
}

/// Returns the variables that the file names and that are not set.
fn unset(servers: &InitServers) -> Vec<&str> {
    let all = [Some(&servers.source), servers.replica.as_ref(), servers.target.as_ref()];
    let named = all.into_iter().flatten().filter(|server| server.has_password);
    named.map(|server| &*server.password_env).filter(|name| env::var_os(name).is_none()).collect()
}

/// The files to write.
struct ConfigFiles {
    handoff: PathBuf,
    tables: PathBuf,
    writes_handoff: bool,
    force: bool,
}

impl ConfigFiles {
    fn new(config: &Path, args: &InitArgs) -> ConfigFiles {
        ConfigFiles {
            handoff: config.to_owned(),
            tables: config.with_file_name("tables.toml"),
            writes_handoff: args.source.is_some(),
            force: args.force,
        }
    }

    /// Looks before the source is read; [`ConfigFiles::write`] makes sure.
    fn refuse_to_overwrite(&self) -> Result<(), Failure> {
        let handoff = self.writes_handoff.then_some(&self.handoff);
        let there = handoff.into_iter().chain([&self.tables]).find(|path| path.exists());
        match there {
            Some(path) if !self.force => Err(Failure::Exists { path: path.clone() }),
            _ => Ok(()),
        }
    }

    /// Writes a file beside its place, readable by this account alone since somebody may put a
    /// password into it, and moves it there as a whole.
    fn write(&self, path: &Path, text: &str) -> Result<(), Failure> {
        let folder = match path.parent() {
            Some(folder) if folder != Path::new("") => folder,
            _ => Path::new("."),
        };
        let moved = NamedTempFile::new_in(folder).and_then(|mut file| {
            file.write_all(text.as_bytes())?;
            file.as_file().sync_all()?;
            let moved = if self.force { file.persist(path) } else { file.persist_noclobber(path) };
            moved.map(drop).map_err(|error| error.error)
        });
        moved.map_err(|source| match source.kind() {
            io::ErrorKind::AlreadyExists => Failure::Exists { path: path.to_owned() },
            _ => Failure::Write { path: path.to_owned(), source },
        })
    }
}
