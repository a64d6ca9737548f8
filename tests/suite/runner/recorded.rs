//! Small runs of our own, recorded or written by hand, and what is read from them.

use std::fs;

use callboard::{
    model::{CustomRunner, Exit, Runner, TestRun, TestStatus},
    runner::{Finished, Format, cannot_start, read},
};
use camino::{Utf8Path, Utf8PathBuf};

use super::{code, custom, silent};

fn data(path: &str) -> Utf8PathBuf {
    Utf8Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/runner").join(path)
}

/// A run on one screen: status and counts, then failures, then compile errors.
fn told(run: &TestRun) -> Vec<String> {
    let place = |file: Option<&str>, line: Option<u32>| {
        format!("{}:{}", file.unwrap_or("-"), line.map_or("-".to_owned(), |line| line.to_string()))
    };
    let first = |text: &str| text.lines().next().unwrap_or_default().to_owned();
    let mut lines = vec![format!("{} {}/{}/{}/{}", run.status, run.passed, run.failed, run.errored, run.skipped)];
    lines.extend(run.failures.iter().map(|failure| {
        format!("{} @ {} {}", failure.name, place(failure.file.as_deref(), failure.line), first(&failure.message))
    }));
    lines.extend(run.compile_errors.iter().map(|error| {
        let place = place(Some(&error.file), error.line);
        format!("E {place}:{} {}", error.column.unwrap_or_default(), first(&error.message))
    }));
    lines
}

/// A recorded run of cargo, in `/work/till`.
fn cargo(name: &str) -> (TestRun, Option<String>) {
    let file = |part: &str| fs::read(data(&format!("cargo/{name}/{part}"))).unwrap();
    let (stdout, stderr, exit) = (file("stdout"), file("stderr"), String::from_utf8(file("exit")).unwrap());
    let exit = code(exit.trim().parse().unwrap());
    let finished =
        Finished { exit: &exit, stdout: &stdout, stderr: &stderr, report: None, worktree: Utf8Path::new("/work/till") };
    (read(&Runner::Cargo, &finished), cannot_start(&Runner::Cargo, &finished))
}

#[test]
fn cargos_runs_are_read() {
    let failures = [
        "adds_wrong @ tests/fail.rs:5 assertion `left == right` failed: größe 📦",
        "breaks_in_the_library @ src/change.rs:9 paid enough",
        "breaks_in_a_thread @ tests/fail.rs:15 called `Result::unwrap()` on an `Err` value: Any { .. }",
        "does_not_panic @ tests/fail.rs:20 test did not panic as expected",
        "gives_an_error @ tests/fail.rs:- Error: \"no drawer\"",
        "panics_otherwise @ tests/fail.rs:25 panic did not contain expected string",
        "prints_another_run @ tests/fail.rs:38 after all that",
    ];
    let doc = "src/change.rs - change::given (line 5) @ src/change.rs:5 assertion `left == right` failed";
    let failed = |counts: &'static str, more: &[&'static str]| [&[counts][..], &failures, more].concat();
    for (name, want) in [
        ("pass", vec!["passed 3/0/0/1"]),
        ("fail", failed("failed 1/7/0/0", &[])),
        ("suite", failed("failed 6/8/0/1", &[doc])),
        ("none", vec!["no_tests 0/0/0/0"]),
        ("missing", vec!["no_tests 0/0/0/0"]),
        ("exit-zero", vec!["crashed 1/0/0/0"]),
        (
            "compile-error",
            vec![
                "compile_error 0/0/0/0",
                "E tests/broken.rs:3:34 cannot find value `missing` in this scope [E0425]",
                "E tests/broken.rs:3:28 mismatched types [E0308]",
            ],
        ),
        ("usage", vec!["unparsable 0/0/0/0"]),
        ("no-manifest", vec!["unparsable 0/0/0/0"]),
        ("manifest", vec!["compile_error 0/0/0/0", "E Cargo.toml:4:16 invalid basic string, expected `\"`"]),
    ] {
        let (mut told, mut want) = (told(&cargo(name).0), want);
        // Tests run side by side, in any order.
        told.sort_unstable();
        want.sort_unstable();
        assert_eq!(told, want, "{name}");
    }
}

#[test]
fn a_test_that_printed_through_is_still_told_apart() {
    let (run, _) = cargo("nocapture");
    let lines = told(&run);
    assert_eq!(lines[0], "failed 1/7/0/0");
    assert!(
        lines.contains(&"adds_wrong @ tests/fail.rs:5 assertion `left == right` failed: größe 📦".to_owned()),
        "{lines:?}"
    );
    assert!(lines.contains(
        &"breaks_in_a_thread @ tests/fail.rs:15 called `Result::unwrap()` on an `Err` value: Any { .. }".to_owned()
    ));
    let names: Vec<_> = run.tests.iter().map(|test| test.name.as_str()).collect();
    assert_eq!(names.len(), 8);
    assert!(names.contains(&"prints_another_run") && !names.contains(&"fake"), "{names:?}");
}

