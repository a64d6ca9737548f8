//! Real runs of real runners, each with what it means: read, and scored by the rules that come with them. They lie
//! beside the repository on the machines that have them; elsewhere this test says that it was skipped.

use std::{collections::BTreeMap, fs, path::Path};

use callboard::{
    model::{CustomRunner, Exit, Runner, TestRun},
    runner::{Finished, cannot_start, read},
};
use camino::Utf8Path;
use serde::Deserialize;

#[derive(Deserialize)]
struct Expected {
    status: String,
    #[serde(default)]
    status_ok: Vec<String>,
    #[serde(flatten)]
    counts: Counts,
    #[serde(default)]
    alt_counts: Vec<Counts>,
    #[serde(default)]
    lenient: Vec<String>,
    failures: Vec<Failure>,
    failures_listed: String,
    compile_errors: Vec<Place>,
}

#[derive(Deserialize, Clone, Copy)]
struct Counts {
    passed: Option<u32>,
    failed: Option<u32>,
    errored: Option<u32>,
    skipped: Option<u32>,
}

#[derive(Deserialize)]
struct Failure {
    name: String,
    file: Option<String>,
    line: Option<u32>,
    #[serde(default)]
    lines_ok: Vec<u32>,
    message_contains: String,
    #[serde(default)]
    group: bool,
    #[serde(default)]
    lenient_place: bool,
}

#[derive(Deserialize)]
struct Place {
    file: Option<String>,
    line: Option<u32>,
    #[serde(default)]
    message_contains: String,
    #[serde(default)]
    also_ok: Vec<Place>,
}

