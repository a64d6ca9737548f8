//! Whatever a runner or a test prints: no panic, no pass that was none, no endless time, no endless memory.

use std::fs;

use callboard::{
    model::{Exit, Runner, TestRun, TestStatus},
    runner::{Finished, cannot_start, read},
};
use proptest::prelude::*;

use super::{code, custom, silent};

const PASSING: &str = r#"<?xml version="1.0"?><testsuites name="a &amp; b"><testsuite name="s" time="0.1">
<testcase name="ä" classname="x.T"><system-out><![CDATA[words]]></system-out></testcase><!-- end -->
<testcase name="b"/></testsuite></testsuites>"#;

fn data(name: &str) -> Vec<u8> {
    fs::read(format!("{}/tests/data/runner/{name}", env!("CARGO_MANIFEST_DIR"))).unwrap()
}

fn in_bounds(run: &TestRun) {
    assert!(run.tests.len() <= TestRun::MAX_TESTS && run.failures.len() <= TestRun::MAX_TESTS);
    for failure in &run.failures {
        assert!(failure.name.len() < 1_100 && failure.message.len() < 4_200 && failure.stack.len() < 17_000);
    }
    let clean = |text: &str| text.chars().all(|char| !char.is_control() || char == '\n' || char == '\t');
    assert!(
        run.failures.iter().all(|failure| clean(&failure.name) && clean(&failure.message) && clean(&failure.stack))
    );
    assert!(run.tests.iter().all(|test| clean(&test.name)));
    assert!(run.compile_errors.iter().all(|error| clean(&error.message) && clean(&error.file)));
}

#[test]
fn a_report_that_breaks_off_anywhere_never_passes() {
    assert_eq!(read(&custom(), &Finished { report: Some(PASSING.as_bytes()), ..silent() }).status, TestStatus::Passed);
    for end in 0..PASSING.len() {
        let run = read(&custom(), &Finished { report: Some(&PASSING.as_bytes()[..end]), ..silent() });
        assert_ne!(run.status, TestStatus::Passed, "at {end}");
    }
}

#[test]
fn an_output_that_breaks_off_anywhere_never_passes() {
    let (stdout, stderr) = (data("cargo/pass/stdout"), data("cargo/pass/stderr"));
    let end = stdout.windows(13).position(|part| part == b"filtered out;").unwrap();
    for at in 0..stdout.len() {
        let run = read(&Runner::Cargo, &Finished { stdout: &stdout[..at], stderr: &stderr, ..silent() });
        // The result has said everything before its last words: how long it took.
        assert!(run.status != TestStatus::Passed || at >= end + "filtered out".len(), "at {at}");
    }
}

#[test]
fn every_test_of_a_large_report_is_named() {
    let passing = "<testcase name='fine' file='tests/a_test.py'/>".repeat(60_000);
    let failing: String = (0..60_000)
        .map(|at| {
            format!("<testcase name='bad {at}' file='tests/b_test.py'><failure message='no'>no</failure></testcase>")
        })
        .collect();
    let report = format!("<testsuite>{passing}{failing}<testcase name='ac_1_ok'/></testsuite>");
    let run = read(&custom(), &Finished { report: Some(report.as_bytes()), exit: &code(1), ..silent() });
    in_bounds(&run);
    assert_eq!((run.tests.len(), run.failures.len(), run.failed), (120_001, 60_000, 60_000));
    assert_eq!((run.unlisted_tests(), run.unlisted_failures()), (0, 0));
    let told = run.failures.iter().filter(|failure| !failure.message.is_empty() && !failure.stack.is_empty());
    assert_eq!(told.count(), TestRun::MAX_TOLD);
    assert_eq!(run.failures.last().unwrap().file.as_deref(), Some("tests/b_test.py"));
}

#[test]
fn names_are_bounded_and_what_is_left_out_is_counted() {
    // One attribute says what a hundred thousand tests take from it.
    let file = format!("tests/{}_test.py", "x".repeat(8_000));
    let cases = "<testcase name='a'><failure/></testcase>".repeat(100_000);
    let report = format!("<testsuite file='{file}'>{cases}</testsuite>");
    let run = read(&custom(), &Finished { report: Some(report.as_bytes()), exit: &code(1), ..silent() });
    assert_eq!((run.status, run.failed), (TestStatus::Failed, 100_000));
    assert!((1_000..10_000).contains(&run.failures.len()), "{}", run.failures.len());
    assert_eq!(run.unlisted_failures(), 100_000 - run.failures.len());
    assert_eq!(run.unlisted_tests(), 100_000 - run.tests.len());
}

#[test]
fn a_report_that_is_too_large_is_said_to_be() {
    let large = format!("<testsuite>{}</testsuite>", " ".repeat(65 * 1024 * 1024));
    let run = read(&custom(), &Finished { report: Some(large.as_bytes()), exit: &code(1), ..silent() });
    assert_eq!(run.status, TestStatus::Unparsable);
    assert_eq!(run.unreadable.as_deref(), Some("the test report is larger than 64 MiB, the most that is read"));
}

#[test]
fn a_file_that_is_not_the_projects_is_told() {
    for (file, foreign) in [("../../../etc/passwd", true), ("/etc/passwd", true), ("tests/a.t", false), ("", false)] {
        let report = format!("<testsuite><testcase name='a' file='{file}'><failure/></testcase></testsuite>");
        let run = read(&custom(), &Finished { report: Some(report.as_bytes()), exit: &code(1), ..silent() });
        assert_eq!(run.failures[0].foreign_file.as_deref(), foreign.then_some(file));
        assert_eq!(run.failures[0].file.is_some(), file == "tests/a.t");
    }
}

