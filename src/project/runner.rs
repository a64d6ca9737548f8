//! `tests` and `[runner]`: how the project's tests are run.

use crate::model::{CustomRunner, Runner};

use super::{
    agents::argv,
    document::{At, Table},
    near::near,
    path,
};

const KEYS: &[&str] = &["files", "suite", "report"];

/// Reads `tests` of `[project]` together with `[runner]`.
pub(super) fn read(top: &Table<'_>, project: &Table<'_>) -> Option<Runner> {
    let hint = "say how the tests are run: tests = \"cargo\", or \"custom\" with a [runner]";
    let preset = project.required_text("tests", hint);
    let runner = top.table("runner", KEYS);
    let preset = preset?;
    match (preset.value.as_str(), runner) {
        ("custom", Some(table)) => custom(&table).map(Runner::Custom),
        ("custom", None) => {
            let hint = "add [runner] with `files` and `suite`, the commands for some test files and for all of them";
            top.doc.problem(&preset.span, "tests = \"custom\" needs a [runner]", hint);
            None
        }
        ("cargo", None) => Some(Runner::Cargo),
        ("cargo", Some(table)) => {
            let hint = "leave [runner] out, or write tests = \"custom\"";
            top.doc.problem(&table.span, "[runner] means nothing with tests = \"cargo\"", hint);
            None
        }
        (other, _) => {
            let hint = match near(other, ["cargo", "custom"]).first() {
                Some(meant) => format!("did you mean `{meant}`?"),
                None => "\"cargo\", or \"custom\" with a [runner] for any command that writes JUnit XML".to_owned(),
            };
            top.doc.problem(&preset.span, format!("unknown runner {other:?}"), hint);
            None
        }
    }
}

fn custom(table: &Table<'_>) -> Option<CustomRunner> {
    for key in ["files", "suite"].into_iter().filter(|key| !table.has(key)) {
        let hint = match key {
            "files" => "the command for some test files: files = [\"pytest\", \"--junitxml={report}\", \"{file}\"]",
            _ => "the command for all tests: suite = [\"pytest\", \"--junitxml={report}\"]",
        };
        table.doc.problem(&table.span, format!("[runner] has no `{key}`"), hint);
    }
    let report = table.text("report").and_then(|text| table.doc.check(text, |text| path::inside(&text)));
    let files = argv(table, "files");
    let suite = argv(table, "suite");
    if let Some(files) = files.as_ref().filter(|files| !mentions(files, "{file}")) {
        let hint =
            format!("put \"{{file}}\" where the test files go: {:?}", [files.as_slice(), &["{file}".into()]].concat());
        table.doc.problem(&table.key_span("files"), "`files` does not say where the test files go", hint);
    }
    if suite.as_ref().is_some_and(|suite| mentions(suite, "{file}")) {
        let hint = "leave \"{file}\" out: `suite` runs all tests";
        table.doc.problem(&table.key_span("suite"), "`suite` has no test file to put for {file}", hint);
    }
    for (key, command) in [("files", &files), ("suite", &suite)] {
        if let Some(command) = command {
            check_report(table, key, command);
        }
    }
    Some(CustomRunner { files: files?, suite: suite?, report: report.map(|At { value, .. }| value) })
}

fn check_report(table: &Table<'_>, key: &str, command: &[String]) {
    if !table.has("report") && !mentions(command, "{report}") {
        let hint =
            "put {report} where its JUnit file is named, or say where it writes one: report = \"build/junit.xml\"";
        table.doc.problem(&table.key_span(key), format!("`{key}` does not say where the report goes"), hint);
    }
}

fn mentions(argv: &[String], placeholder: &str) -> bool {
    argv.iter().any(|word| word.contains(placeholder))
}
