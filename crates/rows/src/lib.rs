//! Streams rows out of MySQL in their canonical form, the PostgreSQL COPY BINARY tuple.
