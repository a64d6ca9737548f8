//! Tests of `runner`.

mod corpus;
mod hostile;
mod markers;
mod recorded;

use callboard::{
    model::{CustomRunner, Exit, Runner},
    runner::Finished,
};
use camino::Utf8Path;

const ENDED: Exit = Exit::Code { code: 0 };

/// A custom runner that writes its report where it is told.
fn custom() -> Runner {
    let argv = vec!["run".to_owned(), "{file}".to_owned(), "{report}".to_owned()];
    Runner::Custom(CustomRunner { files: argv.clone(), suite: argv, report: None })
}

/// A run of which nothing is known but that it exited with 0.
fn silent() -> Finished<'static> {
    Finished { exit: &ENDED, stdout: b"", stderr: b"", report: None, worktree: Utf8Path::new("/work/app") }
}

fn code(code: i32) -> Exit {
    Exit::Code { code }
}
