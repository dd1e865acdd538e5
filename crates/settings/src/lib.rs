//! Reads handoff.toml and the environment into validated settings.