#[test]
fn deep_nesting_and_long_strings_are_bounded() {
    let deep = "<testsuite>".repeat(100_000);
    let long = "x".repeat(4_000_000);
    let bomb = format!(
        "<testsuite><testcase name='{long}'><failure message='{long}'>{long}&#x41;{long}</failure></testcase></testsuite>"
    );
    let entities = format!(
        "<testsuite><testcase name='a'><failure>{}</failure></testcase></testsuite>",
        "&amp;".repeat(1_000_000)
    );
    let odd = format!("<testsuite {}><testcase", "a='".repeat(1_000_000));
    let colons = format!(
        "<testsuite><testcase name='a'><failure>{}</failure></testcase></testsuite>",
        "a.b:1:".repeat(1_000_000)
    );
    for report in [deep, bomb, entities, odd, colons] {
        let exit = code(1);
        in_bounds(&read(&custom(), &Finished { exit: &exit, report: Some(report.as_bytes()), ..silent() }));
    }
    let large = vec![b' '; 64 * 1024 * 1024 + 1];
    assert_eq!(read(&custom(), &Finished { report: Some(&large), ..silent() }).status, TestStatus::Unparsable);
}

#[test]
fn long_lines_and_many_tests_are_bounded() {
    let long = [b"running 1 test\ntest ".to_vec(), b"a".repeat(8_000_000), b" ... FAILED\n".to_vec()].concat();
    let escapes = [
        b"running 1 test\ntest a ... FAILED\n\nfailures:\n\n---- a stdout ----\n".to_vec(),
        b"\x1b]".repeat(3_000_000),
    ]
    .concat();
    let many: Vec<u8> = (0..20_000).flat_map(|n| format!("test t{n} ... FAILED\n").into_bytes()).collect();
    let sections: Vec<u8> =
        (0..20_000).flat_map(|n| format!("---- t{n} stdout ----\n{}\n", "y".repeat(400)).into_bytes()).collect();
    let many = [b"running 20000 tests\n".to_vec(), many, b"\nfailures:\n\n".to_vec(), sections].concat();
    let starts = b"\nrunning 1 test\n".repeat(100_000);
    for stdout in [long, escapes, many, starts] {
        let exit = code(101);
        in_bounds(&read(&Runner::Cargo, &Finished { exit: &exit, stdout: &stdout, stderr: &stdout, ..silent() }));
    }
}

/// Words that mean something to some reader, and bytes that mean nothing.
fn noise() -> impl Strategy<Value = Vec<u8>> {
    let words: Vec<&'static [u8]> = vec![
        b"running 2 tests\n",
        b"test a ... ok\n",
        b"test b ... FAILED\n",
        b"test c ... ",
        b"failures:\n",
        b"---- b stdout ----\n",
        b"    b\n",
        b"test result: FAILED. 1 passed; 1 failed; 0 ignored; 0 measured; 0 filtered out\n",
        b"\n",
        b"thread 'b' panicked at src/a.rs:1:2:\n",
        b"error[E0425]: x\n",
        b" --> src/a.rs:1:2\n",
        b"error: could not compile `x`\n",
        b"     Running tests/a.rs (x)\n",
        b"   Doc-tests x\n",
        b"<testsuites>",
        b"</testsuites>",
        b"<testsuite name='a' time='1'>",
        b"</testsuite>",
        b"<testcase name='/a/b.js' classname='x.Y' line='3'>",
        b"</testcase>",
        b"<testcase/>",
        b"<failure message='test failed'>",
        b"</failure>",
        b"<error",
        b" type='",
        b"<skipped/>",
        b"<![CDATA[",
        b"]]>",
        b"<!--",
        b"-->",
        b"<!DOCTYPE",
        b"<?xml ",
        b"?>",
        b"&#0;",
        b"&",
        b"collection failure",
        b"at a.js:1:2",
        b"\xff\xfe",
        b"\x1b[",
        b"\x1b]",
        b"Error: Cannot find module 'x'\n- ",
        b"SyntaxError: x\n",
        b"file:///a%2",
        b"# Failed test 'x'\n",
        b"E   x\n",
    ];
    let part = prop_oneof![3 => prop::sample::select(words).prop_map(<[u8]>::to_vec), 1 => prop::collection::vec(any::<u8>(), 0..8)];
    prop::collection::vec(part, 0..60).prop_map(|parts| parts.concat())
}

proptest! {
    #[test]
    fn nothing_panics(stdout in noise(), stderr in noise(), report in prop::option::of(noise()), number in -1..130i32) {
        let exit = if number < 0 { Exit::Timeout } else { code(number) };
        let finished = Finished { exit: &exit, stdout: &stdout, stderr: &stderr, report: report.as_deref(), ..silent() };
        for runner in [Runner::Cargo, custom()] {
            let run = read(&runner, &finished);
            in_bounds(&run);
            prop_assert!(run.status != TestStatus::Passed || (number == 0 && run.passed > 0 && run.failed + run.errored == 0));
            let why = cannot_start(&runner, &finished);
            prop_assert!(why.is_none() || run.status != TestStatus::Passed);
        }
    }

    #[test]
    fn whatever_is_cut_from_a_passing_report_never_adds_a_test(from in 0..PASSING.len(), to in 0..PASSING.len()) {
        let cut: Vec<u8> = PASSING.bytes().enumerate().filter(|(at, _)| *at < from || *at >= to).map(|(_, byte)| byte).collect();
        let run = read(&custom(), &Finished { report: Some(&cut), ..silent() });
        prop_assert!(run.passed <= 2);
    }
}
