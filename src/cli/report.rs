//! `report`: reading what test runners print.

use camino::Utf8Path;

use super::{
    args::{Report, ReportCommand},
    error::CliError,
    input, print,
};

/// Larger reports are not read.
const LIMIT: u64 = 256 * 1024 * 1024;

pub(super) fn report(args: &Report) -> Result<u8, CliError> {
    let ReportCommand::Parse { format, file } = &args.what;
    print::json(&format.parse(&input::read(file, "report", LIMIT)?, Utf8Path::new(".")));
    Ok(0)
}