fn folded(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// File names agree when one is the end of the other, in whole parts.
fn same_file(expected: Option<&str>, got: Option<&str>) -> bool {
    let Some(expected) = expected else { return true };
    let Some(got) = got.filter(|got| !got.is_empty()) else { return false };
    let mut pairs = expected.trim_matches('/').rsplit('/').zip(got.trim_matches('/').rsplit('/'));
    pairs.all(|(a, b)| a == b)
}

fn same_line(expected: &Failure, got: Option<u32>) -> bool {
    match (expected.line, got) {
        (None, None) => true,
        (None, Some(_)) if expected.lines_ok.is_empty() => true,
        (line, got) => line.iter().chain(&expected.lines_ok).any(|line| Some(*line) == got),
    }
}

fn counts_agree(expected: &Expected, run: &TestRun) -> bool {
    let got = [run.passed, run.failed, run.errored, run.skipped];
    let list = |counts: &Counts| [counts.passed, counts.failed, counts.errored, counts.skipped];
    let scored = list(&expected.counts);
    let free = ["passed", "failed", "errored", "skipped"].map(|name| expected.lenient.iter().any(|free| free == name));
    let agrees = |counts: &Counts| {
        (0..4).all(|at| free[at] || scored[at].is_none() || list(counts)[at].is_none_or(|count| count == got[at]))
    };
    agrees(&expected.counts) || expected.alt_counts.iter().any(agrees)
}

fn failures_missed(expected: &Expected, run: &TestRun) -> Vec<String> {
    let free = |field: &str| expected.lenient.iter().any(|free| free == field);
    let mut used = vec![false; run.failures.len()];
    let mut missed = Vec::new();
    for want in &expected.failures {
        let found = run.failures.iter().enumerate().position(|(at, got)| {
            let full = format!("{} {}", got.name, got.file.as_deref().unwrap_or_default());
            let text = folded(&format!("{} {}", got.message, got.stack));
            let place = same_file(want.file.as_deref(), got.file.as_deref()) && same_line(want, got.line);
            (!used[at] || want.group)
                && full.contains(&want.name)
                && (want.lenient_place || place)
                && text.contains(&folded(&want.message_contains))
        });
        match found {
            Some(at) => used[at] = true,
            None if want.group || free("failures") => {}
            None => missed
                .push(format!("no failure {} {:?}:{:?} '{}'", want.name, want.file, want.line, want.message_contains)),
        }
    }
    if expected.failures_listed == "all"
        && !free("failures")
        && !free("failed")
        && !expected.failures.iter().any(|f| f.group)
    {
        let compiled = |file: Option<&str>| {
            expected.compile_errors.iter().any(|e| e.file.is_some() && same_file(e.file.as_deref(), file))
        };
        let extra = run.failures.iter().zip(&used).filter(|(got, used)| !**used && !compiled(got.file.as_deref()));
        missed.extend(extra.map(|(got, _)| format!("a failure too many: {}", got.name)));
    }
    missed
}

fn compile_errors_missed(expected: &Expected, run: &TestRun) -> Vec<String> {
    let found = |want: &Place| {
        let places = || std::iter::once(want).chain(&want.also_ok);
        run.compile_errors.iter().any(|got| {
            let here = |place: &Place| {
                same_file(place.file.as_deref(), Some(&got.file)) && (place.line.is_none() || place.line == got.line)
            };
            places().any(here) && folded(&got.message).contains(&folded(&want.message_contains))
        })
    };
    let mut missed: Vec<_> = expected
        .compile_errors
        .iter()
        .filter(|want| !found(want))
        .map(|want| format!("no compile error {:?}:{:?} '{}'", want.file, want.line, want.message_contains))
        .collect();
    if expected.compile_errors.is_empty() && !expected.status_ok.iter().any(|status| status == "compile_error") {
        missed.extend(run.compile_errors.first().map(|error| format!("a compile error that is none: {error:?}")));
    }
    missed
}

fn missed(expected: &Expected, run: &TestRun) -> Vec<String> {
    let mut missed = Vec::new();
    let status = run.status.to_string();
    if status != expected.status && !expected.status_ok.contains(&status) {
        missed.push(format!("status {status}, not {}", expected.status));
    }
    if !counts_agree(expected, run) {
        let Counts { passed, failed, errored, skipped } = expected.counts;
        let got = (run.passed, run.failed, run.errored, run.skipped);
        missed.push(format!("counts {got:?}, not {:?}", (passed, failed, errored, skipped)));
    }
    missed.extend(failures_missed(expected, run));
    missed.extend(compile_errors_missed(expected, run));
    missed
}

/// The configuration that a person would have written to make callboard run this.
fn runner(framework: &str, argv: &[String]) -> Runner {
    let report = match framework {
        "cargo-test" => return Runner::Cargo,
        "nextest-junit" => Some("target/nextest/callboard/junit.xml".to_owned()),
        "surefire" => Some("target/surefire-reports".to_owned()),
        _ => None,
    };
    let suite: Vec<String> =
        argv.iter().map(|word| word.replace("_callboard.xml", "{report}").replace("_callboard", "{report}")).collect();
    Runner::Custom(CustomRunner { files: suite.clone(), suite, report })
}

fn exit(code: &str) -> Exit {
    match code.trim().split_once(':') {
        Some(("signal", signal)) => Exit::Signal { signal: signal.parse().unwrap() },
        _ if code.trim() == "timeout" => Exit::Timeout,
        _ => Exit::Code { code: code.trim().parse().unwrap() },
    }
}

fn report(case: &Path) -> Option<Vec<u8>> {
    if let Ok(files) = fs::read_dir(case.join("report.d")) {
        let mut paths: Vec<_> = files.map(|file| file.unwrap().path()).collect();
        paths.retain(|path| path.extension().is_some_and(|extension| extension == "xml"));
        paths.sort();
        return Some(paths.iter().flat_map(|path| fs::read(path).unwrap()).collect());
    }
    fs::read(case.join("report.xml")).ok()
}

fn score(framework: &str, case: &Path) -> Vec<String> {
    let text = |name: &str| fs::read_to_string(case.join(name)).unwrap();
    let expected: Expected = serde_json::from_str(&text("expected.json")).unwrap();
    let argv: Vec<String> = serde_json::from_str(&text("argv")).unwrap();
    let runner = runner(framework, &argv);
    let (stdout, stderr, report) =
        (fs::read(case.join("stdout")).unwrap(), fs::read(case.join("stderr")).unwrap(), report(case));
    let exit = exit(&text("exit_code"));
    let finished = Finished {
        exit: &exit,
        stdout: &stdout,
        stderr: &stderr,
        report: report.as_deref(),
        worktree: Utf8Path::new("/project"),
    };
    let mut missed = missed(&expected, &read(&runner, &finished));
    let silent = expected.status == "unparsable" || expected.status_ok.iter().any(|status| status == "unparsable");
    if let Some(why) = cannot_start(&runner, &finished).filter(|_| !silent) {
        missed.push(format!("it did start: {why}"));
    }
    missed
}

#[test]
fn recorded_runs_are_read_as_they_were_meant() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/testdata");
    let Ok(frameworks) = fs::read_dir(&corpus) else {
        eprintln!("SKIPPED: no corpus of recorded test runs at {}", corpus.display());
        return;
    };
    let mut scores: BTreeMap<String, (usize, usize)> = BTreeMap::new();
    let mut misses = Vec::new();
    for framework in frameworks.map(|entry| entry.unwrap().path()) {
        let name = framework.file_name().unwrap().to_string_lossy().into_owned();
        if !(name == "cargo-test" || name == "surefire" || name.ends_with("-junit")) {
            continue;
        }
        for case in fs::read_dir(&framework).unwrap().map(|entry| entry.unwrap().path()) {
            let missed = score(&name, &case);
            let (good, all) = scores.entry(name.clone()).or_default();
            *good += usize::from(missed.is_empty());
            *all += 1;
            let case = case.file_name().unwrap().to_string_lossy();
            misses.extend(missed.into_iter().map(|miss| format!("{name}/{case}: {miss}")));
        }
    }
    misses.sort();
    eprintln!("{scores:?}");
    assert!(misses.is_empty(), "{}", misses.join("\n"));
}