#[test]
fn tests_are_told_by_name_with_their_file() {
    let (run, _) = cargo("suite");
    let names: Vec<_> =
        run.tests.iter().map(|t| format!("{} {} {}", t.name, t.status, t.file.as_deref().unwrap_or("-"))).collect();
    for want in [
        "tests::nothing_costs_nothing passed src/lib.rs",
        "prints skipped tests/pass.rs",
        "too_little passed tests/pass.rs",
        "zählt_größer_測試 passed tests/pass.rs",
        "adds_wrong failed tests/fail.rs",
        "src/lib.rs - total (line 5) passed src/lib.rs",
    ] {
        assert!(names.contains(&want.to_owned()), "{want} in {names:?}");
    }
}

#[test]
fn only_the_runners_own_trouble_is_an_environment() {
    for (name, want) in [
        ("usage", Some("exit code 1: error: unexpected argument '--nonsense' found")),
        (
            "no-manifest",
            Some("exit code 101: error: could not find `Cargo.toml` in `/work/till` or any parent directory"),
        ),
        ("manifest", Some("exit code 101: error: invalid basic string, expected `\"`")),
        ("compile-error", None),
        ("missing", None),
        ("fail", None),
        ("none", None),
    ] {
        assert_eq!(cargo(name).1.as_deref(), want, "{name}");
    }
    let gone = Exit::NotStarted { message: "No such file or directory\x1b[0m".to_owned() };
    let (runner, report) = (custom(), b"<testsuite><testcase name='a'/></testsuite>");
    for (exit, stderr, report, want) in [
        (gone, &b""[..], None, Some("No such file or directory")),
        (code(127), b"sh: 1: pytest: not found\n", None, Some("exit code 127: sh: 1: pytest: not found")),
        (code(126), b"", None, Some("exit code 126: the program is not there or may not be run")),
        (code(1), b"python3: No module named pytest\n", None, Some("exit code 1: python3: No module named pytest")),
        (code(1), b"E   No module named 'till'\n", None, None),
        (code(127), b"", Some(&report[..]), None),
        (code(0), b"sh: pytest: command not found\n", None, None),
        (Exit::Timeout, b"sh: pytest: command not found\n", None, None),
    ] {
        let finished = Finished { exit: &exit, stderr, report, ..silent() };
        assert_eq!(cannot_start(&runner, &finished).as_deref(), want, "{exit:?}");
    }
}

#[test]
fn how_it_ended_goes_before_what_it_said() {
    let passing = fs::read(data("cargo/pass/stdout")).unwrap();
    for (exit, want) in [
        (Exit::Timeout, "timeout 3/0/0/1"),
        (Exit::Inactive, "timeout 3/0/0/1"),
        (Exit::Signal { signal: 9 }, "crashed 3/0/0/1"),
        (Exit::Cancelled, "crashed 3/0/0/1"),
        (code(101), "failed 3/0/0/1"),
        (code(0), "passed 3/0/0/1"),
    ] {
        let run = read(&Runner::Cargo, &Finished { exit: &exit, stdout: &passing, ..silent() });
        assert_eq!(told(&run), [want], "{exit:?}");
    }
}

#[test]
fn reports_of_many_runners_are_read() {
    for (name, exit, want) in [
        (
            "mixed.xml",
            1,
            vec![
                "failed 3/1/1/1",
                "fails @ spec/inner_spec.rb:15 expected &lol2; &nope; 3 & 4",
                "breaks @ spec/inner_spec.rb:20 no <database>",
            ],
        ),
        (
            "pytest.xml",
            1,
            vec![
                "failed 1/2/1/1",
                "test_given @ tests/test_till.py:11 assert 2 == 3",
                "test_strict @ tests/test_till.py:- [XPASS(strict)] must fail",
                "test_fixture @ tests/test_till.py:- failed on setup with \"KeyError: 'URL'\"",
            ],
        ),
        (
            "collection.xml",
            2,
            vec!["compile_error 1/0/0/0", "E till/change.py:4:0 File \"/work/app/till/change.py\", line 4"],
        ),
        ("jest.xml", 1, vec!["compile_error 0/0/0/0", "E test/till.test.js:2:0   ● Test suite failed to run"]),
        (
            "java.xml",
            1,
            vec!["failed 1/1/0/0", "gives @ src/test/java/org/example/TillTest.java:12 expected:<3> but was:<2>"],
        ),
        ("latin1.xml", 0, vec!["passed 1/0/0/1"]),
    ] {
        let report = fs::read(data(&format!("junit/{name}"))).unwrap();
        let exit = code(exit);
        let run = read(&custom(), &Finished { exit: &exit, report: Some(&report), ..silent() });
        assert_eq!(told(&run), want, "{name}");
    }
    let report = fs::read(data("junit/mixed.xml")).unwrap();
    let run = Format::Junit.parse(&report, Utf8Path::new("/work/app"));
    assert_eq!(run.duration_ms, 1_000_500);
    assert!(run.failures[0].stack.contains("and another\nsecond"), "{}", run.failures[0].stack);
}

