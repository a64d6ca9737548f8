//! The `callboard` program.

use std::process::ExitCode;

fn main() -> ExitCode {
    callboard::cli::main()
}
