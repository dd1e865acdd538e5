//! Hop 1: copies a table from the source MySQL into the replica MySQL.
