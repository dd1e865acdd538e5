//! Arguments, logging, progress, printing and exit codes shared by the binaries.
