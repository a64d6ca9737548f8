//! The command for some test files, or for the whole project.

use camino::{Utf8Path, Utf8PathBuf};

use super::cargo;
use crate::model::{CustomRunner, Runner};

/// What stands for a test file in a custom command.
const FILE: &str = "{file}";
/// What stands for a fresh report in a custom command.
pub(super) const REPORT: &str = "{report}";

/// What is to be tested.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Target<'a> {
    /// Test files, relative to the project's root.
    Files(&'a [&'a str]),
    /// The whole project.
    Suite,
}

/// A command that runs tests. Its directory is the worktree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// The program and its arguments.
    pub argv: Vec<String>,
    /// What its environment has beside the clean one.
    pub env: Vec<(String, String)>,
    /// Where the report will be, absolute; none: it is in the output. Whatever is there before the run is of an earlier one
    /// and has to be deleted: some runners leave it when they do not get to their tests.
    pub report: Option<Utf8PathBuf>,
}

/// A command that cannot be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RunnerError {
    /// Nothing is to be run.
    #[error(
        "expected a program and its arguments in `runner.{key}`, found an empty list: name the command that runs your tests"
    )]
    EmptyCommand {
        /// The key of the configuration.
        key: &'static str,
    },
    /// The command would run the same tests whatever the file.
    #[error("expected `{{file}}` in an argument of `runner.files`, found none: it stands for the test file")]
    NoPlaceholder,
    /// No file is to be tested.
    #[error("expected at least one test file, found none: name one, or run the whole suite")]
    NoFiles,
    /// A file that would be taken for an option, or that is not in the project.
    #[error(
        "expected a test file's path relative to the project, found `{file}`: it may not be absolute, hold `..`, or start with `-`"
    )]
    BadFile {
        /// The file.
        file: String,
    },
    /// A file that `cargo test` has no target for.
    #[error(
        "expected a test file that cargo knows (`tests/x.rs`, `member/tests/x.rs`, `src/x.rs`), found `{file}`: \
         move it to `tests/`, or use a custom runner"
    )]
    NotATarget {
        /// The file.
        file: String,
    },
}

/// The command for the target. `fresh_report` is an absolute path outside the worktree at which there is nothing yet; it is
/// used only by a custom command that has `{report}` in it.
///
/// # Errors
///
/// If the configured command is empty or has no `{file}`, or if a file cannot be a test file: see [`RunnerError`].
pub fn plan(
    runner: &Runner,
    target: Target<'_>,
    worktree: &Utf8Path,
    fresh_report: &Utf8Path,
) -> Result<Plan, RunnerError> {
    match runner {
        Runner::Cargo => cargo::plan(target, worktree),
        Runner::Custom(custom) => plan_custom(custom, target, worktree, fresh_report),
    }
}

fn plan_custom(
    custom: &CustomRunner,
    target: Target<'_>,
    worktree: &Utf8Path,
    fresh_report: &Utf8Path,
) -> Result<Plan, RunnerError> {
    let (key, command, files) = match target {
        Target::Files(files) => ("files", &custom.files, files),
        Target::Suite => ("suite", &custom.suite, &[][..]),
    };
    if command.first().is_none_or(|program| program.trim().is_empty()) {
        return Err(RunnerError::EmptyCommand { key });
    }
    if key == "files" {
        check_files(command, files)?;
    }
    let tells = command.iter().any(|argument| argument.contains(REPORT));
    let mut argv = Vec::with_capacity(command.len() + files.len());
    for argument in command {
        let argument = argument.replace(REPORT, fresh_report.as_str());
        if key == "files" && argument.contains(FILE) {
            argv.extend(files.iter().map(|file| argument.replace(FILE, file)));
        } else {
            argv.push(argument);
        }
    }
    let report =
        if tells { Some(fresh_report.to_owned()) } else { custom.report.as_ref().map(|path| worktree.join(path)) };
    Ok(Plan { argv, env: Vec::new(), report })
}

