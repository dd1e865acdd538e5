//! Writes `handoff.toml`.

use crate::certificate::SeenCertificate;
use crate::report::InitReport;
use handoff_model::TableName;
use handoff_settings::toml_text::{comment, glob, text};

/// The servers of a new `handoff.toml`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InitServers {
    /// The application's database.
    pub source: InitServer,
    /// The database between the hops, if there is to be one.
    pub replica: Option<InitServer>,
    /// The analytics database, if it is known.
    pub target: Option<InitServer>,
}

/// One server of a new `handoff.toml`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InitServer {
    /// Its URL, without a password.
    pub url: String,
    /// The environment variable that holds the password, or may hold it.
    pub password_env: String,
    /// True if the variable is named in force; the settings then fail to load without it.
    pub has_password: bool,
}

const REPLICA: &str = "mysql://etl@127.0.0.1:3306/handoff_replica";
const TARGET: &str = "postgres://etl@127.0.0.1:5432/analytics";

impl InitReport {
    /// Returns a `handoff.toml` for these servers. It holds no password.
    pub fn handoff_toml(&self, servers: &InitServers) -> String {
        let mut file = self.head();
        file.push_str("\n# The application's database. Only ever read.\n[source]\n");
        file.push_str(&servers.source.lines());
        file.push_str(&self.certificate.as_ref().map(SeenCertificate::lines).unwrap_or_default());
        file.push_str(
            "\n# A MySQL or MariaDB of your own in between, of the source's kind and version or \
             newer. Without it\n# the load reads the source.\n",
        );
        file.push_str(&match &servers.replica {
            Some(replica) => format!("[replica]\n{}", replica.lines()),
            None => proposed("replica", REPLICA, "REPLICA_PASSWORD"),
        });
        file.push_str("\n# The analytics database, encoded in UTF8.\n");
        file.push_str(&match &servers.target {
            Some(target) => format!("[target]\n{}", target.lines()),
            None => format!(
                "# TO DO: this is an example.\n[target]\nurl = \"{TARGET}\"\n\
                 #password_env = \"TARGET_PASSWORD\"\n"
            ),
        });
        file.push_str(
            "# The schema that holds the tables, and the roles that may read them.\n\
             #schema = \"raw\"\n#grant_select_to = [\"dbt\"]\n",
        );
        file.push_str(&self.run());
        file
    }

    fn head(&self) -> String {
        let day = self.made_at.strftime("%Y-%m-%d");
        comment(&format!("{} ({}), by etl init on {day}.", self.source, self.server))
            + "# docs/configuration.md has every key with its default. tables.toml beside this file \
               has the tables.\n"
    }

    fn run(&self) -> String {
        let mut lines = "\n[run]\n# Tables in flight at once.\n#jobs = 4\n".to_owned();
        let mut names: Vec<&TableName> = Vec::new();
        for unfit in &self.unfit {
            lines += &comment(&format!("`{}` cannot be moved: {}", unfit.table, unfit.why));
            names.push(&unfit.table);
        }
        for stray in &self.exclude {
            lines += &comment(&format!("`{}` is {}", stray.table, stray.why));
            if !names.contains(&&stray.table) {
                names.push(&stray.table);
            }
        }
        if names.is_empty() {
            lines += "# Tables to leave out.\n#exclude = []\n";
            return lines;
        }
        let names: Vec<String> = names.iter().map(|name| text(&glob(name.as_str()))).collect();
        lines
            + "# Tables to leave out: remove the #, and remove the tables that you want from the list.\n"
            + &format!("#exclude = [{}]\n", names.join(", "))
    }
}

impl InitServer {
    fn lines(&self) -> String {
        let InitServer { url, password_env, has_password } = self;
        let off = if *has_password { "" } else { "#" };
        format!("url = {}\n{off}password_env = {}\n", text(url), text(password_env))
    }
}

fn proposed(section: &str, url: &str, password_env: &str) -> String {
    format!("#[{section}]\n#url = \"{url}\"\n#password_env = \"{password_env}\"\n")
}
