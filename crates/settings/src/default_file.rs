//! The annotated default configuration.

/// `config/handoff.toml`: every key with its default and what it does. The three URLs are
/// examples; the defaults stand in comments.
pub const DEFAULT_FILE: &str = include_str!("handoff.toml");

#[cfg(test)]
mod tests {
    use super::DEFAULT_FILE;
    use crate::load::{ConfigText, from_texts};
    use crate::{Settings, SettingsError};
    use std::env::VarError;
    use std::path::Path;

    fn load(text: &str) -> Result<Settings, SettingsError> {
        from_texts(&ConfigText { text, path: Path::new("handoff.toml") }, None, &|_| {
            Err(VarError::NotPresent)
        })
    }

    /// Takes the `#` off what begins with `marker`.
    fn uncommented(marker: &str) -> String {
        let line = |line: &str| match line.strip_prefix(marker) {
            Some(key) if key.starts_with(|c: char| c.is_ascii_lowercase() || c == '[') => {
                format!("{key}\n")
            }
            _ => format!("{line}\n"),
        };
        DEFAULT_FILE.lines().map(line).collect()
    }

    #[test]
    fn the_default_file_says_the_defaults() {
        let defaults = Settings::new(
            "mysql://reader@clinic.example:3306/opendental",
            Some("mysql://etl@127.0.0.1:3305/opendental_replication"),
            "postgres://etl@127.0.0.1:5432/opendental_analytics",
        )
        .unwrap();
        assert_eq!(load(DEFAULT_FILE).unwrap(), defaults);
        assert_eq!(load(&uncommented("#")).unwrap(), defaults);
    }

    /// The examples are of keys that exist: with all of them in force, nothing but their files
    /// and variables is missed.
    #[test]
    fn the_examples_are_of_keys_that_exist() {
        let error = load(&uncommented("#   ")).unwrap_err();
        let messages = error.problems().iter().map(|problem| problem.message().to_owned());
        let of_section = |section: &str| {
            let mut expected = vec![
                format!(
                    "{section}.password_env and {section}.password_file exclude each other; keep \
                     one"
                ),
                format!(
                    "{section}.tls_ca: cannot read ca.pem (No such file or directory (os error \
                     2)); name a PEM file of the authority's certificate that this account may \
                     read"
                ),
                format!(
                    "{section}.tls_fingerprint is no fingerprint; write \"sha256:\" and the 64 \
                     digits that openssl x509 -noout -fingerprint -sha256 -in FILE prints for the \
                     server's certificate"
                ),
                format!(
                    "{section}.tls_fingerprint names the very certificate, which leaves nothing to \
                     {section}.tls or tls_ca; write tls = \"require\" beside it, without tls_ca, or \
                     take it out"
                ),
            ];
            if section != "target" {
                expected.push(format!(
                    "{section}.server_public_key: cannot read public_key.pem (No such file or \
                     directory (os error 2)); name a PEM file of the server's public RSA key that \
                     this account may read"
                ));
            }
            expected
        };
        let expected = ["source", "replica", "target"].map(of_section).concat();
        assert_eq!(messages.collect::<Vec<_>>(), expected);
    }

    #[test]
    fn the_default_file_names_every_key() {
        let all = format!("{}{}", uncommented("#"), uncommented("#   "));
        for key in crate::read::known_keys() {
            let shown = all.lines().any(|line| line.starts_with(&format!("{key} = ")));
            assert!(shown, "config/handoff.toml does not name {key}");
        }
    }

    /// With `HANDOFF_BLESS=1` the page is written instead of compared.
    #[test]
    fn the_docs_quote_the_default_file() {
        const BEGIN: &str =
            "<!-- config/handoff.toml, by HANDOFF_BLESS=1 cargo test -p handoff-settings -->\n";
        const END: &str = "<!-- end of config/handoff.toml -->";
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/configuration.md");
        let page = std::fs::read_to_string(&path).unwrap();
        let (before, rest) = page.split_once(BEGIN).expect("the page has the first marker");
        let (_, after) = rest.split_once(END).expect("the page has the second marker");
        let generated = format!("{before}{BEGIN}\n```toml\n{DEFAULT_FILE}```\n\n{END}{after}");
        if std::env::var_os("HANDOFF_BLESS").is_some() {
            std::fs::write(&path, &generated).unwrap();
        } else if page != generated {
            panic!(
                "docs/configuration.md differs from config/handoff.toml; run \
                 HANDOFF_BLESS=1 cargo test -p handoff-settings"
            );
        }
    }
}
