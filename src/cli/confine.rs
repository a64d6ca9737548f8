//! `confine`: becomes another program that may write in a few places only.

use std::path::Path;

use crate::engine::process::become_confined;

use super::{args::Confine, error::CliError};

/// Returns only if that fails. With a file for the refusal nothing is printed: whoever named it tells.
pub(super) fn confine(args: &Confine) -> Result<u8, CliError> {
    let [program, name, arguments @ ..] = args.program.as_slice() else {
        return Err(CliError::Usage("expected a program's file and the name it is called by".into()));
    };
    let refusal = args.refusal.as_deref();
    let why = become_confined(&args.write, !args.offline, refusal, Path::new(program), name, arguments);
    if refusal.is_some() { Ok(1) } else { Err(CliError::Failed(why)) }
}