fn check_files(command: &[String], files: &[&str]) -> Result<(), RunnerError> {
    if !command.iter().any(|argument| argument.contains(FILE)) {
        return Err(RunnerError::NoPlaceholder);
    }
    if files.is_empty() {
        return Err(RunnerError::NoFiles);
    }
    let bad = |file: &&&str| {
        let parts = || file.split('/');
        file.starts_with('-') || file.contains('\0') || parts().any(|part| part.is_empty() || part == "..")
    };
    files.iter().find(bad).map_or(Ok(()), |file| Err(RunnerError::BadFile { file: (*file).to_owned() }))
}

/// Whether the runner writes its report to its standard output, because it was given no other place.
pub(super) fn reports_on_stdout(custom: &CustomRunner) -> bool {
    custom.report.is_none() && !custom.files.iter().chain(&custom.suite).any(|argument| argument.contains(REPORT))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn custom(files: &[&str], suite: &[&str], report: Option<&str>) -> Runner {
        let own = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
        Runner::Custom(CustomRunner { files: own(files), suite: own(suite), report: report.map(str::to_owned) })
    }

    fn planned(runner: &Runner, target: Target<'_>) -> Result<Plan, RunnerError> {
        plan(runner, target, Utf8Path::new("/work"), Utf8Path::new("/tmp/r.xml"))
    }

    #[test]
    fn placeholders_are_filled_in() {
        let runner =
            custom(&["pytest", "--junitxml={report}", "{file}"], &["pytest", "--junitxml={report}"], Some("old.xml"));
        let plan = planned(&runner, Target::Files(&["tests/a.py", "tests/{report}.py"])).unwrap();
        assert_eq!(plan.argv, ["pytest", "--junitxml=/tmp/r.xml", "tests/a.py", "tests/{report}.py"]);
        assert_eq!(plan.report.as_deref(), Some(Utf8Path::new("/tmp/r.xml")));
        let plan = planned(&runner, Target::Suite).unwrap();
        assert_eq!(plan.argv, ["pytest", "--junitxml=/tmp/r.xml"]);
    }

    #[test]
    fn a_fixed_report_is_in_the_worktree() {
        let runner = custom(&["mvn", "test", "-Dtest={file}"], &["mvn", "test"], Some("target/surefire-reports"));
        let plan = planned(&runner, Target::Files(&["A"])).unwrap();
        assert_eq!(plan.argv, ["mvn", "test", "-Dtest=A"]);
        assert_eq!(plan.report.as_deref(), Some(Utf8Path::new("/work/target/surefire-reports")));
        let plan = planned(&custom(&[], &["prove"], None), Target::Suite).unwrap();
        assert_eq!(plan.report, None);
    }

    #[test]
    fn commands_that_cannot_be_made_say_why() {
        let good = custom(&["run", "{file}"], &[" "], None);
        for (runner, target, want) in [
            (&good, Target::Suite, RunnerError::EmptyCommand { key: "suite" }),
            (&custom(&[], &["x"], None), Target::Files(&["a"]), RunnerError::EmptyCommand { key: "files" }),
            (&custom(&["run"], &["x"], None), Target::Files(&["a"]), RunnerError::NoPlaceholder),
            (&good, Target::Files(&[]), RunnerError::NoFiles),
            (&good, Target::Files(&["a", "--help"]), RunnerError::BadFile { file: "--help".to_owned() }),
            (&good, Target::Files(&["../a"]), RunnerError::BadFile { file: "../a".to_owned() }),
            (&good, Target::Files(&["/etc/passwd"]), RunnerError::BadFile { file: "/etc/passwd".to_owned() }),
        ] {
            let message = want.to_string();
            assert_eq!(planned(runner, target), Err(want));
            assert!(message.contains("expected") && message.contains("found"), "{message}");
        }
    }
}
