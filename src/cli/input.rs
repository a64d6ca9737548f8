//! Reading files that are named on the command line, with a cap.

use std::{fs::File, io::Read};

use camino::Utf8Path;

use super::error::CliError;

/// The content of a file; `-` stands for standard input.
pub(super) fn read(path: &Utf8Path, what: &str, limit: u64) -> Result<Vec<u8>, CliError> {
    let failed = |error: std::io::Error| CliError::Usage(format!("the {what} {path} cannot be read: {error}"));
    let from: Box<dyn Read> = match path.as_str() {
        "-" => Box::new(std::io::stdin().lock()),
        _ => Box::new(File::open(path).map_err(failed)?),
    };
    let mut bytes = Vec::new();
    from.take(limit + 1).read_to_end(&mut bytes).map_err(failed)?;
    if bytes.len() as u64 > limit {
        return Err(CliError::Usage(format!("the {what} {path} has more than {limit} bytes, which is too much")));
    }
    Ok(bytes)
}
