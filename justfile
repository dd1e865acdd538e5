# The recipes are the scripts, which need no `just`.

# List the recipes.
default:
    @just --list

# Carry the sample practice through private servers, and prove it.
demo *arguments:
    ./scripts/demo {{arguments}}

# Everything that CI runs; arguments go to the live tests.
test *arguments:
    ./scripts/test {{arguments}}

# Format, edges, links of the docs and lints only: seconds, no server.
check:
    cargo fmt --all --check
    ./scripts/check-edges
    ./scripts/check-docs
    cargo clippy --workspace --all-targets -- -D warnings

# The oldest supported Rust: the locked dependencies, and the code where that toolchain is installed.
msrv:
    ./scripts/check-msrv

# Licences, banned crates, sources and advisories of the dependencies; needs cargo-deny.
deny:
    cargo deny check

# One change at a time in the files that decide, and those that no unit test notices; needs cargo-mutants.
mutants *arguments:
    cargo mutants {{arguments}}

# The unit tests, each in a process of its own; needs cargo-nextest.
nextest *arguments:
    cargo nextest run {{arguments}}

# The API documentation.
docs:
    RUSTDOCFLAGS='-D warnings' cargo doc --workspace --no-deps

# Compare the strategies; arguments go to the benches.
bench *arguments:
    ./scripts/need-servers
    cargo bench {{arguments}}

# Three static binaries in target/x86_64-unknown-linux-gnu/dist/.
dist:
    RUSTFLAGS='-C target-feature=+crt-static' cargo build --profile dist --target x86_64-unknown-linux-gnu -p handoff-etl -p handoff-etl-replicate -p handoff-etl-load
