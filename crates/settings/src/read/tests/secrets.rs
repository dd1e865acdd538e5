//! Passwords, the variables that hold them, and who a server is known to be.

use super::*;

#[test]
fn secrets_that_are_not_there_are_named() {
    adding(
        "password_env = \"NOT_SET\"\n",
        &["handoff.toml:5: target.password_env names the variable NOT_SET, which is not set; \
         export it"],
    );
    // A password written in the place of its variable's name is not repeated.
    for password in ["Hunter2", "two words"] {
        let error = load(&format!("{URLS}password_env = \"{password}\"\n"), None).unwrap_err();
        assert!(!error.to_string().contains(password), "{error}");
    }
    adding(
        "password_env = \"PW\"\npassword_file = \"x\"\n",
        &[
            "handoff.toml:6: target.password_env and target.password_file exclude each other; keep one",
        ],
    );
    adding(
        "[replica]\nurl = \"mysql://a:${PW}@b/c\"\npassword_env = \"PW\"\n",
        &["handoff.toml:7: replica.password_env names a password and replica.url holds another; \
         take the one in the URL out"],
    );
    adding(
        "password_file = \"/no/such\"\n",
        &[
            "handoff.toml:5: target.password_file: cannot take a password from /no/such (No such file \
         or directory (os error 2)); write the password alone into that file and let this \
         account read it",
        ],
    );
    adding(
        "tls = \"verify-ca\"\ntls_ca = \"/no/such\"\n",
        &[
            "handoff.toml:6: target.tls_ca: cannot read /no/such (No such file or directory (os error \
         2)); name a PEM file of the authority's certificate that this account may read",
        ],
    );
    adding(
        "tls_ca = \"/dev/null\"\n",
        &["handoff.toml:5: target.tls_ca has no effect without verification; write \
         tls = \"verify-full\" (or \"verify-ca\") beside it"],
    );
}

#[test]
fn who_a_server_is_is_said_in_one_way() {
    adding(
        "tls = \"verify-ca\"\n",
        &[
            "handoff.toml:5: target.tls is \"verify-ca\", which does not look at the host's name, so that \
         without tls_ca whoever has any public certificate would do; name the file of the authority as \
         tls_ca, or write tls = \"verify-full\"",
        ],
    );
    let pin = format!("tls_fingerprint = \"sha256:{}\"\n", "0f".repeat(32));
    for mode in ["disable", "verify-ca\"\ntls_ca = \"/dev/null", "verify-full"] {
        let line = 6 + mode.matches('\n').count();
        adding(
            &format!("tls = \"{mode}\"\n{pin}"),
            &[&format!(
                "handoff.toml:{line}: target.tls_fingerprint names the very certificate, which leaves \
                 nothing to target.tls or tls_ca; write tls = \"require\" beside it, without tls_ca, or \
                 take it out"
            )],
        );
    }
    for mode in ["", "tls = \"prefer\"\n", "tls = \"require\"\n"] {
        let tls = loads(&format!("{URLS}{mode}{pin}")).target.server.tls;
        assert!(tls.verifies() && !tls.is_optional(), "{mode}");
    }
    adding(
        "tls_fingerprint = \"0f:0f\"\n",
        &[
            "handoff.toml:5: target.tls_fingerprint is no fingerprint; write \"sha256:\" and the 64 digits \
         that openssl x509 -noout -fingerprint -sha256 -in FILE prints for the server's certificate",
        ],
    );
    adding(
        "[replica]\nurl = \"mysql://a@b/c\"\ntls = \"require\"\nserver_public_key = \"/dev/null\"\n",
        &[
            "handoff.toml:8: replica.server_public_key is for plain text, and the connection has TLS or is \
         none; take it out",
        ],
    );
    fails(
        "[source]\nurl = \"mysql://a@b/c\"\n[target]\nurl = \"postgres://a@%2Frun%2Fpg/c\"\n\
         require_auth = \"scram-sha-256\"\n",
        &[
            "handoff.toml:5: target.require_auth has no effect over the Unix socket of url, which only this \
         machine reaches; take it out, or name 127.0.0.1 in the url",
        ],
    );
}

#[test]
fn a_password_that_others_can_read_draws_a_warning() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("it's");
    std::fs::write(&file, "S3cret\n").unwrap();
    let main = format!("{URLS}password_file = {file:?}\n");
    for mode in [0o600, 0o400, 0o700] {
        std::fs::set_permissions(&file, Permissions::from_mode(mode)).unwrap();
        assert_eq!(loads(&main).warnings, [], "{mode:o}");
    }
    for mode in [0o640, 0o604, 0o620, 0o602, 0o644] {
        std::fs::set_permissions(&file, Permissions::from_mode(mode)).unwrap();
        let settings = loads(&main);
        let [warning] = &settings.warnings[..] else { panic!("{mode:o}") };
        let warning = warning.to_string();
        let begin = "handoff.toml:5: target.password_file: others than its owner may use ";
        assert!(warning.starts_with(begin), "{warning}");
        assert!(warning.contains(&format!("(mode {mode:o})")), "{warning}");
        let path = file.display().to_string().replace('\'', r"'\''");
        assert!(warning.ends_with(&format!("run chmod 600 '{path}'")), "{warning}");
        assert_eq!(settings.target.server.password.expose(), "S3cret");
    }
}

#[test]
fn a_configuration_that_holds_a_password_and_that_others_can_read_draws_a_warning() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("handoff.toml");
    for (url, mode, warns) in [
        ("mysql://reader:S3cret@clinic/app", 0o644, true),
        ("mysql://reader:S3cret@clinic/app", 0o600, false),
        ("mysql://reader@clinic/app", 0o644, false),
    ] {
        std::fs::write(&file, URLS.replace("mysql://reader@clinic/app", url)).unwrap();
        std::fs::set_permissions(&file, Permissions::from_mode(mode)).unwrap();
        let warnings = Settings::load(&file).unwrap().warnings;
        assert_eq!(warnings.len(), usize::from(warns), "{url} {mode:o}");
        for warning in warnings {
            let warning = warning.to_string();
            assert!(warning.contains(":2: source.url: others than its owner may use"), "{warning}");
            assert!(!warning.contains("S3cret"), "{warning}");
        }
    }
}

#[test]
fn variables_are_put_in_and_their_values_never_shown() {
    let main = "[source]\nurl = \"mysql://$r:$${x@${HOST}/app${EMPTY}\"\n\
                [target]\nurl = \"postgres://etl@db/olap\"\n";
    let source = loads(main).source;
    assert_eq!((&*source.host, &*source.user), ("clinic", "$r"));
    assert_eq!((source.password.expose(), &*source.database), ("${x", "app"));
    adding(
        "tls = \"${PW}\"\n",
        &["handoff.toml:5: target.tls is \"${PW}\"; it takes disable, prefer, require, verify-ca \
         or verify-full"],
    );
    adding(
        "[run]\ninclude = [\"${PW}[\"]\n",
        &["handoff.toml:6: run.include \"${PW}[\" is no glob: unclosed character class; missing \
         ']'; write * for any text, ? for one character"],
    );
    adding(
        "schema = \"${NOT_SET}\"\n",
        &["handoff.toml:5: target.schema uses ${NOT_SET}, which is not set; export it"],
    );
    adding(
        "schema = \"${PW\"\n",
        &["handoff.toml:5: target.schema has a ${ without its }; close it, or write $${ for ${"],
    );
    adding(
        "schema = \"${PW:-x}\"\n",
        &[
            "handoff.toml:5: target.schema has a ${…} that is no name of a variable; write ${NAME}, \
         or $${ for ${",
        ],
    );
}
