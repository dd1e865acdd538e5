//! The examples at the end of each help text.

pub(super) const INIT: &str = "\
Examples:
  etl init mysql://reader@clinic/opendental --target postgres://etl@127.0.0.1/analytics
  etl init mysql://reader@clinic/opendental --target postgres://etl@127.0.0.1/analytics --force";

pub(super) const CHECK: &str = "\
Examples:
  etl check                       every fault with its remedy
  etl check --json                the same for programs
  etl check --config clinic.toml  another configuration";

pub(super) const PLAN: &str = "\
Examples:
  etl plan                  every table
  etl plan patient claim    two tables, with their statements
  etl plan --full           as if every row were moved";

pub(super) const RUN: &str = "\
Examples:
  etl run                   all tables, as their settings say
  etl run --prove           and every row compared afterwards
  etl run patient claim     two tables
  etl run --only-failed     what earlier runs left behind
  etl run --until 06:00     no table begins after six
  etl run --json >run.json  the report for programs";

pub(super) const STATUS: &str = "\
Examples:
  etl status                all tables
  etl status patient        one table
  etl status --stale 26h    exit 1 if the data of any table is older";

pub(super) const VERIFY: &str = "\
Examples:
  etl verify                     every row of every table
  etl verify patient --limit 50  more of the differing rows
  etl verify --quick             counts and records only, in seconds
  etl verify --html drift.html   a page without keys or values";

pub(super) const REPAIR: &str = "\
Examples:
  etl repair --dry-run      what would be done
  etl repair                the rows that differ, in all tables
  etl repair patient        one table";

pub(super) const SCHEMA: &str = "\
Examples:
  etl schema                the tables as they would be made now
  etl schema --diff         the statements that bring them into line
  etl schema --rest         views, triggers and routines of the source";

pub(super) const REPLICATE: &str = "\
Examples:
  etl replicate             all tables, hop 1 alone
  etl replicate patient     one table";

pub(super) const LOAD: &str = "\
Examples:
  etl load                  all tables, hop 2 alone
  etl load patient --from-spool /var/spool/handoff/patient.csv";

pub(super) const COMPLETIONS: &str = "\
Examples:
  source <(etl completions bash)                      in ~/.bashrc
  source <(etl completions zsh)                       in ~/.zshrc
  etl completions fish | source                       in ~/.config/fish/config.fish";
