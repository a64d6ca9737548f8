//! The command line: clap types, one call per command, and the JSON contract.