#[test]
fn a_report_is_believed_only_where_the_runner_was_told_to_write_it() {
    let stdout = b"some words\n<testsuites><testsuite><testcase name='a'/></testsuite></testsuites>";
    let told = read(&custom(), &Finished { stdout, ..silent() });
    assert_eq!(told.status, TestStatus::Unparsable);
    let argv = vec!["prove".to_owned()];
    let prints = Runner::Custom(CustomRunner { files: argv.clone(), suite: argv, report: None });
    let printed = read(&prints, &Finished { stdout, ..silent() });
    assert_eq!(printed.status, TestStatus::Passed);
}

#[test]
fn a_pass_needs_an_end_a_test_and_a_content_runner() {
    let one = "<testcase name='a' classname='b'/>";
    for (report, exit, want) in [
        (format!("<testsuites>{one}</testsuites>"), 0, TestStatus::Passed),
        (format!("<testsuites>{one}</testsuites>"), 1, TestStatus::Failed),
        (format!("<testsuites>{one}"), 0, TestStatus::Crashed),
        (format!("<testsuites>{one}</testsuite>"), 0, TestStatus::Crashed),
        (format!("<testsuites>{one}<testcase time='0'/></testsuites>"), 0, TestStatus::Crashed),
        (format!("<testsuite>{one}<error message='x'/></testsuite>"), 0, TestStatus::Failed),
        ("<testsuites/>".to_owned(), 0, TestStatus::NoTests),
        ("<testsuite><testcase name='a'><skipped/></testcase></testsuite>".to_owned(), 0, TestStatus::NoTests),
        ("<testsuite><testcase name='a'><skipped/></testcase></testsuite>".to_owned(), 8, TestStatus::Failed),
        (" \n".to_owned(), 0, TestStatus::Crashed),
        ("<?xml version='1.0'".to_owned(), 0, TestStatus::Crashed),
        ("<html/>".to_owned(), 0, TestStatus::Unparsable),
        ("ok 1 - a".to_owned(), 0, TestStatus::Unparsable),
    ] {
        let exit = code(exit);
        let run = read(&custom(), &Finished { exit: &exit, report: Some(report.as_bytes()), ..silent() });
        assert_eq!(run.status, want, "{report} {exit:?}");
    }
}

#[test]
fn other_compilers_are_read_where_there_is_no_report() {
    for (stdout, stderr, want) in [
        ("", "src/a.c:3:5: error: expected ';'\n", "E src/a.c:3:5 expected ';'"),
        ("src/a.ts(3,5): error TS1005: ';' expected.\n", "", "E src/a.ts:3:5 ';' expected."),
        ("[ERROR] /work/app/src/A.java:[10,84] ';' expected\n", "", "E src/A.java:10:84 ';' expected"),
        ("", "** (SyntaxError) lib/a.ex:3: unexpected token: end\n", "E lib/a.ex:3:0 unexpected token: end"),
        (
            "",
            "PHP Parse error:  syntax error, unexpected ';' in /work/app/a.php on line 9\n",
            "E a.php:9:0 syntax error, unexpected ';'",
        ),
        ("FAIL\tx/orders [build failed]\n./orders/a.go:3:5: undefined: x\n", "", "E orders/a.go:3:5 undefined: x"),
        (
            "",
            "Global symbol \"$x\" requires explicit package name at lib/A.pm line 8.\nBEGIN failed--compilation aborted at t/a.t line 4.\n",
            "E lib/A.pm:8:0 Global symbol \"$x\" requires explicit package name",
        ),
    ] {
        let exit = code(1);
        let run = read(
            &custom(),
            &Finished { exit: &exit, stdout: stdout.as_bytes(), stderr: stderr.as_bytes(), ..silent() },
        );
        assert_eq!(told(&run), ["compile_error 0/0/0/0", want]);
    }
}
