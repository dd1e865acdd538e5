//! What was copied and loaded, when and from what: three tables and the run lock.
